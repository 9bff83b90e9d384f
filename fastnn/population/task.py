"""The epochs of a member as a task for compiled code: what `kernels/population.py` reads and writes.

A member whose callbacks look at no batch runs whole epochs a task. Where nobody looks at epochs either, it runs all of them;
early stopping is no reader: what it would decide after an epoch is worked out on the way.
"""

import numpy as np

from ..callbacks import EarlyStopping
from ..files import named_arrays
from ..kernels import batch as batches
from ..kernels import population as kernel
from ..memory import block_sums
from ..metrics import of_fit
from ..program import EvaluationProgram, address
from ..training import Trainer, run_epoch

MOST_EPOCHS, MOST_RATES = 4096, 1 << 16  # of a task; and learning rates of a schedule, worked out before
FLOPS_PER_LOOK = 1_000_000  # of training between two looks at the clock: some 20 µs or more
SECONDS_PER_FLOP, SECONDS_PER_STEP = 2e-11, 2e-6  # of a thread, roughly: to begin with the members that take longest
COLUMNS = {"loss": kernel.LOSS, "accuracy": kernel.ACCURACY, "val_loss": kernel.VALIDATION_LOSS,
           "val_accuracy": kernel.VALIDATION_ACCURACY}


class Ahead:
    """How a member of a population runs epochs, for `fitting`: as many at a time as nobody wants to look at.

    A step that may diverge ends that: from there on the fit goes step by step, as it would alone.
    """

    def __init__(self, epochs):
        self.epochs, self.task, self.careful, self.evaluation = epochs, None, False, None

    def __call__(self, trainer, evaluation, hooks, bar, callbacks):
        if hooks.callbacks or type(trainer).reorder is not Trainer.reorder or not trainer.steps.slots_are_tame:
            self.careful = True
        if self.careful:
            return (yield from run_epoch(trainer, self.evaluation or evaluation, hooks, bar, callbacks))
        if self.task is None:
            self.task = Task(trainer, evaluation)
        watch = callbacks[0] if [*map(type, callbacks)] == [EarlyStopping] else None
        left = self.epochs - trainer.state.epoch.number
        self.task.seconds = left * self.task.seconds_per_epoch
        if self.task.begin(left if watch or not callbacks else 1, watch):
            try:
                yield self.task
            finally:
                try:
                    self.task.take_over()
                except BaseException:  # Ctrl-C came on the way: the weights are ahead of the fit until this is done
                    self.task.take_over()
                    raise
            if not self.task.done:
                return None  # it is to stop where it is
            if not self.task.stopped:
                return self.task.last_metrics()
        self.careful = True
        trainer.make_ready()  # the task has had the memory of both
        if evaluation is not None:
            self.evaluation = EvaluationProgram(trainer.network, evaluation.data, threads=1)
        return (yield from run_epoch(trainer, self.evaluation, hooks, bar, callbacks))


class Task:
    """Epochs of one member.

    sizes: what a thread needs to run it: bytes of the arena and of gradients, samples of a batch, and of an epoch.
    seconds: how long the fit will take from where it stands, roughly, however many tasks that is.
    """

    def __init__(self, trainer, evaluation):
        self.trainer, self.state, self.evaluation = trainer, trainer.state, evaluation
        self.words = np.zeros(kernel.MEMBER_WORDS, np.int64)
        self.numbers, self.address = self.words.view(np.float64), address(self.words)
        self.watch, self.first_epoch, self.log, self.best = None, 0, None, None
        network, program, data = trainer.network, trainer.program, trainer.program.data
        self.metrics = [metric.name for metric in of_fit(network, evaluation is not None)]
        self.frame = program.frame(0, 0)
        words, work = self.words, 6 * program.batch * network.vectors.parameters.size
        words[kernel.FRAME], words[kernel.RANDOM] = address(self.frame), address(network.vectors.random)
        words[kernel.STEP] = address(trainer.optimizer_state.step)
        words[kernel.LOOK], words[kernel.MONITOR] = max(1, FLOPS_PER_LOOK // max(work, 1)), -1
        if self.state.shuffle:
            words[kernel.ORDER_CELL] = address(program.rows[program.gather]) + batches.ORDER * program.rows.itemsize
            words[kernel.ROWS] = address(data.rows)
        sizes = [program.memory.nbytes, program.gradients.nbytes, program.batch, data.samples]
        if evaluation is not None:
            sizes[0] = max(sizes[0], evaluation.memory.nbytes)
            self.enter_validation()
        self.sizes = sizes
        self.seconds_per_epoch = program.batches * (SECONDS_PER_STEP + SECONDS_PER_FLOP * work)
        # the thread that runs the task has memory for it
        trainer.order = program.order = None
        for each in (program, evaluation):
            if each is not None:
                each.memory = each.gradients = each.results = each.addresses = each.frame = None

    def enter_validation(self):
        evaluation, flat, words = self.evaluation, self.trainer.network.vectors.parameters.flat, self.words
        words[kernel.ROW], words[kernel.VALIDATED] = address(evaluation.row), evaluation.data.samples
        self.numbers[kernel.VAL_WEIGHT] = evaluation.weight
        costs = evaluation.penalties
        self.sums = [block_sums(size) for _, size in costs.stretches]
        self.penalties = np.array([
            kernel.penalty_words(flat.dtype.name, weight=address(flat[start:]), size=size, sums=address(sums),
                                 strengths=address(strengths))
            for (start, size), strengths, sums in zip(costs.stretches, costs.strengths, self.sums, strict=True)
        ], np.int64)
        words[kernel.PENALTIES], words[kernel.PENALTY] = len(self.penalties), address(self.penalties)

    def begin(self, epochs, watch):
        """Make ready for so many epochs, or fewer, from where the fit stands; watch: an EarlyStopping that may end them.

        Returns whether its hyperparameters are tame; if not, each step is to be looked at.
        """
        state, words, optimizer_state = self.state, self.words, self.trainer.optimizer_state
        scheduled = callable(state.optimizer.learning_rate)
        epochs = min(epochs, max(1, MOST_RATES // self.trainer.program.batches) if scheduled else MOST_EPOCHS)
        if self.log is None or len(self.log) < epochs:
            self.log = np.zeros((epochs, kernel.LOG_COLUMNS))
            words[kernel.LOG] = address(self.log)
        tame = optimizer_state.refresh(epochs * self.trainer.program.batches)
        self.trainer.program.totals = state.epoch.totals
        self.frame[kernel.TOTALS] = address(state.epoch.totals)
        words.view(np.uint64)[kernel.EPOCH_WORD] = state.epoch.random
        words[kernel.EPOCHS], words[kernel.EPOCH], words[kernel.EVALUATED] = epochs, 0, 0
        words[kernel.DONE], words[kernel.STOPPED] = 0, 0
        self.first_epoch, self.watch = state.epoch.number, watch  # when no epoch is over
        if watch is not None:
            self.enter_watch(watch)
        return tame

    def enter_watch(self, watch):
        words, numbers, network = self.words, self.numbers, self.trainer.network
        words[kernel.MONITOR], words[kernel.PATIENCE] = COLUMNS[watch.monitor], watch.patience
        words[kernel.WAIT], words[kernel.FIRST_EPOCH] = watch.wait, self.state.epoch.number
        words[kernel.BEST_EPOCH] = -1 if watch.best is None else watch.best_epoch
        numbers[kernel.SIGN], numbers[kernel.LEAST] = watch.sign, watch.min_delta
        numbers[kernel.BEST] = 0.0 if watch.best is None else watch.best
        if watch.restore_best and self.best is None:
            vectors = network.vectors.parameters, network.vectors.state
            self.best = [np.empty_like(vector.flat) for vector in vectors]
            for k, (vector, kept) in enumerate(zip(vectors, self.best, strict=True)):
                start = kernel.KEPT + 3 * k
                words[start:start + 3] = address(vector.flat), address(kept), kept.nbytes

    @property
    def done(self):
        return bool(self.words[kernel.DONE])

    @property
    def stopped(self):
        """Whether it came to a step that may diverge, and is not taken."""
        return bool(self.words[kernel.STOPPED])

    def named(self, rows):
        """{metric: floats} of rows of the log."""
        return {name: rows[:, COLUMNS[name]].tolist() for name in self.metrics}

    def take_over(self):
        """Enter the epochs that are over into the fit, and what early stopping saw in them.

        Where it is interrupted it can be done again: what is entered already is told by the number of the fit's epoch.
        """
        over, state = int(self.words[kernel.EPOCH]), self.state
        taken = state.epoch.number - self.first_epoch
        if over <= taken:
            return
        if self.watch is not None:
            self.leave_watch()
        rows, optimizer = self.log[taken:over], state.optimizer
        if callable(optimizer.learning_rate):
            rates = [optimizer.rate(int(step)) for step in rows[:, kernel.STEPS]]
        else:
            rates = [optimizer.learning_rate] * len(rows)
        state.finish_epochs(self.named(rows), rates, int(self.words.view(np.uint64)[kernel.EPOCH_WORD]))

    def leave_watch(self):
        words, watch, network = self.words, self.watch, self.trainer.network
        watch.wait, best_epoch = int(words[kernel.WAIT]), int(words[kernel.BEST_EPOCH])
        if best_epoch >= words[kernel.FIRST_EPOCH]:
            watch.best, watch.best_epoch = float(self.numbers[kernel.BEST]), best_epoch
            if watch.restore_best:
                parameters, kept = network.vectors.parameters.split(self.best[0]), network.vectors.state.split(self.best[1])
                watch.best_arrays = {name: {**parameters, **kept}[name] for name in named_arrays(network)}

    def last_metrics(self):
        """Those of the epoch that is left to be finished."""
        over = int(self.words[kernel.EPOCH])
        return {name: values[0] for name, values in self.named(self.log[over:over + 1]).items()}
