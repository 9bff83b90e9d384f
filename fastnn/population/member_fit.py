"""The fit of one member: the steps of `fastnn/fitting/loop.py`, with epochs in compiled code where possible."""

from ..callbacks import EarlyStopping
from ..fitting.divergence import DivergenceError
from ..fitting.trainer import Trainer
from ..kernels.training.population import LOG
from ..layers import is_ragged
from ..program import evaluation_program
from .task import Task


class MemberFit:
    """A fit whose epochs run as a task in compiled code, several at a time if nothing has to happen between them.

    Python runs the epochs if a callback has hooks for batches, a subclass draws the order of the samples, or samples are
    sequences, whose chunks Python cuts; and from a step that may diverge: then the fit runs as that of a single network.

    Attributes
    ----------
    fit : Fit
    task : Task or None
        The next task, unless `by_python`.
    by_python : bool
        Whether Python runs the remaining epochs.
    is_over : bool
    error : DivergenceError or None
        The error that ended the fit.
    """

    def __init__(self, fit, every_epoch):
        self.fit, self.every_epoch = fit, every_epoch  # whether Python is needed after each epoch, even without callbacks
        self.task, self.by_python, self.is_over, self.error = None, False, False, None

    def attempt(self, step, *arguments):
        """Run one of the steps below; if it diverges, this fit is over and the others continue."""
        try:
            step(*arguments)
        except DivergenceError as error:
            self.error = error
            self.close()

    def begin(self, claim):
        """Begin the fit, up to its first epoch."""
        self.fit.begin(claim)
        self.continue_fit()

    def continue_fit(self):
        """Begin the next epoch, or end the fit after the last."""
        if not self.fit.begin_epoch():
            self.finish()
        elif not self.by_python:
            self.prepare_task()

    def prepare_task(self):
        """Prepare the task for the next epochs, if it can run them."""
        fit, trainer = self.fit, self.fit.trainer
        if (fit.hooks.callbacks or type(trainer).reorder is not Trainer.reorder or not trainer.steps.slots_are_bounded
                or any(map(is_ragged, fit.network.input_shapes.values()))):
            self.by_python = True
            return
        if self.task is None:
            self.task = Task(trainer, fit.evaluation)
        alone = ([*map(type, fit.callbacks)] == [EarlyStopping] and not self.every_epoch
                 and fit.callbacks[0].monitor in LOG.offsets)
        watch = fit.callbacks[0] if alone else None
        left = fit.epochs - fit.state.epoch.number
        self.task.seconds = left * self.task.seconds_per_epoch
        if not self.task.begin(left if watch or not (fit.callbacks or self.every_epoch) else 1, watch):
            self.drop_task()

    def drop_task(self):
        """Let Python run the rest of the fit. The memory of both programs was that of the task."""
        self.by_python = True
        self.fit.trainer.prepare()
        if self.fit.evaluation is not None:
            self.fit.evaluation = evaluation_program(self.fit.network, self.fit.evaluation.data, threads=1)

    def end_task(self):
        """Continue after a finished task."""
        self.task.record_epochs()
        if self.task.stopped:
            self.drop_task()
        else:
            self.fit.end_epoch(self.task.last_metrics())
            self.continue_fit()

    def train_epoch(self):
        """Train the epoch in Python, and continue."""
        values = self.fit.train_epoch()
        if values is None:
            self.finish()
        else:
            self.fit.end_epoch(values)
            self.continue_fit()

    def finish(self):
        """End the fit after its last epoch."""
        self.fit.is_complete = True
        self.close()

    def close(self):
        """End the fit in its current state, including the epochs of compiled code. It may be called again."""
        self.is_over = True
        try:
            if self.task is not None and not self.by_python:
                try:
                    self.task.record_epochs()
                except BaseException:  # Ctrl-C: the weights are ahead of the fit until this is done
                    self.task.record_epochs()
                    raise
        finally:
            self.fit.close()
