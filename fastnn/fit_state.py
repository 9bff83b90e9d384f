"""Where a fit stands: all that it takes to go on with it, to the bit as if it had never been interrupted.

The order of an epoch's samples follows from a word of the random state at its beginning, so that is kept, eight bytes
instead of the order. How many of its batches are done follows from its totals, which the kernels advance in the same call as
the weights: an interrupt that falls between two statements of Python finds them in agreement.
"""

from dataclasses import dataclass, field

import numpy as np

from .files import named_arrays
from .history import History
from .kernels.optimizers import Optimizer
from .program import TOTALS


@dataclass
class Epoch:
    """The epoch that comes or is running: its number, the word its order is drawn from, and the totals up to here."""

    number: int
    random: int
    totals: np.ndarray = field(default_factory=lambda: np.zeros(TOTALS))


@dataclass
class FitState:
    """A fit that has begun.

    callbacks: those of the fit while it runs; states: [(type, state), …] of those of the fit when it is not running.
    arrays: what the network's arrays were before a callback put others in their place at the end; None if none did.
    """

    optimizer: Optimizer
    batch_size: int
    samples: int
    shuffle: bool
    epoch: Epoch
    history: History = field(default_factory=History)
    callbacks: list | None = None
    states: list = field(default_factory=list)
    arrays: dict | None = None

    def check(self, **given):
        """Refuse to go on with other data than it began with."""
        for name, value in given.items():
            began = getattr(self, name)
            if value != began:
                what = f"X has {value} samples" if name == "samples" else f"{name} is {value}"
                raise ValueError(f"{what}; the fit to be resumed has {began}: give it the same data and {name}, or begin a "
                                 f"new one with resume=False")

    def begin(self, network, callbacks):
        """Make ready to run: undo what the end of the last run did, and hand the callbacks their states."""
        self.history = self.history.first(self.epoch.number)  # an interrupt may have come while an epoch was entered
        if self.arrays is not None:
            put(network, self.arrays)
            self.arrays = None
        states = list(self.states)
        for callback in callbacks:
            kind = type(callback).__name__
            mine = next((index for index, (name, _) in enumerate(states) if name == kind), None)
            callback.resumed = None if mine is None else states.pop(mine)[1]

    def finish_epoch(self, network, metrics):
        """Enter an epoch into the history and go to the next."""
        self.history.append(metrics, self.optimizer.rate(max(int(network.fits.optimizer_state(self.optimizer).step[0]), 1)))
        # one assignment: before it as after it, all agrees
        self.epoch = Epoch(self.epoch.number + 1, int(network.vectors.random[0]))

    def finish_epochs(self, metrics, rates, random):
        """Enter several epochs, {name: a value each} and the learning rate of each; random: what the next is drawn from."""
        if len(self.history.epochs) > self.epoch.number:  # it was interrupted here, and begins again
            self.history = self.history.first(self.epoch.number)
        self.history.extend(metrics, rates)
        self.epoch = Epoch(self.epoch.number + len(rates), random, self.epoch.totals)

    def callback_states(self):
        if self.callbacks is None:
            return self.states
        return [(type(callback).__name__, callback.state()) for callback in self.callbacks]

    def rest(self):
        """Note that the fit is no longer running."""
        self.states, self.callbacks = self.callback_states(), None


def show(network, arrays):
    """Put other arrays into the network, such as its best; its fit, if resumed, goes on with those that it had."""
    state = network.fits.last
    if state is not None and state.arrays is None:
        state.arrays = {name: array.copy() for name, array in named_arrays(network).items()}
    put(network, arrays)


def put(network, arrays):
    for name, array in named_arrays(network).items():
        array[...] = arrays[name]
