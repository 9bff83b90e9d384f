"""Cross entropy of a row of class probabilities; after softmax or sigmoid it is computed from the logits."""

import math
from operator import add

import numpy as np
from numba import types

from ..compiling.jit import Kernel, offset, view
from ..compiling.trace import at_full_width, fma, select
from ..elementwise.elementary import exp, log, sigmoid, softplus
from ..elementwise.reduction import reduction, row_maximum, row_sum
from . import Loss, loss_arguments, register


def logits_value(z, y):
    top = max(z)
    log_total = top + math.log(sum(math.exp(value - top) for value in z))
    return sum(y[j] * (log_total - z[j]) for j in range(len(z)) if y[j] != 0)


def logits_prime(z, y):
    top = max(z)
    powers = [math.exp(value - top) for value in z]
    mass, total = sum(y), sum(powers)
    return [mass * powers[j] / total - y[j] for j in range(len(z))]


def vectorized_logits_value(z, y):
    top = z.max(axis=-1, keepdims=True)
    log_total = top + np.log(np.exp(z - top).sum(axis=-1, keepdims=True))
    return (y * (log_total - z)).sum(axis=-1)


def vectorized_logits_prime(z, y):
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return y.sum(axis=-1, keepdims=True) * powers / powers.sum(axis=-1, keepdims=True) - y


# Σⱼ yⱼ (max z − zⱼ) in float64, because |z| may exceed float32 there; where y = 0, even an infinite term counts as 0.
# It is computed from halves, so that the difference of two numbers near the largest float does not overflow.
row_gap = reduction(
    add, 0.0,
    lambda y, z, top: select(y == 0.0, 0.0, 2.0 * y.widened() * (0.5 * top.widened() - 0.5 * z.widened())), types.float64
)


def build(dtype):
    def kernel(row_losses, dz, z, y, weights, rows, columns):
        at_full_width()
        dz_, z_, y_ = view(dz, 0, (rows, columns)), view(z, 0, (rows, columns)), view(y, 0, (rows, columns))
        flat, losses, weights_ = view(dz, 0, rows * columns), view(row_losses, 0, rows), view(weights, 0, rows)
        for i in range(rows):
            start = i * columns
            top = row_maximum(columns, offset(z, start))
            losses[i] = row_gap(columns, offset(y, start), offset(z, start), top)
            for j in range(columns):
                dz_[i, j] = z_[i, j] - top
        for i in range(rows * columns):  # one loop over all rows, so that narrow rows fill the vectors too
            flat[i] = exp(flat[i])
        for i in range(rows):
            total, mass = row_sum(columns, offset(dz, i * columns)), row_sum(columns, offset(y, i * columns))
            losses[i] = weights_[i] * (losses[i] + mass * log(total))
            scale = mass / total
            for j in range(columns):
                dz_[i, j] = weights_[i] * fma(dz_[i, j], scale, -y_[i, j])

    return kernel


after_softmax = Loss(
    name="softmax_cross_entropy",
    formula="Σⱼ yⱼ (log Σₖ eᶻᵏ − zⱼ)",
    prime_formula="softmax(z) Σⱼ yⱼ − y",
    value=logits_value,
    prime=logits_prime,
    vectorized=vectorized_logits_value,
    vectorized_prime=vectorized_logits_prime,
    rowwise=True,
    targets="classes",
    kernel=Kernel("softmax_cross_entropy_loss", build, loss_arguments),
)

after_sigmoid = Loss(
    name="sigmoid_cross_entropy",
    formula="y log(1 + e⁻ᶻ)",
    prime_formula="−y / (1 + eᶻ)",
    value=lambda z, y: 0.0 if y == 0.0 else y * softplus(-z),
    prime=lambda z, y: -y * sigmoid(-z),
    vectorized=lambda z, y: y * np.logaddexp(0, -z),
    vectorized_prime=lambda z, y: -y * np.exp(-np.logaddexp(0, z)),
    targets="classes",
)

record = register(Loss(
    name="cross_entropy",
    formula="−y log a",
    prime_formula="−y / a",
    value=lambda a, y: 0.0 if y == 0.0 else -y * math.log(a),
    prime=lambda a, y: 0.0 if y == 0.0 else -y / a,
    vectorized=lambda a, y: -y * np.log(np.where(y == 0, 1, a)),
    vectorized_prime=lambda a, y: -y / np.where(y == 0, 1, a),
    on_logits={"softmax": after_softmax, "sigmoid": after_sigmoid},
    domain=(0, 1),
    targets="classes",
))
