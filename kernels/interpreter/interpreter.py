"""The interpreter: it walks the table of a network forward and backward, many batches in one call, without Python.

It depends on no dtype and no kind of operation: a phase is the address of a kernel, called with addresses. A phase with
several parts is run by the team of threads.
"""

import math

import numpy as np
from numba import types

from ..compiling.jit import ANY, Kernel, call_at, floats, integer, integers, jit, view
from ..compiling.objects import DATA, FIRST_ITEM, SHAPE, WORD
from ..compiling.python_function import is_plain_array, result_of
from ..compiling.record import Record, copied
from ..compiling.share import share
from .table import (
    BACKWARD_FIRST,
    BACKWARD_THIRD,
    CALL,
    COUNTS,
    FORWARD,
    HITS,
    LARGE,
    LOSSES,
    NOT_FINITE,
    PHASE,
    RESULTS,
    RESULTS_OF_EACH,
    ROW,
    ROW_BYTES,
    SAMPLE_WEIGHTS,
    Kind,
)
from .team import run_parts

# Totals of `train`. DIVERGED: number of the last batch, plus 1. COUNT_SUM: number of predictions that may be hits.
LOSS_SUM, WEIGHT_SUM, HIT_SUM, SAMPLES, DIVERGED, COUNT_SUM = range(6)
TOTALS = 6

# The frame of `train`: its call, whose capacity is the batch size; the addresses of the table, the totals and the team; the
# number of rows of the update and of other rows; the batches to train; the number of outputs of a network with several.
TRAIN = Record("train", "table", "updates", "others", "totals", "first_batch", "last_batch", "accumulate", "outputs", "team",
               call=CALL)
# The frame of `one_phase`: the addresses of a row and of the team, the number of the phase, and the call.
ONE_PHASE = Record("one_phase", "row", "phase", "team", call=CALL)
SHAPE_OF_OUTPUTS = Record("shape_of_outputs", "samples", "outputs")
# The frame of `forward_few`: what X must be (its type, dtype, the number of axes of a sample and their sizes, the largest
# number of samples), functions of Python and NumPy, None, the dtype and number of dimensions of the result, the table and
# its number of rows.
FORWARD_FEW = Record(
    "forward_few", "array_type", "X_dtype", "axes", "sizes", "most", "new_array", "incref", "decref", "none", "dtype",
    "dimensions", "table", "operations", call=CALL, shape=SHAPE_OF_OUTPUTS,
)
PHASE_BYTES, phase_at, row_at, few_at = PHASE.bytes, PHASE.at, ROW.at, FORWARD_FEW.at
# cuts: where chunks begin, and where the last one ends, an address, or 0 where all have `chunk` samples.
CHUNKS = Kind("forward_chunks", "table", "operations", "chunk", "arena_bytes", "cuts", "chunks")


@jit(inline=True)
def run_phase(row, number, call, team):
    """Run phase `number` of the row at address `row`. team: address of the team, 0 for one thread."""
    phase = phase_at(row + PHASE_BYTES * number)
    if phase.kernel == 0:
        return
    if phase.parts == 1 or team == 0:
        call_at(phase.kernel, (row, call, 0, 1))
    else:
        run_parts(team, phase.kernel, row, call, phase.parts)


@jit
def walk_forward(table, operations, call, team):
    for k in range(operations):
        run_phase(table + ROW_BYTES * k, FORWARD, call, team)


@jit
def walk_backward(table, operations, call, last_phase, team):
    """Walk from the last row to the first. last_phase: BACKWARD_THIRD, or BACKWARD_SECOND for gradients of inputs only."""
    for k in range(operations - 1, -1, -1):
        row = table + ROW_BYTES * k
        accumulate, adds = call.accumulate, row_at(row).accumulate
        if adds != 0:
            call.accumulate = 1
        for phase in range(BACKWARD_FIRST, last_phase + 1):
            run_phase(row, phase, call, team)
        if adds != 0:
            call.accumulate = accumulate


def build_train(dtype):
    def train(frame):
        """Train the batches first_batch … last_batch − 1.

        Stop before anything has changed at a step with a loss that is not finite, or with a gradient that is not sound.
        """
        call, team, batch_size, samples = frame.call, frame.team, frame.call.capacity, frame.call.samples
        update, body = frame.table, frame.table + ROW_BYTES * frame.updates
        updates, others, accumulate = frame.updates, frame.others, frame.accumulate
        found, results = view(integers(call.found), 0, 2), RESULTS_OF_EACH * frame.outputs
        result = view(floats(call.results), 0, (RESULTS + results, batch_size))
        total = view(floats(frame.totals), 0, TOTALS + results)
        found[LARGE] = found[NOT_FINITE] = 0
        for step in range(frame.first_batch, frame.last_batch):
            first = step * batch_size
            batch = min(batch_size, samples - first)
            call.first, call.batch, call.accumulate = first, batch, 1 if accumulate != 0 and step > 0 else 0
            walk_forward(body, others, call, team)
            loss, weight, hits, count = 0.0, 0.0, 0.0, 0.0
            for i in range(batch):
                loss += result[LOSSES, i]
                weight += result[SAMPLE_WEIGHTS, i]
                hits += result[HITS, i]
                count += result[COUNTS, i]
            if math.isfinite(loss):
                walk_backward(body, others, call, BACKWARD_THIRD, team)
            if not math.isfinite(loss) or found[LARGE] != 0 or found[NOT_FINITE] != 0:
                total[DIVERGED] = step + 1
                return
            # with accumulate, the losses are shares of one mean; otherwise each is a mean, weighted by its number of samples
            total[LOSS_SUM] += loss if accumulate != 0 else loss * weight
            total[WEIGHT_SUM] += weight
            total[HIT_SUM] += hits
            total[COUNT_SUM] += count
            total[SAMPLES] += batch
            for k in range(results):  # of each output the losses, as above, the hits and the predictions
                own = 0.0
                for i in range(batch):
                    own += result[RESULTS + k, i]
                total[TOTALS + k] += own if k % RESULTS_OF_EACH != 0 or accumulate != 0 else own * weight
            walk_backward(update, updates, call, BACKWARD_THIRD, team)

    return train


def build_forward_chunks(dtype):
    def forward_chunks(row, call, part, parts):
        """Run the data through the network in chunks that fit the cache; each part has its own arena.

        A chunk of sequences has as many as have together a limited number of steps: the caller has cut them.
        """
        own, chunk, first, batch, results = copied(call), row.chunk, call.first, call.batch, call.results
        own.arena = call.arena + part * row.arena_bytes
        begin, end = share((batch + chunk - 1) // chunk if row.cuts == 0 else row.chunks, part, parts, 1)
        for k in range(begin, end):
            start, size = k * chunk, min(chunk, batch - k * chunk)
            if row.cuts != 0:
                start = integer(row.cuts, k) - first
                size = integer(row.cuts, k + 1) - first - start
            own.first, own.batch, own.results = first + start, size, results + WORD * start
            walk_forward(row.table, row.operations, own, 0)

    return forward_chunks


def build_one_phase(dtype):
    def one_phase(frame):
        """Run one phase of one row."""
        run_phase(frame.row, frame.phase, frame.call, frame.team)

    return one_phase


def build_forward_few(dtype):
    def forward_few(self, X):
        """Predict a few rows X (samples, inputs) with as little overhead as possible, as a function of the Python C API.

        self: address of a tuple whose first item is the array of a `FORWARD_FEW`. X: address of a Python object.
        Returns the address of a new array; the address of None if X does not qualify or a number is not finite; 0 for an
        error.
        """
        few = few_at(integer(integer(self + FIRST_ITEM, 0) + DATA, 0))
        if is_plain_array(X, few.array_type, few.X_dtype, few.axes, few.sizes, few.most):
            call, samples = few.call, integer(integer(X + SHAPE, 0), 0)
            few.shape.samples = samples
            call_at(few.incref, (few.dtype,))
            out = result_of(few.new_array, (np.int32(few.dimensions), few.shape, few.dtype, np.int32(0)))
            if out == 0:
                return 0
            call.X, call.outputs, call.batch = integer(X + DATA, 0), integer(out + DATA, 0), samples
            walk_forward(few.table, few.operations, call, 0)
            found = view(integers(call.found), 0, 2)
            if found[NOT_FINITE] == 0:
                return out
            found[NOT_FINITE] = 0
            call_at(few.decref, (out,))
        call_at(few.incref, (few.none,))
        return few.none

    return forward_few


def addresses(count):
    return lambda dtype: (types.intp,) * count


train_kernel = Kernel("train", build_train, lambda dtype: (TRAIN.type(ANY),), moves_addresses=True)
forward_chunks_kernel = Kernel("forward_chunks", build_forward_chunks, CHUNKS.arguments, moves_addresses=True)
forward_few_kernel = Kernel("forward_few", build_forward_few, addresses(2), moves_addresses=True, returns=types.intp)
one_phase_kernel = Kernel("one_phase", build_one_phase, lambda dtype: (ONE_PHASE.type(ANY),), moves_addresses=True)


def forward_chunks_row(parts, *, table, operations, chunk, arena_bytes):
    """Return the row that runs all samples forward through another table, at address `table`."""
    return CHUNKS.row({"forward": (forward_chunks_kernel.address(ANY), parts)}, table=table, operations=operations,
                      chunk=chunk, arena_bytes=arena_bytes, cuts=0, chunks=0)
