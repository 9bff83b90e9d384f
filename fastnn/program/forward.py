"""Programs without a backward pass: prediction and evaluation of any number of samples, in chunks."""

import math

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.compiling.python_function import EMPTY, c_function, numpy_function, python_function
from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.interpreter import (
    FORWARD_FEW,
    ONE_PHASE,
    forward_chunks_row,
    forward_few_kernel,
    one_phase_kernel,
)
from ..kernels.interpreter.steps import TARGETS, copy_steps_row
from ..kernels.interpreter.table import NOT_FINITE, PHASES, RESULTS, row_in
from ..kernels.layers.panels import WIDE, is_wide, pack_row, packed_size
from ..kernels.training.population import sum_results_kernel
from ..layers.custom.failure import FAILURE_OF_LAYER, failure_of
from ..runtime.memory import aligned
from ..runtime.threads import FLOPS_PER_PART, launch, parts
from ..samples.arrays import check_finite
from ..samples.checked_data import enter_samples
from ..samples.series.sequences import Sequences
from ..samples.series.steps import offsets_of
from .base import Program, Tensor, address
from .chunks import chunks_of, cuts_of
from .criterion import Criterion

SMALLEST_CHUNK, LARGEST_CHUNK = 24, 252  # samples of a chunk in a forward pass
SHARED_CHUNKS = 12  # samples: the sizes of chunks that threads share are multiples of it
# The size of the activations of a chunk. A weight is read once for each chunk. A weight that does not fit into a cache near
# the core needs many samples: 2000-2000-10 runs at 85 GFLOP/s in chunks of 43 samples and at 101 in chunks of 252,
# 784-1024-1024-10 in float64 at 38 and 49. If the activations then exceed the second-level cache, that costs 1 to 5 %.
CHUNK_BYTES = 1 << 24
PANELS_REPAID = 1024  # number of samples from which on packing the weights of wide layers pays off
# The work of one call of a forward pass, after which Ctrl-C is checked: about 20 ms of a thread, and more under other load.
# In addition to the products, an element costs about as much as this many operations, for loading and activation.
SLICE_FLOPS, FLOPS_PER_NUMBER = 2e9, 50


def largest_chunk(network):
    """Return the largest number of samples of a chunk."""
    inputs = network.wiring.inputs
    per_sample = np.dtype(network.dtype).itemsize * (sum(network.widths[:inputs]) + 2 * sum(network.widths[inputs:]))
    return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, CHUNK_BYTES // per_sample))


def split_evenly(samples, most, grain=1):
    """Return the size of equal parts of at most `most` samples, rounded up to multiples of `grain`."""
    times = -(-samples // most)
    return -(-samples // (times * grain)) * grain


class ForwardProgram(Program):
    """Run all samples of an array through the network, in chunks that fit the cache, without data for a backward pass."""

    def __init__(self, network, chunk, workers):
        super().__init__(network, chunk, threads=1)
        self.workers, self.panels, self.found = workers, {}, np.zeros(2, np.int64)
        self.cuts = None  # where chunks of sequences begin

    @staticmethod
    def plan(network, samples, threads):
        """Return (samples in a chunk, number of threads that share the chunks)."""
        workers = parts(2 * samples * network.multiply_adds, FLOPS_PER_PART, min(threads, samples))
        return min(largest_chunk(network), -(-samples // workers)), workers

    def finish(self):
        """Make the table, and the frame of the kernel `one_phase`."""
        self.make_table()
        self.memory = self.arena.allocate(self.workers)
        self.row = forward_chunks_row(self.workers, table=address(self.table), operations=len(self.rows), chunk=self.batch,
                                      arena_bytes=self.memory.strides[0])
        self.frame = ONE_PHASE.new(row=address(self.row), phase=PHASES.index("forward"))
        self.call = self.frame["call"]
        self.call["parameters"], self.call["arena"] = address(self.network.vectors.parameters.flat), address(self.memory)
        self.call["found"] = address(self.found)
        self.wide = {}  # {number: row} in the table
        if self.network.vectors.parameters.flat.nbytes > WIDE:  # most networks are too small for a wide layer
            self.wide = {number: row_in(self.table, number, row) for number, row in enumerate(self.rows)
                         if is_wide(self.dtype, row)}

    def lay_out_weights(self, samples):
        """Let the products of wide layers read packed weights, if that pays off for so many samples."""
        for number, row in self.wide.items():
            row["packed"] = 0
            if samples >= PANELS_REPAID:
                if number not in self.panels:
                    self.panels[number] = aligned(packed_size(self.dtype, row), self.dtype)
                panels = self.panels[number]
                row["packed"] = address(panels)
                layout, frame = pack_row(self.dtype, self.workers, row), self.frame.copy()
                frame["row"] = address(layout)
                launch(one_phase_kernel, frame, self.workers, FLOPS_PER_NUMBER * panels.size)

    def run_samples(self, samples, results=None):
        """Run `samples` samples, with their results in results (RESULTS, samples)."""
        self.lay_out_weights(samples)
        if self.cuts is not None:
            self.run_chunks(samples, results)
        else:
            self.run_slices(samples, results)
        if self.found[NOT_FINITE] == FAILURE_OF_LAYER:
            self.found[NOT_FINITE] = 0
            raise failure_of(self.network)

    def run_slices(self, samples, results):
        """Run samples in equal chunks."""
        flops, turn = 2 * self.network.multiply_adds, self.batch * self.workers
        turns = SLICE_FLOPS // ((flops + FLOPS_PER_NUMBER * sum(self.network.widths)) * turn)
        # equal slices, and equal chunks in a slice, so that at the end no thread waits for a whole chunk of another
        size, call = split_evenly(samples, max(1, int(turns)) * turn), self.call
        for first in range(0, samples, size):
            count = min(size, samples - first)
            self.row["chunk"] = min(self.batch, split_evenly(-(-count // self.workers), self.batch, SHARED_CHUNKS))
            call["results"] = 0 if results is None else address(results[0, first:])
            call["capacity"], call["first"], call["batch"] = samples, first, count
            launch(one_phase_kernel, self.frame, self.workers, count * flops)

    def run_chunks(self, samples, results):
        """Run samples in chunks that have been cut by their steps."""
        cuts, call = self.cuts, self.call
        per_step = 2 * self.network.multiply_adds + FLOPS_PER_NUMBER * sum(self.network.widths)
        chunks = max(1, int(SLICE_FLOPS // (per_step * self.largest_batch[0]))) * self.workers
        for begin in range(0, len(cuts) - 1, chunks):
            end = min(begin + chunks, len(cuts) - 1)
            first, last = int(cuts[begin]), int(cuts[end])
            self.row["cuts"], self.row["chunks"] = address(cuts[begin:]), end - begin
            call["results"] = 0 if results is None else address(results[0, first:])
            call["capacity"], call["first"], call["batch"] = samples, first, last - first
            launch(one_phase_kernel, self.frame, self.workers, (end - begin) * self.largest_batch[0] * per_step)


class PredictionProgram(ForwardProgram):
    """Compute outputs of samples, or their labels; it can be used again, by one Python thread at a time."""

    def __init__(self, network, chunk, workers, as_bytes=False, labels=False, largest_batch=None):
        super().__init__(network, chunk, workers)
        self.largest_batch = largest_batch
        x = self.input_tensor() if network.is_ragged else Tensor(0, network.shapes[0], from_data=True)
        if network.is_ragged:
            with self.on(None):
                self.emit_steps(x)
        elif as_bytes:  # gathered, since layers read numbers of the network's dtype; and all are finite
            x = self.in_arena(x)
        else:
            self.emit(batches.inspect_row(self.dtype, x.features))
        a = self.in_arena(self.lower_layers(x, on_logits=False))
        row = network.objective.head.label_row(self.dtype, a=a.offset) if labels else None
        if a.axis is not None:
            row = copy_steps_row(self.dtype, axis=a.axis.place, a=a.offset, out_features=a.features)
        self.emit(batches.copy_out_row(self.dtype, a=a.offset, out_features=a.features) if row is None else row)
        self.finish()

    @staticmethod
    def plan(network, samples, threads):
        """As in `ForwardProgram`, but with few sizes of chunks, because a program of each is kept for later predictions."""
        chunk, workers = ForwardProgram.plan(network, samples, threads)
        rounded = -(-chunk // SHARED_CHUNKS) * SHARED_CHUNKS if workers > 1 else LARGEST_CHUNK
        return min(rounded, largest_chunk(network)), workers

    @staticmethod
    def plan_of(network, X, threads):
        """Return the arguments of a program that predicts X, an array or Sequences."""
        if not network.is_ragged:
            return *PredictionProgram.plan(network, len(X), threads), X.dtype == np.uint8
        samples, workers, largest = chunks_of(network, X.lengths, threads)
        samples, *largest = (1 << (size - 1).bit_length() for size in (samples, *largest))  # of few sizes, as in `plan`
        return samples, workers, False, False, (*largest,)

    def forward(self, X):
        """Return the outputs (samples, outputs) of X, C-contiguous in the network's dtype; Sequences if they have steps."""
        rows, offsets = len(X), None
        self.sources = enter_samples(self.call, X)
        if self.network.is_ragged:
            self.cuts = cuts_of(X.lengths, self.samples, self.largest_batch[0], self.workers)
        if self.network.gives_steps:
            offsets = offsets_of(self.network.steps_of_outputs(X.lengths))
            self.sources[TARGETS]["offsets"], rows = address(offsets), offsets[-1]
        out = np.empty((rows, self.network.outputs), self.dtype)
        self.call["outputs"] = address(out)
        self.run_samples(len(X))
        if self.found[NOT_FINITE]:
            self.found[NOT_FINITE] = 0
            check_finite("X", X)
        return out if offsets is None else Sequences(out, offsets)


FEW = 16  # largest number of samples of a small prediction


def small_prediction(network, predict):
    """Return a Python function for outputs of a few samples, or what they `predict`; it returns None for other arguments.

    It is planned once, because the parameters of a network stay in place. It runs with the GIL, so it needs no lock.
    """
    head = network.objective.head
    program = PredictionProgram(network, FEW, workers=1, labels=predict)
    most = max(1, min(FEW, FLOPS_PER_PART // max(1, network.multiply_adds)))
    dtype = np.dtype(network.dtype)
    dtype_out, shape = (head.predicted_dtype(dtype), head.predicted_shape) if predict else (dtype, network.shapes[-1])

    sizes = np.array(network.shapes[0], np.int64)
    few = FORWARD_FEW.new(
        array_type=id(np.ndarray), X_dtype=id(dtype), axes=len(sizes), sizes=address(sizes), most=most,
        new_array=numpy_function(EMPTY),
        incref=c_function("Py_IncRef"), decref=c_function("Py_DecRef"), none=id(None), dtype=id(dtype_out),
        dimensions=1 + min(len(shape), 1), table=address(program.table), operations=len(program.rows), call=program.call,
    )
    few["shape"]["outputs"] = math.prod(shape)
    program.network = None  # avoids a reference cycle: the network keeps the function
    function = python_function(forward_few_kernel.address(ANY), (few, program, network.vectors, sizes))
    return function if len(shape) < 2 else with_axes(function, shape)


def with_axes(function, shape):
    """Return the function with a result (samples, *shape) instead of (samples, outputs)."""

    def shaped(X):
        out = function(X)
        return None if out is None else out.reshape(-1, *shape)

    return shaped


class EvaluationProgram(ForwardProgram):
    """Compute the loss of every sample, and whether its prediction is correct."""

    def __init__(self, network, data, threads):
        lengths = data.lengths
        if lengths is None:
            super().__init__(network, *self.plan(network, data.samples, threads))
        else:
            chunk, workers, self.largest_batch = chunks_of(network, lengths, threads)
            super().__init__(network, chunk, workers)
            self.cuts = cuts_of(lengths, chunk, self.largest_batch[0], workers)
        self.data = data
        Criterion(self).emit_all(normalize=False)
        self.finish()
        data.enter(self.call, data.rows)
        self.results, self.weight = aligned((RESULTS, data.samples), "float64"), data.total_weight

    def evaluate(self):
        """Return (mean loss, accuracy)."""
        self.run_samples(self.data.samples, self.results)
        sums = np.zeros(3)
        sum_results_kernel(ANY, sums, self.results, self.data.samples)
        loss = float(sums[0] / self.weight) + self.penalties.value(self.network.vectors.parameters.flat)
        return loss, float(sums[1] / max(sums[2], 1))
