"""A smaller learning rate where a metric no longer improves."""

import math

from ..checks import not_negative, whole_number
from .monitor import Monitor


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` each time a metric has not improved for `patience` epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        A metric that the fit reports, or a callback before it in the list: see `Callback.reports`.
    factor : float, default 0.1
        Between 0 and 1, both excluded.
    patience : int, default 10
        Reduce after so many epochs without improvement; 0 and 1 are the same.
    min_learning_rate : float, default 0
        The rate is not reduced below this.
    min_delta : float, default 1e-4
        Only a change by more than this is an improvement.
    cooldown : int, default 0
        How many epochs after a reduction are not counted.
    mode : {"auto", "min", "max"}
        Whether smaller or larger values are better. "auto" is enough for the metrics of the fit, and for one that a callback
        declares in its `reports`; for others say it.

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
            raise ValueError(f"{self.where('factor')} is {factor!r}; it must lie between 0 and 1, as in factor=0.1")
        self.patience = whole_number(self.where("patience"), patience, least=0)
        self.cooldown = whole_number(self.where("cooldown"), cooldown, least=0)
        self.min_learning_rate = not_negative(self.where("min_learning_rate"), min_learning_rate)
        self.wait, self.cooling, self.rate = 0, 0, None  # rate: what it has set after the last epoch, if it has

    def on_train_begin(self, logs):
        super().on_train_begin(logs)
        if not isinstance(getattr(self.network.optimizer, "learning_rate", None), float):
            raise ValueError("ReduceLROnPlateau changes a learning rate that is a number; "
                             f"{self.network.optimizer!r} has none: give it one, or leave the callback out")
        before = self.goes_on_from
        self.wait, self.cooling, self.rate = before.get("wait", 0), before.get("cooling", 0), before.get("rate")

    def on_epoch_end(self, epoch, logs):
        if epoch != self.seen:
            self.judge(epoch, logs)
        if self.rate is not None:
            self.network.optimizer.learning_rate = self.rate

    def judge(self, epoch, logs):
        """Note what the metric says, and in `rate` the learning rate if it is to change."""
        value, cooling = self.better(logs), self.cooling > 0
        noted = {"seen": epoch, "best": self.best if value is None else value, "wait": self.wait + 1, "rate": None,
                 "cooling": max(self.cooling - 1, 0)}
        if value is not None or cooling:
            noted["wait"] = 0
        elif noted["wait"] >= self.patience:
            rate = self.network.optimizer.learning_rate
            # never raised, and kept above zero when a factor has been applied hundreds of times
            least = min(rate, max(self.min_learning_rate, math.ulp(0.0)))
            noted |= {"wait": 0, "cooling": self.cooldown, "rate": max(self.factor * rate, least)}
        self.note(**noted)

    def state(self):
        return super().state() | {"wait": self.wait, "cooling": self.cooling, "rate": self.rate}
