"""A network as data: a table of rows, one row an operation, walked by one compiled interpreter.

A row begins with its phases: for each the address of a kernel (or 0) and the number of parts that its work is cut into. Then
come its operands: offsets into the arena and the flat vector of parameters (in numbers, not bytes), sizes, addresses. Their
names belong to the kind of operation and stand in one `Kind` beside its kernels; Python and the kernels read them by name.
All phases have the same arguments, so a new kind of operation is a new kernel and a new network compiles nothing. Inputs and
outputs are offsets, not "the layer before", so branches and joins are tables too.

The forward pass walks the rows down, the backward pass walks them up:

    optimizer     backward: the update
    clip          backward: bounds on the gradient
    state         backward: what layers remember from step to step
    watch         backward: whether the complete gradient is sound; the rows above it change what stays
    penalty       forward: what the weights cost     backward: its gradient, onto that of the layers
    batch         forward: gather the rows of the batch, their targets and weights
    dense ...     forward: a = g(x @ weight + bias)     backward: dz from da, dx from dz, dweight and dbias
    metric, loss  forward: what each sample lost, and the gradient that the backward pass starts from; then the penalties

A phase is a barrier: each of its parts ends before the next phase begins. So a phase may read whatever earlier ones have
written, and a part of it nothing that another part of the same phase writes. A backward pass that wants gradients of the
inputs alone leaves out the third phase of every row, so dx must not depend on it.
"""

import numpy as np
from numba import types

from ..compiling.record import FLOATS, INTEGER, INTEGERS, NUMBERS, Record, zeros

PHASE = Record("phase", "kernel", "parts")
PHASES = "forward", "backward_first", "backward_second", "backward_third"
FORWARD, BACKWARD_FIRST, BACKWARD_SECOND, BACKWARD_THIRD = range(len(PHASES))  # for compiled code, which counts them
ROW_BYTES = 448  # the phases and room for 48 operands; whole cache lines, but no power of two, whose rows would collide

# What a call works on: the memory, which samples of the data (`batch` of them from number `first` on), whether to add to the
# gradients, and what comes from outside. What there is not is 0.
CALL = Record(
    "call",
    parameters=NUMBERS, gradients=NUMBERS, arena=NUMBERS,
    results=FLOATS,  # (3, capacity): what the samples report, below
    capacity=INTEGER, first=INTEGER, batch=INTEGER, accumulate=INTEGER,
    X=NUMBERS, targets=NUMBERS,  # the data: (rows, inputs), (rows, outputs)
    labels=INTEGERS, weights=NUMBERS,  # (rows,)
    order=INTEGERS,  # (samples,): which rows of the data are the samples, 0 for all of them as they lie
    samples=INTEGER,
    outputs=INTEGER,  # the address of predictions: numbers (samples, outputs), or integers
    found=INTEGERS,  # (2,): what was found, below
)
LOSSES, HITS, SAMPLE_WEIGHTS = range(3)  # the rows of `results`
LARGE, NOT_FINITE = range(2)  # of `found`: whether a gradient is large; what is not finite, 0 for nothing


class Kind(Record):
    """A kind of operation: the record of its rows. Each name is an operand, given as the fields of a `Record` are."""

    def __init__(self, name, /, *operands, **kinds):
        kinds = dict.fromkeys(PHASES, PHASE) | dict.fromkeys(operands, INTEGER) | kinds
        super().__init__(name, padded_to=ROW_BYTES, **kinds)
        self.operands = {*self.kinds} - {*PHASES}

    def row(self, phases, **operands):
        """A row from {phase: (address of a kernel, parts)} and the values of all operands."""
        if operands.keys() != self.operands:
            wrong = self.operands ^ {*operands}
            raise TypeError(f"unknown or missing operands: {', '.join(sorted(wrong))}; {self.name} has these: "
                            f"{', '.join(sorted(self.operands))}")
        row = self.new(**operands)
        enter_phases(row, phases)
        return row

    def arguments(self, dtype):
        """The Numba types of the arguments of its kernels: row, call, part, parts."""
        return self.type(dtype), CALL.type(dtype), types.intp, types.intp


def enter_phases(row, phases):
    for phase, (kernel, parts) in phases.items():
        row[phase]["kernel"], row[phase]["parts"] = kernel, parts


def with_phases(row, phases):
    """A row with the operands of `row` and these phases alone."""
    other = row.copy()
    for phase in PHASES:
        other[phase]["kernel"] = other[phase]["parts"] = 0
    enter_phases(other, phases)
    return other


def make_table(rows):
    """The rows one behind the other in memory that the walks take, and views of them there."""
    memory = zeros(len(rows) * ROW_BYTES).reshape(len(rows), ROW_BYTES)
    for place, row in zip(memory, rows, strict=True):
        place[:] = np.ndarray(ROW_BYTES, np.uint8, row)  # all at once: to copy field after field takes six times as long
    return memory, [np.ndarray((), row.dtype, place) for place, row in zip(memory, rows, strict=True)]


GRADIENT, STATISTICS = 1, 2  # what is not finite: the gradient; STATISTICS + k, the statistics of the batch in layer k
