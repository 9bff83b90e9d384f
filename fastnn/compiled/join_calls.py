"""Joins of several tensors, and slices, as functions for Python: each runs as rows of a network, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import math

import numpy as np

from ..kernels.layers.joins.add import add_row
from ..kernels.layers.joins.copy_part import copy_part_row
from ..kernels.layers.joins.dot import dot_row
from ..kernels.layers.joins.maximum import maximum_row
from ..kernels.layers.joins.multiply import multiply_row
from ..naive.joins import check_factors
from ..naive.rungs import check_joined, check_parts, check_slice
from .arguments import place, real_arrays
from .image_calls import run_shared

empty = np.empty


def joined_arrays(tensors, **others):
    """Return a dtype, tensors of one shape as a list, and other arrays."""
    tensors = list(tensors)
    dtype, *arrays = real_arrays(**{f"tensors[{k}]": x for k, x in enumerate(tensors)}, **others)
    check_joined(*(x.shape for x in arrays[:len(tensors)]))
    return dtype, arrays[:len(tensors)], *arrays[len(tensors):]


def weighted_sum_forward(tensors, factors, threads=None):
    """Compute a = Σ factor · x, element by element, of a list of tensors (batch, …) of one shape.

    Examples
    --------
    >>> weighted_sum_forward([[[1.0, 2.0]], [[10.0, 20.0]]], factors=[1.0, -1.0])
    array([[ -9., -18.]])
    """
    dtype, tensors = joined_arrays(tensors)
    check_factors(tensors, factors)
    a, x, first = empty(tensors[0].shape, dtype), tensors[0], factors[0]
    for y, factor in zip(tensors[1:], factors[1:], strict=True):
        row = add_row(dtype, 1, x=place(x), y=place(y), a=place(a), da=None, features=math.prod(a.shape[1:]),
                      factors=(first, factor))
        run_shared(row, ["forward"], a, threads)
        x, first = a, 1.0
    return a


def weighted_sum_backward(da, factors, threads=None):
    """Compute the gradient of each tensor of `weighted_sum_forward`, a list: dx = factor · da."""
    dtype, da = real_arrays(da=da)
    found = [empty(da.shape, dtype) for _ in factors]
    for dx, factor in zip(found, factors, strict=True):
        row = add_row(dtype, 1, x=0, y=0, a=0, da=place(da), dx=place(dx), features=math.prod(da.shape[1:]),
                      factors=(factor, 0.0))
        run_shared(row, ["backward_first"], da, threads)
    return found


def pairwise_forward(make_row, tensors, threads):
    """Return the join of the first two tensors, that with the third, …"""
    dtype, (first, *others) = joined_arrays(tensors)
    results = [first]
    for y in others:
        a = empty(y.shape, dtype)
        row = make_row(dtype, 1, x=place(results[-1]), y=place(y), a=place(a), features=math.prod(a.shape[1:]))
        run_shared(row, ["forward"], a, threads)
        results.append(a)
    return dtype, results


def pairwise_backward(make_row, da, tensors, threads):
    """Return the gradient of each tensor."""
    dtype, tensors, da = joined_arrays(tensors, da=da)
    check_joined(da.shape, tensors[0].shape)
    _, results = pairwise_forward(make_row, tensors, threads)
    found = []
    for k in range(len(tensors) - 1, 0, -1):
        dx, dy = empty(da.shape, dtype), empty(da.shape, dtype)
        row = make_row(dtype, 1, x=place(results[k - 1]), y=place(tensors[k]), a=place(results[k]),
                       features=math.prod(da.shape[1:]), da=place(da), dx=place(dx), dy=place(dy))
        run_shared(row, ["backward_first"], da, threads)
        found.insert(0, dy)
        da = dx
    return [da, *found]


def multiply_forward(tensors, threads=None):
    """Compute the product of tensors of one shape, element by element.

    Examples
    --------
    >>> multiply_forward([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[10., 40.]])
    """
    return pairwise_forward(multiply_row, tensors, threads)[1][-1]


def multiply_backward(da, tensors, threads=None):
    """Compute the gradient of each tensor of `multiply_forward`, a list: da times the product of the others."""
    return pairwise_backward(multiply_row, da, tensors, threads)


def maximum_forward(tensors, threads=None):
    """Compute the largest of tensors of one shape, element by element; NaN where one is.

    Examples
    --------
    >>> maximum_forward([[[1.0, 20.0]], [[10.0, 2.0]]])
    array([[10., 20.]])
    """
    return pairwise_forward(maximum_row, tensors, threads)[1][-1]


def maximum_backward(da, tensors, threads=None):
    """Compute the gradient of each tensor of `maximum_forward`, a list.

    It goes to the largest element. Two equal ones share it by halves: the first tensors, taken as one, and the next tensor.
    """
    return pairwise_backward(maximum_row, da, tensors, threads)


def copied(dtype, phase, x, a, x_place, size, x_start, a_start, threads):
    """Copy `size` elements of an axis of x to a, or back."""
    inner = math.prod(x.shape[x_place + 1:])
    row = copy_part_row(
        dtype, 1, x=place(x), a=place(a), outer=math.prod(x.shape[1:x_place]), size=size * inner,
        x_size=x.shape[x_place] * inner, x_start=x_start * inner, a_size=a.shape[x_place] * inner, a_start=a_start * inner,
        da=place(a), dx=place(x),
    )
    run_shared(row, [phase], x, threads)


def concatenate_forward(tensors, axis=-1, threads=None):
    """Put tensors one after the other along an axis of a sample: 0 is the first after the batch, -1 the last.

    Examples
    --------
    >>> concatenate_forward([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]])
    """
    dtype, *tensors = real_arrays(**{f"tensors[{k}]": x for k, x in enumerate(tensors)})
    at = check_parts([x.shape for x in tensors], axis)
    shape, start = [*tensors[0].shape], 0
    shape[at] = sum(x.shape[at] for x in tensors)
    a = empty(shape, dtype)
    for x in tensors:
        copied(dtype, "forward", x, a, at, x.shape[at], 0, start, threads)
        start += x.shape[at]
    return a


def concatenate_backward(da, sizes, axis=-1, threads=None):
    """Compute the gradient of each tensor of `concatenate_forward`, a list; sizes: their sizes along the axis.

    Examples
    --------
    >>> concatenate_backward([[1.0, 2.0, 3.0]], sizes=[2, 1])
    [array([[1., 2.]]), array([[3.]])]
    """
    dtype, da = real_arrays(da=da)
    at, found, start = check_parts([da.shape], axis), [], 0
    for size in sizes:
        check_slice(da.shape[at], start, start + size)
        dx = empty((*da.shape[:at], size, *da.shape[at + 1:]), dtype)
        copied(dtype, "backward_first", dx, da, at, size, 0, start, threads)
        found.append(dx)
        start += size
    return found


def slice_forward(x, start, stop, axis=-1, threads=None):
    """Take the elements start … stop − 1 along an axis of a sample: 0 is the first after the batch, -1 the last.

    Examples
    --------
    >>> slice_forward([[1.0, 2.0, 3.0]], start=1, stop=3)
    array([[2., 3.]])
    """
    dtype, x = real_arrays(x=x)
    at = check_parts([x.shape], axis)
    check_slice(x.shape[at], start, stop)
    a = empty((*x.shape[:at], stop - start, *x.shape[at + 1:]), dtype)
    copied(dtype, "forward", x, a, at, stop - start, start, 0, threads)
    return a


def slice_backward(da, size, start, axis=-1, threads=None):
    """Compute the gradient of `slice_forward`: da, and zeros elsewhere. size: that of x along the axis.

    Examples
    --------
    >>> slice_backward([[2.0, 3.0]], size=4, start=1)
    array([[0., 2., 3., 0.]])
    """
    dtype, da = real_arrays(da=da)
    at = check_parts([da.shape], axis)
    check_slice(size, start, start + da.shape[at])
    dx = empty((*da.shape[:at], size, *da.shape[at + 1:]), dtype)
    copied(dtype, "backward_first", dx, da, at, da.shape[at], start, 0, threads)
    return dx


def dot_forward(x, y, normalize=False, threads=None):
    """Compute the dot product along the last axis, a = Σ x y (batch, …, 1), or the cosine of the angle.

    normalize: whether to divide by the lengths of x and y, which count as at least 1e-6.

    Examples
    --------
    >>> dot_forward([[3.0, 4.0]], [[4.0, 3.0]], normalize=True)
    array([[0.96]])
    """
    dtype, (x, y) = joined_arrays([x, y])
    a = empty((*x.shape[:-1], 1), dtype)
    row = dot_row(dtype, 1, x=place(x), y=place(y), a=place(a), outer=math.prod(x.shape[1:-1]), features=x.shape[-1],
                  normalize=normalize)
    run_shared(row, ["forward"], x, threads)
    return a


def dot_backward(da, x, y, normalize=False, threads=None):
    """Compute the gradients of `dot_forward` from da (batch, …, 1): (dx, dy)."""
    dtype, (x, y), da = joined_arrays([x, y], da=da)
    if da.shape != (*x.shape[:-1], 1):
        raise ValueError(f"da has shape {da.shape}; with x of shape {x.shape} it must be {(*x.shape[:-1], 1)}")
    a, dx, dy = empty(da.shape, dtype), empty(x.shape, dtype), empty(x.shape, dtype)
    row = dot_row(dtype, 1, x=place(x), y=place(y), a=place(a), outer=math.prod(x.shape[1:-1]), features=x.shape[-1],
                  normalize=normalize, da=place(da), dx=place(dx), dy=place(dy))
    run_shared(row, ["forward", "backward_first"], x, threads)
    return dx, dy
