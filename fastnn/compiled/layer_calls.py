"""Layers other than the dense layer as functions for Python: each runs as a network of one row, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.layers.normalization.batch_norm import batch_norm_row, running_statistics_row, statistics_size
from ..kernels.layers.normalization.group_norm import group_norm_row
from ..kernels.layers.normalization.group_norm import statistics_size as size_of_group_norm
from ..kernels.layers.normalization.layer_norm import layer_norm_row
from ..kernels.layers.normalization.layer_norm import statistics_size as size_of_layer_norm
from ..kernels.layers.randomness.dropout import dropout_row
from ..naive.rungs import check_batch, check_features, check_groups
from ..runtime.threads import NUMBERS_PER_PART, parts, resolve_threads
from .arguments import check_alike, cut_phase, place, real_arrays

empty = np.empty


def share_phases(row, phases, x, threads, gradients=0):
    """Run phases of `row` on x, in a number of parts that depends on its size."""
    count = parts(x.size, NUMBERS_PER_PART, resolve_threads(threads))
    for phase in phases:
        cut_phase(row, phase, len(x), count, x.size, gradients)


def in_place(array):
    """Return a copy that a kernel overwrites with its result."""
    result = empty(array.shape, array.dtype)
    result[...] = array
    return result


def check_samples(**arrays):
    """Raise an error unless the array holds at least one sample with at least one element."""
    (name, array), = arrays.items()
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; it must be (batch, features), or (batch, ...) for samples of "
                         "more axes, with at least one of each")


def backpropagate(row, phases, parameters, dx, threads):
    """Run the phases that replace da by dx; return dx, dscale, dshift."""
    gradients = empty(parameters.shape, dx.dtype)
    share_phases(row, phases, dx, threads, address(gradients) - address(parameters))
    return dx, *gradients


def batch_norm(dtype, x, parameters, running, *, a, da=None, momentum=0.0, epsilon=0.0, by_batch=True):
    """Return the row of a batch normalization, whose memory is that of these arrays, and the other memory it needs."""
    statistics = np.empty(statistics_size(x.shape[1]), dtype)
    return statistics, batch_norm_row(
        dtype, 1, x=place(x), a=place(a), da=place(da), statistics=place(statistics), scale=place(parameters),
        running=address(running), features=x.shape[1], momentum=momentum, epsilon=epsilon, by_batch=by_batch,
    )


def layer_norm(dtype, x, parameters, *, a, da=None, epsilon):
    """Return the row of a layer normalization, whose memory is that of these arrays."""
    statistics = np.empty(size_of_layer_norm(x.shape[1], 1, len(x)), dtype)
    return statistics, layer_norm_row(
        dtype, 1, x=place(x), a=place(a), da=place(da), statistics=place(statistics), batch=len(x), scale=place(parameters),
        features=x.shape[1], epsilon=epsilon,
    )


def batch_norm_predict(x, scale, shift, mean, variance, epsilon=1e-5, threads=None):
    """Normalize each feature by a given mean and variance: a (batch, features).

    Examples
    --------
    >>> batch_norm_predict([[3.0]], scale=[10.0], shift=[1.0], mean=[1.0], variance=[4.0], epsilon=0.0)
    array([[11.]])
    """
    dtype, x, scale, shift, mean, variance = real_arrays(x=x, scale=scale, shift=shift, mean=mean, variance=variance)
    check_features(x.shape, scale=scale.shape, shift=shift.shape, mean=mean.shape, variance=variance.shape)
    a, parameters, running = empty(x.shape, dtype), np.stack([scale, shift]), np.stack([mean, variance])
    _memory, row = batch_norm(dtype, x, parameters, running, a=a, epsilon=epsilon, by_batch=False)
    share_phases(row, ["forward"], x, threads)
    return a


def batch_norm_forward(x, scale, shift, epsilon=1e-5, threads=None):
    """Normalize each feature over the batch: a (batch, features).

    Examples
    --------
    >>> batch_norm_forward([[1.0], [3.0]], scale=[10.0], shift=[5.0], epsilon=0.0)
    array([[-5.],
           [15.]])
    """
    dtype, x, scale, shift = real_arrays(x=x, scale=scale, shift=shift)
    check_batch(x.shape)
    check_features(x.shape, scale=scale.shape, shift=shift.shape)
    a, parameters = empty(x.shape, dtype), np.stack([scale, shift])
    _memory, row = batch_norm(dtype, x, parameters, parameters, a=a, epsilon=epsilon)
    share_phases(row, ["forward"], x, threads)
    return a


def batch_norm_backward(da, x, scale, epsilon=1e-5, threads=None):
    """Compute the gradients of `batch_norm_forward` from da: dx (batch, features), dscale and dshift (features,).

    Examples
    --------
    >>> dx, dscale, dshift = batch_norm_backward([[1.0], [2.0]], x=[[1.0], [3.0]], scale=[10.0], epsilon=0.0)
    >>> dx.tolist(), dscale.tolist(), dshift.tolist()
    ([[0.0], [0.0]], [1.0], [3.0])
    """
    dtype, da, x, scale = real_arrays(da=da, x=x, scale=scale)
    check_batch(x.shape)
    check_features(x.shape, scale=scale.shape)
    check_alike(x=x, da=da)
    a, dx, parameters = np.empty_like(x), in_place(da), np.stack([scale, scale])
    _memory, row = batch_norm(dtype, x, parameters, parameters, a=a, da=dx, epsilon=epsilon)
    share_phases(row, ["forward"], x, threads)
    return backpropagate(row, ["backward_first"], parameters, dx, threads)


def batch_norm_running(mean, variance, x, momentum=0.9, threads=None):
    """Update running statistics with those of a batch: mean and variance (features,).

    Examples
    --------
    >>> batch_norm_running([0.0], [1.0], x=[[1.0], [3.0]], momentum=0.5)
    (array([1.]), array([1.5]))
    """
    dtype, mean, variance, x = real_arrays(mean=mean, variance=variance, x=x)
    check_batch(x.shape)
    check_features(x.shape, mean=mean.shape, variance=variance.shape)
    running, a = in_place(np.stack([mean, variance])), np.empty(x.shape, dtype)
    _memory, row = batch_norm(dtype, x, np.zeros_like(running), running, a=a, momentum=momentum, epsilon=1.0)
    share_phases(row, ["forward"], x, threads)
    share_phases(running_statistics_row(dtype, row), ["backward_first"], x, threads)
    return tuple(running)


def layer_norm_forward(x, scale, shift, epsilon=1e-5, threads=None):
    """Normalize each sample over its features: a (batch, features).

    Examples
    --------
    >>> layer_norm_forward([[1.0, 3.0]], scale=[10.0, 1.0], shift=[5.0, 0.0], epsilon=0.0)
    array([[-5.,  1.]])
    """
    dtype, x, scale, shift = real_arrays(x=x, scale=scale, shift=shift)
    check_features(x.shape, scale=scale.shape, shift=shift.shape)
    a, parameters = empty(x.shape, dtype), np.stack([scale, shift])
    _memory, row = layer_norm(dtype, x, parameters, a=a, epsilon=epsilon)
    share_phases(row, ["forward"], x, threads)
    return a


def layer_norm_backward(da, x, scale, epsilon=1e-5, threads=None):
    """Compute the gradients of `layer_norm_forward` from da: dx (batch, features), dscale and dshift (features,).

    Examples
    --------
    >>> dx, dscale, dshift = layer_norm_backward([[1.0, 2.0]], x=[[1.0, 3.0]], scale=[1.0, 1.0], epsilon=0.0)
    >>> dx.tolist(), dscale.tolist(), dshift.tolist()
    ([[0.0, 0.0]], [-1.0, 2.0], [1.0, 2.0])
    """
    dtype, da, x, scale = real_arrays(da=da, x=x, scale=scale)
    check_features(x.shape, scale=scale.shape)
    check_alike(x=x, da=da)
    a, dx, parameters = np.empty_like(x), in_place(da), np.stack([scale, scale])
    _memory, row = layer_norm(dtype, x, parameters, a=a, da=dx, epsilon=epsilon)
    share_phases(row, ["forward"], x, threads)
    return backpropagate(row, ["backward_first", "backward_third"], parameters, dx, threads)


def group_norm(dtype, x, parameters, *, a, groups, da=None, epsilon):
    """The row of a group normalization, whose memory is wherever these arrays lie; and what it needs besides."""
    statistics = np.empty(size_of_group_norm(x.shape[2], x.shape[1], len(x)), dtype)
    return statistics, group_norm_row(
        dtype, 1, x=place(x), a=place(a), da=place(da), statistics=place(statistics), batch=len(x), scale=place(parameters),
        pixels=x.shape[1], channels=x.shape[2], groups=groups, epsilon=epsilon,
    )


def group_norm_forward(x, scale, shift, groups, epsilon=1e-5, threads=None):
    """Normalize groups of channels of each sample: a (batch, pixels, channels).

    Examples
    --------
    >>> group_norm_forward([[[1.0, 5.0], [3.0, 9.0]]], scale=[1.0, 10.0], shift=[0.0, 5.0], groups=2, epsilon=0.0)
    array([[[-1., -5.],
            [ 1., 15.]]])
    """
    dtype, x, scale, shift = real_arrays(x=x, scale=scale, shift=shift)
    check_groups(x.shape, groups, scale=scale.shape, shift=shift.shape)
    a, parameters = empty(x.shape, dtype), np.stack([scale, shift])
    _memory, row = group_norm(dtype, x, parameters, a=a, groups=groups, epsilon=epsilon)
    share_phases(row, ["forward"], x, threads)
    return a


def group_norm_backward(da, x, scale, groups, epsilon=1e-5, threads=None):
    """Compute the gradient of `group_norm_forward` from da: dx (batch, pixels, channels), dscale and dshift (channels,).

    Examples
    --------
    >>> dx, dscale, dshift = group_norm_backward([[[1.0], [2.0]]], x=[[[1.0], [3.0]]], scale=[1.0], groups=1, epsilon=0.0)
    >>> dx.tolist(), dscale.tolist(), dshift.tolist()
    ([[[0.0], [0.0]]], [1.0], [3.0])
    """
    dtype, da, x, scale = real_arrays(da=da, x=x, scale=scale)
    check_groups(x.shape, groups, da=da.shape, scale=scale.shape)
    a, dx, parameters = np.empty_like(x), in_place(da), np.stack([scale, scale])
    _memory, row = group_norm(dtype, x, parameters, a=a, groups=groups, da=dx, epsilon=epsilon)
    share_phases(row, ["forward"], x, threads)
    return backpropagate(row, ["backward_first", "backward_third"], parameters, dx, threads)


def dropout_forward(x, rate, word, channels=False, threads=None):
    """Set elements that `word` draws with probability `rate` to 0, and divide the others by 1 − rate.

    Examples
    --------
    >>> dropout_forward([[1.0, 1.0], [1.0, 1.0]], rate=0.5, word=5)
    array([[0., 2.],
           [2., 2.]])
    """
    dtype, x = real_arrays(x=x)
    check_samples(x=x)
    a, words = empty(x.shape, dtype), np.array([word], np.uint64)
    row = dropout_row(dtype, 1, x=place(x), a=place(a), da=None, features=x[0].size, rate=rate, word=address(words),
                      channels=x.shape[-1] if channels else 0)
    share_phases(row, ["forward"], x, threads)
    return a


def dropout_backward(da, rate, word, channels=False, threads=None):
    """Compute the gradient of `dropout_forward` from da: dx, of the shape of da.

    Examples
    --------
    >>> dropout_backward([[1.0, 1.0], [1.0, 1.0]], rate=0.5, word=5)
    array([[0., 2.],
           [2., 2.]])
    """
    dtype, da = real_arrays(da=da)
    check_samples(da=da)
    dx, words = in_place(da), np.array([word], np.uint64)
    row = dropout_row(dtype, 1, x=0, a=0, da=place(dx), features=dx[0].size, rate=rate, word=address(words),
                      channels=dx.shape[-1] if channels else 0)
    share_phases(row, ["backward_second"], dx, threads)
    return dx
