"""The fit of one member: the steps of `fastnn/fitting/loop.py`, with epochs run by compiled code where that is possible."""

from ..callbacks import EarlyStopping
from ..fitting.divergence import DivergenceError
from ..fitting.loop import Trainer
from ..program import EvaluationProgram
from .task import Task


class MemberFit:
    """A fit whose epochs are run as a task, as many at a time as nobody wants to look at.

    Python runs them, one at a time, where a callback looks at batches or a subclass draws the order of the samples, and from
    a step on that may diverge: then the fit goes step by step, as it would alone.

    Attributes
    ----------
    fit : Fit
    task : Task or None
        What is to be run next, unless `by_python`.
    by_python : bool
        Whether Python runs the epochs from here on.
    is_over : bool
    error : DivergenceError or None
        The one that ended the fit.
    """

    def __init__(self, fit, every_epoch):
        self.fit, self.every_epoch = fit, every_epoch  # whether somebody looks at each epoch, beside the callbacks
        self.task, self.by_python, self.is_over, self.error = None, False, False, None

    def attempt(self, step, *arguments):
        """Take one of the steps below; where it diverges the fit is over, and those of others go on."""
        try:
            step(*arguments)
        except DivergenceError as error:
            self.error = error
            self.close()

    def begin(self, claim):
        """Begin the fit, up to its first epoch."""
        self.fit.begin(claim)
        self.go_on()

    def go_on(self):
        """Go to the next epoch, or end the fit after the last."""
        if not self.fit.begin_epoch():
            self.finish()
        elif not self.by_python:
            self.prepare_task()

    def prepare_task(self):
        """Have the task run the epochs that come, if it can."""
        fit, trainer = self.fit, self.fit.trainer
        if fit.hooks.callbacks or type(trainer).reorder is not Trainer.reorder or not trainer.steps.slots_are_bounded:
            self.by_python = True
            return
        if self.task is None:
            self.task = Task(trainer, fit.evaluation)
        alone = [*map(type, fit.callbacks)] == [EarlyStopping] and not self.every_epoch
        watch = fit.callbacks[0] if alone else None
        left = fit.epochs - fit.state.epoch.number
        self.task.seconds = left * self.task.seconds_per_epoch
        if not self.task.begin(left if watch or not (fit.callbacks or self.every_epoch) else 1, watch):
            self.leave_task()

    def leave_task(self):
        """Have Python run what is left of the fit. The task has had the memory of both programs."""
        self.by_python = True
        self.fit.trainer.prepare()
        if self.fit.evaluation is not None:
            self.fit.evaluation = EvaluationProgram(self.fit.network, self.fit.evaluation.data, threads=1)

    def end_task(self):
        """Go on after a task that is done."""
        self.task.enter_epochs()
        if self.task.stopped:
            self.leave_task()
        else:
            self.fit.end_epoch(self.task.last_metrics())
            self.go_on()

    def train_epoch(self):
        """Train the epoch in Python, and go on."""
        values = self.fit.train_epoch()
        if values is None:
            self.finish()
        else:
            self.fit.end_epoch(values)
            self.go_on()

    def finish(self):
        """End the fit where it is to end."""
        self.fit.is_complete = True
        self.close()

    def close(self):
        """End the fit where it stands; what compiled code has done is entered into it. It may be called again."""
        self.is_over = True
        try:
            if self.task is not None and not self.by_python:
                try:
                    self.task.enter_epochs()
                except BaseException:  # Ctrl-C came on the way: the weights are ahead of the fit until this is done
                    self.task.enter_epochs()
                    raise
        finally:
            self.fit.close()
