"""The focal loss (Lin et al. 2017): the cross entropy times (1 − p)ᵞ, where p is the probability given to the right class.

What the network is sure of counts little, so that many easy samples do not drown a few hard ones. "focal_2" has γ = 2, the
value of the paper. The paper's factors α of the classes are `class_weight` of a fit.

With ℓ = −qᵞ log p and q = 1 − p, the gradient in the logits is that of the cross entropy with other factors:

    p = softmax(z):    g = dℓ / dlog p = qᵞ (γ p log(p) / q − 1),    dz = y g(p) − p Σⱼ yⱼ g(pⱼ)
    p = sigmoid(z):    dℓ / dz = q g(p)
"""

import numpy as np

from ..compiling.jit import Kernel, jit, view
from ..elementwise.elementary import exp, expm1, log, sigmoid, softplus
from . import Loss, families, loss_arguments, register


@jit(inline=True)
def power_and_factor(log_p, gamma):
    """Return qᵞ and g for the logarithm of a probability."""
    q = -expm1(log_p)
    if q == 0.0:
        return 0.0, 0.0
    power = exp(gamma * log(q))
    return power, power * (gamma * exp(log_p) * log_p / q - 1.0)


def softmax_kernel(name, gamma):
    def build(dtype):
        def kernel(row_losses, dz, z, y, weights, rows, columns):
            # z, y, dz (rows, columns); float64 within, since 1 − p has few digits in float32
            z_, y_, dz_ = view(z, 0, (rows, columns)), view(y, 0, (rows, columns)), view(dz, 0, (rows, columns))
            losses, weights_ = view(row_losses, 0, rows), view(weights, 0, rows)
            for i in range(rows):
                top, total, loss, mass = np.float64(z_[i, 0]), 0.0, 0.0, 0.0
                for j in range(1, columns):
                    top = max(top, np.float64(z_[i, j]))
                for j in range(columns):
                    total += exp(np.float64(z_[i, j]) - top)
                log_total = log(total)
                for j in range(columns):
                    log_p = np.float64(z_[i, j]) - top - log_total
                    dz_[i, j] = 0.0
                    if y_[i, j] != 0.0:
                        power, factor = power_and_factor(log_p, gamma)
                        loss -= y_[i, j] * power * log_p
                        mass += y_[i, j] * factor
                        dz_[i, j] = y_[i, j] * factor
                losses[i] = weights_[i] * loss
                for j in range(columns):
                    p = exp(np.float64(z_[i, j]) - top - log_total)
                    dz_[i, j] = weights_[i] * (dz_[i, j] - mass * p)

        return kernel

    return Kernel(name.replace(".", "p") + "_loss", build, loss_arguments)


def after_softmax(name, gamma):
    """Return the record of the focal loss of several classes as a function of the logits."""
    of_log = power_and_factor.py_func

    def log_probabilities(z):
        top = max(z)
        log_total = log(sum(exp(each - top) for each in z))
        return [each - top - log_total for each in z]

    def value(z, y):
        log_p = log_probabilities(z)
        return -sum(y[j] * of_log(log_p[j], gamma)[0] * log_p[j] for j in range(len(z)) if y[j] != 0.0)

    def prime(z, y):
        log_p = log_probabilities(z)
        g = [y[j] * of_log(log_p[j], gamma)[1] if y[j] != 0.0 else 0.0 for j in range(len(z))]
        return [g[j] - exp(log_p[j]) * sum(g) for j in range(len(z))]

    def arrays(z):
        shifted = z - z.max(axis=-1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return log_p, np.exp(log_p), -np.expm1(log_p)

    def vectorized(z, y):
        log_p, _, q = arrays(z)
        return -(y * q ** gamma * log_p).sum(axis=-1)

    def vectorized_prime(z, y):
        log_p, p, q = arrays(z)
        g = y * (gamma * p * log_p * q ** gamma / np.where(q == 0, 1, q) - q ** gamma)
        return g - p * g.sum(axis=-1, keepdims=True)

    return Loss(
        name=f"softmax_{name}",
        formula=f"−Σⱼ yⱼ (1 − pⱼ)^{gamma:g} log pⱼ, p = softmax(z)",
        prime_formula=f"y g − p Σⱼ yⱼ gⱼ, g = (1 − p)^{gamma:g} ({gamma:g} p log(p) / (1 − p) − 1)",
        value=value,
        prime=prime,
        vectorized=vectorized,
        vectorized_prime=vectorized_prime,
        rowwise=True,
        targets="classes",
        kernel=softmax_kernel(f"softmax_{name}", gamma),
    )


def of_class(gamma):
    """Return ℓ as a function of the probability a of the right class, and its derivative, in loops and in NumPy."""

    def value(a):
        return -exp(gamma * log(1.0 - a)) * log(a)

    def prime(a):
        return 0.0 if a == 1.0 else exp(gamma * log(1.0 - a)) * (gamma * log(a) / (1.0 - a) - 1.0 / a)

    def vectorized(a):
        return -(1 - a) ** gamma * np.log(a)

    def vectorized_prime(a):
        q = np.where(a == 1, 1, 1 - a)
        return np.where(a == 1, 0, q ** gamma * (gamma * np.log(a) / q - 1 / a))

    return value, prime, vectorized, vectorized_prime


def of_logit(gamma):
    """Return the same as functions of z, where the probability of the right class is sigmoid(z)."""

    def value(z):
        return exp(-gamma * softplus(z)) * softplus(-z)  # 1 − p = e^−softplus(z)

    def prime(z):
        return -exp(-gamma * softplus(z)) * (gamma * sigmoid(z) * softplus(-z) + sigmoid(-z))

    def vectorized(z):
        return np.exp(-gamma * np.minimum(np.logaddexp(0, z), 1e300)) * np.logaddexp(0, -z)  # γ times it may overflow

    def vectorized_prime(z):
        p, q = np.exp(-np.logaddexp(0, -z)), np.exp(-np.logaddexp(0, z))
        return -q ** gamma * (gamma * p * np.logaddexp(0, -z) + q)

    return value, prime, vectorized, vectorized_prime


def focal_loss(name, gamma):
    """Return the record of the focal loss of several classes."""
    check_gamma(name, gamma)
    value, prime, vectorized, vectorized_prime = of_class(gamma)
    z_value, z_prime, z_vectorized, z_vectorized_prime = of_logit(gamma)
    after_sigmoid = Loss(
        name=f"sigmoid_{name}",
        formula=f"−y (1 − p)^{gamma:g} log p, p = sigmoid(z)",
        prime_formula=f"−y (1 − p)^{gamma:g} (1 − p − {gamma:g} p log p)",
        value=lambda z, y: 0.0 if y == 0.0 else y * z_value(z),
        prime=lambda z, y: 0.0 if y == 0.0 else y * z_prime(z),
        vectorized=lambda z, y: y * z_vectorized(z),
        vectorized_prime=lambda z, y: y * z_vectorized_prime(z),
        targets="classes",
    )
    return Loss(
        name=name,
        formula=f"−y (1 − a)^{gamma:g} log a",
        prime_formula=f"y (1 − a)^{gamma:g} ({gamma:g} log(a) / (1 − a) − 1 / a)",
        value=lambda a, y: 0.0 if y == 0.0 else y * value(a),
        prime=lambda a, y: 0.0 if y == 0.0 else y * prime(a),
        vectorized=lambda a, y: y * vectorized(np.where(y == 0, 0.5, a)),
        vectorized_prime=lambda a, y: y * vectorized_prime(np.where(y == 0, 0.5, a)),
        on_logits={"softmax": after_softmax(name, gamma), "sigmoid": after_sigmoid},
        domain=(0, 1),
        targets="classes",
    )


def check_gamma(name, gamma):
    if not gamma > 0.0:
        plain = "binary_cross_entropy" if name.startswith("binary") else "cross_entropy"
        raise ValueError(f"loss {name!r} has γ = {gamma:g}, which must be above 0, as in 'focal_2'; with 0 it is {plain!r}")


families["focal"] = focal_loss
register(focal_loss("focal_2", 2.0))
