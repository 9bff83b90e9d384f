"""The interpreter: it walks the table of a network forward and backward, many batches a call, without Python.

It knows no dtype and no kind of operation: a phase is an address, called with addresses. A phase that several threads share
is given to their team.
"""

import math

import numpy as np
from numba import types

from ..compiling.jit import ANY, Kernel, call_at, floats, integer, integers, jit, view
from ..compiling.objects import DATA, FIRST_ITEM, SHAPE, WORD
from ..compiling.python_function import is_plain_matrix, result_of
from ..compiling.record import Record, copied
from ..compiling.share import share
from .table import (
    BACKWARD_FIRST,
    BACKWARD_THIRD,
    CALL,
    FORWARD,
    HITS,
    LARGE,
    LOSSES,
    NOT_FINITE,
    PHASE,
    ROW_BYTES,
    SAMPLE_WEIGHTS,
    Kind,
)
from .team import share_out

LOSS_SUM, WEIGHT_SUM, HIT_SUM, SAMPLES, DIVERGED = range(5)  # what `train` adds up in its totals; where it stopped, plus 1

# What `train` is called with: its call, whose capacity is the size of a batch; the addresses of the table, of the totals and
# of the team; how many rows are of the update, and how many others there are; the batches to train.
TRAIN = Record("train", "table", "updates", "others", "totals", "first_batch", "last_batch", "accumulate", "team", call=CALL)
# What `one_phase` is called with: the addresses of a row and of the team, the number of the phase, and the call.
ONE_PHASE = Record("one_phase", "row", "phase", "team", call=CALL)
SHAPE_OF_OUTPUTS = Record("shape_of_outputs", "samples", "outputs")
# What `forward_few` works with: what X has to be (its type, its dtype, inputs, the most samples), functions of Python and
# NumPy, None, the dtype and the dimensions of what comes out, the table and its number of rows.
FORWARD_FEW = Record(
    "forward_few", "array_type", "X_dtype", "inputs", "most", "new_array", "incref", "decref", "none", "dtype", "dimensions",
    "table", "operations", call=CALL, shape=SHAPE_OF_OUTPUTS,
)
PHASE_BYTES, phase_at, few_at = PHASE.bytes, PHASE.at, FORWARD_FEW.at
CHUNKS = Kind("forward_chunks", "table", "operations", "chunk", "arena_bytes")


@jit(inline=True)
def run_phase(row, number, call, team):
    """Run phase `number` of the row at address `row`. team: its address, 0 for one thread alone."""
    phase = phase_at(row + PHASE_BYTES * number)
    if phase.kernel == 0:
        return
    if phase.parts == 1 or team == 0:
        call_at(phase.kernel, (row, call, 0, 1))
    else:
        share_out(team, phase.kernel, row, call, phase.parts)


@jit
def walk_forward(table, operations, call, team):
    for k in range(operations):
        run_phase(table + ROW_BYTES * k, FORWARD, call, team)


@jit
def walk_backward(table, operations, call, last_phase, team):
    """Walk up the table. last_phase: BACKWARD_THIRD, or BACKWARD_SECOND where only gradients of the inputs are wanted."""
    for k in range(operations - 1, -1, -1):
        for phase in range(BACKWARD_FIRST, last_phase + 1):
            run_phase(table + ROW_BYTES * k, phase, call, team)


def build_train(dtype):
    def train(frame):
        """Step through the batches first_batch … last_batch − 1.

        It stops at a step whose loss is not finite, or in whose gradient the watch finds something, before anything has
        changed.
        """
        call, team, batch_size, samples = frame.call, frame.team, frame.call.capacity, frame.call.samples
        update, body = frame.table, frame.table + ROW_BYTES * frame.updates
        updates, others, accumulate = frame.updates, frame.others, frame.accumulate
        found, result = view(integers(call.found), 0, 2), view(floats(call.results), 0, (3, batch_size))
        total = view(floats(frame.totals), 0, 5)
        found[LARGE] = found[NOT_FINITE] = 0
        for step in range(frame.first_batch, frame.last_batch):
            first = step * batch_size
            batch = min(batch_size, samples - first)
            call.first, call.batch, call.accumulate = first, batch, 1 if accumulate != 0 and step > 0 else 0
            walk_forward(body, others, call, team)
            loss, weight, hits = 0.0, 0.0, 0.0
            for i in range(batch):
                loss += result[LOSSES, i]
                weight += result[SAMPLE_WEIGHTS, i]
                hits += result[HITS, i]
            if math.isfinite(loss):
                walk_backward(body, others, call, BACKWARD_THIRD, team)
            if not math.isfinite(loss) or found[LARGE] != 0 or found[NOT_FINITE] != 0:
                total[DIVERGED] = step + 1
                return
            # when accumulating, the losses are shares of one mean; else each is a batch's mean, to be weighed by its samples
            total[LOSS_SUM] += loss if accumulate != 0 else loss * weight
            total[WEIGHT_SUM] += weight
            total[HIT_SUM] += hits
            total[SAMPLES] += batch
            walk_backward(update, updates, call, BACKWARD_THIRD, team)

    return train


def build_forward_chunks(dtype):
    def forward_chunks(row, call, part, parts):
        """The data in chunks that fit the cache, each through the whole network; every part has an arena of its own."""
        own, chunk, first, batch, results = copied(call), row.chunk, call.first, call.batch, call.results
        own.arena = call.arena + part * row.arena_bytes
        begin, end = share((batch + chunk - 1) // chunk, part, parts, 1)
        for k in range(begin, end):
            start = k * chunk
            own.first, own.batch, own.results = first + start, min(chunk, batch - start), results + WORD * start
            walk_forward(row.table, row.operations, own, 0)

    return forward_chunks


def build_one_phase(dtype):
    def one_phase(frame):
        """One phase of one row."""
        run_phase(frame.row, frame.phase, frame.call, frame.team)

    return one_phase


def build_forward_few(dtype):
    def forward_few(self, X):
        """A few rows X (samples, inputs) through the table, in one call as short as can be: a Python function.

        self: the address of a tuple, whose first item is the array of a `FORWARD_FEW`. X: that of an object.
        Returns the address of a new array, that of None where X is not as it has to be or numbers are not finite, or 0 for
        an error.
        """
        few = few_at(integer(integer(self + FIRST_ITEM, 0) + DATA, 0))
        if is_plain_matrix(X, few.array_type, few.X_dtype, few.inputs, few.most):
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
    """The row that sends all samples forward through another table, at address `table`."""
    return CHUNKS.row({"forward": (forward_chunks_kernel.address(ANY), parts)}, table=table, operations=operations,
                      chunk=chunk, arena_bytes=arena_bytes)
