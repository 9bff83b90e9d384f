"""The interpreter: it walks the table of a network forward and backward, many batches a call, without Python.

It knows no dtype and no kind of operation: a phase is an address, called with addresses. What several threads are to share
it hands to `parallel`, the only parallel loop of the package.
"""

import math

import numpy as np
from numba import prange, types
from numba.np.unsafe.ndarray import to_fixed_tuple

from .jit import ANY, Kernel, address_of, call, jit, typed_pointer, view
from .table import (
    BACKWARD_INPUT,
    BACKWARD_OUTPUT,
    BACKWARD_WEIGHT,
    COLUMNS,
    FORWARD,
    HITS,
    LOSSES,
    OPERANDS,
    SAMPLE_WEIGHTS,
    make_row,
    share,
)

WORD = 8  # bytes of a number in the table and in the results
LOSS_SUM, WEIGHT_SUM, HIT_SUM, SAMPLES, DIVERGED = range(5)  # what `train` adds up in its totals


integers, reals = typed_pointer(types.int64), typed_pointer(types.float64)


@jit(inline=True)
def integer(row, column):
    """What stands in a column of the row at address `row`."""
    return view(integers(row), column, 1)[0]


def addresses(count):
    return lambda dtype: (types.intp,) * count


def build_parallel(dtype):
    def parallel(phase, row, parameters, gradients, arena, results, capacity, first, batch, accumulate, parts):
        for i in prange(parts):
            part = np.intp(i)  # prange counts in unsigned numbers
            call(phase, (row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts))

    return parallel


parallel_kernel = Kernel("parallel", build_parallel, addresses(11), parallel=True, moves_addresses=True)


@jit(inline=True)
def run_phase(row, phase, memory, first, batch, accumulate, parallel):
    """Run one phase of the row at address `row`. memory: (parameters, gradients, arena, results, capacity of results)."""
    address, parts = integer(row, phase), integer(row, phase + 1)
    if address == 0:
        return
    parameters, gradients, arena, results, capacity = memory
    if parts == 1 or parallel == 0:
        call(address, (row, parameters, gradients, arena, results, capacity, first, batch, accumulate, 0, 1))
    else:
        call(parallel, (address, row, parameters, gradients, arena, results, capacity, first, batch, accumulate, parts))


@jit
def walk_forward(table, operations, memory, first, batch, parallel):
    for k in range(operations):
        run_phase(table + WORD * COLUMNS * k, FORWARD, memory, first, batch, 0, parallel)


@jit
def walk_backward(table, operations, memory, first, batch, accumulate, parallel):
    for k in range(operations - 1, -1, -1):
        row = table + WORD * COLUMNS * k
        run_phase(row, BACKWARD_OUTPUT, memory, first, batch, accumulate, parallel)
        run_phase(row, BACKWARD_INPUT, memory, first, batch, accumulate, parallel)
        run_phase(row, BACKWARD_WEIGHT, memory, first, batch, accumulate, parallel)


def build_train(dtype):
    def train(table, operations, parameters, gradients, arena, results, batch_size, samples, first_batch, last_batch,
              accumulate, totals, parallel):
        """Steps through batches first_batch … last_batch − 1; stops before the update of a step whose loss is not finite."""
        memory = (parameters, gradients, arena, results, batch_size)
        result, total = view(reals(results), 0, (3, batch_size)), view(reals(totals), 0, 5)
        for step in range(first_batch, last_batch):
            first = step * batch_size
            batch = min(batch_size, samples - first)
            walk_forward(table, operations, memory, first, batch, parallel)
            loss, weight, hits = 0.0, 0.0, 0.0
            for i in range(batch):
                loss += result[LOSSES, i]
                weight += result[SAMPLE_WEIGHTS, i]
                hits += result[HITS, i]
            if not math.isfinite(loss):
                total[DIVERGED] = step + 1
                return
            # when accumulating, the losses are shares of one mean; else each is a batch's mean, to be weighed by its samples
            total[LOSS_SUM] += loss if accumulate else loss * weight
            total[WEIGHT_SUM] += weight
            total[HIT_SUM] += hits
            total[SAMPLES] += batch
            walk_backward(table, operations, memory, first, batch, 1 if accumulate and step > 0 else 0, parallel)

    return train


TABLE, OPERATIONS, CHUNK, ARENA_BYTES = range(OPERANDS, OPERANDS + 4)


def build_forward_chunks(dtype):
    def forward_chunks(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """The data in chunks that fit the cache, each through the whole network; every part has an arena of its own."""
        table, operations = integer(row, TABLE), integer(row, OPERATIONS)
        chunk, arena_bytes = integer(row, CHUNK), integer(row, ARENA_BYTES)
        begin, end = share((batch + chunk - 1) // chunk, part, parts, 1)
        for k in range(begin, end):
            start = k * chunk
            memory = (parameters, gradients, arena + part * arena_bytes, results + WORD * start, capacity)
            walk_forward(table, operations, memory, first + start, min(chunk, batch - start), 0)

    return forward_chunks


FRAME = 9  # numbers in the frame of a run


def build_run(dtype):
    def run(frame):
        """The forward phase of one row, for Python to call: with one argument, since each costs as much as a small layer.

        frame: the addresses of row, parameters, gradients, arena and results, then capacity, first, batch and parallel.
        """
        row, parameters, gradients, arena, results, capacity, first, batch, parallel = to_fixed_tuple(
            view(integers(frame), 0, FRAME), FRAME
        )
        run_phase(row, FORWARD, (parameters, gradients, arena, results, capacity), first, batch, 0, parallel)

    return run


@jit(cached=True)
def forward_few(X, out, frame):
    """A few rows X (samples, inputs) through the table to out (samples, outputs), in one call as short as can be.

    frame: the addresses of parameters, arena, flag and table, how many rows the table has, and the addresses of the cells of
    the table where X (twice) and out are to be entered. Returns the flag: whether X holds NaN or infinity.
    """
    parameters, arena, flag, table, operations, inspected, x, y = to_fixed_tuple(frame, 8)
    view(integers(inspected), 0, 1)[0] = view(integers(x), 0, 1)[0] = address_of(X)
    view(integers(y), 0, 1)[0] = address_of(out)
    walk_forward(table, operations, (parameters, 0, arena, 0, 0), 0, X.shape[0], 0)
    found = integer(flag, 0)
    view(integers(flag), 0, 1)[0] = 0
    return found


train_kernel = Kernel("train", build_train, addresses(13), moves_addresses=True)
forward_chunks_kernel = Kernel("forward_chunks", build_forward_chunks, addresses(11), moves_addresses=True)
run_kernel = Kernel("run", build_run, addresses(1), moves_addresses=True)


def forward_chunks_row(parts, *, table, operations, chunk, arena_bytes):
    """The row that sends all samples forward through another table, at address `table`."""
    return make_row({FORWARD: (forward_chunks_kernel.address(ANY), parts)},
                    {TABLE: table, OPERATIONS: operations, CHUNK: chunk, ARENA_BYTES: arena_bytes})
