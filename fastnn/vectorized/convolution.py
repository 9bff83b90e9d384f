"""Convolution and its transpose in NumPy, over images (batch, height, width, channels).

Forward and dweight use a view of the padded image with all windows, in one product; dx is accumulated tap by tap. A
transposed convolution is the backward pass of a convolution.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from ..layers.windows import Windows
from ..naive.rungs import convolution_windows, transposed_convolution_windows
from .records import real


def padded(x: NDArray, rows: Windows, columns: Windows, value: float = 0) -> NDArray:
    """Return the images padded so that no tap of a window lies outside."""
    sides = [(axis.before, max(0, (axis.out - 1) * axis.stride + axis.span - axis.before - axis.size))
             for axis in (rows, columns)]
    return np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=value)


def window_view(x: NDArray, rows: Windows, columns: Windows) -> NDArray:
    """Return the windows of padded images: (batch, rows.out, columns.out, channels, kernel height, kernel width)."""
    seen = sliding_window_view(x, (rows.span, columns.span), axis=(1, 2))
    return seen[:, ::rows.stride, ::columns.stride, :, ::rows.dilation, ::columns.dilation][:, :rows.out, :columns.out]


def seen_by(i: int, j: int, rows: Windows, columns: Windows) -> tuple[slice, slice]:
    """Return the slices of padded images that tap (i, j) of all windows reads."""
    top, left = i * rows.dilation, j * columns.dilation
    return (slice(top, top + rows.stride * (rows.out - 1) + 1, rows.stride),
            slice(left, left + columns.stride * (columns.out - 1) + 1, columns.stride))


def by_group(array: NDArray, groups: int) -> NDArray:
    """Return the last axis as (groups, channels of a group)."""
    return array.reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def convolve(x: NDArray, weight: NDArray, rows: Windows, columns: Windows, groups: int) -> NDArray:
    """z (batch, rows.out, columns.out, out_channels), without the bias."""
    seen = window_view(padded(x, rows, columns), rows, columns)
    seen = seen.reshape(*seen.shape[:3], groups, weight.shape[2], *seen.shape[4:])
    z = np.einsum("nrcgkij,ijkgo->nrcgo", seen, by_group(weight, groups), optimize=True)
    return z.reshape(len(x), rows.out, columns.out, weight.shape[3])


def spread(dz: NDArray, weight: NDArray, rows: Windows, columns: Windows, groups: int) -> NDArray:
    """Return dx (batch, rows.size, columns.size, in_channels), the sum of the contributions of all windows."""
    in_channels = weight.shape[2] * groups
    dx = padded(np.zeros((len(dz), rows.size, columns.size, in_channels), dz.dtype), rows, columns)
    for i, j in np.ndindex(weight.shape[:2]):
        down, across = seen_by(i, j, rows, columns)
        given = np.einsum("nrcgo,kgo->nrcgk", by_group(dz, groups), by_group(weight[i, j], groups))
        dx[:, down, across] += given.reshape(*given.shape[:3], in_channels)
    return dx[:, rows.before:rows.before + rows.size, columns.before:columns.before + columns.size]


def correlate(x: NDArray, dz: NDArray, rows: Windows, columns: Windows, groups: int) -> NDArray:
    """dweight (kernel height, kernel width, in_channels / groups, out_channels)."""
    seen = window_view(padded(x, rows, columns), rows, columns)
    seen = seen.reshape(*seen.shape[:3], groups, seen.shape[3] // groups, *seen.shape[4:])
    dweight = np.einsum("nrcgkij,nrcgo->ijkgo", seen, by_group(dz, groups), optimize=True)
    return dweight.reshape(*dweight.shape[:3], dz.shape[3])


def conv2d_forward(x: ArrayLike, weight: ArrayLike, bias: ArrayLike, stride=1, padding="valid", dilation=1,
                   groups=1) -> NDArray:
    """Slide a kernel over images: z[r, c, o] = bias[o] + Σᵢⱼₖ x[r s + i d − top, c s + j d − left, k] weight[i, j, k, o].

    Parameters
    ----------
    x : (batch, height, width, in_channels)
    weight : (kernel height, kernel width, in_channels / groups, out_channels)
    bias : (out_channels,)
    stride, dilation : int or (int, int)
        Distances of windows and of taps, down and across.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right))
        No padding; enough for a window at each stride; or so many pixels.
    groups : int

    Returns
    -------
    z : (batch, windows down, windows across, out_channels)

    Examples
    --------
    >>> x = [[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]]  # one image of 2×3 pixels and one channel
    >>> conv2d_forward(x, weight=[[[[1.0]], [[10.0]]]], bias=[0.5]).tolist()
    [[[[21.5], [32.5]], [[54.5], [65.5]]]]
    """
    x, weight, bias = real(x), real(weight), real(bias)
    rows, columns = convolution_windows(x.shape, weight.shape, bias.shape, stride, padding, dilation, groups)
    return convolve(x, weight, rows, columns, groups) + bias


def conv2d_backward(dz: ArrayLike, x: ArrayLike, weight: ArrayLike, stride=1, padding="valid", dilation=1,
                    groups=1) -> tuple[NDArray, NDArray, NDArray]:
    """Compute the gradients of `conv2d_forward` from dz.

    Parameters
    ----------
    dz : (batch, windows down, windows across, out_channels)
    x, weight, stride, padding, dilation, groups
        As for `conv2d_forward`.

    Returns
    -------
    dx : (batch, height, width, in_channels)
    dweight : (kernel height, kernel width, in_channels / groups, out_channels)
    dbias : (out_channels,)

    Examples
    --------
    >>> dx, dweight, dbias = conv2d_backward([[[[1.0], [2.0]]]], [[[[1.0], [2.0], [3.0]]]], weight=[[[[1.0]], [[10.0]]]])
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[[[1.0], [12.0], [20.0]]]], [[[[5.0]], [[8.0]]]], [3.0])
    """
    dz, x, weight = real(dz), real(x), real(weight)
    rows, columns = convolution_windows(x.shape, weight.shape, weight.shape[3:], stride, padding, dilation, groups, dz.shape)
    return (spread(dz, weight, rows, columns, groups), correlate(x, dz, rows, columns, groups), dz.sum(axis=(0, 1, 2)))


def conv_transpose2d_forward(x: ArrayLike, weight: ArrayLike, bias: ArrayLike, stride=1, padding="valid", dilation=1,
                             groups=1, output_padding=0) -> NDArray:
    """Spread each pixel over a window: z[r s + i d − top, c s + j d − left, k] = bias[k] + Σ x[r, c, o] weight[i, j, k, o].

    It equals dx of `conv2d_backward` for dz = x. So the weight has its outputs before its inputs, as in Keras.

    Parameters
    ----------
    x : (batch, height, width, in_channels)
    weight : (kernel height, kernel width, out_channels / groups, in_channels)
    bias : (out_channels,)
    stride, dilation : int or (int, int)
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right))
        What is cropped: nothing; to height · stride and width · stride; or so many pixels.
    groups : int
    output_padding : int or (int, int)
        Additional pixels at the bottom and on the right.

    Returns
    -------
    z : (batch, rows, columns, out_channels)

    Examples
    --------
    >>> conv_transpose2d_forward([[[[1.0], [2.0]]]], weight=[[[[1.0]], [[10.0]]]], bias=[0.5], stride=(1, 2)).tolist()
    [[[[1.5], [10.5], [2.5], [20.5]]]]
    """
    x, weight, bias = real(x), real(weight), real(bias)
    rows, columns = (axis.reversed for axis in transposed_convolution_windows(
        x.shape, weight.shape, bias.shape, stride, padding, dilation, groups, output_padding))
    return spread(x, weight, rows, columns, groups) + bias


def conv_transpose2d_backward(dz: ArrayLike, x: ArrayLike, weight: ArrayLike, stride=1, padding="valid", dilation=1,
                              groups=1, output_padding=0) -> tuple[NDArray, NDArray, NDArray]:
    """Compute the gradients of `conv_transpose2d_forward` from dz.

    Parameters
    ----------
    dz : (batch, rows, columns, out_channels)
    x, weight, stride, padding, dilation, groups, output_padding
        As for `conv_transpose2d_forward`.

    Returns
    -------
    dx : (batch, height, width, in_channels)
    dweight : (kernel height, kernel width, out_channels / groups, in_channels)
    dbias : (out_channels,)

    Examples
    --------
    >>> dz, weight = [[[[1.0], [2.0], [3.0], [4.0]]]], [[[[1.0]], [[10.0]]]]
    >>> dx, dweight, dbias = conv_transpose2d_backward(dz, [[[[1.0], [2.0]]]], weight, stride=(1, 2))
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[[[21.0], [43.0]]]], [[[[7.0]], [[10.0]]]], [10.0])
    """
    dz, x, weight = real(dz), real(x), real(weight)
    rows, columns = (axis.reversed for axis in transposed_convolution_windows(
        x.shape, weight.shape, (weight.shape[2] * groups,), stride, padding, dilation, groups, output_padding, dz.shape))
    return (convolve(dz, weight, rows, columns, groups), correlate(dz, x, rows, columns, groups), dz.sum(axis=(0, 1, 2)))
