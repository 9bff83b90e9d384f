"""The epochs of a member as a task for compiled code: the records that `kernels/training/population.py` uses.

A member without callbacks for batches runs whole epochs in a task. Without callbacks for epochs, it runs all epochs; early
stopping is computed in the task.
"""

import numpy as np

from ..kernels.compiling.objects import WORD
from ..kernels.interpreter.table import RESULTS, RESULTS_OF_EACH
from ..kernels.training.population import BLOCK, LOG, LOG_OF_EACH, MEMBER, WEIGHT_PENALTY, new_penalty
from ..program import address
from ..runtime.memory import block_sums
from ..samples.metrics import of_fit

MOST_EPOCHS, MOST_RATES = 4096, 1 << 16  # largest number of epochs of a task, and of precomputed learning rates
FLOPS_PER_LOOK = 1_000_000  # of training between two checks of the clock: about 20 µs or more
SECONDS_PER_FLOP, SECONDS_PER_STEP = 2e-11, 2e-6  # rough estimates, to start with the members that take longest


class Task:
    """Epochs of one member.

    sizes: memory that a thread needs to run it: bytes of the arena, of gradients and of results, samples of an epoch.
    seconds: a rough estimate of the remaining time of the fit, over all its tasks.
    """

    def __init__(self, trainer, evaluation):
        self.trainer, self.state, self.evaluation = trainer, trainer.state, evaluation
        self.watch, self.first_epoch, self.log, self.best = None, 0, None, None
        network, program, data = trainer.network, trainer.program, trainer.program.data
        self.metrics = [metric.name for metric in of_fit(network, evaluation is not None)]
        self.frame, work = program.frame, 6 * program.batch * network.multiply_adds
        self.frame["accumulate"] = self.frame["team"] = 0
        self.member = MEMBER.new(
            train=address(self.frame), random=address(network.vectors.random), step=address(trainer.optimizer_state.step),
            look=max(1, FLOPS_PER_LOOK // max(work, 1)), monitor=-1, shuffle=self.state.shuffle,
            rows=address(data.rows) if self.state.shuffle else 0,
        )
        self.address = address(self.member)
        self.outputs = network.several_outputs
        rows = RESULTS + RESULTS_OF_EACH * self.outputs
        sizes = [program.memory.nbytes, program.gradients.nbytes, WORD * rows * max(program.batch, BLOCK), data.samples]
        if evaluation is not None:
            sizes[0] = max(sizes[0], evaluation.memory.nbytes)
            self.write_validation()
        self.sizes = sizes
        self.seconds_per_epoch = program.batches * (SECONDS_PER_STEP + SECONDS_PER_FLOP * work)
        # the memory belongs to the thread that runs the task
        trainer.order = program.order = None
        for each in (program, evaluation):
            if each is not None:
                each.memory = each.gradients = each.results = each.frame = each.call = None

    def write_validation(self):
        evaluation, flat, member = self.evaluation, self.trainer.network.vectors.parameters.flat, self.member
        self.evaluation_frame = evaluation.frame
        member["evaluation"], member["validated"] = address(self.evaluation_frame), evaluation.data.samples
        member["val_weight"] = evaluation.weight
        if self.outputs:
            self.own_sums = np.zeros((self.outputs, RESULTS_OF_EACH))
            member["own_sums"], member["own_weights"] = address(self.own_sums), address(evaluation.weights)
        costs = evaluation.penalties
        self.sums = [block_sums(size) for _, size in costs.stretches]
        self.penalties = np.array([
            new_penalty(flat.dtype.name, weight=address(flat[start:]), size=size, sums=address(sums),
                        strengths=address(strengths))
            for (start, size), strengths, sums in zip(costs.stretches, costs.strengths, self.sums, strict=True)
        ], WEIGHT_PENALTY.dtype)
        member["penalties"], member["penalty"] = len(self.penalties), address(self.penalties)

    def begin(self, epochs, watch):
        """Prepare at most `epochs` epochs from the state of the fit; watch: an EarlyStopping that may end them, or None.

        Returns whether the hyperparameters are bounded; if not, each step has to be checked in Python.
        """
        state, member, optimizer_state = self.state, self.member, self.trainer.optimizer_state
        scheduled = callable(state.optimizer.learning_rate)
        epochs = min(epochs, max(1, MOST_RATES // self.trainer.program.batches) if scheduled else MOST_EPOCHS)
        if self.log is None or len(self.log) < epochs:
            self.log = np.zeros(epochs, LOG.dtype)
            member["log"] = address(self.log)
            if self.outputs:
                self.own_log = np.zeros((epochs, self.outputs, LOG_OF_EACH))
                member["outputs"], member["own_log"] = self.outputs, address(self.own_log)
        bounded = optimizer_state.refresh(epochs * self.trainer.program.batches)
        self.trainer.program.totals = state.epoch.totals
        self.frame["totals"] = address(state.epoch.totals)
        member["epoch_word"] = state.epoch.random
        member["epochs"], member["epoch"], member["evaluated"] = epochs, 0, 0
        member["done"] = member["stopped"] = 0
        self.first_epoch, self.watch = state.epoch.number, watch  # before any epoch is finished
        if watch is not None:
            self.write_watch(watch)
        return bounded

    def write_watch(self, watch):
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
        """Whether it stopped at a step that may diverge, which is not taken."""
        return bool(self.member["stopped"])

    def named(self, rows):
        """Return {metric: floats} from rows of the log, a slice."""
        log = self.log[rows]
        if not self.outputs:
            return {name: log[name].tolist() for name in self.metrics}
        reports = [self.report(*each) for each in zip(log, self.own_log[rows].tolist(), strict=True)]
        return {name: [report[name] for report in reports] for name in self.metrics}

    def report(self, log, own):
        """Return {metric: value} of an epoch of a network of several outputs."""
        head = self.trainer.network.objective.head
        values = head.report(float(log["loss"]), [each[:2] for each in own])
        if self.evaluation is not None:
            values |= head.report(float(log["val_loss"]), [each[2:] for each in own], prefix="val_")
        return values

    def record_epochs(self):
        """Record the finished epochs in the fit, and the results of early stopping.

        After an interruption it can be called again: epochs that the fit has already counted are skipped.
        """
        over, state = int(self.member["epoch"]), self.state
        taken = state.epoch.number - self.first_epoch
        if over <= taken:
            return
        if self.watch is not None:
            self.read_watch()
        rows, optimizer = slice(taken, over), state.optimizer
        if callable(optimizer.learning_rate):
            rates = [optimizer.rate(int(step)) for step in self.log[rows]["steps"]]
        else:
            rates = [optimizer.learning_rate] * (over - taken)
        state.finish_epochs(self.named(rows), rates, int(self.member["epoch_word"]))

    def read_watch(self):
        member, watch, network = self.member, self.watch, self.trainer.network
        watch.wait, best_epoch = int(member["wait"]), int(member["best_epoch"])
        if best_epoch >= member["first_epoch"]:
            watch.best, watch.best_epoch = float(member["best"]), best_epoch
            if watch.restore_best:
                parameters, kept = network.vectors.parameters.split(self.best[0]), network.vectors.state.split(self.best[1])
                watch.best_arrays = {name: {**parameters, **kept}[name] for name in network.vectors.by_name}

    def last_metrics(self):
        """Return the metrics of the epoch that Python has to finish."""
        over = int(self.member["epoch"])
        return {name: values[0] for name, values in self.named(slice(over, over + 1)).items()}
