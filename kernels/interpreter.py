"""The interpreter: it walks the table of a network forward and backward, many batches a call, without Python.

It knows no dtype and no kind of operation: a phase is an address, called with addresses. What several threads are to share
it lays open to its team.
"""

import math

import numpy as np
from numba import types
from numba.np.unsafe.ndarray import to_fixed_tuple

from .jit import ANY, Kernel, call, integer, integers, jit, typed_pointer, view
from .objects import DATA, FIRST_ITEM, SHAPE, WORD
from .python_function import is_plain_matrix, result_of
from .table import (
    BACKWARD_OUTPUT,
    COLUMNS,
    FORWARD,
    HITS,
    LOSSES,
    OPERANDS,
    SAMPLE_WEIGHTS,
    make_row,
    share,
)
from .team import share_out
from .watch import LARGE, NOT_FINITE

LOSS_SUM, WEIGHT_SUM, HIT_SUM, SAMPLES, DIVERGED = range(5)  # what `train` adds up in its totals; where it stopped, plus 1
reals = typed_pointer(types.float64)


def addresses(count):
    return lambda dtype: (types.intp,) * count


@jit(inline=True)
def run_phase(row, phase, memory, first, batch, accumulate, team):
    """Run one phase of the row at address `row`.

    memory: (parameters, gradients, arena, results, capacity of results). team: its address, 0 for one thread alone.
    """
    address, parts = integer(row, phase), integer(row, phase + 1)
    if address == 0:
        return
    parameters, gradients, arena, results, capacity = memory
    if parts == 1 or team == 0:
        call(address, (row, parameters, gradients, arena, results, capacity, first, batch, accumulate, 0, 1))
    else:
        share_out(team, address, row, parameters, gradients, arena, results, capacity, first, batch, accumulate, parts)


@jit
def walk_forward(table, operations, memory, first, batch, team):
    for k in range(operations):
        run_phase(table + WORD * COLUMNS * k, FORWARD, memory, first, batch, 0, team)


@jit
def walk_backward(table, operations, memory, first, batch, accumulate, team):
    for k in range(operations - 1, -1, -1):
        row = table + WORD * COLUMNS * k
        for phase in range(BACKWARD_OUTPUT, OPERANDS, 2):
            run_phase(row, phase, memory, first, batch, accumulate, team)


TRAIN_FRAME = 15  # numbers in the frame of `train`


def build_train(dtype):
    def train(frame):
        """Steps through batches first_batch … last_batch − 1; stops at a step whose loss is not finite, or where the watch
        finds something, before anything has changed.

        frame: the addresses of table, parameters, gradients, arena, results, totals and what the watch finds; how many of
        the rows are of the update, and how many others there are; batch_size, samples, first_batch, last_batch, accumulate,
        and the address of the team.
        """
        (table, parameters, gradients, arena, results, totals, found, updates, others, batch_size, samples, first_batch,
         last_batch, accumulate, team) = to_fixed_tuple(view(integers(frame), 0, TRAIN_FRAME), TRAIN_FRAME)
        memory = (parameters, gradients, arena, results, batch_size)
        body, found_ = table + WORD * COLUMNS * updates, view(integers(found), 0, 2)
        found_[LARGE] = found_[NOT_FINITE] = 0
        result, total = view(reals(results), 0, (3, batch_size)), view(reals(totals), 0, 5)
        for step in range(first_batch, last_batch):
            first = step * batch_size
            batch = min(batch_size, samples - first)
            walk_forward(body, others, memory, first, batch, team)
            loss, weight, hits = 0.0, 0.0, 0.0
            for i in range(batch):
                loss += result[LOSSES, i]
                weight += result[SAMPLE_WEIGHTS, i]
                hits += result[HITS, i]
            if math.isfinite(loss):
                walk_backward(body, others, memory, first, batch, 1 if accumulate and step > 0 else 0, team)
            if not math.isfinite(loss) or found_[LARGE] != 0 or found_[NOT_FINITE] != 0:
                total[DIVERGED] = step + 1
                return
            # when accumulating, the losses are shares of one mean; else each is a batch's mean, to be weighed by its samples
            total[LOSS_SUM] += loss if accumulate else loss * weight
            total[WEIGHT_SUM] += weight
            total[HIT_SUM] += hits
            total[SAMPLES] += batch
            walk_backward(table, updates, memory, first, batch, 0, team)

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


RUN_FRAME = 11  # numbers in the frame of `run`


def build_run(dtype):
    def run(frame):
        """One phase of one row.

        frame: the addresses of row, parameters, gradients, arena and results; capacity, first, batch, accumulate, which
        phase, and the address of the team.
        """
        row, parameters, gradients, arena, results, capacity, first, batch, accumulate, phase, team = to_fixed_tuple(
            view(integers(frame), 0, RUN_FRAME), RUN_FRAME
        )
        run_phase(row, phase, (parameters, gradients, arena, results, capacity), first, batch, accumulate, team)

    return run


FEW_FRAME = 20  # numbers in the frame of `forward_few`, the last two the shape of the outputs


def build_forward_few(dtype):
    def forward_few(self, X):
        """A few rows X (samples, inputs) through the table, in one call as short as can be: a Python function.

        self: the address of a tuple, whose first item is an array with the frame: what X has to be (its type, its dtype,
        inputs, the most samples), functions of Python and NumPy, None, the dtype and the dimensions of what comes out;
        parameters, arena, flag and table, how many rows that has, the addresses of its cells where X (twice) and the result
        are to be entered; and the result's shape.
        Returns the address of a new array, that of None where X is not as it has to be or numbers are not finite, or 0 for
        an error.
        """
        frame = integer(integer(self + FIRST_ITEM, 0) + DATA, 0)
        (array_type, X_dtype, inputs, most, new_array, hold, let_go, none, dtype, dimensions, parameters, arena, flag, table,
         operations, inspected, x, y, _, _) = to_fixed_tuple(view(integers(frame), 0, FEW_FRAME), FEW_FRAME)
        if is_plain_matrix(X, array_type, X_dtype, inputs, most):
            samples, shape = integer(integer(X + SHAPE, 0), 0), frame + WORD * (FEW_FRAME - 2)
            view(integers(shape), 0, 1)[0] = samples
            call(hold, (dtype,))
            out = result_of(new_array, (np.int32(dimensions), shape, dtype, np.int32(0)))
            if out == 0:
                return 0
            view(integers(inspected), 0, 1)[0] = view(integers(x), 0, 1)[0] = integer(X + DATA, 0)
            view(integers(y), 0, 1)[0] = integer(out + DATA, 0)
            walk_forward(table, operations, (parameters, 0, arena, 0, 0), 0, samples, 0)
            if integer(flag, 0) == 0:
                return out
            view(integers(flag), 0, 1)[0] = 0
            call(let_go, (out,))
        call(hold, (none,))
        return none

    return forward_few


train_kernel = Kernel("train", build_train, addresses(1), moves_addresses=True)
forward_chunks_kernel = Kernel("forward_chunks", build_forward_chunks, addresses(11), moves_addresses=True)
forward_few_kernel = Kernel("forward_few", build_forward_few, addresses(2), moves_addresses=True, returns=types.intp)
run_kernel = Kernel("run", build_run, addresses(1), moves_addresses=True)


def forward_chunks_row(parts, *, table, operations, chunk, arena_bytes):
    """The row that sends all samples forward through another table, at address `table`."""
    return make_row({FORWARD: (forward_chunks_kernel.address(ANY), parts)},
                    {TABLE: table, OPERATIONS: operations, CHUNK: chunk, ARENA_BYTES: arena_bytes})
