"""MNIST-1D: ten short curves, one a digit, shifted, stretched and buried in noise (Greydanus and Kobak, 2020).

A curve of 12 numbers is padded with zeros, stretched to 72 numbers, scaled and shifted around. Where it is zero it gets
smooth noise; everywhere it gets a little white noise and a slope. It is then reduced to 40 numbers. The random numbers are
drawn in the order of the published generator, so the samples are those that others report results on.
"""

import numpy as np

CURVES = np.array([  # by digit, as the strokes of a pen seen from the side
    [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
    [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
    [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
    [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
    [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
    [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
    [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
    [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
])
SAMPLES, TRAINING, SEED = 5000, 4000, 42
LEAST_ZEROS, MOST_ZEROS, LONG, SHORT = 36, 60, 72, 40  # zeros behind the curve; numbers of the stretched and of the kept one
SMOOTH = np.exp(-np.arange(-8, 9) ** 2 / 8)  # a Gaussian of standard deviation 2


def mnist1d():
    """Make MNIST-1D: 5,000 series of 40 numbers in ten classes, which a dense network confuses and a convolution does not.

    A logistic regression is right about 32 % of the test series, a dense network about 68 %, a convolutional one about 94 %
    (Greydanus and Kobak 2020, https://arxiv.org/abs/2011.14439). Nothing is downloaded: the published recipe takes about a
    third of a second.

    Returns
    -------
    X_train : (4000, 40, 1) float32
        With mean 0 and standard deviation 1 over all samples.
    y_train : (4000,) int64
    X_test : (1000, 40, 1) float32
    y_test : (1000,) int64

    Examples
    --------
    >>> from fastnn.datasets import mnist1d
    >>> X, y, X_test, y_test = mnist1d()
    >>> X.shape, X_test.shape, y[:8].tolist()
    ((4000, 40, 1), (1000, 40, 1), [2, 6, 4, 5, 6, 6, 6, 0])
    """
    curves = CURVES - CURVES.mean(axis=1, keepdims=True)
    curves /= curves.std(axis=1, keepdims=True)
    curves = (curves - curves[:, :1]) / 6  # each begins at 0
    random = np.random.RandomState(SEED)  # its numbers are the same in every version of NumPy
    y = np.repeat(np.arange(10), SAMPLES // 10)
    X = np.array([sample(curves[label], random) for label in y])
    order = random.permutation(SAMPLES)
    X, y = X[order], y[order]
    X = ((X - X.mean()) / X.std()).astype(np.float32)[:, :, None]
    return X[:TRAINING], y[:TRAINING], X[TRAINING:], y[TRAINING:]


def sample(curve, random):
    """Return a series of 40 numbers with the curve somewhere in it."""
    zeros = LEAST_ZEROS + int(random.rand() * (MOST_ZEROS - LEAST_ZEROS + 1))
    x = stretched(np.concatenate([curve + 1e-8, np.zeros(zeros)]), LONG)  # the curve itself is 0 nowhere
    x *= 1 + 0.4 * (random.rand() - 0.5)
    x = np.roll(x, random.choice(48))
    noise = np.convolve(np.pad(0.25 * random.randn(LONG), 8, mode="symmetric"), SMOOTH / SMOOTH.sum(), mode="valid")
    x = np.where(x == 0, noise, x) + 0.02 * random.randn(LONG)
    return stretched(x - 0.75 * (random.rand() - 0.5) * np.linspace(-0.5, 0.5, LONG), SHORT)


def stretched(x, count):
    """Return x at `count` evenly spaced places, by linear interpolation."""
    return np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(x)), x)
