"""The Kullback-Leibler divergence (Kullback and Leibler 1951): of targets that are probabilities, from the outputs.

It is the cross entropy without the part that depends on the targets alone, their entropy. So it has the same gradient, and
it is 0 where the outputs equal the targets. For labels, and for one-hot targets, the two are the same.
"""

import numpy as np

from ..compiling.jit import Kernel, calls, offset, view
from ..elementwise.elementary import log, sigmoid, softplus
from . import Loss, loss_arguments, register
from .cross_entropy import after_softmax as base
from .cross_entropy import logits_value, vectorized_logits_value


def y_log_y(y):
    return 0.0 if y == 0.0 else y * log(y)


def vectorized_y_log_y(y):
    return y * np.log(np.where(y == 0, 1, y))


def softmax_kernel(base):
    """The kernel of the cross entropy after softmax, with Σⱼ yⱼ log yⱼ of each row added."""
    call = calls(base)

    def build(dtype):
        def kernel(row_losses, dz, z, y, weights, rows, columns):
            call(view(y, 0, 1), (row_losses, dz, z, y, weights, rows, columns))  # it leaves y as it is
            losses, weights_ = view(row_losses, 0, rows), view(weights, 0, rows)
            for i in range(rows):
                y_, total = view(offset(y, i * columns), 0, columns), 0.0
                for j in range(columns):
                    target = np.float64(y_[j])
                    if target != 0.0:
                        total += target * log(target)
                losses[i] += weights_[i] * total

        return kernel

    return Kernel("softmax_kl_divergence_loss", build, loss_arguments, needs=(base,))


after_softmax = Loss(
    name="softmax_kl_divergence",
    formula="Σⱼ yⱼ (log yⱼ + log Σₖ eᶻᵏ − zⱼ)",
    prime_formula=base.prime_formula,
    value=lambda z, y: logits_value(z, y) + sum(map(y_log_y, y)),
    prime=base.prime,
    vectorized=lambda z, y: vectorized_logits_value(z, y) + vectorized_y_log_y(y).sum(axis=-1),
    vectorized_prime=base.vectorized_prime,
    rowwise=True,
    targets="classes",
    kernel=softmax_kernel(base.kernel),
)

after_sigmoid = Loss(
    name="sigmoid_kl_divergence",
    formula="y (log y + log(1 + e⁻ᶻ))",
    prime_formula="−y / (1 + eᶻ)",
    value=lambda z, y: 0.0 if y == 0.0 else y * (log(y) + softplus(-z)),
    prime=lambda z, y: -y * sigmoid(-z),
    vectorized=lambda z, y: vectorized_y_log_y(y) + y * np.logaddexp(0, -z),
    vectorized_prime=lambda z, y: -y * np.exp(-np.logaddexp(0, z)),
    targets="classes",
)

register(Loss(
    name="kl_divergence",
    formula="y log(y / a)",
    prime_formula="−y / a",
    value=lambda a, y: 0.0 if y == 0.0 else y * (log(y) - log(a)),
    prime=lambda a, y: 0.0 if y == 0.0 else -y / a,
    vectorized=lambda a, y: vectorized_y_log_y(y) - y * np.log(np.where(y == 0, 1, a)),
    vectorized_prime=lambda a, y: -y / np.where(y == 0, 1, a),
    on_logits={"softmax": after_softmax, "sigmoid": after_sigmoid},
    domain=(0, 1),
    targets="classes",
))
