"""The base class of callbacks that monitor a metric."""

import math
from difflib import get_close_matches

from ..checks import not_negative, one_of, shown
from ..checks.caller_warning import warn_caller
from ..checks.other_names import known_name
from ..fitting.callback import Callback, reported
from ..samples.metrics import directed

MODES = "min", "max", "auto"


class Monitor(Callback):
    """Base class of callbacks that monitor a metric.

    A value is better if it is below the best by more than min_delta ("min"), or above it ("max"); "auto" uses the direction
    of the metric, and refuses a metric without one. NaN is never better.

    `on_epoch_end` records its results in one assignment at its end, with the number of the epoch in `seen`. So it may be
    interrupted at any point and called again.
    """

    may_be_repeated = True

    def __init__(self, monitor, mode, min_delta=0.0):
        self.monitor, self.mode = monitor, mode
        self.min_delta = not_negative(self.where("min_delta"), min_delta)
        if not isinstance(monitor, str):
            raise ValueError(f"{self.where('monitor')} is {shown(monitor)}; it must be the name of a metric, such as "
                             "'val_loss'")
        one_of(self.where("mode"), mode, MODES)
        self.sign = self.best = self.seen = None  # sign: 1 if smaller values are better, -1 if larger ones are
        self.comparable_state = {}  # `resumed`, if it has the same metric and direction

    def where(self, argument):
        return f"{type(self).__name__}({argument}=...)"

    def on_train_begin(self, logs):
        if self.monitor not in self.metrics:
            if meant := self.meant():
                raise ValueError(f"{self.where('monitor')} is {self.monitor!r}; this fit reports {', '.join(self.metrics)}: "
                                 f"did you mean {meant!r}?")
            repair = "give fit validation_data, or one of these" if self.monitor.startswith("val_") else "give one of these"
            raise ValueError(f"{self.where('monitor')} is {self.monitor!r}; this fit reports {', '.join(self.metrics)}: "
                             f"{repair}, or put a callback before it that has it among its `reports`")
        self.sign = directed(
            self.where("monitor"), self.metric_records[self.monitor], self.mode,
            f"give mode='max' if larger values are better, or mode='min'; or declare it where it is reported, as in "
            f"reports = {{{self.monitor!r}: 'max'}}").sign
        self.comparable_state = self.comparable(self.resumed or {})
        self.best, self.seen = self.comparable_state.get("best"), self.comparable_state.get("seen")

    def meant(self):
        """Return the reported metric that `monitor` probably means, None if there is none like it."""
        name, prefix = self.monitor.removeprefix("val_"), "val_" * self.monitor.startswith("val_")
        names = [each.removeprefix("val_") for each in self.metrics if each.startswith("val_") == bool(prefix)]
        near = known_name("metric", name, names) or next(iter(get_close_matches(name, names, n=1, cutoff=0.7)), None)
        return near and prefix + near

    def comparable(self, before):
        """Return the state of the resumed fit, or {} if it has another metric or direction."""
        watched = before.get("told_apart_by", {}).get("monitor", self.monitor)
        if watched == self.monitor and before.get("sign", self.sign) == self.sign:
            return before
        if before.get("best") is not None:
            warn_caller(f"the fit that is resumed had a {type(self).__name__} by {watched}, this one goes by {self.monitor} "
                        "or in the other direction: it starts anew from here")
        return {}

    def better(self, logs):
        """Return the metric if it is better than the best so far, else None."""
        value = reported(logs, self.monitor)
        if math.isnan(value) or (self.best is not None and not self.sign * value < self.sign * self.best - self.min_delta):
            return None
        return value

    def note(self, **noted):
        """Set these attributes in one step, which an exception cannot interrupt."""
        vars(self).update(noted)

    def told_apart_by(self):
        return {"monitor": self.monitor, "mode": self.mode}

    def state(self):
        return {"best": self.best, "sign": self.sign, "seen": self.seen}
