"""The epochs of a member as a task for compiled code: what `kernels/training/population.py` reads and writes.

A member whose callbacks look at no batch runs whole epochs a task. Where nobody looks at epochs either, it runs all of them;
early stopping is no reader: what it would decide after an epoch is worked out on the way.
"""

import numpy as np

from ..kernels.training.population import LOG, MEMBER, WEIGHT_PENALTY, new_penalty
from ..program import address
from ..runtime.memory import block_sums
from ..samples.metrics import of_fit

MOST_EPOCHS, MOST_RATES = 4096, 1 << 16  # of a task; and learning rates of a schedule, worked out before
FLOPS_PER_LOOK = 1_000_000  # of training between two looks at the clock: some 20 µs or more
SECONDS_PER_FLOP, SECONDS_PER_STEP = 2e-11, 2e-6  # of a thread, roughly: to begin with the members that take longest


class Task:
    """Epochs of one member.

    sizes: what a thread needs to run it: bytes of the arena and of gradients, samples of a batch, and of an epoch.
    seconds: how long the fit will take from where it stands, roughly, however many tasks that is.
    """

    def __init__(self, trainer, evaluation):
        self.trainer, self.state, self.evaluation = trainer, trainer.state, evaluation
        self.watch, self.first_epoch, self.log, self.best = None, 0, None, None
        network, program, data = trainer.network, trainer.program, trainer.program.data
        self.metrics = [metric.name for metric in of_fit(network, evaluation is not None)]
        self.frame, work = program.frame, 6 * program.batch * network.vectors.parameters.size
        self.frame["accumulate"] = self.frame["team"] = 0
        self.member = MEMBER.new(
            train=address(self.frame), random=address(network.vectors.random), step=address(trainer.optimizer_state.step),
            look=max(1, FLOPS_PER_LOOK // max(work, 1)), monitor=-1, shuffle=self.state.shuffle,
            rows=address(data.rows) if self.state.shuffle else 0,
        )
        self.address = address(self.member)
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
                each.memory = each.gradients = each.results = each.frame = each.call = None

    def enter_validation(self):
        evaluation, flat, member = self.evaluation, self.trainer.network.vectors.parameters.flat, self.member
        self.evaluation_frame = evaluation.frame
        member["evaluation"], member["validated"] = address(self.evaluation_frame), evaluation.data.samples
        member["val_weight"] = evaluation.weight
        costs = evaluation.penalties
        self.sums = [block_sums(size) for _, size in costs.stretches]
        self.penalties = np.array([
            new_penalty(flat.dtype.name, weight=address(flat[start:]), size=size, sums=address(sums),
                        strengths=address(strengths))
            for (start, size), strengths, sums in zip(costs.stretches, costs.strengths, self.sums, strict=True)
        ], WEIGHT_PENALTY.dtype)
        member["penalties"], member["penalty"] = len(self.penalties), address(self.penalties)

    def begin(self, epochs, watch):
        """Make ready for so many epochs, or fewer, from where the fit stands; watch: an EarlyStopping that may end them.

        Returns whether its hyperparameters are bounded; if not, each step is to be looked at.
        """
        state, member, optimizer_state = self.state, self.member, self.trainer.optimizer_state
        scheduled = callable(state.optimizer.learning_rate)
        epochs = min(epochs, max(1, MOST_RATES // self.trainer.program.batches) if scheduled else MOST_EPOCHS)
        if self.log is None or len(self.log) < epochs:
            self.log = np.zeros(epochs, LOG.dtype)
            member["log"] = address(self.log)
        bounded = optimizer_state.refresh(epochs * self.trainer.program.batches)
        self.trainer.program.totals = state.epoch.totals
        self.frame["totals"] = address(state.epoch.totals)
        member["epoch_word"] = state.epoch.random
        member["epochs"], member["epoch"], member["evaluated"] = epochs, 0, 0
        member["done"] = member["stopped"] = 0
        self.first_epoch, self.watch = state.epoch.number, watch  # when no epoch is over
        if watch is not None:
            self.enter_watch(watch)
        return bounded

    def enter_watch(self, watch):
        member, network = self.member, self.trainer.network
        member["monitor"], member["patience"] = LOG.offsets[watch.monitor], watch.patience
        member["wait"], member["first_epoch"] = watch.wait, self.state.epoch.number
        member["best_epoch"] = -1 if watch.best is None else watch.best_epoch
        member["sign"], member["least"] = watch.sign, watch.min_delta
        member["best"] = 0.0 if watch.best is None else watch.best
        if watch.restore_best and self.best is None:
            vectors = {"keep_parameters": network.vectors.parameters.flat, "keep_state": network.vectors.state.flat}
            self.best = [np.empty_like(vector) for vector in vectors.values()]
            for (name, vector), kept in zip(vectors.items(), self.best, strict=True):
                member[name]["source"], member[name]["target"] = address(vector), address(kept)
                member[name]["bytes"] = kept.nbytes

    @property
    def done(self):
        return bool(self.member["done"])

    @property
    def stopped(self):
        """Whether it came to a step that may diverge, and is not taken."""
        return bool(self.member["stopped"])

    def named(self, rows):
        """{metric: floats} of rows of the log."""
        return {name: rows[name].tolist() for name in self.metrics}

    def enter_epochs(self):
        """Enter the epochs that are over into the fit, and what early stopping saw in them.

        Where it is interrupted it can be done again: what is entered already is told by the number of the fit's epoch.
        """
        over, state = int(self.member["epoch"]), self.state
        taken = state.epoch.number - self.first_epoch
        if over <= taken:
            return
        if self.watch is not None:
            self.leave_watch()
        rows, optimizer = self.log[taken:over], state.optimizer
        if callable(optimizer.learning_rate):
            rates = [optimizer.rate(int(step)) for step in rows["steps"]]
        else:
            rates = [optimizer.learning_rate] * len(rows)
        state.finish_epochs(self.named(rows), rates, int(self.member["epoch_word"]))

    def leave_watch(self):
        member, watch, network = self.member, self.watch, self.trainer.network
        watch.wait, best_epoch = int(member["wait"]), int(member["best_epoch"])
        if best_epoch >= member["first_epoch"]:
            watch.best, watch.best_epoch = float(member["best"]), best_epoch
            if watch.restore_best:
                parameters, kept = network.vectors.parameters.split(self.best[0]), network.vectors.state.split(self.best[1])
                watch.best_arrays = {name: {**parameters, **kept}[name] for name in network.vectors.by_name}

    def last_metrics(self):
        """Those of the epoch that is left to be finished."""
        over = int(self.member["epoch"])
        return {name: values[0] for name, values in self.named(self.log[over:over + 1]).items()}
