"""The training loop as Python sees it: slices of compiled batches, and between them progress, callbacks and Ctrl-C."""

import time

import numpy as np
from tqdm.auto import tqdm

from .history import History
from .kernels.batch import shuffle_kernel
from .kernels.jit import ANY
from .pace import Pace
from .program import EvaluationProgram, TrainingProgram


class DivergenceError(ArithmeticError):
    """The loss of a step was not finite. The weights are those from before that step."""


class Callback:
    """Base of callbacks: override what you need. Set `network.stop_training = True` to stop after the epoch.

    logs is a dict of the epoch's metrics, {} where there are none yet.
    """

    network = None

    def on_train_begin(self, logs): ...

    def on_train_end(self, logs): ...

    def on_epoch_begin(self, epoch, logs): ...

    def on_epoch_end(self, epoch, logs): ...


class Trainer:
    """Epochs over one set of data, remembering how fast batches go."""

    program_type = TrainingProgram

    def __init__(self, network, data, *, batch_size, optimizer_state, shuffle, threads):
        self.network, self.shuffle, self.optimizer_state = network, shuffle, optimizer_state
        self.order = np.arange(len(data.X)) if shuffle else None
        self.program = self.program_type(network, data, batch_size, threads, optimizer_state, order=self.order)
        # what earlier fits have found out about such batches
        self.pace = network._paces.setdefault((self.program.batch, threads), Pace())

    def reorder(self):
        """Draw the order of the samples for the next epoch."""
        shuffle_kernel(ANY, self.order, len(self.order), self.network._random)

    def epoch(self, number, advance):
        """Run one epoch; `advance(batches)` is called after every slice. Returns the metrics."""
        if self.shuffle:
            self.reorder()
        self.optimizer_state.refresh()
        program, done = self.program, 0
        while done < program.batches:
            batches = self.pace.next_slice(program.batches - done)
            start = time.perf_counter()
            diverged = program.run(done, done + batches)
            self.pace.record(batches, time.perf_counter() - start)
            if diverged is not None:
                program.take_totals()
                raise DivergenceError(self.network._divergence_message(number, diverged))
            advance(batches)
            done += batches
        loss, accuracy = program.take_totals()
        return {"loss": loss, "accuracy": accuracy} if self.network.is_classifier else {"loss": loss}


def fit(network, data, validation, *, epochs, batch_size, optimizer_state, shuffle, callbacks, threads, progress):
    """Train, and return the History."""
    trainer = network._trainer_type(
        network, data, batch_size=batch_size, optimizer_state=optimizer_state, shuffle=shuffle, threads=threads
    )
    evaluation = None if validation is None else EvaluationProgram(network, validation, threads)
    history = History()
    network.stop_training = False
    for callback in callbacks:
        callback.network = network
    hook(callbacks, "on_train_begin", {})
    # by itself the bar appears in a terminal, and only on what lasts over a second
    unasked = progress is None
    with tqdm(total=epochs * trainer.program.batches, unit="batch", leave=progress is True,
              disable=None if unasked else not progress, delay=1 if unasked else 0) as bar:
        for epoch in range(epochs):
            hook(callbacks, "on_epoch_begin", epoch, {})
            bar.set_description(f"epoch {epoch + 1}/{epochs}", refresh=False)
            metrics = trainer.epoch(epoch, bar.update)
            if evaluation is not None:
                loss, accuracy = evaluation.evaluate()
                metrics["val_loss"] = loss
                if network.is_classifier:
                    metrics["val_accuracy"] = accuracy
            history.append(metrics)
            bar.set_postfix({name: f"{value:.4f}" for name, value in metrics.items()}, refresh=False)
            hook(callbacks, "on_epoch_end", epoch, metrics)
            if network.stop_training:
                break
    hook(callbacks, "on_train_end", metrics if epochs else {})
    return history


def hook(callbacks, name, *arguments):
    for callback in callbacks:
        getattr(callback, name)(*arguments)
