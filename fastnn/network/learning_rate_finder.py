"""The learning rate finder (Smith 2017, "Cyclical learning rates", section 3.3): the loss while the rate grows from batch to
batch. Below a good rate nothing happens, above it the loss explodes; it falls fastest between.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import number_in_range, whole_number
from ..fitting.callback import Callback
from ..kernels.optimizers import Optimizer

SMOOTHING, EXPLODED = 0.9, 4.0  # of the moving average; a smoothed loss of so many times the smallest ends the search


@dataclass(frozen=True)
class LearningRates:
    """The losses at growing learning rates, see `learning_rate_finder`. `fastnn.plot.learning_rates` draws them.

    Attributes
    ----------
    rates, losses : array (batches,)
        The learning rate of each batch, and its loss before the step.
    smoothed : array (batches,)
        A moving average of the losses.
    suggestion : float
        The rate at which the smoothed loss falls fastest, with two digits.
    """

    rates: NDArray
    losses: NDArray
    smoothed: NDArray
    suggestion: float

    def __str__(self):
        return (f"learning rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g} in {len(self.rates)} batches: the loss "
                f"falls fastest at {self.suggestion:.2g}")


class Growing(Callback):
    """Raise the learning rate from batch to batch, and record the loss of each; stop where it explodes."""

    def __init__(self, rates, samples, batch_size):
        self.rates, self.samples, self.batch_size = rates, samples, batch_size
        self.losses, self.smoothed, self.average, self.before = [], [], 0.0, (0, 0.0)

    def on_epoch_begin(self, epoch, logs):
        self.before = 0, 0.0

    def on_train_batch_begin(self, batch, logs):
        if len(self.losses) == len(self.rates):
            self.network.stop_training = True
        else:
            self.network.optimizer.learning_rate = float(self.rates[len(self.losses)])

    def on_train_batch_end(self, batch, logs):
        # logs has the mean over the epoch so far
        seen, (before, total) = min((batch + 1) * self.batch_size, self.samples), self.before
        self.before = seen, logs["loss"] * seen
        self.losses.append((self.before[1] - total) / (seen - before))
        self.average = SMOOTHING * self.average + (1 - SMOOTHING) * self.losses[-1]
        self.smoothed.append(self.average / (1 - SMOOTHING ** len(self.losses)))
        least = min(self.smoothed)
        if self.smoothed[-1] - least > (EXPLODED - 1) * max(abs(least), 1e-12):
            self.network.stop_training = True

    def on_divergence(self, error):
        return True


def learning_rate_finder(network, X: ArrayLike, y: ArrayLike, *, optimizer: Optimizer | str = "adam", batch_size: int = 32,
                         lowest: float = 1e-6, highest: float = 10.0, steps: int = 100,
                         sample_weight: ArrayLike | None = None, threads: int | None = None) -> LearningRates:
    """Train a copy of the network with a learning rate that grows from batch to batch, and return the losses.

    The network itself, its optimizer and its history stay as they are. The search ends early where the loss explodes.

    Parameters
    ----------
    network : Network
    X, y, sample_weight : array
        As for `Network.fit`.
    optimizer : Optimizer or str, default "adam"
    batch_size : int, default 32
        That of the fit that is to come: larger batches allow larger rates.
    lowest, highest : float
        The first and the last rate; each is the one before times the same factor.
    steps : int, default 100
        The number of batches. Small data are passed over several times.
    threads : int, optional

    Returns
    -------
    LearningRates

    Examples
    --------
    >>> from fastnn import Dense, Network, learning_rate_finder
    >>> from fastnn.datasets import spiral
    >>> X, y = spiral(samples=600, classes=3)
    >>> net = Network([Dense(32, "relu"), Dense(3, "softmax")], inputs=2)
    >>> found = learning_rate_finder(net, X, y)
    >>> 1e-4 < found.suggestion < 1
    True
    """
    lowest = number_in_range("lowest", lowest, math.ulp(0.0))
    highest = number_in_range("highest", highest, lowest)
    steps, batch_size = whole_number("steps", steps, least=10), whole_number("batch_size", batch_size)
    samples = len(y) if not isinstance(y, dict) else len(next(iter(y.values())))
    tried = copy.deepcopy(network)
    growing = Growing(np.geomspace(lowest, highest, steps), samples, batch_size)
    tried.fit(X, y, epochs=-(-steps // max(1, -(-samples // batch_size))), batch_size=batch_size,
              optimizer=copy.deepcopy(optimizer), callbacks=[growing], sample_weight=sample_weight, threads=threads,
              progress=False)
    losses, smoothed = np.array(growing.losses), np.array(growing.smoothed)
    if len(losses) < 5:
        raise ValueError(f"the loss explodes within {len(losses)} batches, at the learning rate {lowest:.2g} already; give "
                         "a smaller `lowest`, or scale X and y")
    return LearningRates(growing.rates[:len(losses)], losses, smoothed, steepest(growing.rates, smoothed))


def steepest(rates: NDArray, smoothed: Sequence[float]) -> float:
    """Return the rate at which the smoothed loss falls fastest before its minimum, with two digits.

    The average lags behind the losses by about 1 / (1 - SMOOTHING) batches. The first averages are of fewer losses, and fall
    by chance.
    """
    last = max(2, int(np.argmin(smoothed)) + 1)
    first = max(0, min(round(1 / (1 - SMOOTHING)), last - 2))
    place = first + int(np.argmin(np.gradient(smoothed[first:last])))
    return float(f"{rates[max(0, place - round(SMOOTHING / (1 - SMOOTHING) / 2))]:.1e}")
