"""Watching one metric: is it better than the best so far?"""

import math

from ..checks import not_negative, one_of, shown
from ..checks.caller_warning import warn_caller
from ..fitting.callback import Callback, reported
from ..samples.metrics import directed

MODES = "min", "max", "auto"


class Monitor(Callback):
    """Base of callbacks that watch a metric.

    A value is better if it lies below the best by more than min_delta ("min"), or above ("max"); "auto" goes by what the
    metric says of itself, and refuses one that says nothing. NaN is never better.

    What `on_epoch_end` finds out is noted in one step, at its end, with the number of the epoch in `seen`: so it may be
    interrupted anywhere and called again.
    """

    may_be_repeated = True

    def __init__(self, monitor, mode, min_delta=0.0):
        self.monitor, self.mode = monitor, mode
        self.min_delta = not_negative(self.where("min_delta"), min_delta)
        if not isinstance(monitor, str):
            raise ValueError(f"{self.where('monitor')} is {shown(monitor)}; it must be the name of a metric, such as "
                             "'val_loss'")
        one_of(self.where("mode"), mode, MODES)
        self.sign = self.best = self.seen = None  # sign: 1 if smaller values are better, -1 if larger ones; of the fit
        self.goes_on_from = {}  # `resumed` as far as it was judged alike

    def where(self, argument):
        return f"{type(self).__name__}({argument}=...)"

    def on_train_begin(self, logs):
        if self.monitor not in self.metrics:
            repair = "give fit validation_data, or one of these" if self.monitor.startswith("val_") else "give one of these"
            raise ValueError(f"{self.where('monitor')} is {self.monitor!r}; this fit reports {', '.join(self.metrics)}: "
                             f"{repair}, or put a callback before it that has it among its `reports`")
        self.sign = directed(
            self.where("monitor"), self.metric_records[self.monitor], self.mode,
            f"give mode='max' if larger values are better, or mode='min'; or declare it where it is reported, as in "
            f"reports = {{{self.monitor!r}: 'max'}}").sign
        self.goes_on_from = self.comparable(self.resumed or {})
        self.best, self.seen = self.goes_on_from.get("best"), self.goes_on_from.get("seen")

    def comparable(self, before):
        """What was kept where the fit goes on; {} if it was judged otherwise."""
        watched = before.get("told_apart_by", {}).get("monitor", self.monitor)
        if watched == self.monitor and before.get("sign", self.sign) == self.sign:
            return before
        if before.get("best") is not None:
            warn_caller(f"the fit that is resumed had a {type(self).__name__} by {watched}, this one goes by {self.monitor} "
                        "or in the other direction: it judges anew from here")
        return {}

    def better(self, logs):
        """The metric if it is better than the best so far, else None."""
        value = reported(logs, self.monitor)
        if math.isnan(value) or (self.best is not None and not self.sign * value < self.sign * self.best - self.min_delta):
            return None
        return value

    def note(self, **noted):
        """Set these attributes in one step, which no exception can leave half done."""
        vars(self).update(noted)

    def told_apart_by(self):
        return {"monitor": self.monitor, "mode": self.mode}

    def state(self):
        return {"best": self.best, "sign": self.sign, "seen": self.seen}
