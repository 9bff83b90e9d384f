"""The state of a fit: everything needed to resume it, to the same bits as without an interruption.

The order of an epoch's samples is a function of a word of the random state at its beginning, so that word is kept, eight
bytes instead of the order. The number of finished batches is derived from the totals of the epoch, which the kernels update
in the same call as the weights. So they agree even if an interrupt occurs between two statements of Python.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ..checks import real_number
from ..kernels.optimizers import Optimizer, optimizers
from ..program import TOTALS, new_totals
from ..program.groups import check_decay
from .epoch_end import EpochEnd
from .history import History


@dataclass
class Epoch:
    """The next or current epoch: its number, the random word of its order, and its totals so far."""

    number: int
    random: int
    totals: np.ndarray = field(default_factory=lambda: np.zeros(TOTALS))


@dataclass
class FitState:
    """The state of a fit that has begun.

    callbacks: the callbacks of a running fit. states: [(type, state), …] of the callbacks of a fit that is not running.
    frozen: the names of the parameters and state that it leaves as they are, with the numbers of their layers.
    backprop_steps: the length of the windows by which it trains, None for whole sequences. carried: the states of recurrent
    layers that it carries from batch to batch then, memory that compiled code changes with the parameters.
    accumulate: the number of passes of `batch_size` samples whose gradients a step adds up.
    groups: the Groups of parameters with a learning rate or a weight decay of their own.
    arrays: the network's arrays from before a callback replaced them at the end of the fit, None if none did.
    ending: the last epoch for which callbacks have been, or are being, called. It is not saved: the states contain, as
    "untold", what is needed to call the rest later.
    """

    optimizer: Optimizer
    batch_size: int
    samples: int
    shuffle: bool
    epoch: Epoch
    frozen: tuple = ()
    groups: tuple = ()
    backprop_steps: int | None = None
    accumulate: int = 1
    carried: np.ndarray | None = None
    history: History = field(default_factory=History)
    callbacks: list | None = None
    states: list = field(default_factory=list)
    arrays: dict | None = None
    ending: EpochEnd | None = None
    before: tuple | None = None  # (arrays, their replacements by a callback), until the fit has really been resumed

    def check(self, **given):
        """Refuse to resume with other data than the fit began with."""
        for name, value in given.items():
            began = getattr(self, name)
            if value != began:
                what = f"X has {value} samples" if name == "samples" else f"{name} is {value}"
                raise ValueError(f"{what}; the fit to be resumed has {began}: give it the same data and {name}, or begin a "
                                 f"new one with resume=False")

    def begin(self, network, callbacks):
        """Prepare to run: undo what the end of the last run did, and give the callbacks their states."""
        if self.callbacks is not None:  # an interrupt occurred before the last run had ended
            self.mark_stopped()
        if self.history:  # of a fit that is resumed; an interrupt may have left the beginning of another epoch
            self.history = self.history.first(self.epoch.number)
        self.ending = None
        if self.arrays is not None:
            self.before = self.arrays, network.vectors.copies_by_name()
            network.vectors.set_arrays(self.arrays)
            self.arrays = None
        untold, logs = [], {}
        for callback, kept in zip(callbacks, match_states(callbacks, self.states), strict=True):
            if kept is not None and "untold" in kept:
                untold.append(callback)
                logs |= kept["untold"]
            callback.resumed = None if kept is None else {name: each for name, each in kept.items() if name != "untold"}
        if untold:
            self.ending = EpochEnd(self.epoch.number - 1, logs, untold)

    def undo_begin(self, network):
        """Undo the changes of `begin` to the network: the fit is not resumed."""
        if self.before is not None:
            self.arrays, best = self.before
            network.vectors.set_arrays(best)
            self.before = None

    def keep_callbacks(self, callbacks):
        """Record that the fit has begun, with these callbacks."""
        self.callbacks, self.before = callbacks, None

    def finish_epoch(self, network, metrics):
        """Record an epoch in the history and advance to the next."""
        self.history.append(metrics, self.optimizer.rate(max(int(network.fits.optimizer_state(self.optimizer).step[0]), 1)))
        # a single assignment, so that the state is consistent before and after it
        self.epoch = Epoch(self.epoch.number + 1, int(network.vectors.random[0]), np.zeros(len(self.epoch.totals)))

    def finish_epochs(self, metrics, rates, random):
        """Record several epochs, {name: values} and the learning rate of each; random: the random word of the next."""
        if len(self.history.epochs) > self.epoch.number:  # it was interrupted here, and starts again
            self.history = self.history.first(self.epoch.number)
        self.history.extend(metrics, rates)
        self.epoch = Epoch(self.epoch.number + len(rates), random, self.epoch.totals)

    def callback_states(self):
        """Return [(type, state), …] of the callbacks, each with what distinguishes it and with its pending calls."""
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

    def mark_stopped(self):
        """Record that the fit is no longer running."""
        self.states, self.callbacks = self.callback_states(), None


def begin_or_resume(network, optimizer, resume, *, samples, batch_size, shuffle, frozen=None, groups=None,
                    backprop_steps=None, accumulate=1):
    """Return the FitState of a new fit, or that of the last one. frozen, groups: None keeps those of a resumed fit."""
    fits = network.fits
    if not resume or fits.last is None:
        optimizer = fits.optimizer("adam" if optimizer is None else optimizer)
        epoch = Epoch(0, int(network.vectors.random[0]), new_totals(network.several_outputs))
        if groups:
            check_decay(groups, optimizer)
        return FitState(optimizer, batch_size, samples, shuffle, epoch, frozen or (), groups or (), backprop_steps,
                        accumulate)
    state = fits.last
    state.check(samples=samples, batch_size=batch_size, shuffle=shuffle, backprop_steps=backprop_steps,
                accumulate=accumulate)
    if frozen is not None and frozen != state.frozen:
        named = [network.graph.named(name) for name in state.frozen]
        raise ValueError(f"frozen chooses other parameters than in the fit to be resumed, {', '.join(named) or 'none'}; "
                         "leave it out, or begin a new one with resume=False")
    if groups is not None and groups != state.groups:
        raise ValueError("learning_rate_factors and weight_decays are others than in the fit to be resumed; leave them out, "
                         "or begin a new one with resume=False")
    given = fits.by_name.get(optimizers.resolve(optimizer).name) if isinstance(optimizer, str) else optimizer
    if optimizer is not None and state.optimizer is not given:
        raise ValueError(f"optimizer is {optimizer!r}; a fit that is resumed goes on with its own, {state.optimizer!r}: "
                         "leave optimizer out, and change the hyperparameters of network.optimizer if you wish")
    return state


def match_states(callbacks, states):
    """Return for each callback its state among [(type, state), …]; None if there is none left for it."""
    pairs = [(-agreement(callback, kept), number, index) for number, callback in enumerate(callbacks)
             for index, (kind, kept) in enumerate(states) if kind == type(callback).__name__]
    found, taken = {}, set()
    for _, number, index in sorted(pairs):
        if number not in found and index not in taken:
            found[number] = states[index][1]
            taken.add(index)
    return [found.get(number) for number in range(len(callbacks))]


def agreement(callback, kept):
    """Return the number of distinguishing values in which a callback agrees with the one whose state was kept."""
    marks = kept.get("told_apart_by")
    if not isinstance(marks, dict):
        return 0
    return sum(name in marks and marks[name] == value for name, value in callback.told_apart_by().items())


def numbers(logs):
    """Return the logs that are numbers: callbacks may have added anything."""
    return {name: float(value) for name, value in logs.items()
            if isinstance(value, (float, np.floating)) or not math.isnan(real_number(value))}


def set_best_arrays(network, arrays):
    """Set the arrays of a network to those of its best epoch, by name; a resumed fit continues with the last ones."""
    state = network.fits.last
    if state is not None and state.arrays is None:
        state.arrays = network.vectors.copies_by_name()
    network.vectors.set_arrays(arrays)
