"""The part of the functions of `fastnn.jit` for arrays in tuples, see `calls`: networks of several inputs or outputs."""

from numba import types

from ..compiling.jit import call_at, floats, integer, jit, view
from ..compiling.objects import WORD
from .ends import SIZES, end_of, fits, form_of, if_several, spread
from .model import THIS_LAYOUT, stack_integer
from .refused import fill_nan, refuse_table
from .several import A_BATCH, A_SEQUENCE, FITS, leading_axes
from .steps import token_at
from .walk import NO_LABELS, model_at

SEVERAL_INPUTS = -2  # in the place of the number of inputs
ONE_OF_EACH = "arrays in tuples are for networks of several inputs or outputs; this model has one of each: give the arrays"
OF_SEQUENCES = ("this model has inputs of any number of steps; call fastnn.jit.forward_sequence, which runs one sample of "
                "all inputs, or make the network with a number of steps instead of None")
NOT_OF_SEQUENCES = ("no input of this model has any number of steps; call fastnn.jit.forward_row for one sample, "
                    "fastnn.jit.forward for samples")
ENDS = ("the arrays do not fit the model: give x as a tuple with an array for each input, out, y and dout with one for each "
        "output, in the order of network.input_shapes and network.output_shapes; all of as many samples, each of the "
        "features of its input or output or of the shape of its samples; and model.parameters must be all of them, "
        "contiguous")
STEPS = ("the sequences do not fit the model: each must have as many features as a step, or tokens of the vocabulary (int32 "
         "or int64), and not more steps than compiled(steps=...) was given, nor fewer than the layers need; an output at "
         "each step takes a row for each of them")
NO_GRADIENTS = ("this model was made by compiled(gradients=False), or has inputs of any number of steps, of which compiled "
                "code has no gradients; make it without that, or with a number of steps")
LABELS = ("y holds a label that is none of the classes of its output, or whole numbers for an output that takes values; "
          "labels run from 0 to outputs - 1, values are of the model's dtype")
SEVERAL = ("this model has several inputs or outputs: give x, out, y and the like as tuples of arrays, in the order of "
           "network.input_shapes and network.output_shapes")


@jit
def void(ends, count, item):
    """Set all elements of arrays to nan, whatever their shapes; those of more than two axes are contiguous."""
    for k in range(count):
        address, rows, columns, row, column = spread(end_of(ends, k), 1 if end_of(ends, k).axes > 1 else 0)
        fill_nan(address, rows, columns, row, column, item)


@jit
def first_rows(ends, count):
    """Return the length of the first axis of the first array, 1 if it has none."""
    return integer(ends, SIZES) if count > 0 and end_of(ends, 0).axes > 0 else 1


@jit
def tokens_fit(form, end):
    """Return whether all tokens of a sequence are in the vocabulary of its input."""
    address, steps, _, row, _ = spread(end, 1)
    for t in range(steps):
        token = token_at(address + t * row, end.octets)
        if token < 0 or token >= form.tokens:
            return False
    return True


@jit
def all_fit(forms, forms_count, ends, count, samples, mode):
    """Return whether the arrays, as many as there are inputs or outputs, hold samples or one sample of each."""
    if count != forms_count:
        return False
    for k in range(count):
        form, end = form_of(forms, k), end_of(ends, k)
        leading = leading_axes(form, mode)
        if form.tokens != 0:
            if end.axes != 1 or end.octets == 0:
                return False
        elif end.octets != 0:  # labels of an output
            if form.labels == NO_LABELS or end.axes != 1:
                return False
        elif not fits(form, end, leading):
            return False
        if mode == A_BATCH and spread(end, 1)[1] != samples:
            return False
    return True


@jit
def steps_fit(forms, ends, count, most_steps):
    """Return whether sequences have as many steps as the model takes, and tokens of the vocabularies."""
    for k in range(count):
        form, end = form_of(forms, k), end_of(ends, k)
        if form.has_steps != 0:
            steps = spread(end, 1)[1]
            if steps < form.least_steps or steps > most_steps or (form.tokens != 0 and not tokens_fit(form, end)):
                return False
    return True


@jit
def refuse_model(head, item):
    """Raise the error for a model that has no several inputs or outputs."""
    refuse_table(head, item)
    if head.inputs != SEVERAL_INPUTS:
        raise ValueError(ONE_OF_EACH)


@jit
def forward_several(place, xs, outs, mode):
    """Write the outputs of several arrays to others; xs, outs: (address of their ends, number of arrays)."""
    (table, parameters, size, item), (xs_, x_count), (outs_, out_count) = place, xs, outs
    head = model_at(table)
    if head.layout != THIS_LAYOUT + item or head.inputs != SEVERAL_INPUTS:
        void(outs_, out_count, item)
        refuse_model(head, item)
    forms = table + WORD * head.input_forms
    if (mode == A_SEQUENCE) != (head.most_steps != 0):
        void(outs_, out_count, item)
        if head.most_steps != 0:
            raise ValueError(OF_SEQUENCES)
        raise ValueError(NOT_OF_SEQUENCES)
    samples = first_rows(xs_, x_count) if mode == A_BATCH else 1
    if (size != head.size or not all_fit(forms, head.input_count, xs_, x_count, samples, mode)
            or not all_fit(table + WORD * head.output_forms, head.output_count, outs_, out_count, samples, mode)):
        void(outs_, out_count, item)
        raise ValueError(ENDS)
    if not steps_fit(forms, xs_, x_count, head.most_steps):
        void(outs_, out_count, item)
        raise ValueError(STEPS)
    found = stack_integer()
    call_at(head.forward, (table, parameters, xs_, outs_, samples, mode, found))
    if integer(found, 0) != FITS:
        raise ValueError(STEPS)


@jit
def loss_several(place, xs, ys, gradients, count):
    """Return the loss of samples and write its gradients; count: their number."""
    (table, parameters, size, item), (xs_, x_count), (ys_, y_count) = place, xs, ys
    head = model_at(table)
    wrong = head.layout != THIS_LAYOUT + item or head.inputs != SEVERAL_INPUTS
    if wrong or head.gradients == 0:
        fill_nan(gradients, 1, count, 0, item, item)
        refuse_model(head, item)
        raise ValueError(NO_GRADIENTS)
    samples = first_rows(xs_, x_count)
    if (size != head.size or count != size or samples == 0
            or not all_fit(table + WORD * head.input_forms, head.input_count, xs_, x_count, samples, A_BATCH)
            or not all_fit(table + WORD * head.output_forms, head.output_count, ys_, y_count, samples, A_BATCH)):
        fill_nan(gradients, 1, count, 0, item, item)
        raise ValueError(ENDS)
    loss, found = stack_integer(), stack_integer()
    call_at(head.gradients, (table, parameters, xs_, ys_, gradients, samples, loss, found))
    if integer(found, 0) != FITS:
        raise ValueError(LABELS)
    return view(floats(loss), 0, 1)[0]


@jit
def backpropagate_several(place, xs, douts, dxs, gradients, count, mode):
    """Write dxs, and add to the `count` gradients of the parameters at the address `gradients`, if it is not 0."""
    (table, parameters, size, item), (xs_, x_count), (douts_, dout_count), (dxs_, dx_count) = place, xs, douts, dxs
    head = model_at(table)
    wrong = head.layout != THIS_LAYOUT + item or head.inputs != SEVERAL_INPUTS
    if wrong or head.pullback == 0:
        void(dxs_, dx_count, item)
        refuse_model(head, item)
        raise ValueError(NO_GRADIENTS)
    samples, forms = first_rows(xs_, x_count) if mode == A_BATCH else 1, table + WORD * head.input_forms
    if (size != head.size or count != size
            or not all_fit(forms, head.input_count, xs_, x_count, samples, mode)
            or not all_fit(forms, head.input_count, dxs_, dx_count, samples, mode)
            or not all_fit(table + WORD * head.output_forms, head.output_count, douts_, dout_count, samples, mode)):
        void(dxs_, dx_count, item)
        raise ValueError(ENDS)
    call_at(head.pullback, (table, parameters, xs_, douts_, dxs_, gradients, samples, mode))


call_forward, call_loss = if_several(forward_several, types.intp), if_several(loss_several, types.float64)
call_backpropagate = if_several(backpropagate_several, types.intp)
