"""A fit from its beginning to its end: the one loop over epochs and batches, as Python sees it.

Who drives it. `Network.fit` checks what it is given, makes a `Fit` and calls `Fit.train`; that is a fit from top to bottom:

    Fit.train
        begin               claims the network, takes the memory of a step, tells callbacks: on_train_begin
        for each epoch
            begin_epoch     tells callbacks: on_epoch_begin
            train_epoch     Trainer.enter_epoch       the order of the samples
                            Trainer.train_batches     slices of some 50 ms, between them progress, callbacks and Ctrl-C
                                SafeSteps.take_steps      refuses steps that would make numbers that are not finite
                                    TrainingProgram.run_batches   the compiled loop: forward, loss, backward, update
                            validate
            end_epoch       enters the epoch into the history, tells callbacks: on_epoch_end
        close               tells callbacks: on_train_end, and leaves the network to other fits

`Population.fit` (`fastnn/population/`) drives many at once. It calls the same steps of many fits in turns, and where nobody
looks at the batches it has compiled code run epochs of all members between `begin_epoch` and `end_epoch`, in place of
`train_epoch`. So a fit is an object with steps, of which `train` is only the plainest use.

Wherever an exception strikes, `close` leaves network, optimizer, history and callbacks in agreement: the fit can go on.
"""

import sys

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.interpreter.batch import shuffle_kernel
from ..program import EvaluationProgram, TrainingProgram
from ..runtime.exclusive import Claim
from ..samples.metrics import of_fit, work_out
from .callback_calls import BatchHooks, begin, call, end, introduce
from .divergence import DivergenceError, of_step
from .epoch_end import EpochEnd
from .progress import Progress
from .safe_steps import SafeSteps

SPARE_BYTES = 1 << 20  # that a program may keep between fits


class Fit:
    """One fit of a network.

    data, validation: Data; validation may be None. state: the FitState that it goes on from. metrics: Metrics that are
    worked out after each epoch, beside those that the head reports.
    """

    def __init__(self, network, data, validation, state, *, epochs, callbacks, metrics, threads, progress):
        self.network, self.data, self.validation, self.state = network, data, validation, state
        self.epochs, self.metrics, self.threads, self.progress = epochs, metrics, threads, progress
        self.callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
        self.claim = self.trainer = self.evaluation = self.hooks = self.reported = self.bar = None
        self.told, self.logs = [], {}  # callbacks that have been told that it begins; what they are told at its end
        self.entered = self.has_begun = self.is_complete = False
        self.before = None  # where the network's fit before this one stands

    def train(self):
        """Train until so many epochs are done, and return the History."""
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

    # The steps, in their order.

    def begin(self, claim):
        """Take the network for this fit, and tell the callbacks; claim: a Claim of the call that drives the fit."""
        network, state, callbacks = self.network, self.state, self.callbacks
        self.claim = claim
        claim.take(network.fits)
        self.trainer = trainer = network.trainer_type(network, self.data, state, self.threads)
        self.evaluation = None if self.validation is None else EvaluationProgram(network, self.validation, self.threads)
        self.hooks, self.reported = BatchHooks(callbacks), of_fit(network, self.evaluation is not None, self.metrics)
        introduce(callbacks, network, self.reported, self.data, self.validation)
        self.before, self.entered = network.fits.last, True
        network.fits.last, network.stop_training = state, False
        state.begin(network, callbacks)
        done = state.epoch.number * trainer.program.batches + trainer.program.done
        begin(callbacks, self.told)
        state.keep_callbacks(callbacks)
        self.bar = Progress(self.progress, self.epochs, trainer.program.batches, done)
        if state.ending is not None:  # an exception came between the callbacks
            state.ending.tell(callbacks)

    def begin_epoch(self):
        """Go to the next epoch, or back into one that was interrupted; returns False if there is none to be trained."""
        if self.state.epoch.number >= self.epochs or self.network.stop_training:
            return False
        call(self.callbacks, "on_epoch_begin", self.state.epoch.number, {})
        self.bar.epoch(self.state.epoch.number)
        return True

    def train_epoch(self):
        """Train what is left of the epoch, and validate: {metric: value}, or None if it was stopped before its end."""
        self.trainer.enter_epoch()
        try:
            if not self.trainer.train_batches(self.hooks, self.bar):
                return None
        except DivergenceError as error:
            end_quietly(error, self.callbacks)
            return None
        return self.trainer.metrics() | validate(self.network, self.evaluation)

    def end_epoch(self, values):
        """Enter an epoch into the history, and tell the callbacks; values: what `train_epoch` gave."""
        state = self.state
        values |= work_out_all(self.network, self.data, self.validation, self.metrics, self.threads)
        values = {metric.name: values[metric.name] for metric in self.reported}
        state.ending = EpochEnd(state.epoch.number, values, list(self.callbacks))
        state.finish_epoch(self.network, values)
        self.bar.show(values)
        self.logs.update(values)
        state.ending.tell(self.callbacks)

    def close(self):
        """End the fit where it stands. It may be called again, and does nothing then."""
        try:
            if self.bar is not None:
                self.bar.close()
        finally:
            try:
                told, self.told = self.told, []
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
        """Note where the fit stands; where it has not begun, all is as it was before."""
        if self.state.callbacks is not None:
            self.has_begun = True
        if self.has_begun:
            self.state.rest()
        elif self.entered:
            self.state.withdraw(self.network)
            self.network.fits.last = self.before


class Trainer:
    """The steps of a fit: batches of one set of data, in the order of an epoch."""

    program_type = TrainingProgram

    def __init__(self, network, data, state, threads):
        self.network, self.data, self.state, self.threads = network, data, state, threads
        self.optimizer_state = network.fits.optimizer_state(state.optimizer)
        self.prepare()

    def prepare(self):
        """Take the memory that steps need: that of an earlier fit of the same kind, or new memory."""
        network, data, state, threads = self.network, self.data, self.state, self.threads
        self.order = np.arange(data.samples) if state.shuffle else data.rows
        given = network, data, state.batch_size, threads, self.optimizer_state, self.order
        self.kind, (kind, self.program) = self.program_type.kind(*given), self.optimizer_state.spare
        self.optimizer_state.spare = None, None
        if kind == self.kind:
            self.program.attach(network, data, self.optimizer_state, self.order)
        else:
            self.program = self.program_type(*given)
        self.steps = SafeSteps(self.program)
        self.pace = network.fits.pace(self.program.batch, threads)
        self.program.totals = state.epoch.totals

    def keep_program(self):
        """Leave the program, if it is small, for the next fit of the kind: to make one takes as long as some steps."""
        program = self.program
        if program.memory is not None and program.nbytes <= SPARE_BYTES:
            program.detach()
            self.optimizer_state.spare = self.kind, program

    def enter_epoch(self):
        """Take the epoch where it stands: its totals and the order of its samples."""
        epoch, random = self.state.epoch, self.network.vectors.random  # its first word is for the shuffling
        self.program.totals = epoch.totals
        if self.state.shuffle:
            random[0] = self.reorder(epoch.random)

    def reorder(self, word):
        """Draw the order of the samples of an epoch from a random word; returns the word for the next."""
        after = np.array([word], np.uint64)
        shuffle_kernel(ANY, self.order, len(self.order), after)
        if self.data.rows is not None:
            self.order[:] = self.data.rows[self.order]
        return after[0]

    def train_batches(self, hooks, bar):
        """Train the batches of the epoch that are left, a slice at a time; whether that came to the epoch's end."""
        network, program, number = self.network, self.program, self.state.epoch.number
        first = number * program.batches
        while (done := program.done) < program.batches and not network.stop_training:
            hooks.begin(first + done, done)
            if network.stop_training:
                break
            batches = self.pace.next_slice(hooks.batches_until_next(first + done, program.batches - done))
            diverged = self.pace.timed(self.steps.take_steps, done, done + batches)
            if diverged is not None:
                raise of_step(network, program, number, diverged, self.steps.overflowed)
            bar.advance(batches, self.metrics)
            hooks.end(first + done + batches, done + batches - 1, self.metrics)
        return program.done == program.batches

    def metrics(self):
        """Those of the epoch so far."""
        return self.network.objective.head.report(*self.program.means())


def end_quietly(error, callbacks):
    """Raise the error of a step that diverged, unless a callback wants the fit to end without."""
    quietly = [callback.on_divergence(error) for callback in callbacks]
    if not any(quietly):
        raise error


def validate(network, evaluation):
    """The metrics of the validation data, {} without any."""
    if evaluation is None:
        return {}
    return network.objective.head.report(*evaluation.evaluate(), prefix="val_")


def work_out_all(network, data, validation, metrics, threads):
    """Chosen metrics of the weights as they are, of the training data and of the validation data if there are any."""
    values = work_out(network, data, metrics, threads)
    return values if validation is None else values | work_out(network, validation, metrics, threads, "val_")
