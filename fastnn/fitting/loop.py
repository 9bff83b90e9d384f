"""A fit from beginning to end: the loop over epochs and batches in Python.

`Network.fit` checks its arguments, makes a `Fit` and calls `Fit.train`:

    Fit.train
        begin               claims the network, allocates memory, calls on_train_begin of the callbacks
        for each epoch
            begin_epoch     calls on_epoch_begin
            train_epoch     Trainer.enter_epoch       the order of the samples
                            Trainer.train_batches     slices of about 50 ms, between them progress, callbacks and Ctrl-C
                                SafeSteps.take_steps      refuses steps that would produce numbers that are not finite
                                    TrainingProgram.run_batches   the compiled loop: forward, loss, backward, update
                            validate
            end_epoch       records the epoch in the history, calls on_epoch_end
        close               calls on_train_end, and releases the network for other fits

`Population.fit` (`fastnn/population/`) runs many fits at once. It calls the same steps of many fits in turn. If there are no
callbacks for batches, compiled code trains epochs of all members between `begin_epoch` and `end_epoch`, instead of
`train_epoch`. So a fit is an object with steps, and `train` is its simplest use.

If an exception occurs anywhere, `close` makes network, optimizer, history and callbacks consistent, and the fit can be
resumed.
"""

import sys

from ..program import evaluation_program
from ..runtime.exclusive import Claim
from ..samples.metrics import compute, of_fit
from .accumulated import AccumulatedTrainer
from .callback_calls import BatchHooks, announce, begin, call, end
from .divergence import DivergenceError
from .epoch_end import EpochEnd
from .learning_from_data import learn_from_data
from .progress import Progress
from .truncated import TruncatedTrainer


class Fit:
    """One fit of a network.

    data, validation: Data; validation may be None. state: the FitState to continue from. metrics: additional Metrics, which
    are computed after each epoch.
    """

    def __init__(self, network, data, validation, state, *, epochs, callbacks, metrics, threads, progress):
        self.network, self.data, self.validation, self.state = network, data, validation, state
        self.epochs, self.metrics, self.threads, self.progress = epochs, metrics, threads, progress
        self.callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
        self.claim = self.trainer = self.evaluation = self.hooks = self.reported = self.bar = None
        self.told, self.logs = [], {}  # callbacks whose on_train_begin was called; logs for on_train_end
        self.entered = self.has_begun = self.is_complete = False
        self.before = None  # state of the network's previous fit

    def train(self):
        """Train until `epochs` epochs are done, and return the History."""
        try:
            self.begin(Claim(sys._getframe()))
            while self.begin_epoch():
                values = self.train_epoch()
                if values is None:
                    break
                self.end_epoch(values)
            self.is_complete = True
        finally:
            self.close()
        return self.state.history

    @property
    def trainer_type(self):
        if self.state.accumulate > 1:
            return AccumulatedTrainer
        return self.network.trainer_type if self.state.backprop_steps is None else TruncatedTrainer

    # The steps, in order.

    def begin(self, claim):
        """Claim the network for this fit, and call the callbacks; claim: a Claim of the call that runs the fit."""
        network, state, callbacks = self.network, self.state, self.callbacks
        self.claim = claim
        claim.take(network.fits)
        learn_from_data(network, self.data)
        self.trainer = trainer = self.trainer_type(network, self.data, state, self.threads)
        self.evaluation = None if self.validation is None else evaluation_program(network, self.validation, self.threads)
        self.hooks, self.reported = BatchHooks(callbacks), of_fit(network, self.evaluation is not None, self.metrics)
        announce(callbacks, network, self.reported, self.data, self.validation)
        self.before, self.entered = network.fits.last, True
        network.fits.last, network.stop_training = state, False
        state.begin(network, callbacks)
        done = state.epoch.number * trainer.program.batches + trainer.program.done
        begin(callbacks, self.told)
        state.keep_callbacks(callbacks)
        if self.progress is None and any(callback.shows_epochs for callback in callbacks):
            self.progress = False
        self.bar = Progress(self.progress, self.epochs, trainer.program.batches, done)
        if state.ending is not None:  # an exception occurred between callbacks
            state.ending.tell(callbacks)

    def begin_epoch(self):
        """Begin the next epoch, or continue an interrupted one; return False if there is none to train."""
        if self.state.epoch.number >= self.epochs or self.network.stop_training:
            return False
        call(self.callbacks, "on_epoch_begin", self.state.epoch.number, {})
        self.bar.epoch(self.state.epoch.number)
        return True

    def train_epoch(self):
        """Train the rest of the epoch and validate; return {metric: value}, or None if it was stopped before its end."""
        self.trainer.enter_epoch()
        try:
            if not self.trainer.train_batches(self.hooks, self.bar):
                return None
        except DivergenceError as error:
            end_quietly(error, self.callbacks)
            return None
        return self.trainer.metrics() | validate(self.network, self.evaluation)

    def end_epoch(self, values):
        """Record an epoch in the history, and call the callbacks; values: the result of `train_epoch`."""
        state = self.state
        values |= compute_metrics(self.network, self.data, self.validation, self.metrics, self.threads)
        values = {metric.name: values[metric.name] for metric in self.reported}
        state.ending = EpochEnd(state.epoch.number, values, list(self.callbacks))
        state.finish_epoch(self.network, values)
        self.bar.show(values)
        self.logs.update(values)
        state.ending.tell(self.callbacks)

    def close(self):
        """End the fit in its current state. Further calls do nothing."""
        try:
            if self.bar is not None:
                self.bar.close()
        finally:
            try:
                told, self.told = self.told, []
                if told:
                    end(told, self.logs)
                if self.is_complete:
                    self.is_complete = False
                    self.trainer.keep_program()
            finally:
                try:
                    self.leave()
                finally:
                    if self.claim is not None:
                        self.claim.end()

    def leave(self):
        """Record the state of the fit; if it has not begun, restore that of the previous fit."""
        if self.state.callbacks is not None:
            self.has_begun = True
        if self.has_begun:
            self.state.mark_stopped()
        elif self.entered:
            self.state.undo_begin(self.network)
            self.network.fits.last = self.before


def end_quietly(error, callbacks):
    """Raise the error of a step that diverged, unless a callback wants the fit to end without an error."""
    quietly = [callback.on_divergence(error) for callback in callbacks]
    if not any(quietly):
        raise error


def validate(network, evaluation):
    """Return the metrics of the validation data, {} without any."""
    if evaluation is None:
        return {}
    return network.objective.head.report(*evaluation.evaluate(), prefix="val_")


def compute_metrics(network, data, validation, metrics, threads):
    """Return the chosen metrics of the current weights, of the training data and of the validation data if any."""
    values = compute(network, data, metrics, threads)
    return values if validation is None else values | compute(network, validation, metrics, threads, "val_")
