"""Cross entropy of a row of class probabilities; after softmax it is computed on the logits."""

import math

import numpy as np

from ..elementary import exp, log
from ..jit import Kernel, view
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


def build(dtype):
    def kernel(row_losses, dz, z, y, weights, rows, columns):
        dz_, z_, y_ = view(dz, 0, (rows, columns)), view(z, 0, (rows, columns)), view(y, 0, (rows, columns))
        flat, losses, weights_ = view(dz, 0, rows * columns), view(row_losses, 0, rows), view(weights, 0, rows)
        for i in range(rows):
            top = z_[i, 0]
            for j in range(1, columns):
                top = max(top, z_[i, j])
            losses[i] = top
            for j in range(columns):
                dz_[i, j] = z_[i, j] - top
        for i in range(rows * columns):  # in one run over all rows, so that narrow ones fill the vectors too
            flat[i] = exp(flat[i])
        for i in range(rows):
            total, mass = dz_[i, 0], y_[i, 0]
            for j in range(1, columns):
                total += dz_[i, j]
                mass += y_[i, j]
            top, log_total, loss = losses[i], log(total), 0.0  # losses in float64: |z| may exceed float32 here
            for j in range(columns):
                if y_[i, j] != 0.0:
                    loss += y_[i, j] * (top - z_[i, j] + log_total)
                dz_[i, j] = weights_[i] * (mass * (dz_[i, j] / total) - y_[i, j])
            losses[i] = weights_[i] * loss

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

register(Loss(
    name="cross_entropy",
    formula="−y log a",
    prime_formula="−y / a",
    value=lambda a, y: 0.0 if y == 0.0 else -y * math.log(a),
    prime=lambda a, y: 0.0 if y == 0.0 else -y / a,
    vectorized=lambda a, y: -y * np.log(np.where(y == 0, 1, a)),
    vectorized_prime=lambda a, y: -y / np.where(y == 0, 1, a),
    on_logits={"softmax": after_softmax},
    domain=(0, 1),
    targets="classes",
))
