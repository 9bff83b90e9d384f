"""Adam (Kingma and Ba 2014, algorithm 1)."""

import math

import numpy as np

from ...checks.hyperparameters import in_unit_interval, positive, rate_or_schedule
from . import Optimizer, compiled, register


@register
class Adam(Optimizer):
    """Step scaled by running means of the gradient and of its square, both corrected for their start at zero.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.001
    beta1, beta2 : float, default 0.9 and 0.999
        Decay of each mean: the fraction kept in a step, in [0, 1).
    epsilon : float, default 1e-8
        Added to the root, so that the divisor is positive for a zero gradient.
    clip_value, clip_norm : float, optional
        Limits of the size of each element of the gradient, and of the norm of the whole, applied before the step.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Adam, Dense, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=Adam(learning_rate=0.01))
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    learning_rate: float = rate_or_schedule(1e-3)
    beta1: float = in_unit_interval(0.9)
    beta2: float = in_unit_interval(0.999)
    epsilon: float = positive(1e-8)

    name = "adam"
    formula = "m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − α m̂ / (√v̂ + ε),  m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)"
    slots = ("mean", "square")

    @staticmethod
    def coefficients(step, learning_rate, beta1, beta2, epsilon, weight_decay=0.0):
        # m̂ / (√v̂ + ε) with both corrections moved into the step size and ε: one division and one root for each parameter
        root = math.sqrt(1.0 - beta2**step)
        step_size, kept = learning_rate * root / (1.0 - beta1**step), 1.0 - learning_rate * weight_decay
        return step_size, beta1, 1.0 - beta1, beta2, 1.0 - beta2, epsilon * root, kept

    @staticmethod
    def update(parameters, gradients, mean, square, c):
        step_size, beta1, rest1, beta2, rest2, epsilon, kept = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
        for i in range(len(parameters)):
            gradient = gradients[i]
            mean[i] = beta1 * mean[i] + rest1 * gradient
            square[i] = beta2 * square[i] + rest2 * gradient * gradient
            # kept is 1 here and less in AdamW; the product takes no measurable time beside the root and the division
            parameters[i] = kept * parameters[i] - step_size * mean[i] / (math.sqrt(square[i]) + epsilon)

    def vectorized(self, parameters, gradients, mean, square, step):
        mean = self.beta1 * mean + (1 - self.beta1) * gradients
        square = self.beta2 * square + (1 - self.beta2) * gradients**2
        corrected_mean, corrected_square = mean / (1 - self.beta1**step), square / (1 - self.beta2**step)
        return parameters - self.learning_rate * corrected_mean / (np.sqrt(corrected_square) + self.epsilon), mean, square


@compiled
class AdamHat(Adam):
    """Adam with ε added to the uncorrected root, the ε̂ at the end of section 2 of the paper, as in scikit-learn.

    For gradients smaller than ε, its first steps are shorter by up to the factor √(1 − β₂) = 0.03.
    """

    name = "adam_hat"
    formula = "m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − α √(1−β₂ᵗ)/(1−β₁ᵗ) m / (√v + ε)"

    @staticmethod
    def coefficients(step, learning_rate, beta1, beta2, epsilon):
        step_size = learning_rate * math.sqrt(1.0 - beta2**step) / (1.0 - beta1**step)
        return step_size, beta1, 1.0 - beta1, beta2, 1.0 - beta2, epsilon, 1.0

    def vectorized(self, parameters, gradients, mean, square, step):
        mean = self.beta1 * mean + (1 - self.beta1) * gradients
        square = self.beta2 * square + (1 - self.beta2) * gradients**2
        step_size = self.learning_rate * math.sqrt(1 - self.beta2**step) / (1 - self.beta1**step)
        return parameters - step_size * mean / (np.sqrt(square) + self.epsilon), mean, square
