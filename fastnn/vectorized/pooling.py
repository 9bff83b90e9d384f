"""Pooling in NumPy, over images (batch, height, width, channels): the maximum or the mean of each window, all at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..layers.windows import Windows
from ..naive.rungs import check_da, pooling_windows
from .convolution import padded, seen_by, window_view
from .records import real


def flat_windows(x: NDArray, rows: Windows, columns: Windows, value: float) -> NDArray:
    """Return the windows, with taps on the last axis: (batch, windows down, windows across, channels, taps)."""
    seen = window_view(padded(x, rows, columns, value), rows, columns)
    return seen.reshape(*seen.shape[:4], -1)


def scatter(shares, x: NDArray, rows: Windows, columns: Windows) -> NDArray:
    """Return dx, where tap t of all windows adds shares(t), (batch, windows down, windows across, channels)."""
    dx = padded(np.zeros_like(x), rows, columns)
    for t, (i, j) in enumerate(np.ndindex(rows.kernel, columns.kernel)):
        down, across = seen_by(i, j, rows, columns)
        dx[:, down, across] += shares(t)
    return dx[:, rows.before:rows.before + rows.size, columns.before:columns.before + columns.size]


def max_pool2d_forward(x: ArrayLike, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False) -> NDArray:
    """Compute the maximum of each window, channel by channel. NaN counts as larger than any number.

    Parameters
    ----------
    x : (batch, height, width, channels)
    kernel_size : int or (int, int)
    stride : int or (int, int), optional
        By default `kernel_size`, so that windows are adjacent.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right))
    dilation : int or (int, int)
    ceil_mode : bool
        Whether to add a window for pixels at the end that do not fill one.

    Returns
    -------
    a : (batch, windows down, windows across, channels)

    Examples
    --------
    >>> max_pool2d_forward([[[[1.0], [2.0], [5.0], [4.0]]]], kernel_size=(1, 2)).tolist()
    [[[[2.0], [5.0]]]]
    """
    x = real(x)
    rows, columns = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    return flat_windows(x, rows, columns, -np.inf).max(axis=-1)


def max_pool2d_backward(da: ArrayLike, x: ArrayLike, kernel_size, stride=None, padding="valid", dilation=1,
                        ceil_mode=False) -> NDArray:
    """Compute the gradient of `max_pool2d_forward` from da: da at the first maximum of each window, 0 elsewhere.

    Parameters
    ----------
    da : (batch, windows down, windows across, channels)
    x, kernel_size, stride, padding, dilation, ceil_mode
        As for `max_pool2d_forward`.

    Returns
    -------
    dx : (batch, height, width, channels)

    Examples
    --------
    >>> max_pool2d_backward([[[[1.0], [3.0]]]], [[[[2.0], [2.0], [5.0], [6.0]]]], kernel_size=(1, 2)).tolist()
    [[[[1.0], [0.0], [0.0], [3.0]]]]
    """
    da, x = real(da), real(x)
    rows, columns = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    check_da(da.shape, x.shape, rows, columns)
    seen = flat_windows(x, rows, columns, -np.inf)
    inside = flat_windows(np.ones_like(x), rows, columns, 0) > 0
    place = np.where(inside & (seen == seen.max(axis=-1, keepdims=True)), 1, 0).argmax(axis=-1)
    last_nan = seen.shape[-1] - 1 - np.isnan(seen[..., ::-1]).argmax(axis=-1)
    place = np.where(np.isnan(seen).any(axis=-1), last_nan, place)
    return scatter(lambda t: np.where(place == t, da, 0), x, rows, columns)


def average_pool2d_forward(x: ArrayLike, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False,
                           count_padding=False) -> NDArray:
    """Compute the mean of each window, channel by channel.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode
        As for `max_pool2d_forward`.
    count_padding : bool
        Whether the padding counts as zeros.

    Returns
    -------
    a : (batch, windows down, windows across, channels)

    Examples
    --------
    >>> average_pool2d_forward([[[[1.0], [2.0], [5.0], [4.0]]]], kernel_size=(1, 2)).tolist()
    [[[[1.5], [4.5]]]]
    """
    x = real(x)
    rows, columns = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    return flat_windows(x, rows, columns, 0).sum(axis=-1) / counts(rows, columns, count_padding, x.dtype)


def average_pool2d_backward(da: ArrayLike, x: ArrayLike, kernel_size, stride=None, padding="valid", dilation=1,
                            ceil_mode=False, count_padding=False) -> NDArray:
    """Compute the gradient of `average_pool2d_forward` from da: an equal share for each pixel of the window.

    Parameters
    ----------
    da : (batch, windows down, windows across, channels)
    x : (batch, height, width, channels)
        Only its shape is used.
    kernel_size, stride, padding, dilation, ceil_mode, count_padding
        As for `average_pool2d_forward`.

    Returns
    -------
    dx : (batch, height, width, channels)

    Examples
    --------
    >>> average_pool2d_backward([[[[1.0], [3.0]]]], [[[[2.0], [2.0], [5.0], [6.0]]]], kernel_size=(1, 2)).tolist()
    [[[[0.5], [0.5], [1.5], [1.5]]]]
    """
    da, x = real(da), real(x)
    rows, columns = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    check_da(da.shape, x.shape, rows, columns)
    shares = da / counts(rows, columns, count_padding, x.dtype)
    return scatter(lambda t: shares, x, rows, columns)


def counts(rows: Windows, columns: Windows, count_padding: bool, dtype) -> NDArray:
    """Return the number of taps of each window that count: those within the image, or within it and its padding."""
    ones = np.ones((1, rows.size, columns.size, 1), dtype)
    if count_padding:
        ones = np.pad(ones, [(0, 0), (0, rows.after), (0, columns.after), (0, 0)], constant_values=1)
    sides = [(axis.before, max(0, (axis.out - 1) * axis.stride + axis.span - axis.before - ones.shape[place]))
             for place, axis in ((1, rows), (2, columns))]
    ones = np.pad(ones, [(0, 0), *sides, (0, 0)])
    if count_padding:
        ones[:, :rows.before], ones[:, :, :columns.before] = 1, 1
        ones[:, rows.before + rows.size + rows.after:], ones[:, :, columns.before + columns.size + columns.after:] = 0, 0
    return window_view(ones, rows, columns).sum(axis=(-2, -1))
