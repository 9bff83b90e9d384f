"""Axes of rows other than samples: the steps of sequences of different lengths.

The sequences of a batch stand one after the other, each contiguous, without padding. An axis is recorded in the arena, as
integers: the number of its rows in this batch, the number of samples, then the offsets of the samples, one more than there
are samples; rows offsets[i] … offsets[i + 1] − 1 belong to sample i. A `measure` row writes it before other rows read it.

Kernels that compute row by row take `call.batch` for the number of rows, whatever a row is. Between rows of the table that
work on different axes stands a `switch`, which sets it; the backward pass meets the switches in the opposite order, so each
restores what it has changed. A network whose rows are all samples has none.

Kernels that compute sample by sample, such as recurrences, run while rows are samples, and read the offsets.
"""

import numpy as np
from numba import types

from ..compiling.jit import ANY, REAL, Kernel, address_of, integers, jit, typed_pointer, view
from ..compiling.record import Record
from ..compiling.share import share
from .batch import bytes_at, sample_number
from .table import Kind

# What enters from outside: the address of the values of all steps, in their form, and of the offsets of all samples.
# window: 0, or the number of steps of every sample; then they may overlap, and the offsets are where they begin.
SOURCE = Record("source", "values", "offsets", "form", "window")
AS_NUMBERS, AS_BYTES, AS_TOKENS, AS_LABELS = range(4)  # forms: of the network's dtype, uint8, int32, int64
ROWS, SAMPLES, OFFSETS = range(3)  # the integers of an axis

MEASURE = Kind("measure", "axis", "source", "steps")  # steps: of every sample, or 0 if they are those of the source
SWITCH = Kind("switch", "before", "after")
GATHER_STEPS = Kind("gather_steps", "axis", "source", "x", "features")

SOURCE_BYTES, source_at, tokens_at = SOURCE.bytes, SOURCE.at, typed_pointer(types.int32)


@jit(inline=True)
def integers_in(call, place):
    """Return the pointer to integers at an offset into the arena."""
    return integers(address_of(view(call.arena, place, 1)))


@jit(inline=True)
def axis_offsets(call, axis):
    """Return the offsets (samples + 1,) of the samples of the batch; axis: the offset of its record in the arena."""
    record = integers_in(call, axis)
    return view(record, OFFSETS, view(record, SAMPLES, 1)[0] + 1)


@jit(inline=True)
def axis_rows(call, axis):
    """Return the number of rows of an axis in this batch."""
    return view(integers_in(call, axis), ROWS, 1)[0]


def build_measure(dtype):
    def measure(row, call, part, parts):
        record, samples = integers_in(call, row.axis), call.batch
        offsets, end = view(record, OFFSETS, samples + 1), np.int64(0)
        for i in range(samples):
            offsets[i] = end
            if row.steps > 0:
                end += row.steps
            else:
                source = source_at(call.sources + SOURCE_BYTES * row.source)
                own = view(integers(source.offsets), sample_number(call, i), 2)
                end += source.window if source.window > 0 else own[1] - own[0]
        offsets[samples] = end
        head = view(record, 0, OFFSETS)
        head[ROWS], head[SAMPLES] = end, samples

    return measure


def build_switch_forward(dtype):
    def switch_forward(row, call, part, parts):
        call.batch = view(integers(call.arena + row.after), 0, 1)[0]

    return switch_forward


def build_switch_backward(dtype):
    def switch_backward(row, call, part, parts):
        call.batch = view(integers(call.arena + row.before), 0, 1)[0]

    return switch_backward


def build_gather_steps(dtype):
    numbers_at = typed_pointer(REAL[dtype])

    def gather_steps(row, call, part, parts):
        source, features = source_at(call.sources + SOURCE_BYTES * row.source), row.features
        offsets = axis_offsets(call, row.axis)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            first = view(integers(source.offsets), sample_number(call, i), 1)[0] * features
            start, size = offsets[i] * features, (offsets[i + 1] - offsets[i]) * features
            x = view(call.arena, row.x + start, size)
            if source.form == AS_NUMBERS:
                numbers = view(numbers_at(source.values), first, size)
                for j in range(size):
                    x[j] = numbers[j]
            elif source.form == AS_BYTES:
                octets = view(bytes_at(source.values), first, size)
                for j in range(size):
                    x[j] = octets[j]
            else:  # tokens stay whole numbers, at the beginning of the memory of x
                tokens = view(tokens_at(source.values), first, size)
                taken = view(tokens_at(address_of(view(call.arena, row.x, 1))), start, size)
                for j in range(size):
                    taken[j] = tokens[j]

    return gather_steps


measure_kernel = Kernel("measure", build_measure, MEASURE.arguments)
switch_forward_kernel = Kernel("switch_forward", build_switch_forward, SWITCH.arguments, moves_addresses=True)
switch_backward_kernel = Kernel("switch_backward", build_switch_backward, SWITCH.arguments, moves_addresses=True)
gather_steps_kernel = Kernel("gather_steps", build_gather_steps, GATHER_STEPS.arguments)


def measure_row(dtype, *, axis, source=0, steps=0):
    """Return the row that records an axis: of the steps of a batch of a source, or of so many steps for each sample.

    axis: an offset into the arena.
    """
    return MEASURE.row({"forward": (measure_kernel.address(dtype), 1)}, axis=axis, source=source, steps=steps)


def switch_row(*, before, after):
    """Return the row between rows of two axes; before, after: where their numbers of rows stand, in bytes of the arena."""
    return SWITCH.row({"forward": (switch_forward_kernel.address(ANY), 1),
                       "backward_first": (switch_backward_kernel.address(ANY), 1)}, before=before, after=after)


def gather_steps_row(dtype, parts, *, axis, source, x, features):
    """Return the row that copies the steps of a batch to the arena, those of each sample one after the other."""
    return GATHER_STEPS.row({"forward": (gather_steps_kernel.address(dtype), parts)}, axis=axis, source=source, x=x,
                            features=features)
