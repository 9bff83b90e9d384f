"""The training loop as Python sees it: slices of compiled batches, and between them progress, callbacks and Ctrl-C."""

import sys
from functools import partial

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.interpreter.batch import shuffle_kernel
from ..program import EvaluationProgram, TrainingProgram
from ..runtime.exclusive import Claim
from ..samples.metrics import of_fit, work_out
from .callback import Callback
from .callback_calls import BatchHooks, begin, call, end, introduce
from .divergence import DivergenceError, of_step
from .epoch_end import EpochEnd
from .progress import Progress
from .safe_steps import SafeSteps
from .state import Epoch, FitState

__all__ = ["Callback", "DivergenceError"]

SPARE_BYTES = 1 << 20  # that a program may keep between fits


class Trainer:
    """Epochs over one set of data, remembering how fast batches go."""

    program_type = TrainingProgram

    def __init__(self, network, data, state, threads):
        self.network, self.data, self.state, self.threads = network, data, state, threads
        self.optimizer_state = network.fits.optimizer_state(state.optimizer)
        self.make_ready()

    def make_ready(self):
        """Take the memory that steps need."""
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

    def rest(self):
        """Leave the program, if it is small, for the next fit of the kind: to make one takes as long as some steps."""
        program = self.program
        if program.memory is not None and program.nbytes <= SPARE_BYTES:
            program.detach()
            self.optimizer_state.spare = self.kind, program

    def load_epoch(self):
        """Take up the epoch where it stands: its totals and the order of its samples."""
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

    def run_epoch(self, hooks, progress):
        """Run what is left of the epoch; whether that is now nothing, or the epoch was stopped before its end.

        A generator, as `fitting` is.
        """
        network, program, number = self.network, self.program, self.state.epoch.number
        first = number * program.batches
        while (done := program.done) < program.batches and not network.stop_training:
            hooks.begin(first + done, done)
            if network.stop_training:
                break
            batches = self.pace.next_slice(hooks.batches_until_next(first + done, program.batches - done))
            diverged = yield partial(self.pace.timed, self.steps.run, done, done + batches)
            if diverged is not None:
                raise of_step(network, program, number, diverged, self.steps.overflowed)
            progress.advance(batches, self.metrics)
            hooks.end(first + done + batches, done + batches - 1, self.metrics)
        return program.done == program.batches

    def metrics(self):
        """Those of the epoch so far."""
        return self.network.objective.head.report(*self.program.means())


def begin_or_resume(network, optimizer, resume, *, samples, batch_size, shuffle):
    """The FitState of a new fit, or the one that the network was last in."""
    state = network.fits.last
    if not resume or state is None:
        optimizer = network.fits.optimizer("adam" if optimizer is None else optimizer)
        return FitState(optimizer, batch_size, samples, shuffle, Epoch(0, int(network.vectors.random[0])))
    state.check(samples=samples, batch_size=batch_size, shuffle=shuffle)
    if optimizer is not None and state.optimizer is not (
        network.fits.by_name.get(optimizer) if isinstance(optimizer, str) else optimizer
    ):
        raise ValueError(f"optimizer is {optimizer!r}; a fit that is resumed goes on with its own, {state.optimizer!r}: "
                         "leave optimizer out, and change the hyperparameters of network.optimizer if you wish")
    return state


def fit(network, data, validation, state, **options):
    """Train until so many epochs are done, and return the History; options: those of `steps_of`."""
    return drive(fitting(network, data, validation, state, Claim(sys._getframe()), **options))


def drive(steps):
    """Run what a generator asks for, one function without arguments after the other, and return its result."""
    outcome = None
    try:
        while True:
            outcome = steps.send(outcome)()
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


def run_epoch(trainer, evaluation, hooks, bar, callbacks):
    """Run what is left of the epoch, and validate: its metrics, or None if it was stopped before its end. A generator."""
    trainer.load_epoch()
    try:
        if not (yield from trainer.run_epoch(hooks, bar)):
            return None
    except DivergenceError as error:
        end_quietly(error, callbacks)
        return None
    return trainer.metrics() | (yield partial(validated, trainer.network, evaluation))


def end_quietly(error, callbacks):
    """Raise the error of a step that diverged, unless a callback wants the fit to end without."""
    quietly = [callback.on_divergence(error) for callback in callbacks]
    if not any(quietly):
        raise error


def fitting(network, data, validation, state, claim, **options):
    """A fit as a generator of what is to be run, for `drive`, or for somebody who drives many fits at once.

    claim: a `Claim` of the call that drives. options: those of `steps_of`.
    """
    try:
        claim.take(network.fits)
        return (yield from steps_of(network, data, validation, state, **options))
    finally:
        claim.end()


def steps_of(network, data, validation, state, *, epochs, callbacks, threads, progress, metrics=(), run=run_epoch):
    """What is to be run, of a network that is claimed.

    metrics: Metrics that are worked out after each epoch, beside those that the head reports.
    run: `run_epoch` or another like it, which may have run more than one epoch, and entered all but the last.
    """
    trainer = network.trainer_type(network, data, state, threads)
    evaluation = None if validation is None else EvaluationProgram(network, validation, threads)
    callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
    hooks, batches = BatchHooks(callbacks), trainer.program.batches
    reported = of_fit(network, evaluation is not None, metrics)
    introduce(callbacks, network, reported, data, validation)
    before, begun, last_logs = network.fits.last, [], {}
    try:
        network.fits.last, network.stop_training = state, False
        state.begin(network, callbacks)
        done = state.epoch.number * batches + trainer.program.done
        try:
            begin(callbacks, begun)
            state.run(callbacks)
            with Progress(progress, epochs, batches, done) as bar:
                if state.ending is not None:  # an exception came between the callbacks
                    state.ending.tell(callbacks)
                while state.epoch.number < epochs and not network.stop_training:
                    call(callbacks, "on_epoch_begin", state.epoch.number, {})
                    bar.epoch(state.epoch.number)
                    values = yield from run(trainer, evaluation, hooks, bar, callbacks)
                    if values is None:
                        break
                    values |= measured(network, data, validation, metrics, threads)
                    values = {metric.name: values[metric.name] for metric in reported}
                    state.ending = EpochEnd(state.epoch.number, values, list(callbacks))
                    state.finish_epoch(network, values)
                    bar.show(values)
                    last_logs.update(values)
                    state.ending.tell(callbacks)
        finally:
            end(begun, last_logs)
        trainer.rest()
    finally:
        if state.callbacks is None:  # a callback refused to begin
            state.withdraw(network)
            network.fits.last = before
        else:
            state.rest()
    return state.history


def measured(network, data, validation, metrics, threads):
    """Chosen metrics of the weights as they are, of the training data and of the validation data if there are any."""
    values = work_out(network, data, metrics, threads)
    return values if validation is None else values | work_out(network, validation, metrics, threads, "val_")


def validated(network, evaluation):
    """The metrics of the validation data, {} without any."""
    if evaluation is None:
        return {}
    return network.objective.head.report(*evaluation.evaluate(), prefix="val_")
