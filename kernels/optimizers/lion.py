"""Lion (Chen et al. 2023, algorithm 2): of a mixture of momentum and gradient only the sign counts."""

import numpy as np

from ...checks.hyperparameters import in_unit_interval, not_negative, rate_or_schedule
from . import Optimizer, register


@register
class Lion(Optimizer):
    """Steps of one size in every parameter, along the sign of a mixture of the gradient and a running mean of it.

    It wants a learning rate 3 to 10 times smaller than Adam's, and a weight decay as many times larger.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.0001
    beta1 : float, default 0.9
        How much of the mixture is the mean, in [0, 1).
    beta2 : float, default 0.99
        How much of the mean is kept in a step, in [0, 1).
    weight_decay : float, default 0
        A step takes the fraction learning_rate · weight_decay from each parameter, as in `AdamW`.
    clip_value, clip_norm : float, optional
        Limits on the gradients, as of every `Optimizer`.
    """

    learning_rate: float = rate_or_schedule(1e-4)
    beta1: float = in_unit_interval(0.9)
    beta2: float = in_unit_interval(0.99)
    weight_decay: float = not_negative(0.0)

    name = "lion"
    formula = "θ ← θ − α (sign(β₁m + (1−β₁)g) + λθ);  m ← β₂m + (1−β₂)g"
    slots = ("mean",)

    @staticmethod
    def coefficients(step, learning_rate, beta1, beta2, weight_decay):
        return learning_rate, beta1, 1.0 - beta1, beta2, 1.0 - beta2, 1.0 - learning_rate * weight_decay

    @staticmethod
    def update(parameters, gradients, mean, c):
        learning_rate, beta1, rest1, beta2, rest2, kept = c[0], c[1], c[2], c[3], c[4], c[5]
        for i in range(len(parameters)):
            gradient = gradients[i]
            mixture = beta1 * mean[i] + rest1 * gradient
            sign = 1.0 if mixture > 0.0 else (-1.0 if mixture < 0.0 else 0.0)
            parameters[i] = kept * parameters[i] - learning_rate * sign
            mean[i] = beta2 * mean[i] + rest2 * gradient

    def vectorized(self, parameters, gradients, mean, step):
        sign = np.sign(self.beta1 * mean + (1 - self.beta1) * gradients)
        updated = parameters - self.learning_rate * (sign + self.weight_decay * parameters)
        return updated, self.beta2 * mean + (1 - self.beta2) * gradients
