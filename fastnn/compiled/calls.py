"""The kernels as functions for Python, under the names of `fastnn.naive` and `fastnn.vectorized`.

These run the machine code of training, one kernel at a time: a kernel of an activation, loss or optimizer by its record, a
dense layer as a network of one row. Arrays are float32 or float64 (anything else becomes float64) and are copied only if
they are not C-contiguous; results are new arrays. In addition to the functions below, there is a pair for each registered
activation and loss, under its name:

>>> from fastnn import kernels
>>> kernels.tanh([[0.0, 100.0]])
array([[0., 1.]])
>>> kernels.squared_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 3.0]])
1.25
>>> kernels.squared_error_gradient([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 3.0]])
array([[0. , 1. ],
       [0. , 0.5]])
"""

import sys

import numpy as np

from ..checks import whole_number
from ..kernels.compiling.objects import address
from ..kernels.interpreter.table import PHASES
from ..kernels.layers.dense import dense_row
from ..kernels.optimizers import COEFFICIENTS
from ..kernels.training.clip import LIMITS, clip_row
from ..kernels.training.penalty import penalty_row, weight_penalty_kernel
from ..naive.rungs import (
    check_limit,
    check_linear,
    check_strengths,
    check_targets,
    check_weights,
    registered_functions,
    registry_attributes,
)
from ..runtime.memory import block_sums
from ..runtime.threads import FLOPS_PER_PART, parts, resolve_threads
from ..samples.arrays import real_array
from .arguments import check_alike, cut_phase, place, real_arrays, run_once
from .layer_calls import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_predict,
    batch_norm_running,
    dropout_backward,
    dropout_forward,
    group_norm_backward,
    group_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
)

__all__ = [
    "batch_norm_backward", "batch_norm_forward", "batch_norm_predict", "batch_norm_running", "clip_by_norm", "clip_by_value",
    "dropout_backward", "dropout_forward", "group_norm_backward", "group_norm_forward", "layer_norm_backward",
    "layer_norm_forward", "linear_backward", "linear_forward",
    "optimizer_update", "registered_functions", "weight_penalty", "weight_penalty_gradient",
]

empty = np.empty


def rows_and_columns(activation, z):
    """Return the number of rows and columns of z for a kernel: rows along the last axis if that matters."""
    if not activation.rowwise:
        return z.size, 1
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError(f"z has shape {z.shape}; {activation.name} takes rows of at least one number, (..., outputs)")
    return z.size // z.shape[-1], z.shape[-1]


def activate(activation, z):
    """a = g(z)."""
    dtype, z = real_arrays(z=z)
    a = empty(z.shape, dtype)
    activation.forward(dtype, a, z, *rows_and_columns(activation, z))
    return a


def pullback(activation, da, z, a):
    """Return dz, given da, for one activation."""
    dtype, da, z, a = real_arrays(da=da, z=z, a=a)
    check_alike(z=z, a=a, da=da)
    dz = empty(z.shape, dtype)
    dz[...] = da
    activation.backward(dtype, dz, z, a, *rows_and_columns(activation, z))
    return dz


def derivative(activation, z, a):
    """Return da/dz = g'(z), given a = g(z) as well: the pullback of 1."""
    return pullback(activation, np.ones_like(a, np.float32), z, a)


def loss_and_gradient(loss, a, y, weights):
    """Return the loss of each sample (batch,), in float64, and da (batch, outputs)."""
    dtype, a = real_arrays(a=a)
    y = np.array(real_array("y", y, dtype))  # a copy, because the kernel overwrites it
    check_targets(a.shape, y.shape, loss)
    if weights is None:
        shares = np.full(len(a), 1 / len(a), dtype)
    else:
        weights = real_array("weights", weights, "float64")
        check_weights(weights, weights.shape, len(a))
        shares = (weights / weights.sum()).astype(dtype)
    row_losses, da = empty(len(a), np.float64), empty(a.shape, dtype)
    loss.kernel(dtype, row_losses, da, a, y, shares, *a.shape)
    return row_losses, da


def mean_loss(loss, a, y, weights=None):
    """J = Σᵢ wᵢ Lᵢ / Σᵢ wᵢ, with Lᵢ the sum over the outputs of sample i."""
    return float(loss_and_gradient(loss, a, y, weights)[0].sum())


def mean_loss_gradient(loss, a, y, weights=None):
    """daᵢ = wᵢ ∂Lᵢ/∂aᵢ / Σᵢ wᵢ: already divided, so nothing after it divides again."""
    return loss_and_gradient(loss, a, y, weights)[1]


def linear_row(dtype, weight, *, x, z=None, dz=None, dx=None, scratch=None, bias):
    """Return the table of a network of this layer, whose memory is that of these arrays."""
    return dense_row(dtype, None, {}, x=place(x), z=place(z), a=place(z), dz=None if dz is None else place(dz),
                     dx=None if dx is None else place(dx), scratch=place(scratch), weight=place(weight), bias=place(bias),
                     batch=len(x), in_features=weight.shape[0], out_features=weight.shape[1])


def linear_sizes(x, weight, bias):
    """Return batch, in_features and out_features for arrays of these shapes, if they fit."""
    check_linear(x, weight, bias)
    sizes = *x, weight[1]
    if 0 in sizes:
        raise ValueError(f"x has shape {x} and weight {weight}; give at least one sample, one feature in and one out")
    return sizes


def linear_forward(x, weight, bias, threads=None):
    """Compute z = x @ weight + bias.

    Parameters
    ----------
    x : (batch, in_features)
    weight : (in_features, out_features)
    bias : (out_features,)
    threads : int, optional
        The largest number of threads, used if there is enough work; default all. The number does not change the result.

    Returns
    -------
    z : (batch, out_features)

    Examples
    --------
    >>> linear_forward([[1.0, 2.0]], weight=[[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]], bias=[0.5, 0.5, 0.5])
    array([[1.5, 2.5, 1.5]])
    """
    dtype, x, weight, bias = real_arrays(x=x, weight=weight, bias=bias)
    batch, in_features, out_features = linear_sizes(x.shape, weight.shape, bias.shape)
    z = empty((batch, out_features), dtype)
    row = linear_row(dtype, weight, x=x, z=z, bias=bias)
    work = 2 * batch * in_features * out_features
    cut_phase(row, "forward", batch, min(parts(work, FLOPS_PER_PART, resolve_threads(threads)), batch), work)
    return z


def linear_backward(dz, x, weight, threads=None):
    """Compute the gradients of z = x @ weight + bias from dz.

    dx = dz weightᵀ,  dweight = xᵀ dz,  dbias = Σᵢ dzᵢ

    Nothing is divided by the batch size here: the gradient of a loss is divided already.

    Parameters
    ----------
    dz : (batch, out_features)
    x : (batch, in_features)
    weight : (in_features, out_features)
    threads : int, optional
        As for `linear_forward`.

    Returns
    -------
    dx : (batch, in_features)
    dweight : (in_features, out_features)
    dbias : (out_features,)

    Examples
    --------
    >>> dx, dweight, dbias = linear_backward([[1.0], [2.0]], x=[[3.0, 4.0], [5.0, 6.0]], weight=[[0.5], [0.25]])
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[0.5, 0.25], [1.0, 0.5]], [[13.0], [16.0]], [3.0])
    """
    dtype, dz, x, weight = real_arrays(dz=dz, x=x, weight=weight)
    batch, in_features, out_features = linear_sizes(x.shape, weight.shape, dz.shape[1:])
    if len(dz) != len(x):
        raise ValueError(f"dz has {len(dz)} rows and x has {len(x)}; give one dz for each sample")
    dx, dweight, dbias = empty(x.shape, dtype), empty(weight.shape, dtype), empty(out_features, dtype)
    scratch = np.empty(weight.shape, dtype)
    row = linear_row(dtype, weight, x=x, dz=dz, dx=dx, scratch=scratch, bias=dbias)
    work = 2 * batch * in_features * out_features
    count = parts(work, FLOPS_PER_PART, resolve_threads(threads))
    cut_phase(row, "backward_second", batch, count, work)
    row["weight"] = place(dweight)  # the offset of the weight is used for its gradient too
    cut_phase(row, "backward_third", batch, min(count, in_features), work)
    return dx, dweight, dbias


def clipped(gradients, value=np.inf, norm=np.inf):
    dtype, gradients = real_arrays(gradients=gradients)
    gradients, sums, limits = gradients.copy(), block_sums(gradients.size), LIMITS.new(value=value, norm=norm, factor=1.0)
    row = clip_row(dtype, 1, size=gradients.size, sums=address(sums), limits=address(limits))
    for phase in PHASES:
        run_once(row, phase, gradients=address(gradients))
    return gradients


def clip_by_value(gradients, limit):
    """Limit each element to [−limit, limit].

    Examples
    --------
    >>> clip_by_value([-3.0, 0.5, 2.0], limit=1.0)
    array([-1. ,  0.5,  1. ])
    """
    check_limit("limit", limit)
    return clipped(gradients, value=limit)


def clip_by_norm(gradients, limit):
    """Scale the gradient down to ‖g‖ = limit if ‖g‖ = √Σ g² exceeds it (Pascanu et al. 2013, algorithm 1).

    Examples
    --------
    >>> clip_by_norm([3.0, 4.0], limit=0.5)
    array([0.3, 0.4])
    """
    check_limit("limit", limit)
    return clipped(gradients, norm=limit)


def weight_penalty(weight, l1=0.0, l2=0.0):
    """Compute l1 Σ |w| + l2 Σ w².

    Examples
    --------
    >>> weight_penalty([[1.0, -2.0], [3.0, 0.0]], l1=0.5, l2=2.0)
    31.0
    """
    check_strengths(l1, l2)
    dtype, weight = real_arrays(weight=weight)
    out, strengths = np.zeros(1), np.array([l1, l2], np.float64)
    weight_penalty_kernel(dtype, out, block_sums(weight.size), weight, strengths, weight.size)
    return float(out[0])


def weight_penalty_gradient(weight, l1=0.0, l2=0.0):
    """Compute the derivative of the penalty with respect to each w: l1 sign(w) + 2 l2 w, with sign(0) = 0.

    Examples
    --------
    >>> weight_penalty_gradient([[1.0, -2.0], [3.0, 0.0]], l1=0.5, l2=2.0).tolist()
    [[4.5, -8.5], [12.5, 0.0]]
    """
    check_strengths(l1, l2)
    dtype, weight = real_arrays(weight=weight)
    gradient = np.zeros(weight.shape, dtype)
    row = penalty_row(dtype, 1, start=0, size=weight.size, sums=0, l1=l1, l2=l2)
    run_once(row, "backward_first", parameters=address(weight), gradients=address(gradient))
    return gradient


def optimizer_update(optimizer, parameters, gradients, state, step):
    """Update a flat vector of parameters.

    Parameters
    ----------
    optimizer : an optimizer such as Adam(learning_rate=0.01)
    parameters, gradients : (size,)
    state : list of (size,)
        One vector for each of the optimizer's slots, zeros at first.
    step : int
        The number of the step, counted from 1.

    Returns
    -------
    parameters : (size,)
    state : list of (size,)

    Examples
    --------
    >>> from fastnn.kernels.optimizers.sgd import SGD
    >>> optimizer_update(SGD(learning_rate=0.1, momentum=0.9), [2.0, 1.0], [1.0, -1.0], state=[[0.0, 0.0]], step=1)
    (array([1.9, 1.1]), [array([ 1., -1.])])
    """
    if len(state) != len(optimizer.slots):
        raise ValueError(f"state has {len(state)} vectors; {type(optimizer).__name__} keeps {len(optimizer.slots)}: "
                         f"{', '.join(optimizer.slots)}")
    named = dict(zip(optimizer.slots, state, strict=True))
    dtype, parameters, gradients, *slots = real_arrays(parameters=parameters, gradients=gradients, **named)
    check_alike(parameters=parameters, gradients=gradients, **dict(zip(optimizer.slots, slots, strict=True)))
    step, size, coefficients = whole_number("step", step), parameters.size, np.zeros(COEFFICIENTS, dtype)
    updated, memory = empty(parameters.shape, dtype), empty((len(slots), size), dtype)
    updated[...] = parameters
    for slot, values in zip(memory, slots, strict=True):
        slot[:] = values.reshape(size)
    optimizer.coefficients_kernel(dtype, coefficients, optimizer.hyperparameters(step), step)
    optimizer.kernel(dtype, updated, gradients, memory, size, coefficients, size)
    return updated, [slot.reshape(parameters.shape) for slot in memory]


__getattr__, __dir__ = registry_attributes(globals(), sys.modules[__name__])
