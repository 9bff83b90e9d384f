"""Adagrad (Duchi et al. 2011, figure 1, the diagonal form), with epsilon outside the root as in PyTorch."""

import math

import numpy as np

from ...checks.hyperparameters import positive, rate_or_schedule
from . import Optimizer, register


@register
class Adagrad(Optimizer):
    """Step along the gradient divided by the root of the sum of all squared gradients so far.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
    epsilon : float, default 1e-10
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
    >>> from fastnn import Adagrad, Dense, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=Adagrad(learning_rate=0.1))
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    learning_rate: float = rate_or_schedule(0.01)
    epsilon: float = positive(1e-10)

    name = "adagrad"
    formula = "v ← v + g²;  θ ← θ − α g / (√v + ε)"
    slots = ("square",)

    @staticmethod
    def coefficients(step, learning_rate, epsilon):
        return learning_rate, epsilon

    @staticmethod
    def update(parameters, gradients, square, c):
        learning_rate, epsilon = c[0], c[1]
        for i in range(len(parameters)):
            gradient = gradients[i]
            square[i] += gradient * gradient
            parameters[i] -= learning_rate * gradient / (math.sqrt(square[i]) + epsilon)

    def vectorized(self, parameters, gradients, square, step):
        square = square + gradients**2
        return parameters - self.learning_rate * gradients / (np.sqrt(square) + self.epsilon), square
