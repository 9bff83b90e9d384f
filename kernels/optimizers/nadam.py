"""Nadam: Adam with Nesterov's momentum (Dozat 2016, algorithm 8, with a constant β₁)."""

import math

import numpy as np

from . import register
from .adam import Adam


@register
class Nadam(Adam):
    """Adam whose step looks ahead by Nesterov's momentum.

    β₁ is constant, as in the algorithm of the paper; Keras and PyTorch raise it to its value over some hundred steps.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As in `Adam`.
    clip_value, clip_norm : float, optional
        Limits of the size of each element of the gradient, and of the norm of the whole, applied before the step.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Nadam, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=Nadam(learning_rate=0.01))
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    name = "nadam"
    formula = ("m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − α (β₁m/(1−β₁ᵗ⁺¹) + (1−β₁)g/(1−β₁ᵗ)) / (√v̂ + ε),  "
               "v̂ = v/(1−β₂ᵗ)")

    @staticmethod
    def coefficients(step, learning_rate, beta1, beta2, epsilon):
        root = math.sqrt(1.0 - beta2**step)
        ahead = learning_rate * root * beta1 / (1.0 - beta1**(step + 1))
        now = learning_rate * root * (1.0 - beta1) / (1.0 - beta1**step)
        return ahead, beta1, 1.0 - beta1, beta2, 1.0 - beta2, epsilon * root, now

    @staticmethod
    def update(parameters, gradients, mean, square, c):
        ahead, beta1, rest1, beta2, rest2, epsilon, now = c[0], c[1], c[2], c[3], c[4], c[5], c[6]
        for i in range(len(parameters)):
            gradient = gradients[i]
            mean[i] = beta1 * mean[i] + rest1 * gradient
            square[i] = beta2 * square[i] + rest2 * gradient * gradient
            parameters[i] -= (ahead * mean[i] + now * gradient) / (math.sqrt(square[i]) + epsilon)

    def vectorized(self, parameters, gradients, mean, square, step):
        mean = self.beta1 * mean + (1 - self.beta1) * gradients
        square = self.beta2 * square + (1 - self.beta2) * gradients**2
        corrected = self.beta1 * mean / (1 - self.beta1**(step + 1)) + (1 - self.beta1) * gradients / (1 - self.beta1**step)
        root = np.sqrt(square / (1 - self.beta2**step))
        return parameters - self.learning_rate * corrected / (root + self.epsilon), mean, square
