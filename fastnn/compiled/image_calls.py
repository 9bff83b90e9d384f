"""Layers of images as functions for Python: each runs as a network of one row, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..checks import number_in_range, one_of
from ..kernels.compiling.objects import address
from ..kernels.layers.normalization.normalize import normalize_row
from ..kernels.layers.normalization.rescale import rescale_row
from ..kernels.layers.pooling.average_pool import average_pool_row
from ..kernels.layers.pooling.max_pool import max_pool_row
from ..kernels.layers.shapes.pad2d import MODES, pad2d_row
from ..kernels.layers.shapes.up_sample2d import up_sample2d_row
from ..kernels.layers.shapes.zero_pad2d import zero_pad2d_row
from ..layers.normalization.rescale import LARGEST
from ..layers.windows import check_reflection, padding_of, per_axis
from ..naive.rungs import check_da, check_images, pooling_windows
from ..runtime.threads import NUMBERS_PER_PART, parts, resolve_threads
from .arguments import cut_phase, place, real_arrays

empty = np.empty


def run_shared(row, phases, x, threads):
    """Run phases of `row` on images x, cut into parts by their size."""
    count = parts(x.size, NUMBERS_PER_PART, resolve_threads(threads))
    for phase in phases:
        cut_phase(row, phase, len(x), count, x.size)


def max_pool2d_forward(x, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False, threads=None):
    """Compute the maximum of each window: a (batch, windows down, windows across, channels).

    Examples
    --------
    >>> max_pool2d_forward([[[[1.0], [2.0], [5.0], [4.0]]]], kernel_size=(1, 2)).tolist()
    [[[[2.0], [5.0]]]]
    """
    dtype, x = real_arrays(x=x)
    axes = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    a = empty((len(x), *(axis.out for axis in axes), x.shape[3]), dtype)
    run_shared(max_pool_row(dtype, 1, *axes, x.shape[3], x=place(x), a=place(a)), ["forward"], x, threads)
    return a


def max_pool2d_backward(da, x, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False, threads=None):
    """Compute the gradient of `max_pool2d_forward` from da: dx (batch, height, width, channels).

    Examples
    --------
    >>> max_pool2d_backward([[[[1.0], [3.0]]]], [[[[2.0], [2.0], [5.0], [6.0]]]], kernel_size=(1, 2)).tolist()
    [[[[1.0], [0.0], [0.0], [3.0]]]]
    """
    dtype, da, x = real_arrays(da=da, x=x)
    axes = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    check_da(da.shape, x.shape, *axes)
    a, kept, dx = np.empty_like(da), np.empty_like(da), empty(x.shape, dtype)
    row = max_pool_row(dtype, 1, *axes, x.shape[3], x=place(x), a=place(a), kept=place(kept), da=place(da), dx=place(dx))
    run_shared(row, ["forward", "backward_first"], x, threads)
    return dx


def average_pool2d_forward(x, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False, count_padding=False,
                           threads=None):
    """Compute the mean of each window: a (batch, windows down, windows across, channels).

    Examples
    --------
    >>> average_pool2d_forward([[[[1.0], [2.0], [5.0], [4.0]]]], kernel_size=(1, 2)).tolist()
    [[[[1.5], [4.5]]]]
    """
    dtype, x = real_arrays(x=x)
    axes = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    a = empty((len(x), *(axis.out for axis in axes), x.shape[3]), dtype)
    row = average_pool_row(dtype, 1, *axes, x.shape[3], x=place(x), a=place(a), counts_padding=count_padding)
    run_shared(row, ["forward"], x, threads)
    return a


def average_pool2d_backward(da, x, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False,
                            count_padding=False, threads=None):
    """Compute the gradient of `average_pool2d_forward` from da: dx (batch, height, width, channels).

    Examples
    --------
    >>> average_pool2d_backward([[[[1.0], [3.0]]]], [[[[2.0], [2.0], [5.0], [6.0]]]], kernel_size=(1, 2)).tolist()
    [[[[0.5], [0.5], [1.5], [1.5]]]]
    """
    dtype, da, x = real_arrays(da=da, x=x)
    axes = pooling_windows(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    check_da(da.shape, x.shape, *axes)
    dx = empty(x.shape, dtype)
    row = average_pool_row(dtype, 1, *axes, x.shape[3], da=place(da), dx=place(dx), counts_padding=count_padding)
    run_shared(row, ["backward_first"], x, threads)
    return dx


def zero_pad2d_forward(x, padding, threads=None):
    """Pad images with zeros: a (batch, top + height + bottom, left + width + right, channels).

    Examples
    --------
    >>> zero_pad2d_forward([[[[1.0]]]], padding=((0, 0), (1, 2))).tolist()
    [[[[0.0], [1.0], [0.0], [0.0]]]]
    """
    dtype, x = real_arrays(x=x)
    batch, height, width, channels = check_images("x", x.shape)
    sides = padding_of("padding", padding, 2, ())
    a = empty((batch, height + sum(sides[0]), width + sum(sides[1]), channels), dtype)
    row = zero_pad2d_row(dtype, 1, x=place(x), a=place(a), height=height, width=width, channels=channels, padding=sides)
    run_shared(row, ["forward"], x, threads)
    return a


def pad2d_forward(x, padding, mode="constant", value=0.0, threads=None):
    """Pad images with a number or with their own pixels: a (batch, top + height + bottom, left + width + right, channels).

    Examples
    --------
    >>> pad2d_forward([[[[1.0], [2.0]]]], ((0, 0), (1, 2)), "wrap").tolist()
    [[[[2.0], [1.0], [2.0], [1.0], [2.0]]]]
    """
    dtype, x = real_arrays(x=x)
    batch, height, width, channels = check_images("x", x.shape)
    sides, value = padding_of("padding", padding, 2, ()), number_in_range("value", value, -LARGEST)
    one_of("mode", mode, MODES)
    check_reflection("this padding", mode, (height, width), sides)
    a = empty((batch, height + sum(sides[0]), width + sum(sides[1]), channels), dtype)
    row = pad2d_row(dtype, 1, x=place(x), a=place(a), height=height, width=width, channels=channels, padding=sides,
                    mode=mode, value=value)
    run_shared(row, ["forward"], x, threads)
    return a


def pad2d_backward(da, padding, mode="constant", threads=None):
    """Compute the gradient of `pad2d_forward` from da: dx (batch, height, width, channels)."""
    dtype, da = real_arrays(da=da)
    sides = padding_of("padding", padding, 2, ())
    one_of("mode", mode, MODES)
    batch, height, width, channels = check_images("da", da.shape, sum(sides[0]) + 1, sum(sides[1]) + 1)
    dx = empty((batch, height - sum(sides[0]), width - sum(sides[1]), channels), dtype)
    check_reflection("this padding", mode, dx.shape[1:3], sides)
    row = pad2d_row(dtype, 1, da=place(da), dx=place(dx), height=dx.shape[1], width=dx.shape[2], channels=channels,
                    padding=sides, mode=mode)
    run_shared(row, ["backward_first"], dx, threads)
    return dx


def zero_pad2d_backward(da, padding, threads=None):
    """Compute the gradient of `zero_pad2d_forward` from da: dx (batch, height, width, channels)."""
    dtype, da = real_arrays(da=da)
    sides = padding_of("padding", padding, 2, ())
    batch, height, width, channels = check_images("da", da.shape, sum(sides[0]) + 1, sum(sides[1]) + 1)
    dx = empty((batch, height - sum(sides[0]), width - sum(sides[1]), channels), dtype)
    row = zero_pad2d_row(dtype, 1, da=place(da), dx=place(dx), height=dx.shape[1], width=dx.shape[2], channels=channels,
                         padding=sides)
    run_shared(row, ["backward_first"], dx, threads)
    return dx


def up_sample2d_forward(x, size, threads=None):
    """Repeat each pixel `size` times down and across: a (batch, down · height, across · width, channels).

    Examples
    --------
    >>> up_sample2d_forward([[[[1.0], [2.0]]]], size=(1, 2)).tolist()
    [[[[1.0], [1.0], [2.0], [2.0]]]]
    """
    dtype, x = real_arrays(x=x)
    (batch, height, width, channels), (down, across) = check_images("x", x.shape), per_axis("size", size, 2)
    a = empty((batch, down * height, across * width, channels), dtype)
    row = up_sample2d_row(dtype, 1, x=place(x), a=place(a), height=height, width=width, channels=channels,
                          size=(down, across))
    run_shared(row, ["forward"], a, threads)
    return a


def up_sample2d_backward(da, size, threads=None):
    """Compute the gradient of `up_sample2d_forward` from da: dx (batch, height, width, channels).

    Examples
    --------
    >>> up_sample2d_backward([[[[1.0], [2.0], [3.0], [4.0]]]], size=(1, 2)).tolist()
    [[[[3.0], [7.0]]]]
    """
    dtype, da = real_arrays(da=da)
    down, across = per_axis("size", size, 2)
    batch, height, width, channels = check_images("da", da.shape, down, across, multiples=True)
    dx = empty((batch, height // down, width // across, channels), dtype)
    row = up_sample2d_row(dtype, 1, da=place(da), dx=place(dx), height=dx.shape[1], width=dx.shape[2], channels=channels,
                          size=(down, across))
    run_shared(row, ["backward_first"], da, threads)
    return dx


def rescale_forward(x, scale, offset=0.0, threads=None):
    """Compute scale · x + offset, elementwise.

    Examples
    --------
    >>> rescale_forward([[1.0, 2.0]], scale=10.0, offset=0.5)
    array([[10.5, 20.5]])
    """
    dtype, x = real_arrays(x=x)
    a = empty(x.shape, dtype)
    row = rescale_row(dtype, 1, x=place(x), a=place(a), features=1, scale=scale, offset=offset)
    run_shared(row, ["forward"], x.ravel(), threads)
    return a


def rescale_backward(da, scale, offset=0.0, threads=None):
    """Compute the gradient of `rescale_forward` from da: dx = scale · da."""
    dtype, da = real_arrays(da=da)
    dx = empty(da.shape, dtype)
    dx[...] = da
    row = rescale_row(dtype, 1, da=place(dx), features=1, scale=scale, offset=offset)
    run_shared(row, ["backward_first"], dx.ravel(), threads)
    return dx


def normalize_forward(x, mean, scale, threads=None):
    """Compute (x − mean) · scale for each channel. The channels are the last axis of x.

    Examples
    --------
    >>> normalize_forward([[3.0, 8.0]], mean=[1.0, 4.0], scale=[1.0, 0.5])
    array([[2., 2.]])
    """
    dtype, x, mean, scale = real_arrays(x=x, mean=mean, scale=scale)
    a = empty(x.shape, dtype)
    row = normalize_row(dtype, 1, x=place(x), a=place(a), pixels=1, channels=len(mean), mean=address(mean),
                        scale=address(scale))
    run_shared(row, ["forward"], x.reshape(-1, len(mean)), threads)
    return a


def normalize_backward(da, scale, threads=None):
    """Compute the gradient of `normalize_forward` from da: dx = scale · da, channel by channel."""
    dtype, da, scale = real_arrays(da=da, scale=scale)
    dx = empty(da.shape, dtype)
    dx[...] = da
    row = normalize_row(dtype, 1, da=place(dx), pixels=1, channels=len(scale), mean=address(scale), scale=address(scale))
    run_shared(row, ["backward_first"], dx.reshape(-1, len(scale)), threads)
    return dx
