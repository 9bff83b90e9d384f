"""Lion (Chen et al. 2023, algorithm 2): only the sign of a mixture of momentum and gradient is used."""

import numpy as np

from ...checks.hyperparameters import in_unit_interval, not_negative, rate_or_schedule
from . import Optimizer, register


@register
class Lion(Optimizer):
    """Step of the same size in every parameter, along the sign of a mixture of the gradient and its running mean.

    It needs a learning rate 3 to 10 times smaller than Adam's, and a weight decay larger by the same factor.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.0001
    beta1 : float, default 0.9
        Weight of the mean in the mixture, in [0, 1).
    beta2 : float, default 0.99
        Decay of the mean: the fraction kept in a step, in [0, 1).
    weight_decay : float, default 0
        A step subtracts the fraction learning_rate · weight_decay of each parameter, as in `AdamW`.
    clip_value, clip_norm : float, optional
        Limits of the size of each element of the gradient, and of the norm of the whole, applied before the step.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Lion, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=Lion(learning_rate=0.001))
    >>> history["loss"][-1] < history["loss"][0]
    True
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
