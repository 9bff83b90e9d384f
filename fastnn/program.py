"""Lowering: a network, a batch size and a number of threads become tables of rows and one arena.

The kernels read and write at addresses that stand in the table; a program keeps alive every array that it has put there.
"""

import weakref
from dataclasses import dataclass, replace

import numpy as np

from .checks import check_finite
from .kernels import batch as batches
from .kernels.activations import activations
from .kernels.clip import clip_row
from .kernels.criterion import accuracy_row, loss_row
from .kernels.interpreter import (
    DIVERGED,
    HIT_SUM,
    LOSS_SUM,
    SAMPLES,
    WEIGHT_SUM,
    forward_chunks_row,
    forward_few,
    run_kernel,
    train_kernel,
)
from .kernels.jit import ANY
from .kernels.linear import X_DATA
from .kernels.population import sum_results_kernel
from .kernels.table import FORWARD, LOSSES, PARTS
from .kernels.update import prepare_row, update_row
from .kernels.watch import SOUND, watch_row
from .layers import applied_activations
from .memory import Arena, aligned, block_sums
from .penalties import Penalties
from .schedules import rates_ahead
from .threads import FLOPS_PER_PART, FLOPS_PER_STEP, GATHERED_PER_PART, NUMBERS_PER_PART, parts, run

GRADIENT_CHUNK = 256  # rows at a time where gradients add up, in this order whatever the threads
SMALLEST_CHUNK, LARGEST_CHUNK = 24, 252  # samples at a time in a forward pass
SHARED_CHUNKS = 12  # samples: chunks that threads share are multiples of it
TOTALS = 5  # what a run of training adds up
CHUNK_BYTES = 1 << 20  # of activations in flight in a forward pass: what the second-level cache holds
# A call into a forward pass, after which Ctrl-C is seen to: about 10 ms of a thread, and more where others use the core too.
# Beside the products a number costs about as much as so many of their operations, to bring it here and to activate it.
SLICE_FLOPS, FLOPS_PER_NUMBER = 5e8, 50


@dataclass
class Tensor:
    """A stretch of the arena: (batch, features) numbers at `offset`, their gradient at `gradient` (None: not wanted).

    Samples that are read where they lie are no stretch of the arena: they begin at the address `data`.
    """

    offset: int
    features: int
    gradient: int | None = None
    data: int = 0


def address(array):
    """Where the array begins, 0 for None."""
    return 0 if array is None else array.ctypes.data


class Program:
    """The rows that take a batch through a network's layers; subclasses add what comes before and after."""

    training = False  # whether a backward pass follows
    as_in_training = False  # whether layers behave as in training: dropping, normalising by the batch
    keeps_state = False  # whether a step changes what layers remember: running statistics, random numbers

    def __init__(self, network, batch, threads):
        self.network, self.batch, self.threads = network, batch, threads
        self.dtype, self.offsets = network.dtype, network._parameters.offsets
        self.arena, self.rows, self.penalties = Arena(network.dtype), [], Penalties(network.dtype)
        self.outputs = []  # the tensor that each layer gives
        self._scratch, self._scratch_size = None, 0

    def tensor(self, features, gradient=None):
        """A new tensor of the arena; when training with a gradient, its own or the one given."""
        if self.training and gradient is None:
            gradient = self.arena.take(self.batch * features)
        return Tensor(self.arena.take(self.batch * features), features, gradient)

    def tensor_like(self, x):
        """A tensor of x's shape that shares x's gradient, or lack of one: for a layer that turns one into the other."""
        return Tensor(self.arena.take(self.batch * x.features), x.features, x.gradient)

    def in_arena(self, x):
        """x in the arena: samples that are read where they lie are brought there, by a row of their own."""
        if x.data == 0:
            return x
        brought = self.tensor_like(x)
        self.emit(batches.gather_row(self.dtype, 1, x=brought.offset, in_features=x.features, x_data=x.data))
        return brought

    def scratch(self, numbers):
        """A stretch that any row may use while it runs."""
        if numbers > self._scratch_size:
            self._scratch, self._scratch_size = self.arena.take(numbers), numbers
        return self._scratch

    def emit(self, row):
        self.rows.append(row)

    def emit_update(self, **matrix):
        """Parameters that training updates; of no concern to others."""

    def emit_last(self, row):
        """A row of what layers remember from step to step, for when nothing is left that could stop a step; likewise."""

    def emit_penalty(self, start, size, l1, l2):
        """Have the loss count so many parameters from number `start` on: l1 Σ |w| + l2 Σ w²."""
        if l1 or l2:
            self.penalties.add(start, size, l1, l2)

    def parts(self, work, per_part):
        return parts(work, per_part, self.threads)

    def input_tensor(self):
        return Tensor(self.arena.take(self.batch * self.network.inputs), self.network.inputs)

    def lower_layers(self, x, on_logits):
        """Emit the layers; with `on_logits` the last activation is left to the loss."""
        layers = self.network.layers
        applied = applied_activations(layers)
        if on_logits:
            applied[max(index for index, name in enumerate(applied) if name != "identity")] = "identity"
        for index, (layer, name) in enumerate(zip(layers, applied, strict=True)):
            x = layer.lower(self, index, x, None if name == "identity" else activations[name])
            self.outputs.append(x)
        return x

    def table(self):
        """The rows as one array."""
        return np.ascontiguousarray(self.rows, np.int64)


class Criterion:
    """The targets of a batch and the rows of accuracy and loss, shared by training and evaluation."""

    def __init__(self, program, data):
        outputs = program.network.outputs
        self.program, self.data, self.outputs = program, data, outputs
        self.targets = program.arena.take(program.batch * outputs)
        self.weights = program.arena.take(program.batch)

    def emit_gather(self, x, order, normalize):
        program, data = self.program, self.data
        program.emit(batches.gather_row(
            program.dtype, program.parts(program.batch * x.features, GATHERED_PER_PART),
            x=x.offset, in_features=x.features, x_data=address(data.X), targets=self.targets, out_features=self.outputs,
            weights=self.weights, target_data=address(data.targets.values), label_data=address(data.targets.labels),
            weight_data=address(data.weights), order=address(order), normalize=normalize,
        ))

    def emit_loss(self, scores, loss, classifier):
        program = self.program
        shared = {"scores": scores.offset, "targets": self.targets, "out_features": self.outputs}
        if classifier:
            classes = self.outputs > 1 and loss.targets != "binary"
            logits = loss is not program.network._loss
            program.emit(accuracy_row(program.dtype, classes=classes, logits=logits, **shared))
        gradient = program.arena.take(program.batch * self.outputs) if scores.gradient is None else scores.gradient
        program.emit(loss_row(program.dtype, program.parts(program.batch * self.outputs, NUMBERS_PER_PART), loss,
                              weights=self.weights, gradient=gradient, **shared))


@dataclass
class Data:
    """Checked data: X (samples, inputs), Targets, weights (samples,) or None.

    rows: the numbers of the samples that count, int64 in the order in which they do; None for all of them.
    """

    X: np.ndarray
    targets: object
    weights: np.ndarray | None
    rows: np.ndarray | None = None

    @property
    def samples(self):
        """How many there are."""
        return len(self.X if self.rows is None else self.rows)

    def apart_from(self, *vectors):
        """The same data, copied where they lie in memory that training changes: the network's own vectors."""

        def own(array):
            shared = array is not None and any(np.may_share_memory(array, vector) for vector in vectors)
            return array.copy() if shared else array

        targets = replace(self.targets, values=own(self.targets.values))  # labels are int64, which the vectors are not
        return replace(self, X=own(self.X), targets=targets, weights=own(self.weights))

    def of_one_mean(self):
        """The same data with the weights scaled to add up to 1, for gradients gathered over several batches."""
        weights = np.ones(len(self.X)) if self.weights is None else self.weights.astype(np.float64)
        return Data(self.X, self.targets, (weights / weights.sum()).astype(self.X.dtype))


class TrainingProgram(Program):
    """Forward, loss, backward and update over batches of the data."""

    training = True

    def __init__(self, network, data, batch, threads, optimizer_state=None, order=None, normalize=True, as_in_training=True):
        batch = min(batch, data.samples)
        flops = 6 * batch * network._parameters.flat.size
        super().__init__(network, batch, threads if flops >= FLOPS_PER_STEP else 1)
        self.as_in_training, self.keeps_state = as_in_training, optimizer_state is not None
        self.data, self.order = data, order
        self.gradients = aligned(network._parameters.flat.size, network.dtype)
        self.results, self.totals = aligned((3, self.batch), "float64"), np.zeros(TOTALS)
        self.optimizer_state = optimizer_state
        self.updates, self.last = [], []
        self.found, self.limit = np.zeros(2, np.int64), np.full(1, SOUND[network.dtype])  # those of the watch
        x, criterion = self.input_tensor(), Criterion(self, data)
        criterion.emit_gather(x, order, normalize)
        loss = network._training_loss
        scores = self.lower_layers(x, on_logits=loss is not network._loss)
        criterion.emit_loss(scores, loss, network.is_classifier)
        before, after = self.penalties.rows(lambda size: self.parts(size, NUMBERS_PER_PART), once=not normalize)
        self.rows, step = before + self.rows + after, []
        if optimizer_state is not None:
            matrices = whole_if_serial(self.updates, self.gradients.size)
            step = optimizer_state.rows(matrices, self.parts(self.gradients.size, NUMBERS_PER_PART)) + self.last
            watched = {"limit": address(self.limit), "found": address(self.found)}
            self.rows = step + [watch_row(self.dtype, **watched, **matrix) for matrix in matrices] + self.rows
        self.rows, self.memory, self.step_rows = self.table(), self.arena.allocate(), len(step)
        # worked out once, for where a callback looks at every batch a run is a few microseconds
        self.addresses = [*map(address, (self.rows, network._parameters.flat, self.gradients, self.memory, self.results))]

    def emit_update(self, **matrix):
        """Have the optimizer update these parameters too: start, rows, columns, and how many parts share the rows."""
        self.updates.append(matrix)

    def emit_last(self, row):
        if self.keeps_state:
            self.last.append(row)

    @property
    def parts_used(self):
        """The most parts that any phase is cut into."""
        return int(self.rows[:, PARTS].max())

    @property
    def batches(self):
        return -(-self.data.samples // self.batch)

    def run(self, first_batch, last_batch, accumulate=False):
        """Work through the batches first_batch … last_batch − 1; returns None, or the number of one where it stopped.

        There the loss is not finite or the watch has `found` something: in the step of that batch nothing has changed.
        """
        frame = self.frame(first_batch, last_batch, accumulate)
        flops = 6 * (last_batch - first_batch) * self.batch * self.gradients.size
        run(train_kernel, frame, self.parts_used, flops)
        stopped, self.totals[DIVERGED] = int(self.totals[DIVERGED]), 0
        return stopped - 1 if stopped else None

    def loss_is_finite(self, samples):
        """Whether the loss of so many samples, those of the last batch, is."""
        return bool(np.isfinite(self.results[LOSSES, :samples].sum()))

    def frame(self, first_batch, last_batch, accumulate=False):
        """What `train` is called with."""
        return np.array([
            *self.addresses, address(self.totals), address(self.found), self.step_rows, len(self.rows) - self.step_rows,
            self.batch, self.data.samples, first_batch, last_batch, accumulate, 0,
        ])

    def accumulate(self, first_batch, last_batch):
        """Add up the gradients over these batches, whose weights are shares of one mean; batch 0 begins anew.

        Returns None, or the number of a batch whose loss is not finite.
        """
        return self.run(first_batch, last_batch, accumulate=True)

    def take_mean(self):
        """(loss, accuracy) of the batches accumulated since the last call."""
        totals, self.totals[:] = self.totals.copy(), 0
        return float(totals[LOSS_SUM]), float(totals[HIT_SUM] / max(totals[SAMPLES], 1))

    @property
    def done(self):
        """How many batches are in the totals: those after whose update the parameters stand."""
        return -(-int(self.totals[SAMPLES]) // self.batch)

    def means(self):
        """(mean loss, accuracy) of what is in the totals."""
        totals = self.totals
        loss = totals[LOSS_SUM] / totals[WEIGHT_SUM] if totals[WEIGHT_SUM] else 0.0
        return float(loss), float(totals[HIT_SUM] / max(totals[SAMPLES], 1))


def largest_chunk(network):
    """How many samples of a network go through it together, at most."""
    per_sample = np.dtype(network.dtype).itemsize * (network.inputs + 2 * sum(network.widths[1:]))
    return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, CHUNK_BYTES // per_sample))


class ForwardProgram(Program):
    """All samples of an array through the network, in chunks that fit the cache, with nothing kept for a backward pass."""

    def __init__(self, network, chunk, workers):
        super().__init__(network, chunk, threads=1)
        self.workers = workers

    @staticmethod
    def plan(network, samples, threads):
        """(samples in a chunk, how many threads are to share the chunks) for so many samples."""
        workers = parts(2 * samples * network._parameters.flat.size, FLOPS_PER_PART, min(threads, samples))
        return min(largest_chunk(network), -(-samples // workers)), workers

    def finish(self):
        """Make the table, and the frame of a run."""
        self.rows, self.memory = self.table(), self.arena.allocate(self.workers)
        self.row = forward_chunks_row(self.workers, table=address(self.rows), operations=len(self.rows), chunk=self.batch,
                                      arena_bytes=self.memory.strides[0])
        parameters = address(self.network._parameters.flat)
        self.frame = np.array([address(self.row), parameters, 0, address(self.memory), 0, 0, 0, 0, 0, FORWARD, 0])

    def run_samples(self, samples, results=None):
        """Send so many samples through, reporting into results (3, samples)."""
        flops, turn = 2 * self.network._parameters.flat.size, self.batch * self.workers
        turns = SLICE_FLOPS // ((flops + FLOPS_PER_NUMBER * sum(self.network.widths)) * turn)
        size = max(1, int(turns)) * turn
        for first in range(0, samples, size):
            count = min(size, samples - first)
            place = 0 if results is None else address(results[0, first:])
            self.frame[4:8] = place, samples, first, count
            run(run_kernel, self.frame, self.workers, count * flops)


class PredictionProgram(ForwardProgram):
    """Outputs of samples; it can be run again on others, but by one Python thread at a time."""

    def __init__(self, network, chunk, workers):
        super().__init__(network, chunk, workers)
        self.not_finite = np.zeros(1, np.int64)
        somewhere = address(self.not_finite)  # until the first run enters where X is
        x = Tensor(0, network.inputs, data=somewhere)
        self.emit(batches.inspect_row(self.dtype, in_features=x.features, x_data=somewhere, not_finite=somewhere))
        self.x_data = X_DATA  # the column of the second row where it reads the address of X
        a = self.in_arena(self.lower_layers(x, on_logits=False))
        self.emit(batches.hand_out_row(self.dtype, a=a.offset, out_features=a.features, out_data=somewhere))
        self.finish()

    @staticmethod
    def plan(network, samples, threads):
        """As of every forward pass, but with few sizes of chunks: a program of each is kept for the next prediction."""
        chunk, workers = ForwardProgram.plan(network, samples, threads)
        rounded = -(-chunk // SHARED_CHUNKS) * SHARED_CHUNKS if workers > 1 else LARGEST_CHUNK
        return min(rounded, largest_chunk(network)), workers

    def in_arena(self, x):
        if x.data != 0:
            self.x_data = batches.X_DATA
        return super().in_arena(x)

    def run(self, X):
        """Outputs (samples, outputs) of X, C-contiguous in the network's dtype."""
        out = np.empty((len(X), self.network.outputs), X.dtype)
        self.rows[0, batches.X_DATA] = self.rows[1, self.x_data] = address(X)
        self.rows[-1, batches.OUT_DATA] = address(out)
        self.run_samples(len(X))
        if self.not_finite[0]:
            self.not_finite[0] = 0
            check_finite("X", X)
        return out


class SmallPrediction:
    """The prediction of a few rows, planned once: each is one compiled call that holds Python's lock, so it needs none."""

    ROWS = 16

    def __init__(self, network):
        self.dtype, self.outputs = np.dtype(network.dtype), network.outputs
        self.program = program = PredictionProgram(network, self.ROWS, workers=1)

        def cell(row, column):
            return address(program.rows[row]) + column * program.rows.itemsize

        self.frame = np.array([address(network._parameters.flat), address(program.memory), address(program.not_finite),
                               address(program.rows), len(program.rows),
                               cell(0, batches.X_DATA), cell(1, program.x_data), cell(-1, batches.OUT_DATA)])

    def run(self, X):
        """Outputs of X, C-contiguous in the network's dtype, at most ROWS samples."""
        out = np.empty((len(X), self.outputs), self.dtype)
        if forward_few(X, out, self.frame):
            check_finite("X", X)
        return out


class EvaluationProgram(ForwardProgram):
    """The loss and the hit of every sample of the data."""

    def __init__(self, network, data, threads):
        super().__init__(network, *self.plan(network, data.samples, threads))
        self.data = data
        x, criterion = self.input_tensor(), Criterion(self, data)
        criterion.emit_gather(x, data.rows, normalize=False)
        loss = network._training_loss
        criterion.emit_loss(self.lower_layers(x, on_logits=loss is not network._loss), loss, network.is_classifier)
        self.finish()
        self.results = aligned((3, data.samples), "float64")
        weights = data.weights if data.weights is None or data.rows is None else data.weights[data.rows]
        self.weight = data.samples if weights is None else weights.sum(dtype=np.float64)

    def evaluate(self):
        """(mean loss, accuracy)."""
        self.run_samples(self.data.samples, self.results)
        sums = np.zeros(2)
        sum_results_kernel(ANY, sums, self.results, self.data.samples)
        loss = float(sums[0] / self.weight) + self.penalties.value(self.network._parameters.flat)
        return loss, float(sums[1] / self.data.samples)


def whole_if_serial(matrices, size):
    """The matrices, or where one thread does everything, all `size` numbers as one."""
    if all(matrix["parts"] == 1 for matrix in matrices):
        return [{"start": 0, "rows": 1, "columns": size, "parts": 1}]
    return matrices


class OptimizerState:
    """What an optimizer remembers of one network: its slots, laid out like the parameters, and the step."""

    def __init__(self, optimizer, network):
        self.optimizer = weakref.ref(optimizer)  # the network keeps this as long as someone keeps the optimizer
        self.dtype = network.dtype
        self.size = network._parameters.flat.size
        stretch = -(-self.size // 64) * 64
        self.slots = aligned((len(optimizer.slots), stretch), network.dtype)
        self.step, self.coefficients = np.zeros(1, np.int64), aligned(8, network.dtype)
        self.hyperparameters = optimizer.hyperparameters()
        self.limits, self.norms = np.full(3, np.inf), None  # what clipping reads and writes
        self.rates, self.schedule = None, np.zeros(2, np.int64)
        self.least, self.most = optimizer.tame()

    def refresh(self, steps):
        """Take over hyperparameters that have been changed since, for so many steps to come; whether all are tame."""
        optimizer, first = self.optimizer(), int(self.step[0]) + 1
        self.hyperparameters[:], self.limits[:2] = optimizer.hyperparameters(first), optimizer.limits()
        self.rates = rates_ahead(optimizer, first, steps) if callable(optimizer.learning_rate) else None
        self.schedule[:] = address(self.rates), first
        tame = ((self.least <= self.hyperparameters) & (self.hyperparameters <= self.most)).all()
        return bool(tame and (self.rates is None or self.rates.max() <= self.most[0]))

    def rows(self, updates, parts):
        """The rows that bring about a step, with an update for each of these matrices.

        parts: into how many to cut what is done to all gradients.
        """
        optimizer = self.optimizer()
        slots, coefficients = {"state": address(self.slots), "stride": self.slots.shape[1]}, address(self.coefficients)
        rows = [update_row(self.dtype, optimizer, coefficients=coefficients, **slots, **matrix) for matrix in updates]
        rows.append(prepare_row(self.dtype, optimizer, coefficients=coefficients, step=address(self.step),
                                hyperparameters=address(self.hyperparameters), schedule=address(self.schedule)))
        if np.isfinite(optimizer.limits()).any():
            if self.norms is None:  # kept: the rows of other programs may hold its address
                self.norms = block_sums(self.size)
            rows.append(clip_row(self.dtype, parts, size=self.size, sums=address(self.norms), limits=address(self.limits)))
        return rows
