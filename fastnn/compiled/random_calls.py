"""Random layers as functions for Python. Each runs as a network of one row, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.layers.randomness.gaussian_noise import gaussian_noise_row
from ..kernels.layers.randomness.random_views import random_view_row
from ..naive.rungs import check_images
from .arguments import place, real_arrays
from .image_calls import run_shared

empty = np.empty


def random_view_forward(x, size, down, across, mirrors, word, threads=None):
    """Take a random view of each image: a (batch, *size, channels).

    Examples
    --------
    >>> random_view_forward([[[[1.0], [2.0], [3.0]]]], (1, 2), (0, 0), (1, 1), (False, False), word=5).tolist()
    [[[[2.0], [3.0]]]]
    """
    dtype, x = real_arrays(x=x)
    batch, *shape = check_images("x", x.shape)
    a, words = empty((batch, *size, shape[2]), dtype), np.array([word], np.uint64)
    row = random_view_row(dtype, 1, shape, size, down=down, across=across, mirrors=mirrors, word=address(words), x=place(x),
                          a=place(a))
    run_shared(row, ["forward"], x, threads)
    return a


def random_view_backward(da, shape_of_x, down, across, mirrors, word, threads=None):
    """Compute the gradient of `random_view_forward` from da: dx (batch, *shape_of_x, channels)."""
    dtype, da = real_arrays(da=da)
    batch, *size, channels = check_images("da", da.shape)
    dx, words = empty((batch, *shape_of_x, channels), dtype), np.array([word], np.uint64)
    row = random_view_row(dtype, 1, dx.shape[1:], size, down=down, across=across, mirrors=mirrors, word=address(words),
                          da=place(da), dx=place(dx))
    run_shared(row, ["backward_second"], dx, threads)
    return dx


def gaussian_noise_forward(x, deviation, word, threads=None):
    """Add deviation · n to each element of x, with n drawn from `word`: a, of the shape of x."""
    dtype, x = real_arrays(x=x)
    a, words = empty(x.shape, dtype), np.array([word], np.uint64)
    row = gaussian_noise_row(dtype, 1, x=place(x), a=place(a), features=1, deviation=deviation, word=address(words))
    run_shared(row, ["forward"], x.ravel(), threads)
    return a
