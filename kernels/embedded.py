"""A network inside other compiled code: the C functions that `fastnn.jit` calls by the addresses in a model's table.

A model's table has a head of HEAD words, then sections: the rows of the network, lowered for up to so many samples, behind
SECTION words that say where in memory a call finds what. A table never changes, so any number of threads may share it. What
a call writes beside its results lies in memory of its own, on its stack where that is not too much, else from the heap, and
is gone when it returns: every place is an offset into that memory, in bytes.

x, y, out, dout and dx lie anywhere, strided as they may be; strides are in bytes, addresses are whole numbers.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from .interpreter import addresses, reals, run_phase, walk_backward, walk_forward
from .jit import REAL, Kernel, integer, integers, jit, typed_pointer, view
from .objects import WORD
from .pack import stack_memory
from .table import BACKWARD_OUTPUT, BACKWARD_WEIGHT, COLUMNS, LOSSES, SAMPLE_WEIGHTS
from .target import ITEM_BYTES

# The head: which version of this layout it is, how many inputs, outputs and parameters the network has, what labels mean,
# the addresses of the functions below (0: there is none), and where each section begins, in words.
HEAD = 15
(LAYOUT, INPUTS, OUTPUTS, SIZE, LABELS, FORWARD_ROW, FORWARD, GRADIENTS, PULLBACK, ONE, MANY, LOSS_FEW, LOSS, PULL_FEW,
 PULL) = range(HEAD)
NO_LABELS, VALUES, CLASSES = range(3)  # what whole numbers as y are: refused, the value of one output, classes

# A section: how many rows, for how many samples at most, how much memory it takes, and where in it there is what.
SECTION = 12
(OPERATIONS, CAPACITY, BYTES, X, A, TARGETS, WEIGHTS, DA, DX, RESULTS, SPARE, RELOCATED) = range(SECTION)
# Behind the rows: which words of them are addresses, pairs of a word and whether it is to count from the memory of the call
# (whose place is behind the results: a copy of the rows that is the call's own) or from the section.

STACK_BYTES = 1 << 16  # so much a call takes from the stack of whatever thread it is on
FEW, LARGEST = 4, 256  # samples at a time, where gradients are asked for


@intrinsic
def heap_memory(typingctx, size):
    """The address of so many bytes that are there until they are released, or 0."""

    def codegen(context, builder, signature, args):
        byte = ir.IntType(8).as_pointer()
        allocate = get_or_insert_function(builder.module, ir.FunctionType(byte, [args[0].type]), "NRT_Allocate")
        return builder.ptrtoint(builder.call(allocate, args), args[0].type)

    return types.intp(types.intp), codegen


@intrinsic
def release(typingctx, address):
    def codegen(context, builder, signature, args):
        byte = ir.IntType(8).as_pointer()
        free = get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [byte]), "NRT_Free")
        builder.call(free, [builder.inttoptr(args[0], byte)])
        return context.get_dummy_value()

    return types.void(types.intp), codegen


@jit(inline=True)
def beginning(table, place):
    """The address of the section whose number of words from the table stands in the head."""
    return table + WORD * integer(table, place)


@jit
def own_rows(section, scratch):
    """The address of the rows: those of the section, or a copy in the call's memory where rows hold addresses in it."""
    rows, relocated = section + WORD * SECTION, integer(section, RELOCATED)
    if relocated == 0:
        return rows
    size = integer(section, OPERATIONS) * COLUMNS
    given, own = view(integers(rows), 0, size), view(integers(scratch + integer(section, SPARE)), 0, size)
    for k in range(size):
        own[k] = given[k]
    pairs = view(integers(rows), size, (relocated, 2))
    for k in range(relocated):
        own[pairs[k, 0]] += scratch if pairs[k, 1] == 0 else section
    return scratch + integer(section, SPARE)


def copier(dtype):
    """The compiled function that copies a matrix, of whatever strides, to another."""
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
    """The compiled function that sets a matrix to one number."""
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
        """One sample. By itself, since 25 ns of 90 went into the loops that bring and hand out many."""
        section = beginning(table, ONE)
        outputs, size = integer(table, OUTPUTS), integer(section, BYTES)
        small = size <= STACK_BYTES
        memory = stack_memory(size if small else WORD)
        if not small:
            memory = heap_memory(size)
            if memory == 0:
                fill(out, 0, out_column, 1, outputs, math.nan)
                return
        arena = (memory + 63) & -64
        move(arena + integer(section, X), item, x, x_column, integer(table, INPUTS))
        rows, operations = section + WORD * SECTION, integer(section, OPERATIONS)
        walk_forward(rows, operations, (parameters, 0, arena, 0, 0), 0, 1, 0)
        move(out, out_column, arena + integer(section, A), item, outputs)
        if not small:
            release(memory)

    return embedded_forward_row


def build_forward(dtype):
    item, copy, fill = ITEM_BYTES[dtype], copier(dtype), filler(dtype)

    def embedded_forward(table, parameters, x, x_row, x_column, out, out_row, out_column, samples):
        section = beginning(table, MANY)
        inputs, outputs = integer(table, INPUTS), integer(table, OUTPUTS)
        size, capacity = integer(section, BYTES), integer(section, CAPACITY)
        small = size <= STACK_BYTES
        memory = stack_memory(size if small else WORD)
        if not small:
            memory = heap_memory(size)
            if memory == 0:
                fill(out, out_row, out_column, samples, outputs, math.nan)
                return
        arena = (memory + 63) & -64
        rows, operations = section + WORD * SECTION, integer(section, OPERATIONS)
        x_, a = arena + integer(section, X), arena + integer(section, A)
        for first in range(0, samples, capacity):
            batch = min(capacity, samples - first)
            copy(x_, item * inputs, item, x + first * x_row, x_row, x_column, batch, inputs)
            walk_forward(rows, operations, (parameters, 0, arena, 0, 0), 0, batch, 0)
            copy(out + first * out_row, out_row, out_column, a, item * outputs, item, batch, outputs)
        if not small:
            release(memory)

    return embedded_forward


def build_gradients(dtype):
    item, copy, fill = ITEM_BYTES[dtype], copier(dtype), filler(dtype)
    number, real = typed_pointer(REAL[dtype]), np.dtype(dtype).type

    @jit
    def labels_fit(y, y_row, samples, classes):
        for i in range(samples):
            label = integer(y + i * y_row, 0)
            if label < 0 or label >= classes:
                return False
        return True

    @jit
    def bring_labels(targets, y, y_row, batch, outputs):
        """One-hot rows; for one output the numbers themselves."""
        targets_ = view(number(targets), 0, (batch, outputs))
        for i in range(batch):
            label = integer(y + i * y_row, 0)
            if outputs == 1:
                targets_[i, 0] = real(label)
            else:
                targets_[i] = 0
                targets_[i, label] = 1

    def embedded_gradients(table, parameters, x, x_row, x_column, y, y_row, y_column, labels, gradients, samples, loss,
                           wrong):
        """The mean loss and its gradients, in batches of LARGEST samples whose order is that of the net's own."""
        section = beginning(table, LOSS_FEW if samples <= FEW else LOSS)
        inputs, outputs = integer(table, INPUTS), integer(table, OUTPUTS)
        size, capacity = integer(section, BYTES), integer(section, CAPACITY)
        loss_, wrong_ = view(reals(loss), 0, 1), view(integers(wrong), 0, 1)
        wrong_[0] = 0 if labels == 0 or outputs == 1 or labels_fit(y, y_row, samples, outputs) else 1
        small = size <= STACK_BYTES
        memory = stack_memory(size if small else WORD)
        if not small and wrong_[0] == 0:
            memory = heap_memory(size)
        if wrong_[0] != 0 or memory == 0:
            loss_[0] = math.nan
            fill(gradients, 0, item, 1, integer(table, SIZE), math.nan)
            return
        arena = (memory + 63) & -64
        rows, operations = own_rows(section, arena), integer(section, OPERATIONS)
        targets, results = arena + integer(section, TARGETS), arena + integer(section, RESULTS)
        weights = view(number(arena + integer(section, WEIGHTS)), 0, capacity)
        losses = view(reals(results), LOSSES * capacity, capacity)
        given = view(reals(results), SAMPLE_WEIGHTS * capacity, capacity)
        fill(gradients, 0, item, 1, integer(table, SIZE), 0.0)
        total, weight = 0.0, real(1.0 / samples)
        for first in range(0, samples, capacity):
            batch = min(capacity, samples - first)
            copy(arena + integer(section, X), item * inputs, item, x + first * x_row, x_row, x_column, batch, inputs)
            if labels != 0:
                bring_labels(targets, y + first * y_row, y_row, batch, outputs)
            else:
                copy(targets, item * outputs, item, y + first * y_row, y_row, y_column, batch, outputs)
            for i in range(batch):
                weights[i], given[i] = weight, weight
            memory_of_rows = (parameters, gradients, arena, results, capacity)
            walk_forward(rows, operations, memory_of_rows, first, batch, 0)
            of_batch = 0.0
            for i in range(batch):
                of_batch += losses[i]
            total += of_batch
            walk_backward(rows, operations, memory_of_rows, first, batch, 1 if first > 0 else 0, 0)
        loss_[0] = total
        if not small:
            release(memory)

    return embedded_gradients


@jit
def walk_back_to_inputs(table, operations, memory, batch):
    """As `walk_backward`, without the phases of the weights."""
    for k in range(operations - 1, -1, -1):
        for phase in range(BACKWARD_OUTPUT, BACKWARD_WEIGHT, 2):
            run_phase(table + WORD * COLUMNS * k, phase, memory, 0, batch, 0, 0)


def build_pullback(dtype):
    item, copy, fill = ITEM_BYTES[dtype], copier(dtype), filler(dtype)

    def embedded_pullback(table, parameters, x, x_row, x_column, dout, dout_row, dout_column, dx, dx_row, dx_column,
                          gradients, samples):
        """dx from dout; what dout gives of the gradients is added to them, unless their address is 0."""
        section = beginning(table, PULL_FEW if samples <= FEW else PULL)
        inputs, outputs = integer(table, INPUTS), integer(table, OUTPUTS)
        size, capacity = integer(section, BYTES), integer(section, CAPACITY)
        small = size <= STACK_BYTES
        memory = stack_memory(size if small else WORD)
        if not small:
            memory = heap_memory(size)
            if memory == 0:
                fill(dx, dx_row, dx_column, samples, inputs, math.nan)
                return
        arena = (memory + 63) & -64
        rows, operations = section + WORD * SECTION, integer(section, OPERATIONS)
        for first in range(0, samples, capacity):
            batch = min(capacity, samples - first)
            copy(arena + integer(section, X), item * inputs, item, x + first * x_row, x_row, x_column, batch, inputs)
            walk_forward(rows, operations, (parameters, 0, arena, 0, 0), 0, batch, 0)
            copy(arena + integer(section, DA), item * outputs, item, dout + first * dout_row, dout_row, dout_column, batch,
                 outputs)
            if gradients == 0:
                # layers that make theirs along with dx leave them where nobody reads them
                walk_back_to_inputs(rows, operations, (parameters, arena + integer(section, SPARE), arena, 0, 0), batch)
            else:
                walk_backward(rows, operations, (parameters, gradients, arena, 0, 0), 0, batch, 1, 0)
            copy(dx + first * dx_row, dx_row, dx_column, arena + integer(section, DX), item * inputs, item, batch, inputs)
        if not small:
            release(memory)

    return embedded_pullback


forward_row_kernel = Kernel("embedded_forward_row", build_forward_row, addresses(6))
forward_kernel = Kernel("embedded_forward", build_forward, addresses(9))
gradients_kernel = Kernel("embedded_gradients", build_gradients, addresses(13))
pullback_kernel = Kernel("embedded_pullback", build_pullback, addresses(13))
