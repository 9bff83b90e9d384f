"""Where a fit stands: all that it takes to go on with it, to the bit as if it had never been interrupted.

The order of an epoch's samples follows from a word of the random state at its beginning, so that is kept, eight bytes
instead of the order. How many of its batches are done follows from its totals, which the kernels advance in the same call as
the weights: an interrupt that falls between two statements of Python finds them in agreement.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ..checks import real_number
from ..kernels.optimizers import Optimizer
from ..program import TOTALS
from .epoch_end import EpochEnd
from .history import History


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
    ending: the last epoch that callbacks have been told of, or are being told of; not kept. What it takes to tell the rest
    of them later is in their states, as "untold".
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
    ending: EpochEnd | None = None
    before: tuple | None = None  # (arrays, what a callback had put in their place), until it is sure that the fit goes on

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
        if self.callbacks is not None:  # an interrupt came before the last run was at rest
            self.rest()
        self.history = self.history.first(self.epoch.number)  # or while an epoch was entered
        self.ending = None
        if self.arrays is not None:
            self.before = self.arrays, network.vectors.copies_by_name()
            network.vectors.set_arrays(self.arrays)
            self.arrays = None
        untold, logs = [], {}
        for callback, kept in zip(callbacks, matched(callbacks, self.states), strict=True):
            if kept is not None and "untold" in kept:
                untold.append(callback)
                logs |= kept["untold"]
            callback.resumed = None if kept is None else {name: each for name, each in kept.items() if name != "untold"}
        if untold:
            self.ending = EpochEnd(self.epoch.number - 1, logs, untold)

    def withdraw(self, network):
        """Undo what `begin` did to the network: the fit does not go on."""
        if self.before is not None:
            self.arrays, best = self.before
            network.vectors.set_arrays(best)
            self.before = None

    def keep_callbacks(self, callbacks):
        """Take note that the fit has begun, with these callbacks."""
        self.callbacks, self.before = callbacks, None

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
        """[(type, state), …] of the callbacks; beside what each says, what tells it apart and what it has not been told."""
        if self.callbacks is None:
            return self.states
        ending = self.ending
        untold = [] if ending is None or ending.epoch >= self.epoch.number else ending.untold
        states = []
        for callback in self.callbacks:
            kept, marks = callback.state(), callback.told_apart_by()
            if isinstance(kept, dict):
                kept = kept | ({"told_apart_by": marks} if marks else {})
                kept |= {"untold": numbers(ending.logs)} if any(callback is each for each in untold) else {}
            states.append((type(callback).__name__, kept))
        return states

    def rest(self):
        """Note that the fit is no longer running."""
        self.states, self.callbacks = self.callback_states(), None


def begin_or_resume(network, optimizer, resume, *, samples, batch_size, shuffle):
    """The FitState of a new fit, or the one that the network was last in."""
    fits = network.fits
    if not resume or fits.last is None:
        optimizer = fits.optimizer("adam" if optimizer is None else optimizer)
        return FitState(optimizer, batch_size, samples, shuffle, Epoch(0, int(network.vectors.random[0])))
    state = fits.last
    state.check(samples=samples, batch_size=batch_size, shuffle=shuffle)
    given = fits.by_name.get(optimizer) if isinstance(optimizer, str) else optimizer
    if optimizer is not None and state.optimizer is not given:
        raise ValueError(f"optimizer is {optimizer!r}; a fit that is resumed goes on with its own, {state.optimizer!r}: "
                         "leave optimizer out, and change the hyperparameters of network.optimizer if you wish")
    return state


def matched(callbacks, states):
    """For each callback the state, among [(type, state), …], that is its own; None if there is none left for it."""
    pairs = [(-likeness(callback, kept), number, index) for number, callback in enumerate(callbacks)
             for index, (kind, kept) in enumerate(states) if kind == type(callback).__name__]
    found, taken = {}, set()
    for _, number, index in sorted(pairs):
        if number not in found and index not in taken:
            found[number] = states[index][1]
            taken.add(index)
    return [found.get(number) for number in range(len(callbacks))]


def likeness(callback, kept):
    """In how many of the things that tell callbacks of its type apart this one is like the one whose state was kept."""
    marks = kept.get("told_apart_by")
    if not isinstance(marks, dict):
        return 0
    return sum(name in marks and marks[name] == value for name, value in callback.told_apart_by().items())


def numbers(logs):
    """Those of the logs that are numbers: callbacks may have put anything there."""
    return {name: float(value) for name, value in logs.items()
            if isinstance(value, (float, np.floating)) or not math.isnan(real_number(value))}


def set_best_arrays(network, arrays):
    """Put the arrays of its best epoch into a network, by name; its fit, if resumed, goes on with those that it had."""
    state = network.fits.last
    if state is not None and state.arrays is None:
        state.arrays = network.vectors.copies_by_name()
    network.vectors.set_arrays(arrays)
