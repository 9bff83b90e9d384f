"""The negative log-likelihood of a normal distribution whose mean μ and variance σ² are both outputs (Nix and Weigend 1994).

The outputs of a sample are the means of its k targets, then the logarithms s = log σ² of the variances, so that a variance
is positive whatever the network gives. The constant ½ log 2π is left out, as in PyTorch's `GaussianNLLLoss`, so the loss may
be negative. y has the columns of the outputs; the second half of them is not read.
"""

import numpy as np

from ..compiling.jit import Kernel, offset, view
from ..compiling.trace import at_full_width
from ..elementwise.elementary import exp
from ..elementwise.reduction import row_sum_float64
from . import Loss, loss_arguments, register


def value(a, y):
    k = len(a) // 2
    return sum(0.5 * (a[k + j] + (a[j] - y[j]) ** 2 * exp(-a[k + j])) for j in range(k))


def prime(a, y):
    k = len(a) // 2
    means = [(a[j] - y[j]) * exp(-a[k + j]) for j in range(k)]
    return means + [0.5 - 0.5 * (a[j] - y[j]) ** 2 * exp(-a[k + j]) for j in range(k)]


def halves(a, y):
    k = a.shape[-1] // 2
    return a[..., :k] - y[..., :k], a[..., k:]


def vectorized(a, y):
    error, s = halves(a, y)
    return 0.5 * (s + error ** 2 * np.exp(-s)).sum(axis=-1)


def vectorized_prime(a, y):
    error, s = halves(a, y)
    return np.concatenate([error * np.exp(-s), 0.5 - 0.5 * error ** 2 * np.exp(-s)], axis=-1)


def build(dtype):
    half = np.dtype(dtype).type(0.5)

    def kernel(row_losses, da, a, y, weights, rows, columns):
        at_full_width()
        k = columns // 2
        losses, weights_ = view(row_losses, 0, rows), view(weights, 0, rows)
        for i in range(rows):
            start = i * columns
            mean, s, y_ = view(a, start, k), view(a, start + k, k), view(y, start, k)
            dmean, ds = view(da, start, k), view(da, start + k, k)
            for j in range(k):
                error, precision = mean[j] - y_[j], exp(-s[j])
                square = error * error * precision
                dmean[j] = weights_[i] * (error * precision)
                ds[j] = weights_[i] * (half - half * square)
                y_[j] = half * (s[j] + square)
            losses[i] = weights_[i] * row_sum_float64(k, offset(y, start))

    return kernel


register(Loss(
    name="gaussian",
    formula="½ (s + (y − μ)² e⁻ˢ), a = μ, s",
    prime_formula="(μ − y) e⁻ˢ and ½ (1 − (y − μ)² e⁻ˢ)",
    value=value,
    prime=prime,
    vectorized=vectorized,
    vectorized_prime=vectorized_prime,
    rowwise=True,
    outputs_of_target=2,
    kernel=Kernel("gaussian_loss", build, loss_arguments),
))
