"""The training loop as Python sees it: slices of compiled batches, and between them progress, callbacks and Ctrl-C."""

import numpy as np

from .callbacks.callback import BatchHooks, Callback, call
from .callbacks.callback import training as begun
from .divergence import DivergenceError, of_step
from .exclusive import one_at_a_time
from .fit_state import Epoch, FitState
from .kernels.batch import shuffle_kernel
from .kernels.jit import ANY
from .pace import Pace
from .program import EvaluationProgram, TrainingProgram
from .progress import Progress
from .safe_steps import SafeSteps

__all__ = ["Callback", "DivergenceError"]


class Trainer:
    """Epochs over one set of data, remembering how fast batches go."""

    program_type = TrainingProgram

    def __init__(self, network, data, state, threads):
        self.network, self.state = network, state
        self.optimizer_state = network._optimizer_state(state.optimizer)
        self.order = np.arange(len(data.X)) if state.shuffle else None
        self.program = self.program_type(network, data, state.batch_size, threads, self.optimizer_state, order=self.order)
        self.steps = SafeSteps(self.program)
        # what earlier fits have found out about such batches
        self.pace = network._paces.setdefault((self.program.batch, threads), Pace())
        self.program.totals = state.epoch.totals

    def load_epoch(self):
        """Take up the epoch where it stands: its totals and the order of its samples."""
        epoch, random = self.state.epoch, self.network._random  # its first word is for the shuffling
        self.program.totals = epoch.totals
        if self.order is not None:
            random[0] = self.reorder(epoch.random)

    def reorder(self, word):
        """Draw the order of the samples of an epoch from a random word; returns the word for the next."""
        after = np.array([word], np.uint64)
        shuffle_kernel(ANY, self.order, len(self.order), after)
        return after[0]

    def run_epoch(self, hooks, progress):
        """Run what is left of the epoch; whether that is now nothing, or the epoch was stopped before its end."""
        network, program, number = self.network, self.program, self.state.epoch.number
        first = number * program.batches
        while (done := program.done) < program.batches and not network.stop_training:
            hooks.begin(first + done, done)
            if network.stop_training:
                break
            batches = self.pace.next_slice(hooks.batches_until_next(first + done, program.batches - done))
            diverged = self.pace.timed(self.steps.run, done, done + batches)
            if diverged is not None:
                raise of_step(network, program, number, diverged, self.steps.overflowed)
            progress.advance(batches, self.metrics)
            hooks.end(first + done + batches, done + batches - 1, self.metrics)
        return program.done == program.batches

    def metrics(self):
        """Those of the epoch so far."""
        loss, accuracy = self.program.means()
        return {"loss": loss, "accuracy": accuracy} if self.network.is_classifier else {"loss": loss}


def begin_or_resume(network, optimizer, resume, *, samples, batch_size, shuffle):
    """The FitState of a new fit, or the one that the network was last in."""
    state = network._fit
    if not resume or state is None:
        optimizer = network._optimizer_state("adam" if optimizer is None else optimizer).optimizer()
        return FitState(optimizer, batch_size, samples, shuffle, Epoch(0, int(network._random[0])))
    state.check(samples=samples, batch_size=batch_size, shuffle=shuffle)
    if optimizer is not None and state.optimizer is not (
        network._named_optimizers.get(optimizer) if isinstance(optimizer, str) else optimizer
    ):
        raise ValueError(f"optimizer is {optimizer!r}; a fit that is resumed goes on with its own, {state.optimizer!r}: "
                         "leave optimizer out, and change the hyperparameters of network.optimizer if you wish")
    return state


@one_at_a_time
def fit(network, data, validation, state, *, epochs, callbacks, threads, progress):
    """Train until so many epochs are done, and return the History."""
    trainer = network._trainer_type(network, data, state, threads)
    evaluation = None if validation is None else EvaluationProgram(network, validation, threads)
    callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
    hooks, batches = BatchHooks(callbacks), trainer.program.batches
    names = tuple(trainer.metrics())
    for callback in callbacks:
        callback.network, callback.metrics = network, names + tuple(f"val_{name}" for name in names if evaluation)
    before, network._fit, network.stop_training = network._fit, state, False
    state.begin(network, callbacks)
    try:
        done = state.epoch.number * batches + trainer.program.done
        with begun(callbacks) as last_logs, Progress(progress, epochs, batches, done) as bar:
            state.callbacks = callbacks
            while state.epoch.number < epochs and not network.stop_training:
                number = state.epoch.number
                call(callbacks, "on_epoch_begin", number, {})
                bar.epoch(number)
                trainer.load_epoch()
                if not run_epoch(trainer, hooks, bar, callbacks):
                    break
                metrics = trainer.metrics() | validated(network, evaluation)
                state.finish_epoch(network, metrics)
                bar.show(metrics)
                last_logs.update(metrics)
                call(callbacks, "on_epoch_end", number, metrics)
    finally:
        if state.callbacks is None:  # a callback refused to begin
            network._fit = before
        else:
            state.rest()
    return state.history


def run_epoch(trainer, hooks, bar, callbacks):
    """Run what is left of the epoch; whether it came to its end."""
    try:
        return trainer.run_epoch(hooks, bar)
    except DivergenceError as error:
        quietly = [callback.on_divergence(error) for callback in callbacks]
        if not any(quietly):
            raise
        return False


def validated(network, evaluation):
    """The metrics of the validation data, {} without any."""
    if evaluation is None:
        return {}
    loss, accuracy = evaluation.evaluate()
    return {"val_loss": loss, "val_accuracy": accuracy} if network.is_classifier else {"val_loss": loss}
