"""A network of several inputs or outputs called from other compiled code: the C functions behind `fastnn.jit`.

As in `walk`, but what a section holds of each input and output stands in a `PLACE` behind its rows, those of the inputs
first. xs, outs, ys, douts and dxs are addresses of `END` records, one for each array.
"""

import math

import numpy as np
from numba import types
from numba.extending import intrinsic

from ..compiling.jit import REAL, Kernel, floats, integer, integers, jit, typed_pointer, view
from ..compiling.objects import WORD
from ..compiling.record import Record
from ..interpreter.axes import OFFSETS, ROWS, SAMPLES
from ..interpreter.interpreter import addresses, walk_backward, walk_forward
from ..interpreter.table import BACKWARD_SECOND, BACKWARD_THIRD, LOSSES, ROW_BYTES
from ..processor.target import ITEM_BYTES
from .ends import elements, end_of, form_of, spread
from .labels import label_writer, labels_fit
from .memory import release, working_memory
from .steps import narrow, token_at
from .walk import FEW, copier, filler, model_at, new_call, rows_of, section_of

# Byte offsets into the memory of a call: the numbers of an input or output, their gradient, the record of the axis of its
# steps (−1: it has none); of an output, its targets and weights.
PLACE = Record("place", "numbers", "gradient", "axis", "targets", "weights")
PLACE_BYTES, place_at = PLACE.bytes, PLACE.at
A_ROW, A_BATCH, A_SEQUENCE = range(3)  # what arrays hold: one sample, samples in rows, one sample that may have steps
FITS, WRONG_LABELS, WRONG_STEPS = range(3)  # what a call found


@intrinsic
def sample_mode(typingctx, dout):
    """Return A_ROW if gradients of outputs are vectors, of one sample, else A_BATCH. A constant."""
    first = elements(dout)[0] if elements(dout) else dout
    mode = A_ROW if getattr(first, "ndim", 2) == 1 else A_BATCH
    return types.intp(dout), lambda context, builder, signature, args: context.get_constant(types.intp, mode)


@jit(inline=True)
def place_of(section, number):
    """Return the `PLACE` of an input or output; those of outputs follow those of inputs."""
    return place_at(rows_of(section) + ROW_BYTES * section.operations + PLACE_BYTES * number)


@jit(inline=True)
def leading_axes(form, mode):
    return 1 if mode == A_BATCH or (mode == A_SEQUENCE and form.has_steps != 0) else 0


def ends_filler(dtype):
    """Return the compiled function that sets all elements of arrays to nan."""
    fill = filler(dtype)

    @jit
    def fill_ends(table, forms, ends, count, mode):
        for k in range(count):
            form = form_of(table + WORD * forms, k)
            address, rows, columns, row, column = spread(end_of(ends, k), leading_axes(form, mode))
            fill(address, row, column, rows, columns, math.nan)

    return fill_ends


def entering(dtype):
    """Return the compiled function that copies the inputs of a batch to the memory of a call."""
    item, copy = ITEM_BYTES[dtype], copier(dtype)

    @jit
    def enter(table, section, xs, first, batch, arena, mode):
        model = model_at(table)
        for k in range(model.input_count):
            form, place, end = form_of(table + WORD * model.input_forms, k), place_of(section, k), end_of(xs, k)
            address, rows, _, row, column = spread(end, leading_axes(form, mode))
            numbers, features = arena + place.numbers, form.features
            if place.axis < 0:
                copy(numbers, item * features, item, address + first * row, row, column, batch, features)
                continue
            record = integers(arena + place.axis)
            head, offsets = view(record, 0, OFFSETS), view(record, OFFSETS, 2)
            head[ROWS], head[SAMPLES], offsets[0], offsets[1] = rows, 1, 0, rows
            if form.tokens == 0:
                copy(numbers, item * features, item, address, row, column, rows, features)
                continue
            tokens = view(narrow(numbers), 0, rows)
            for t in range(rows):
                tokens[t] = token_at(address + t * row, end.octets)

    return enter


def build_forward(dtype):
    item, copy, fill_ends, enter = ITEM_BYTES[dtype], copier(dtype), ends_filler(dtype), entering(dtype)

    def embedded_several_forward(table, parameters, xs, outs, samples, mode, found):
        """The outputs of samples; `found` is the address of an integer."""
        model, found_ = model_at(table), view(integers(found), 0, 1)
        section, inputs = section_of(table, model.one if samples == 1 else model.many), model.input_count
        memory, found_[0] = working_memory(section.bytes), FITS
        if memory == 0:
            fill_ends(table, model.output_forms, outs, model.output_count, mode)
            return
        arena, call = (memory + 63) & -64, new_call()
        call.parameters, call.arena = parameters, arena
        for first in range(0, samples, section.capacity):
            batch = min(section.capacity, samples - first)
            call.batch = batch
            enter(table, section, xs, first, batch, arena, mode)
            walk_forward(rows_of(section), section.operations, call, 0)
            for k in range(model.output_count):
                form, place = form_of(table + WORD * model.output_forms, k), place_of(section, inputs + k)
                address, rows, _, row, column = spread(end_of(outs, k), leading_axes(form, mode))
                count = batch
                if place.axis >= 0:
                    count = integer(arena + place.axis, ROWS)
                    if count != rows:
                        found_[0] = WRONG_STEPS
                        count = 0
                copy(address + first * row, row, column, arena + place.numbers, item * form.features, item, count,
                     form.features)
        release(memory, section.bytes)
        if found_[0] != FITS:
            fill_ends(table, model.output_forms, outs, model.output_count, mode)

    return embedded_several_forward


def build_gradients(dtype):
    item, copy, fill, enter = ITEM_BYTES[dtype], copier(dtype), filler(dtype), entering(dtype)
    number, real, write_labels = typed_pointer(REAL[dtype]), np.dtype(dtype).type, label_writer(dtype)

    @jit
    def all_fit(table, ys, samples):
        model = model_at(table)
        for k in range(model.output_count):
            form, end = form_of(table + WORD * model.output_forms, k), end_of(ys, k)
            address, _, _, row, _ = spread(end, 1)
            if end.octets != 0 and form.features > 1 and not labels_fit(address, row, samples, form.features):
                return False
        return True

    @jit
    def enter_targets(table, section, ys, first, batch, samples, arena):
        """Copy the targets of a batch, labels as one-hot rows, and write the weights of its samples."""
        model = model_at(table)
        for k in range(model.output_count):
            form, end = form_of(table + WORD * model.output_forms, k), end_of(ys, k)
            place, outputs = place_of(section, model.input_count + k), form.features
            address, _, _, row, column = spread(end, 1)
            if end.octets != 0:
                write_labels(arena + place.targets, address + first * row, row, batch, outputs)
            else:
                copy(arena + place.targets, item * outputs, item, address + first * row, row, column, batch, outputs)
            count, weight = batch * form.positions, real(1.0 / (samples * form.positions))
            weights = view(number(arena + place.weights), 0, count)
            for i in range(count):
                weights[i] = weight
                weights[i] *= form.factor

    def embedded_several_gradients(table, parameters, xs, ys, gradients, samples, loss, found):
        """The mean loss and its gradients, in batches of the network's own size, so that the bits are the same."""
        model = model_at(table)
        section = section_of(table, model.loss_few if samples <= FEW else model.loss_many)
        loss_, found_, capacity = view(floats(loss), 0, 1), view(integers(found), 0, 1), section.capacity
        found_[0] = FITS if all_fit(table, ys, samples) else WRONG_LABELS
        memory = working_memory(section.bytes) if found_[0] == FITS else 0
        if memory == 0:
            loss_[0] = math.nan
            fill(gradients, 0, item, 1, model.size, math.nan)
            return
        arena, call = (memory + 63) & -64, new_call()
        results = arena + section.results
        call.parameters, call.gradients, call.arena = parameters, gradients, arena
        call.results, call.capacity = results, capacity
        losses = view(floats(results), LOSSES * capacity, capacity)
        fill(gradients, 0, item, 1, model.size, 0.0)
        total = 0.0
        for first in range(0, samples, capacity):
            batch = min(capacity, samples - first)
            call.first, call.batch, call.accumulate = first, batch, 1 if first > 0 else 0
            enter(table, section, xs, first, batch, arena, A_BATCH)
            enter_targets(table, section, ys, first, batch, samples, arena)
            walk_forward(rows_of(section), section.operations, call, 0)
            batch_loss = 0.0
            for i in range(batch):
                batch_loss += losses[i]
            total += batch_loss
            walk_backward(rows_of(section), section.operations, call, BACKWARD_THIRD, 0)
        loss_[0] = total
        release(memory, section.bytes)

    return embedded_several_gradients


def build_pullback(dtype):
    item, copy, fill_ends, enter = ITEM_BYTES[dtype], copier(dtype), ends_filler(dtype), entering(dtype)

    def embedded_several_pullback(table, parameters, xs, douts, dxs, gradients, samples, mode):
        """dxs from douts; the gradients of the parameters are added to those at their address, unless it is 0."""
        model = model_at(table)
        section = section_of(table, model.pull_few if samples <= FEW else model.pull_many)
        memory = working_memory(section.bytes)
        if memory == 0:
            fill_ends(table, model.input_forms, dxs, model.input_count, mode)
            return
        arena, call = (memory + 63) & -64, new_call()
        call.parameters, call.gradients, call.arena, call.accumulate = parameters, gradients, arena, 1
        last_phase = BACKWARD_THIRD
        if gradients == 0:
            last_phase = BACKWARD_SECOND
            call.gradients, call.accumulate = arena + section.spare_gradients, 0
        for first in range(0, samples, section.capacity):
            batch = min(section.capacity, samples - first)
            call.batch = batch
            enter(table, section, xs, first, batch, arena, mode)
            walk_forward(rows_of(section), section.operations, call, 0)
            for k in range(model.output_count):
                features = form_of(table + WORD * model.output_forms, k).features
                address, _, _, row, column = spread(end_of(douts, k), mode)
                copy(arena + place_of(section, model.input_count + k).gradient, item * features, item,
                     address + first * row, row, column, batch, features)
            walk_backward(rows_of(section), section.operations, call, last_phase, 0)
            for k in range(model.input_count):
                features = form_of(table + WORD * model.input_forms, k).features
                address, _, _, row, column = spread(end_of(dxs, k), mode)
                copy(address + first * row, row, column, arena + place_of(section, k).gradient, item * features, item,
                     batch, features)
        release(memory, section.bytes)

    return embedded_several_pullback


several_forward_kernel = Kernel("embedded_several_forward", build_forward, addresses(7))
several_gradients_kernel = Kernel("embedded_several_gradients", build_gradients, addresses(8))
several_pullback_kernel = Kernel("embedded_several_pullback", build_pullback, addresses(8))
