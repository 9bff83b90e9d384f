"""Reduction of the learning rate when a metric no longer improves."""

import math

from ..checks import not_negative, whole_number
from .monitor import Monitor


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` each time a metric has not improved for `patience` epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        A metric of the fit, or of a callback before it in the list: see `Callback.reports`.
    factor : float, default 0.1
        In (0, 1).
    patience : int, default 10
        The number of epochs without improvement after which to reduce; 0 and 1 are the same.
    min_learning_rate : float, default 0
        The learning rate is not reduced below this.
    min_delta : float, default 1e-4
        A change counts as an improvement if it is larger than this.
    cooldown : int, default 0
        The number of epochs after a reduction that are not counted.
    mode : {"auto", "min", "max"}
        Whether smaller or larger values are better. "auto" works for metrics of the fit and for those that a callback
        declares in its `reports`; specify it for others.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import SGD, Dense, Network, ReduceLROnPlateau
    >>> net = Network([Dense(1, initializer="zeros")], inputs=1)  # has learned all there is: 0 from 0
    >>> reduce = ReduceLROnPlateau("loss", factor=0.5, patience=2, min_learning_rate=0.02)
    >>> history = net.fit(np.zeros((9, 1)), np.zeros(9), epochs=8, optimizer=SGD(0.1), callbacks=[reduce])
    >>> history["learning_rate"]
    [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.02]
    """

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, min_learning_rate=0.0, *, min_delta=1e-4, cooldown=0,
                 mode="auto"):
        super().__init__(monitor, mode, min_delta)
        self.factor = not_negative(self.where("factor"), factor)
        if not 0 < self.factor < 1:
            raise ValueError(f"{self.where('factor')} is {factor!r}; it must be between 0 and 1, as in factor=0.1")
        self.patience = whole_number(self.where("patience"), patience, least=0)
        self.cooldown = whole_number(self.where("cooldown"), cooldown, least=0)
        self.min_learning_rate = not_negative(self.where("min_learning_rate"), min_learning_rate)
        self.wait, self.cooling, self.rate = 0, 0, None  # rate: the rate set after the last epoch, if any

    def on_train_begin(self, logs):
        super().on_train_begin(logs)
        if not isinstance(getattr(self.network.optimizer, "learning_rate", None), float):
            raise ValueError("ReduceLROnPlateau changes a learning rate that is a number; "
                             f"{self.network.optimizer!r} has none: give it one, or leave the callback out")
        before = self.comparable_state
        self.wait, self.cooling, self.rate = before.get("wait", 0), before.get("cooling", 0), before.get("rate")

    def on_epoch_end(self, epoch, logs):
        if epoch != self.seen:
            self.judge(epoch, logs)
        if self.rate is not None:
            self.network.optimizer.learning_rate = self.rate

    def judge(self, epoch, logs):
        """Record the metric, and in `rate` the new learning rate if it changes."""
        value, cooling = self.better(logs), self.cooling > 0
        noted = {"seen": epoch, "best": self.best if value is None else value, "wait": self.wait + 1, "rate": None,
                 "cooling": max(self.cooling - 1, 0)}
        if value is not None or cooling:
            noted["wait"] = 0
        elif noted["wait"] >= self.patience:
            rate = self.network.optimizer.learning_rate
            # never increased, and kept above zero after hundreds of reductions
            least = min(rate, max(self.min_learning_rate, math.ulp(0.0)))
            noted |= {"wait": 0, "cooling": self.cooldown, "rate": max(self.factor * rate, least)}
        self.note(**noted)

    def state(self):
        return super().state() | {"wait": self.wait, "cooling": self.cooling, "rate": self.rate}
