"""The functions of `fastnn.jit`, which compiled code calls with a `Model`.

They are compiled into their callers, and so into the user's caches on disk. They contain no network and no kernel: they
check their arguments and call an address that the model holds.
"""

from ..compiling.jit import call_at, floats, integer, jit, view
from .arrays import (
    are_labels,
    dout_either,
    dx_like_dout,
    gradients_of,
    out_matrix,
    out_vector,
    shape_like_dout,
    shape_of_sample,
    shape_of_samples,
    targets_of,
    x_like_dout,
    x_sample,
    x_samples,
)
from .ends import douts_of, dxs_of, inputs_of, outs_of, three_are_several, two_are_several, ys_of
from .model import THIS_LAYOUT, places, stack_integer
from .refused import fill_nan, refuse_table
from .several import A_BATCH, A_ROW, sample_mode
from .several_calls import SEVERAL, SEVERAL_INPUTS, call_backpropagate, call_forward, call_loss
from .walk import NO_LABELS, model_at, shape_fits

SHAPES = ("the shapes do not fit the model: x must have as many columns as the network has inputs, or the shape of its "
          "samples, each of them contiguous; out as many columns as it has outputs, both as many rows; and model.parameters "
          "must be all of them, contiguous")
LOSS_SHAPES = ("the shapes do not fit the model: x must be (samples, inputs) of at least one sample, or have the shape of "
               "the network's samples, each of them contiguous; y (samples, outputs) or (samples,), grads and "
               "model.parameters (parameters,), contiguous")
PULLBACK_SHAPES = ("the shapes do not fit the model: x and dx must have as many columns as the network has inputs, or the "
                   "shape of its samples, each of them contiguous; dout as many columns as it has outputs, all as many "
                   "rows; grads and model.parameters one number for each parameter, contiguous")
NO_GRADIENTS = ("this model was made by compiled(gradients=False), or for sequences of any length, of which compiled code "
                "has no gradients; make it without that, or for sequences of one length")
SEQUENCES = ("this model takes sequences of any length; call fastnn.jit.step with a state, or fastnn.jit.forward_sequence")
NO_LABELS_HERE = "y holds whole numbers, which are classes; this network takes values: give y as (samples, outputs)"
WRONG_LABEL = "y holds a label that is none of the classes; labels run from 0 to outputs - 1"


@jit(inline=True)
def check_forward(head, table, sample, x_shape, out_shape, parameters, out, row, column, item):
    """Raise an error if the arrays do not fit the network; out is nan then."""
    fit = (x_shape[0] == out_shape[0] and x_shape[1] == head.inputs and out_shape[1] == head.outputs
           and parameters == head.size)
    if head.layout != THIS_LAYOUT + item or not fit or not shape_fits(head, table, sample):
        fill_nan(out, out_shape[0], out_shape[1], row, column, item)
        refuse_table(head, item)
        if head.inputs == SEVERAL_INPUTS:
            raise ValueError(SEVERAL)
        if head.inputs < 0:
            raise ValueError(SEQUENCES)
        raise ValueError(SHAPES)


@jit(inline=True, cached=True)
def forward_row(model, x, out):
    """Run one sample through a network: out = net(x), with the bits of `Network.forward`.

    Call it from compiled code, on any thread. x is not checked for nan.

    Parameters
    ----------
    model : Model
    x : array (inputs,) of the model's dtype
        If the network's samples have a shape, also of that shape, contiguous. Of several inputs, a tuple of arrays in the
        order of `network.input_shapes`.
    out : array (outputs,) of the model's dtype
        Overwritten. It may be x itself. Of several outputs, a tuple of arrays in the order of `network.output_shapes`.

    Raises
    ------
    ValueError
        If a shape does not fit; out is then filled with nan.
    numba.TypingError
        When the caller compiles, if an array is not of the model's dtype or has another number of axes.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import Dense, Network
    >>> from numba import njit
    >>> @njit
    ... def simulate(model, state, steps):
    ...     for _ in range(steps):
    ...         fastnn.jit.forward_row(model, state, state)
    >>> net, state = Network([Dense(8, "tanh"), Dense(2)], inputs=2), np.ones(2, np.float32)
    >>> simulate(net.compiled(gradients=False), state, 1000)
    """
    if two_are_several(x, out):
        call_forward(x, out, (places(model), inputs_of(model, x), outs_of(model, out), A_ROW))
        return
    table, parameters, size, item = places(model)
    head = model_at(table)
    x_, rows, inputs, _, x_column = x_sample(model, x)
    out_, out_rows, outputs, out_row, out_column = out_vector(model, out)
    check_forward(head, table, shape_of_sample(model, x), (rows, inputs), (out_rows, outputs), size, out_, out_row,
                  out_column, item)
    call_at(head.forward_row, (table, parameters, x_, x_column, out_, out_column))


@jit(cached=True)
def forward(model, x, out):
    """Run samples through a network: out[i] = net(x[i]), with the bits of `Network.forward`.

    Call it from compiled code; it runs on the calling thread. x is not checked for nan.

    Parameters
    ----------
    model : Model
    x : array (samples, inputs) of the model's dtype
        If the network's samples have a shape, also `(samples, *shape)` with contiguous samples. Of several inputs, a tuple
        of arrays in the order of `network.input_shapes`.
    out : array (samples, outputs) of the model's dtype
        Overwritten. It may be x itself, but must not overlap x otherwise. Of several outputs, a tuple of arrays in the order
        of `network.output_shapes`.

    Raises
    ------
    ValueError
        If a shape does not fit; out is then filled with nan.
    numba.TypingError
        When the caller compiles, if an array is not of the model's dtype or has another number of axes.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import Dense, Network
    >>> from numba import njit
    >>> @njit
    ... def outputs(model, x):
    ...     out = np.empty((len(x), 3), x.dtype)
    ...     fastnn.jit.forward(model, x, out)
    ...     return out
    >>> net, x = Network([Dense(8, "tanh"), Dense(3, "softmax")], inputs=2), np.ones((5, 2), np.float32)
    >>> bool(np.all(outputs(net.compiled(), x) == net.forward(x)))
    True

    Two inputs and two outputs:

    >>> from fastnn import Input
    >>> a, b = Input(2, name="a"), Input(3, name="b")
    >>> h = Dense(8, "tanh")(a) + Dense(8, "tanh")(b)
    >>> net = Network(inputs=[a, b], outputs={"kind": Dense(3, "softmax")(h), "size": Dense(1)(h)})
    >>> @njit
    ... def sizes(model, a, b):
    ...     kind, size = np.empty((len(a), 3), a.dtype), np.empty((len(a), 1), a.dtype)
    ...     fastnn.jit.forward(model, (a, b), (kind, size))
    ...     return size
    >>> a, b = np.ones((5, 2), np.float32), np.ones((5, 3), np.float32)
    >>> bool(np.all(sizes(net.compiled(), a, b) == net.forward([a, b])["size"]))
    True
    """
    if two_are_several(x, out):
        call_forward(x, out, (places(model), inputs_of(model, x), outs_of(model, out), A_BATCH))
        return
    table, parameters, size, item = places(model)
    head = model_at(table)
    x_, rows, inputs, x_row, x_column = x_samples(model, x)
    out_, out_rows, outputs, out_row, out_column = out_matrix(model, out)
    check_forward(head, table, shape_of_samples(model, x), (rows, inputs), (out_rows, outputs), size, out_, out_row,
                  out_column, item)
    call_at(head.forward, (table, parameters, x_, x_row, x_column, out_, out_row, out_column, rows))


@jit(cached=True)
def loss_and_gradients(model, x, y, grads):
    """Return the loss over all samples and write its gradients, with the bits of `Network.loss_and_gradients`.

    Call it from compiled code; it runs on the calling thread. Layers behave as in prediction. Values are not checked for
    nan.

    Parameters
    ----------
    model : Model
    x : array (samples, inputs) of the model's dtype
        If the network's samples have a shape, also `(samples, *shape)` with contiguous samples. Of several inputs, a tuple
        of arrays in the order of `network.input_shapes`.
    y : array (samples, outputs) or (samples,)
        Values or probabilities of the model's dtype; or int64 labels (samples,). Of several outputs, a tuple of arrays in
        the order of `network.output_shapes`.
    grads : array (parameters,) of the model's dtype, contiguous
        Overwritten. It has the layout of `Model.parameters`; `fastnn.jit.views` returns its parts by name.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a shape does not fit or a label is not a class; grads is then filled with nan.
    numba.TypingError
        When the caller compiles, if an array is of a wrong dtype.

    Examples
    --------
    Gradient descent in one compiled call:

    >>> import numpy as np, fastnn
    >>> from fastnn import Dense, Network
    >>> from numba import njit
    >>> @njit
    ... def descend(model, x, y, steps, rate):
    ...     grads = np.empty_like(model.parameters)
    ...     for _ in range(steps):
    ...         loss = fastnn.jit.loss_and_gradients(model, x, y, grads)
    ...         for k in range(grads.size):
    ...             model.parameters[k] -= rate * grads[k]
    ...     return loss
    >>> net, x = Network([Dense(8, "tanh"), Dense(1)], inputs=1), np.linspace(-1, 1, 50).astype(np.float32)[:, None]
    >>> descend(net.compiled(), x, x * x, steps=2000, rate=0.1) < 1e-3
    True
    >>> net.evaluate(x, x * x)["loss"] < 1e-3  # the network itself is trained
    True
    """
    if two_are_several(x, y):
        return call_loss(x, y, (places(model), inputs_of(model, x), ys_of(model, y), gradients_of(model, grads), grads.size))
    table, parameters, size, item = places(model)
    head = model_at(table)
    x_, rows, inputs, x_row, x_column = x_samples(model, x)
    y_, y_rows, outputs, y_row, y_column = targets_of(model, y)
    grads_, labels = gradients_of(model, grads), are_labels(y)
    check_loss(head, table, size, shape_of_samples(model, x), (rows, inputs), (y_rows, outputs), labels, grads_, grads.size,
               item)
    loss, wrong = stack_integer(), stack_integer()
    call_at(head.gradients, (table, parameters, x_, x_row, x_column, y_, y_row, y_column, labels, grads_, rows, loss,
                             wrong))
    if integer(wrong, 0) != 0:
        raise ValueError(WRONG_LABEL)
    return view(floats(loss), 0, 1)[0]


@jit
def check_loss(head, table, parameters, sample, x_shape, y_shape, labels, gradients, size, item):
    wrong_layout = head.layout != THIS_LAYOUT + item
    missing = not wrong_layout and head.gradients == 0
    values = labels != 0 and head.labels == NO_LABELS
    fit = (x_shape[0] == y_shape[0] and x_shape[0] > 0 and x_shape[1] == head.inputs
           and (y_shape[1] == head.outputs or labels != 0) and size == parameters == head.size)
    if wrong_layout or missing or values or not fit or not shape_fits(head, table, sample):
        fill_nan(gradients, 1, size, 0, item, item)
        refuse_table(head, item)
        if head.inputs == SEVERAL_INPUTS:
            raise ValueError(SEVERAL)
        if missing:
            raise ValueError(NO_GRADIENTS)
        if values:
            raise ValueError(NO_LABELS_HERE)
        raise ValueError(LOSS_SHAPES)


@jit
def check_pullback(head, table, samples, x_shape, dout_shape, parameters, size, dx, dx_shape, row, column, item):
    """Raise an error if the arrays do not fit the network or it has no gradients; dx is nan then."""
    wrong_layout = head.layout != THIS_LAYOUT + item
    missing = not wrong_layout and head.pullback == 0
    fit = (x_shape[0] == dx_shape[0] and x_shape[1] == dx_shape[1] and x_shape[0] == dout_shape[0]
           and x_shape[1] == head.inputs and dout_shape[1] == head.outputs
           and size == parameters == head.size)
    if (wrong_layout or missing or not fit or not shape_fits(head, table, samples[0])
            or not shape_fits(head, table, samples[1])):
        fill_nan(dx, dx_shape[0], dx_shape[1], row, column, item)
        refuse_table(head, item)
        if head.inputs == SEVERAL_INPUTS:
            raise ValueError(SEVERAL)
        if missing:
            raise ValueError(NO_GRADIENTS)
        raise ValueError(PULLBACK_SHAPES)


@jit(inline=True)
def backpropagate(place, x, dout, dx, samples, gradients, count):
    """Write dx, and add to the `count` gradients of the parameters at the address `gradients`, if it is not 0."""
    (table, parameters, size, item), (x_, rows, inputs, x_row, x_column) = place, x
    dout_, dout_rows, outputs, dout_row, dout_column = dout
    dx_, dx_rows, dx_columns, dx_row, dx_column = dx
    head = model_at(table)
    check_pullback(head, table, samples, (rows, inputs), (dout_rows, outputs), size, count, dx_, (dx_rows, dx_columns),
                   dx_row, dx_column, item)
    call_at(head.pullback, (table, parameters, x_, x_row, x_column, dout_, dout_row, dout_column, dx_, dx_row,
                            dx_column, gradients, rows))


@jit(cached=True)
def input_gradients(model, x, dout, dx):
    """Backpropagate gradients of the outputs to the inputs: dx[i] = Σⱼ dout[i, j] · d out[i, j] / d x[i].

    Call it from compiled code; it runs on the calling thread. Layers behave as in prediction.

    Parameters
    ----------
    model : Model
    x : array (samples, inputs) or (inputs,) of the model's dtype
        If the network's samples have a shape, also `(samples, *shape)`, or `shape` if dout is a vector. x, dout and dx of
        several inputs or outputs are tuples of arrays in their order.
    dout : array (samples, outputs) or (outputs,) of the model's dtype
        The derivative of some number with respect to each output. If dout is 1 for one output and 0 for the others, dx is
        the derivative of that output.
    dx : array like x
        Overwritten with the derivative of that number with respect to each input. It may be x itself.

    Raises
    ------
    ValueError
        If a shape does not fit; dx is then filled with nan.
    numba.TypingError
        When the caller compiles, if an array is not of the model's dtype.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import Dense, Network
    >>> net = Network([Dense(1)], inputs=2)
    >>> net.parameters["0.weight"][:, 0] = 3, 5
    >>> dx = np.empty(2, np.float32)
    >>> fastnn.jit.input_gradients(net.compiled(), np.ones(2, np.float32), np.array([2], np.float32), dx)
    >>> dx
    array([ 6., 10.], dtype=float32)
    """
    place = places(model)
    if three_are_several(x, dout, dx):
        call_backpropagate(x, dout, (place, inputs_of(model, x), douts_of(model, dout), dxs_of(model, dx), 0, place[2],
                                     sample_mode(dout)))
        return
    backpropagate(place, x_like_dout(model, x, dout), dout_either(model, dout), dx_like_dout(model, dx, dout),
                  (shape_like_dout(model, x, dout), shape_like_dout(model, dx, dout)), 0, place[2])


@jit(cached=True)
def pullback(model, x, dout, dx, grads):
    """Backpropagate gradients of the outputs to the inputs, as `input_gradients` does, and to the parameters.

    Each call adds to grads, so that the gradients of a chain of calls, such as the steps of an integration, add up. Set
    grads to zero before the first call.

    Parameters
    ----------
    model, x, dout, dx
        As for `input_gradients`.
    grads : array (parameters,) of the model's dtype, contiguous
        Σᵢⱼ dout[i, j] · d out[i, j] / d parameters is added. It has the layout of `Model.parameters`.

    Raises
    ------
    ValueError
        If a shape does not fit; dx is then filled with nan.
    numba.TypingError
        When the caller compiles, if an array is not of the model's dtype.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import Dense, Network
    >>> net, x = Network([Dense(1)], inputs=2), np.array([3, 5], np.float32)
    >>> dx, grads = np.empty(2, np.float32), np.zeros(3, np.float32)
    >>> for _ in range(2):
    ...     fastnn.jit.pullback(net.compiled(), x, np.ones(1, np.float32), dx, grads)
    >>> fastnn.jit.views(net, grads)["0.weight"][:, 0]
    array([ 6., 10.], dtype=float32)
    """
    if three_are_several(x, dout, dx):
        call_backpropagate(x, dout, (places(model), inputs_of(model, x), douts_of(model, dout), dxs_of(model, dx),
                                     gradients_of(model, grads), grads.size, sample_mode(dout)))
        return
    backpropagate(places(model), x_like_dout(model, x, dout), dout_either(model, dout), dx_like_dout(model, dx, dout),
                  (shape_like_dout(model, x, dout), shape_like_dout(model, dx, dout)), gradients_of(model, grads),
                  grads.size)
