"""Joins of several tensors, and slices, in NumPy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..naive.joins import TINY, check_factors
from ..naive.rungs import check_joined, check_parts, check_slice
from .records import real


def weighted_sum_forward(tensors, factors) -> NDArray:
    """Compute a = Σ factor · x, element by element, of a list of tensors (batch, …) of one shape.

    Examples
    --------
    >>> weighted_sum_forward([[[1.0, 2.0]], [[10.0, 20.0]]], factors=[1.0, -1.0])
    array([[ -9., -18.]])
    """
    tensors = joined_arrays(tensors)
    check_factors(tensors, factors)
    return sum(x * x.dtype.type(factor) for factor, x in zip(factors, tensors, strict=True))


def weighted_sum_backward(da: ArrayLike, factors) -> list[NDArray]:
    """Compute the gradient of each tensor of `weighted_sum_forward`, a list: dx = factor · da."""
    da = real(da)
    return [da * da.dtype.type(factor) for factor in factors]


def multiply_forward(tensors) -> NDArray:
    """Compute the product of tensors of one shape, element by element.

    Examples
    --------
    >>> multiply_forward([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[10., 40.]])
    """
    return np.prod(joined_arrays(tensors), axis=0)


def multiply_backward(da: ArrayLike, tensors) -> list[NDArray]:
    """Compute the gradient of each tensor of `multiply_forward`, a list: da times the product of the others."""
    da, tensors = real(da), joined_arrays(tensors)
    check_joined(da.shape, tensors[0].shape)
    return [da * np.prod(tensors[:k] + tensors[k + 1:], axis=0) for k in range(len(tensors))]


def maximum_forward(tensors) -> NDArray:
    """Compute the largest of tensors of one shape, element by element; NaN where one is.

    Examples
    --------
    >>> maximum_forward([[[1.0, 20.0]], [[10.0, 2.0]]])
    array([[10., 20.]])
    """
    return np.max(joined_arrays(tensors), axis=0)


def maximum_backward(da: ArrayLike, tensors) -> list[NDArray]:
    """Compute the gradient of each tensor of `maximum_forward`, a list.

    It goes to the largest element. Two equal ones share it by halves: the first tensors, taken as one, and the next tensor.

    Examples
    --------
    >>> maximum_backward([[1.0, 1.0, 1.0]], [[[1.0, 5.0, 3.0]], [[2.0, 4.0, 3.0]]])
    [array([[0. , 1. , 0.5]]), array([[1. , 0. , 0.5]])]
    """
    da, tensors, found = real(da), joined_arrays(tensors), []
    check_joined(da.shape, tensors[0].shape)
    for k in range(len(tensors) - 1, 0, -1):
        before = np.max(tensors[:k], axis=0)
        own = np.where(before == tensors[k], 0.5, before < tensors[k]).astype(da.dtype)
        found.insert(0, da * own)
        da = da * (1 - own)
    return [da, *found]


def concatenate_forward(tensors, axis: int = -1) -> NDArray:
    """Put tensors one after the other along an axis of a sample: 0 is the first after the batch, -1 the last.

    Examples
    --------
    >>> concatenate_forward([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]])
    """
    tensors = [real(x) for x in tensors]
    return np.concatenate(tensors, axis=check_parts([x.shape for x in tensors], axis))


def concatenate_backward(da: ArrayLike, sizes, axis: int = -1) -> list[NDArray]:
    """Compute the gradient of each tensor of `concatenate_forward`, a list; sizes: their sizes along the axis.

    Examples
    --------
    >>> concatenate_backward([[1.0, 2.0, 3.0]], sizes=[2, 1])
    [array([[1., 2.]]), array([[3.]])]
    """
    da = real(da)
    return np.split(da, np.cumsum(sizes)[:-1], axis=check_parts([da.shape], axis))


def slice_forward(x: ArrayLike, start: int, stop: int, axis: int = -1) -> NDArray:
    """Take the elements start … stop − 1 along an axis of a sample: 0 is the first after the batch, -1 the last.

    Examples
    --------
    >>> slice_forward([[1.0, 2.0, 3.0]], start=1, stop=3)
    array([[2., 3.]])
    """
    x = real(x)
    place = check_parts([x.shape], axis)
    check_slice(x.shape[place], start, stop)
    return x.take(range(start, stop), axis=place)


def slice_backward(da: ArrayLike, size: int, start: int, axis: int = -1) -> NDArray:
    """Compute the gradient of `slice_forward`: da, and zeros elsewhere. size: that of x along the axis.

    Examples
    --------
    >>> slice_backward([[2.0, 3.0]], size=4, start=1)
    array([[0., 2., 3., 0.]])
    """
    da = real(da)
    place = check_parts([da.shape], axis)
    check_slice(size, start, start + da.shape[place])
    return np.pad(da, [(start, size - start - n) if axis == place else (0, 0) for axis, n in enumerate(da.shape)])


def dot_forward(x: ArrayLike, y: ArrayLike, normalize: bool = False) -> NDArray:
    """Compute the dot product along the last axis, a = Σ x y (batch, …, 1), or the cosine of the angle.

    normalize: whether to divide by the lengths of x and y, which count as at least 1e-6.

    Examples
    --------
    >>> dot_forward([[3.0, 4.0]], [[4.0, 3.0]], normalize=True)
    array([[0.96]])
    """
    x, y = joined_arrays([x, y])
    a = (x * y).sum(axis=-1, keepdims=True)
    return a / (length(x) * length(y)) if normalize else a


def dot_backward(da: ArrayLike, x: ArrayLike, y: ArrayLike, normalize: bool = False) -> tuple[NDArray, NDArray]:
    """Compute the gradients of `dot_forward` from da (batch, …, 1): (dx, dy)."""
    da, (x, y) = real(da), joined_arrays([x, y])
    if not normalize:
        return da * y, da * x
    a = dot_forward(x, y, normalize=True)

    def gradient(x, y):
        along = np.where(length(x) > TINY, a / length(x) ** 2, 0)
        return da * (y / (length(x) * length(y)) - along * x)

    return gradient(x, y), gradient(y, x)


def length(x):
    return np.maximum(np.sqrt((x * x).sum(axis=-1, keepdims=True)), x.dtype.type(TINY))


def joined_arrays(tensors):
    """Return tensors of one shape as arrays of floats."""
    tensors = [real(x) for x in tensors]
    check_joined(*(x.shape for x in tensors))
    return tensors
