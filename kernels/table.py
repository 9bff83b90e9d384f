"""A network as data: a table of whole numbers, one row an operation, walked by one compiled interpreter.

A row begins with its phases: for each the address of a kernel (or 0) and into how many parts its work is cut. What follows
belongs to the kind of operation and is named beside its kernels: offsets into the arena and the flat vector of parameters
(in numbers, not bytes), sizes, addresses. All phases have the same arguments, so a new kind of operation is a new kernel and
a new network compiles nothing. Inputs and outputs are offsets, not "the layer before", so branches and joins are tables too.

The forward pass walks the rows down, the backward pass walks them up:

    optimizer     backward: the update
    clip          backward: bounds on the gradient
    state         backward: what layers remember from step to step
    watch         backward: whether the gradient, now that all of it is there, is sound; the rows above change what stays
    penalty       forward: what the weights cost     backward: its gradient, onto that of the layers
    batch         forward: gather the rows of the batch, their targets and weights
    dense ...     forward: a = g(x @ weight + bias)     backward: dz from da, dx from dz, dweight and dbias
    metric, loss  forward: what each sample lost, and the gradient that the backward pass starts from; then the penalties
"""

import numpy as np
from numba import types

from .jit import jit, pointer, view

FORWARD, BACKWARD_OUTPUT, BACKWARD_INPUT, BACKWARD_WEIGHT = 0, 2, 4, 6  # each an address, then a number of parts
PHASES = FORWARD, BACKWARD_OUTPUT, BACKWARD_INPUT, BACKWARD_WEIGHT
PARTS = [phase + 1 for phase in PHASES]
OPERANDS = 8  # the first column that belongs to the kind of operation
COLUMNS = 27

# what each sample of a batch reports, a row of `results` (3, batch) each
LOSSES, HITS, SAMPLE_WEIGHTS = 0, 1, 2


def phase_arguments(dtype):
    """The arguments of every phase.

    row (COLUMNS), parameters, gradients, arena, results (3, capacity), capacity, first and batch (which samples of the data:
    `batch` of them from `first` on), accumulate (whether to add to the gradients), part, parts.
    """
    real = pointer(dtype)
    return types.CPointer(types.int64), real, real, real, types.CPointer(types.float64), *(types.intp,) * 6


@jit(inline=True)
def share(size, part, parts, grain):
    """Where part number `part` of `parts` begins and ends, in whole grains but for the last."""
    if parts == 1:
        return 0, size
    grains = (size + grain - 1) // grain
    return min(part * grains // parts * grain, size), min((part + 1) * grains // parts * grain, size)


def bits(number):
    """A float as the whole number that stands for it in the table."""
    return int(np.float64(number).view(np.int64))


@jit(inline=True)
def real_operand(row, column):
    """The float whose `bits` stand in a column of the row."""
    return view(row, column, 1).view(np.float64)[0]


def make_row(phases, operands):
    """A row of the table from {phase: (address, parts)} and {column: value}."""
    row = np.zeros(COLUMNS, np.int64)
    for phase, (address, parts) in phases.items():
        row[phase], row[phase + 1] = address, parts
    for column, value in operands.items():
        row[column] = value
    return row
