"""The program of training: forward, loss, backward and update over batches of the data."""

import numpy as np

from ..kernels.interpreter.interpreter import (
    COUNT_SUM,
    DIVERGED,
    HIT_SUM,
    LOSS_SUM,
    SAMPLES,
    TRAIN,
    WEIGHT_SUM,
    train_kernel,
)
from ..kernels.interpreter.table import LOSSES, NOT_FINITE, most_parts
from ..kernels.training.watch import SOUND, watch_row
from ..layers.custom.failure import FAILURE_OF_LAYER, failure_of, has_failed
from ..runtime.memory import aligned
from ..runtime.threads import FLOPS_PER_STEP, NUMBERS_PER_PART, launch
from .base import Program, address
from .criterion import Criterion
from .frozen import layers_at_rest, without_frozen
from .groups import matrices_by_group
from .results import TOTALS, means_of_each, new_totals, shape_of_results
from .several import emit_criteria

GRADIENT_CHUNK = 256  # rows at a time when gradients are accumulated, in this order for any number of threads


class TrainingProgram(Program):
    """Forward, loss, backward and update over batches of the data."""

    training = True
    kept_arrays = ()  # what a step changes besides the network and the optimizer's state
    changes_when_stopped = False  # whether a step that is not taken may have changed states of layers

    def __init__(self, network, data, batch, threads, optimizer_state=None, order=None, normalize=True, as_in_training=True):
        super().__init__(network, *self.plan(network, data, batch, threads))
        self.largest_batch = data.largest_batch(self.samples)
        self.as_in_training, self.keeps_state = as_in_training, optimizer_state is not None
        if self.keeps_state and optimizer_state.frozen:
            self.at_rest = layers_at_rest(network, optimizer_state.frozen)
        self.data, self.order = data, order
        self.gradients = aligned(network.vectors.parameters.size, network.dtype)
        outputs = network.several_outputs
        self.results, self.totals = aligned(shape_of_results(outputs, self.batch), "float64"), new_totals(outputs)
        self.optimizer_state = optimizer_state
        self.updates, self.last, self.used = [], [], {}
        self.found, self.limit = np.zeros(2, np.int64), np.full(1, SOUND[network.dtype])  # memory of the gradient check
        emit_step(self, normalize)
        before, after = self.penalties.rows(self.arena, lambda size: self.parts(size, NUMBERS_PER_PART), once=not normalize)
        self.rows, step = before + self.rows + after, []
        if optimizer_state is not None:
            matrices, *of_groups = self.matrices()
            step = optimizer_state.rows(*of_groups, self.parts(self.gradients.size, NUMBERS_PER_PART)) + self.last
            self.rows = step + [watch_row(self.dtype, limit=address(self.limit), **m) for m in matrices] + self.rows
        self.make_table()
        self.memory = self.arena.allocate_for_fit()
        self.parts_used = most_parts(self.table)
        self.frame = TRAIN.new(table=address(self.table), updates=len(step), others=len(self.rows) - len(step),
                               outputs=outputs)
        self.call = self.frame["call"]
        call = self.call
        call["parameters"], call["gradients"] = address(network.vectors.parameters.flat), address(self.gradients)
        call["arena"], call["results"] = address(self.memory), address(self.results)
        call["capacity"], call["found"] = self.batch, address(self.found)
        data.enter(call, order)

    @staticmethod
    def plan(network, data, batch, threads):
        """Return (samples in a batch, number of threads that share a step)."""
        batch = min(batch, data.samples)
        return batch, threads if 6 * batch * data.mean_steps * network.multiply_adds >= FLOPS_PER_STEP else 1

    @classmethod
    def kind(cls, network, data, batch, threads, optimizer_state, order):
        """Return everything that the rows depend on except the network; other data of the same kind can be attached."""
        given = data.form, order is None, data.largest_batch(min(batch, data.samples))
        step = optimizer_state.optimizer().clips, optimizer_state.frozen, optimizer_state.groups
        return cls, cls.plan(network, data, batch, threads), step, given

    def attach(self, network, data, optimizer_state, order):
        """Use the program with other data of the same `kind`, for the network that it was made for."""
        self.network, self.data, self.optimizer_state, self.order = network, data, optimizer_state, order
        data.enter(self.call, order)

    def detach(self):
        """Release everything except its own memory, until other data are attached."""
        self.network = self.data = self.optimizer_state = self.order = None

    def matrices(self):
        """Return (matrices of all that is updated, those without a group, [(group, its matrices)], frozen ranges)."""
        frozen, groups = self.optimizer_state.frozen, self.optimizer_state.groups
        if not frozen and not groups:
            matrices = whole_if_serial(self.updates, self.gradients.size)
            return matrices, matrices, [], []
        ranges = {name: (self.offsets[name], view.size)
                  for name, view in self.network.vectors.parameters.numbered.items()}
        at_rest = [place for name, place in ranges.items() if name in frozen]
        matrices = without_frozen(self.updates, at_rest)
        return matrices, *matrices_by_group(matrices, groups, ranges), at_rest

    @property
    def nbytes(self):
        """The size of the memory that it keeps."""
        return self.memory.nbytes + self.gradients.nbytes + self.results.nbytes

    def emit_update(self, **matrix):
        """Register parameters for the optimizer's update: start, rows, columns, and the number of parts of the rows."""
        if not self.used_again:
            self.updates.append(matrix)

    def list_of_used(self, index, size):
        if not self.keeps_state:
            return 0, False
        begins = index not in self.used
        if begins:
            self.used[index] = np.zeros(size, np.int64)  # of this program, since it tells which of its gradients are not 0
        return address(self.used[index]), begins

    def emit_last(self, row):
        if self.keeps_state:
            self.emit_after_step(row)

    def emit_after_step(self, row):
        """Emit a row that runs after a step that is taken, also of layers that stay as they are."""
        # rows run from last to first, so those of two uses of a layer are in order
        self.last[:0] = self.with_switches(row)

    @property
    def batches(self):
        return -(-self.data.samples // self.batch)

    def run_batches(self, first_batch, last_batch, accumulate=False):
        """Train the batches first_batch … last_batch − 1; return None, or the number of one where it stopped.

        At that batch the loss is not finite, or `found` reports a gradient that is not sound; nothing has changed in its
        step.
        """
        frame = self.frame
        frame["first_batch"], frame["last_batch"], frame["accumulate"] = first_batch, last_batch, accumulate
        frame["totals"] = address(self.totals)
        flops = 6 * (last_batch - first_batch) * self.batch * self.data.mean_steps * self.network.multiply_adds
        launch(train_kernel, frame, self.parts_used, flops)
        stopped, self.totals[DIVERGED] = int(self.totals[DIVERGED]), 0
        if self.found[NOT_FINITE] == FAILURE_OF_LAYER or (self.found[NOT_FINITE] and has_failed(self.network)):
            raise failure_of(self.network)
        return stopped - 1 if stopped else None

    def samples_in(self, batch):
        """Return the number of samples of a batch, the last one that was run."""
        return min(self.batch, self.data.samples - batch * self.batch)

    def loss_is_finite(self, samples):
        """Return whether the loss of the last batch, of `samples` samples, is finite."""
        return bool(np.isfinite(self.results[LOSSES, :samples].sum()))

    def accumulate(self, first_batch, last_batch):
        """Accumulate the gradients over these batches, whose weights are shares of one mean; batch 0 starts from zero.

        Returns None, or the number of a batch whose loss is not finite.
        """
        return self.run_batches(first_batch, last_batch, accumulate=True)

    def take_mean(self):
        """Return (loss, accuracy) of the batches accumulated since the last call; of several outputs as `means`."""
        totals = self.totals.copy()
        self.totals[:] = 0
        if len(totals) > TOTALS:
            return float(totals[LOSS_SUM]), means_of_each(totals, 1.0)
        return float(totals[LOSS_SUM]), float(totals[HIT_SUM] / max(totals[COUNT_SUM], 1))

    @property
    def done(self):
        """Return the number of batches in the totals, whose updates the parameters include."""
        return -(-int(self.totals[SAMPLES]) // self.batch)

    def means(self):
        """Return (mean loss, accuracy) of the batches in the totals, or (mean loss, [the same of each output])."""
        totals = self.totals
        weight = totals[WEIGHT_SUM] or np.inf
        if len(totals) == TOTALS:
            return float(totals[LOSS_SUM] / weight), float(totals[HIT_SUM] / max(totals[COUNT_SUM], 1))
        return float(totals[LOSS_SUM] / weight), means_of_each(totals, weight)


def emit_step(program, normalize):
    """Emit the rows of a step from the samples to the loss."""
    if program.network.has_several:
        emit_criteria(program, normalize)
    else:
        Criterion(program).emit_all(normalize)


def whole_if_serial(matrices, size):
    """Return the matrices, or all `size` elements as one matrix if one thread updates all rows of all of them."""
    if all(matrix["parts"] == 1 and not matrix.get("used") for matrix in matrices):
        return [{"start": 0, "rows": 1, "columns": size, "parts": 1}]
    return matrices
