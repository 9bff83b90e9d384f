"""Layers of images as functions for Python: each runs as a network of one row, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.layers.average_pool import average_pool_row
from ..kernels.layers.max_pool import max_pool_row
from ..naive.rungs import check_da, pooling_windows
from ..runtime.threads import NUMBERS_PER_PART, parts, resolve_threads
from .arguments import place, real_arrays, run_phase

empty = np.empty


def run_shared(row, phases, x, threads):
    """Run phases of `row` on images x, cut into parts by their size."""
    count = parts(x.size, NUMBERS_PER_PART, resolve_threads(threads))
    for phase in phases:
        run_phase(row, phase, len(x), count, x.size)


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
