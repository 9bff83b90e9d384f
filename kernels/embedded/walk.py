"""A network called from other compiled code: the C functions that `fastnn.jit` calls by the addresses in a model's table.

A model's table begins with a `MODEL`, followed by sections. Each section is a `SECTION` followed by the rows of the network,
lowered for a largest number of samples. A table never changes, so any number of threads may share it. Working memory of a
call is on its stack if it is small, otherwise on the heap, and is freed when the call returns. Operands that refer to it are
byte offsets.

x, y, out, dout and dx may have any strides; these are in bytes. Addresses are integers.
"""

import math

import numpy as np

from ..compiling.jit import REAL, Kernel, floats, integer, integers, jit, typed_pointer, view
from ..compiling.objects import WORD
from ..compiling.record import Record, on_stack, record_address
from ..interpreter.interpreter import addresses, walk_backward, walk_forward
from ..interpreter.table import BACKWARD_SECOND, BACKWARD_THIRD, CALL, LOSSES, SAMPLE_WEIGHTS
from ..processor.target import ITEM_BYTES
from .labels import label_writer, labels_fit
from .memory import release, working_memory

# The version of this layout; the numbers of inputs, outputs and parameters; the kind of labels; the addresses of the
# functions below (0: none); and the offset of each section, in words.
MODEL = Record(
    "model", "layout", "inputs", "outputs", "size", "labels", "forward_row", "forward", "gradients", "pullback",
    "shape", "one", "many", "loss_few", "loss_many", "pull_few", "pull_many",
    "steps", "reset", "step_inputs", "tokens", "kept", "first", "firsts",  # of sequences, see `steps`; inputs is −1 then
    # of several inputs or outputs, see `several`; inputs is −2 then. most_steps: of a sequence, or 0
    "input_count", "input_forms", "output_count", "output_forms", "most_steps",
)
NO_LABELS, VALUES, CLASSES = range(3)  # how integer y is used: refused, as values of one output, as classes

# The number of rows, the largest number of samples, the size of working memory, and byte offsets into it.
SECTION = Record(
    "section", "operations", "capacity", "bytes", "x", "a", "targets", "weights", "da", "dx", "results", "spare_gradients",
    "positions", "kept",
)
SECTION_BYTES, model_at, section_at = SECTION.bytes, MODEL.at, SECTION.at
new_call = on_stack(CALL)

FEW, LARGEST = 4, 256  # samples of a section, for gradients


@jit(inline=True)
def shape_fits(head, table, shape):
    """Return whether `shape` is the shape of the network's samples; a size of −1 is not checked."""
    for axis in range(len(shape)):
        if shape[axis] >= 0 and shape[axis] != integer(table + WORD * head.shape, axis):
            return False
    return True


@jit(inline=True)
def section_of(table, words):
    """Return the section at `words` words after the beginning of the table."""
    return section_at(table + WORD * words)


@jit(inline=True)
def rows_of(section):
    """Return the address of the rows of a section."""
    return record_address(section) + SECTION_BYTES


def copier(dtype):
    """Return the compiled function that copies a matrix with any strides to another."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def copy(to, to_row, to_column, given, row, column, rows, columns):
        for i in range(rows):
            if to_column == item and column == item:
                taken, source = view(number(to + i * to_row), 0, columns), view(number(given + i * row), 0, columns)
                for j in range(columns):
                    taken[j] = source[j]
            else:
                for j in range(columns):
                    source = view(number(given + i * row + j * column), 0, 1)
                    view(number(to + i * to_row + j * to_column), 0, 1)[0] = source[0]

    return copy


def filler(dtype):
    """Return the compiled function that sets all elements of a matrix to one number."""
    number, real = typed_pointer(REAL[dtype]), np.dtype(dtype).type

    @jit
    def fill(to, to_row, to_column, rows, columns, value):
        for i in range(rows):
            for j in range(columns):
                view(number(to + i * to_row + j * to_column), 0, 1)[0] = real(value)

    return fill


def build_forward_row(dtype):
    item, number, fill = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), filler(dtype)

    @jit
    def move(to, to_column, given, column, columns):
        for j in range(columns):
            view(number(to + j * to_column), 0, 1)[0] = view(number(given + j * column), 0, 1)[0]

    def embedded_forward_row(table, parameters, x, x_column, out, out_column):
        """Run one sample. This is a separate function because the loops over samples would take 25 ns of its 90."""
        model = model_at(table)
        section = section_of(table, model.one)
        memory = working_memory(section.bytes)
        if memory == 0:
            fill(out, 0, out_column, 1, model.outputs, math.nan)
            return
        arena, call = (memory + 63) & -64, new_call()
        call.parameters, call.arena, call.batch = parameters, arena, 1
        move(arena + section.x, item, x, x_column, model.inputs)
        walk_forward(rows_of(section), section.operations, call, 0)
        move(out, out_column, arena + section.a, item, model.outputs)
        release(memory, section.bytes)

    return embedded_forward_row


def build_forward(dtype):
    item, copy, fill = ITEM_BYTES[dtype], copier(dtype), filler(dtype)

    def embedded_forward(table, parameters, x, x_row, x_column, out, out_row, out_column, samples):
        model = model_at(table)
        section, inputs, outputs = section_of(table, model.many), model.inputs, model.outputs
        memory = working_memory(section.bytes)
        if memory == 0:
            fill(out, out_row, out_column, samples, outputs, math.nan)
            return
        arena, call = (memory + 63) & -64, new_call()
        call.parameters, call.arena = parameters, arena
        x_, a = arena + section.x, arena + section.a
        for first in range(0, samples, section.capacity):
            batch = min(section.capacity, samples - first)
            call.batch = batch
            copy(x_, item * inputs, item, x + first * x_row, x_row, x_column, batch, inputs)
            walk_forward(rows_of(section), section.operations, call, 0)
            copy(out + first * out_row, out_row, out_column, a, item * outputs, item, batch, outputs)
        release(memory, section.bytes)

    return embedded_forward


def build_gradients(dtype):
    item, copy, fill, write_labels = ITEM_BYTES[dtype], copier(dtype), filler(dtype), label_writer(dtype)
    number, real = typed_pointer(REAL[dtype]), np.dtype(dtype).type

    def embedded_gradients(table, parameters, x, x_row, x_column, y, y_row, y_column, labels, gradients, samples, loss,
                           wrong):
        """The mean loss and its gradients, in batches of the network's own size, so that the bits are the same."""
        model = model_at(table)
        section = section_of(table, model.loss_few if samples <= FEW else model.loss_many)
        inputs, outputs, capacity = model.inputs, model.outputs, section.capacity
        loss_, wrong_ = view(floats(loss), 0, 1), view(integers(wrong), 0, 1)
        wrong_[0] = 0 if labels == 0 or outputs == 1 or labels_fit(y, y_row, samples, outputs) else 1
        memory = working_memory(section.bytes) if wrong_[0] == 0 else 0
        if memory == 0:
            loss_[0] = math.nan
            fill(gradients, 0, item, 1, model.size, math.nan)
            return
        arena, call = (memory + 63) & -64, new_call()
        targets, results = arena + section.targets, arena + section.results
        call.parameters, call.gradients, call.arena = parameters, gradients, arena
        call.results, call.capacity = results, capacity
        positions = section.positions
        weights = view(number(arena + section.weights), 0, capacity * positions)
        losses = view(floats(results), LOSSES * capacity, capacity)
        reported = view(floats(results), SAMPLE_WEIGHTS * capacity, capacity)
        fill(gradients, 0, item, 1, model.size, 0.0)
        total, weight = 0.0, real(1.0 / (samples * positions))
        for first in range(0, samples, capacity):
            batch = min(capacity, samples - first)
            call.first, call.batch, call.accumulate = first, batch, 1 if first > 0 else 0
            copy(arena + section.x, item * inputs, item, x + first * x_row, x_row, x_column, batch, inputs)
            if labels != 0:
                write_labels(targets, y + first * y_row, y_row, batch, outputs)
            else:
                copy(targets, item * outputs, item, y + first * y_row, y_row, y_column, batch, outputs)
            for i in range(batch * positions):
                weights[i] = weight
            for i in range(batch):
                reported[i] = weight * positions
            walk_forward(rows_of(section), section.operations, call, 0)
            batch_loss = 0.0
            for i in range(batch):
                batch_loss += losses[i]
            total += batch_loss
            walk_backward(rows_of(section), section.operations, call, BACKWARD_THIRD, 0)
        loss_[0] = total
        release(memory, section.bytes)

    return embedded_gradients


def build_pullback(dtype):
    item, copy, fill = ITEM_BYTES[dtype], copier(dtype), filler(dtype)

    def embedded_pullback(table, parameters, x, x_row, x_column, dout, dout_row, dout_column, dx, dx_row, dx_column,
                          gradients, samples):
        """dx from dout; the gradients of the parameters are added to those at their address, unless it is 0."""
        model = model_at(table)
        section = section_of(table, model.pull_few if samples <= FEW else model.pull_many)
        inputs, outputs, capacity = model.inputs, model.outputs, section.capacity
        memory = working_memory(section.bytes)
        if memory == 0:
            fill(dx, dx_row, dx_column, samples, inputs, math.nan)
            return
        arena, call = (memory + 63) & -64, new_call()
        call.parameters, call.gradients, call.arena, call.accumulate = parameters, gradients, arena, 1
        last_phase = BACKWARD_THIRD
        if gradients == 0:
            last_phase = BACKWARD_SECOND
            # layers that compute dx and gradients together write the gradients to memory that is not read
            call.gradients, call.accumulate = arena + section.spare_gradients, 0
        for first in range(0, samples, capacity):
            batch = min(capacity, samples - first)
            copy(arena + section.x, item * inputs, item, x + first * x_row, x_row, x_column, batch, inputs)
            call.batch = batch
            walk_forward(rows_of(section), section.operations, call, 0)
            copy(arena + section.da, item * outputs, item, dout + first * dout_row, dout_row, dout_column, batch, outputs)
            walk_backward(rows_of(section), section.operations, call, last_phase, 0)
            copy(dx + first * dx_row, dx_row, dx_column, arena + section.dx, item * inputs, item, batch, inputs)
        release(memory, section.bytes)

    return embedded_pullback


forward_row_kernel = Kernel("embedded_forward_row", build_forward_row, addresses(6))
forward_kernel = Kernel("embedded_forward", build_forward, addresses(9))
gradients_kernel = Kernel("embedded_gradients", build_gradients, addresses(13))
pullback_kernel = Kernel("embedded_pullback", build_pullback, addresses(13))
