"""Watching one metric: is it better than the best so far?"""

import math

from ..checks import not_negative, one_of, shown
from ..metrics import directed
from .callback import Callback, reported

MODES = "min", "max", "auto"


class Monitor(Callback):
    """Base of callbacks that watch a metric.

    A value is better if it lies below the best by more than min_delta ("min"), or above ("max"); "auto" goes by what the
    metric says of itself, and refuses one that says nothing. NaN is never better.
    """

    def __init__(self, monitor, mode, min_delta=0.0):
        self.monitor, self.mode = monitor, mode
        self.min_delta = not_negative(self.where("min_delta"), min_delta)
        if not isinstance(monitor, str):
            raise ValueError(f"{self.where('monitor')} is {shown(monitor)}; it must be the name of a metric, such as "
                             "'val_loss'")
        one_of(self.where("mode"), mode, MODES)
        self.sign = self.best = None  # sign: 1 if smaller values are better, -1 if larger ones; known when a fit begins

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
        self.best = (self.resumed or {}).get("best")

    def improved(self, logs):
        """Whether the metric is better than the best so far, which it then becomes."""
        value = reported(logs, self.monitor)
        if math.isnan(value) or (self.best is not None and not self.sign * value < self.sign * self.best - self.min_delta):
            return False
        self.best = value
        return True

    def state(self):
        return {"best": self.best}
