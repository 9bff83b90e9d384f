"""The layers beside the fully connected one for Python to call: each the network of one row that training runs.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is at most so many threads,
where the work is worth it, and does not change the result.
"""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.layers.batch_norm import batch_norm_row, running_statistics_row
from ..kernels.layers.dropout import dropout_row
from ..kernels.layers.layer_norm import layer_norm_row
from ..naive.rungs import check_batch, check_features
from ..runtime.threads import NUMBERS_PER_PART, parts, resolve_threads
from .arguments import check_alike, place, real_arrays, run_phase

empty = np.empty


def share_phases(row, phases, x, threads, gradients=0):
    """Run phases of `row` on x, cut into parts by its size."""
    count = parts(x.size, NUMBERS_PER_PART, resolve_threads(threads))
    for phase in phases:
        run_phase(row, phase, len(x), count, x.size, gradients)


def in_place(array):
    """A copy that a kernel turns into a result."""
    result = empty(array.shape, array.dtype)
    result[...] = array
    return result


def check_samples(**arrays):
    """Refuse what is no samples of numbers in any shape."""
    (name, array), = arrays.items()
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; it must be (batch, features), or (batch, ...) for samples of "
                         "more axes, with at least one of each")


def push_back(row, phases, parameters, dx, threads):
    """Run the phases that turn da into dx; returns dx, dscale, dshift."""
    gradients = empty(parameters.shape, dx.dtype)
    share_phases(row, phases, dx, threads, address(gradients) - address(parameters))
    return dx, *gradients


def batch_norm(dtype, x, parameters, running, *, a, da=None, momentum=0.0, epsilon=0.0, by_batch=True):
    """The row of a batch normalization, whose memory is wherever these arrays lie; and what it needs besides."""
    statistics = np.empty((5, x.shape[1]), dtype)
    return statistics, batch_norm_row(
        dtype, 1, x=place(x), a=place(a), da=place(da), statistics=place(statistics), scale=place(parameters),
        running=address(running), features=x.shape[1], momentum=momentum, epsilon=epsilon, by_batch=by_batch,
    )


def layer_norm(dtype, x, parameters, *, a, da=None, epsilon):
    """The row of a layer normalization, likewise."""
    mean, inverse = statistics = np.empty((2, len(x)), dtype)
    return statistics, layer_norm_row(
        dtype, 1, x=place(x), a=place(a), da=place(da), mean=place(mean), inverse=place(inverse), scale=place(parameters),
        features=x.shape[1], epsilon=epsilon,
    )


def batch_norm_predict(x, scale, shift, mean, variance, epsilon=1e-5, threads=None):
    """Normalize each feature by a mean and a variance that are given: a (batch, features).

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
    """Push da back through `batch_norm_forward`: dx (batch, features), dscale and dshift (features,).

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
    return push_back(row, ["backward_first"], parameters, dx, threads)


def batch_norm_running(mean, variance, x, momentum=0.9, threads=None):
    """Let running statistics follow those of a batch: mean and variance (features,).

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
    """Push da back through `layer_norm_forward`: dx (batch, features), dscale and dshift (features,).

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
    return push_back(row, ["backward_first", "backward_second"], parameters, dx, threads)


def dropout_forward(x, rate, word, threads=None):
    """Set numbers to 0, those that `word` draws with probability `rate`, and divide the others by 1 − rate.

    Examples
    --------
    >>> dropout_forward([[1.0, 1.0], [1.0, 1.0]], rate=0.5, word=5)
    array([[0., 2.],
           [2., 2.]])
    """
    dtype, x = real_arrays(x=x)
    check_samples(x=x)
    a, words = empty(x.shape, dtype), np.array([word], np.uint64)
    row = dropout_row(dtype, 1, x=place(x), a=place(a), da=None, features=x[0].size, rate=rate, word=address(words))
    share_phases(row, ["forward"], x, threads)
    return a


def dropout_backward(da, rate, word, threads=None):
    """Push da back through `dropout_forward`: dx, of the shape of da.

    Examples
    --------
    >>> dropout_backward([[1.0, 1.0], [1.0, 1.0]], rate=0.5, word=5)
    array([[0., 2.],
           [2., 2.]])
    """
    dtype, da = real_arrays(da=da)
    check_samples(da=da)
    dx, words = in_place(da), np.array([word], np.uint64)
    row = dropout_row(dtype, 1, x=0, a=0, da=place(dx), features=dx[0].size, rate=rate, word=address(words))
    share_phases(row, ["backward_second"], dx, threads)
    return dx
