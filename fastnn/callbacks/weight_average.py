"""Averages of the weights over training: a running mean (Polyak), or the mean of the last epochs (SWA)."""

import numpy as np

from ..checks import whole_number
from ..checks.single import below, number
from ..fitting.callback import Callback
from ..fitting.state import set_best_arrays

decay_of = number(0.0, below(1.0), "a number from 0 up to, but not including, 1, or None")


class WeightAverage(Callback):
    """Give the network, at the end of the fit, an average of its weights; it often predicts better than the last weights.

    Parameters
    ----------
    decay : float, optional
        With a number such as 0.99, the exponential moving average: average ← decay · average + (1 − decay) · weights, every
        `every_batches` batches, beginning with the weights after the first of them. None, the default, is stochastic weight
        averaging (Izmailov et al. 2018): the mean of the weights at the ends of the epochs.
    start : int, default 0
        The number of epochs before the first that counts.
    every_batches : int, default 1
        For the exponential moving average; fewer calls cost less.

    Notes
    -----
    Running statistics, such as those of `BatchNorm`, are averaged likewise. During the fit, metrics are those of the weights
    in training. A resumed fit continues with the last weights and the average so far. Place it last, after an
    `EarlyStopping` that restores the best weights, or leave that out: one of both wins.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, WeightAverage
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> net = Network([Dense(1)], inputs=1)
    >>> history = net.fit(X, 3 * X[:, 0], epochs=20, callbacks=[WeightAverage(start=10)])
    """

    def __init__(self, decay=None, start=0, every_batches=1):
        self.decay = None if decay is None else decay_of("WeightAverage(decay=...)", decay)
        self.start = whole_number("WeightAverage(start=...)", start, least=0)
        self.every_batches = whole_number("WeightAverage(every_batches=...)", every_batches)
        self.average, self.count, self.begun = None, 0, False
        if self.decay is not None:
            self.on_train_batch_end = self.after_batch  # only then does training return to Python after batches

    def on_train_begin(self, logs):
        before = self.resumed or {}
        self.average, self.count, self.begun = before.get("average"), before.get("count", 0), False

    def on_epoch_begin(self, epoch, logs):
        self.begun = epoch >= self.start

    def after_batch(self, batch, logs):
        if self.begun:
            self.include(1 - self.decay if self.count else 1.0)

    def on_epoch_end(self, epoch, logs):
        if self.decay is None and epoch >= self.start:
            self.include(1 / (self.count + 1))

    def include(self, share):
        """Move the average towards the weights by a share of the distance."""
        arrays = self.network.vectors.by_name
        if self.average is None:
            average = self.network.vectors.copies_by_name()
        else:
            average = {name: (old + share * (arrays[name].astype(np.float64) - old)).astype(arrays[name].dtype)
                       if arrays[name].dtype.kind == "f" else arrays[name].copy() for name, old in self.average.items()}
        vars(self).update(average=average, count=self.count + 1)  # in one step, which an exception cannot interrupt

    def on_train_end(self, logs):
        if self.average is not None:
            set_best_arrays(self.network, self.average)

    def state(self):
        return {"average": self.average, "count": self.count}

    def told_apart_by(self):
        return {"decay": -1.0 if self.decay is None else self.decay, "start": self.start}
