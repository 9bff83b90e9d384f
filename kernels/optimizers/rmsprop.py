"""RMSprop (Hinton 2012, Neural Networks for Machine Learning, lecture 6e), with epsilon outside the root as in PyTorch."""

import math

import numpy as np

from ...checks.hyperparameters import in_unit_interval, positive, rate_or_schedule
from . import Optimizer, register


@register
class RMSprop(Optimizer):
    """Step along the gradient divided by the root of a running mean of its square.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.001
    rho : float, default 0.9
        Decay of the mean: the fraction kept in a step, in [0, 1).
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
    >>> from fastnn import Dense, Network, RMSprop
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=RMSprop(learning_rate=0.01))
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    learning_rate: float = rate_or_schedule(1e-3)
    rho: float = in_unit_interval(0.9)
    epsilon: float = positive(1e-8)

    name = "rmsprop"
    formula = "v ← ρv + (1−ρ)g²;  θ ← θ − α g / (√v + ε)"
    slots = ("square",)

    @staticmethod
    def coefficients(step, learning_rate, rho, epsilon):
        return learning_rate, rho, 1.0 - rho, epsilon

    @staticmethod
    def update(parameters, gradients, square, c):
        learning_rate, rho, rest, epsilon = c[0], c[1], c[2], c[3]
        for i in range(len(parameters)):
            gradient = gradients[i]
            square[i] = rho * square[i] + rest * gradient * gradient
            parameters[i] -= learning_rate * gradient / (math.sqrt(square[i]) + epsilon)

    def vectorized(self, parameters, gradients, square, step):
        square = self.rho * square + (1 - self.rho) * gradients**2
        return parameters - self.learning_rate * gradients / (np.sqrt(square) + self.epsilon), square
