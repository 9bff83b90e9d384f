"""Stochastic gradient descent: plain, with momentum (Polyak 1964), or with Nesterov's (Sutskever et al. 2013, section 2).

In the form of PyTorch: the velocity is a sum of gradients, without the learning rate. With a constant learning rate this is
the same as Keras's form; a changed learning rate takes effect at once.
"""

from ...checks.hyperparameters import flag, part, rate_or_schedule
from . import Optimizer, register


@register
class SGD(Optimizer):
    """Step down the gradient, or along a velocity that accumulates gradients.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
    momentum : float, default 0
        Fraction of the velocity kept in a step, from 0 to 1. With 0, it is plain gradient descent without a velocity.
    nesterov : bool, default False
        Whether to use Nesterov's momentum: the step goes along g + μ u instead of u. Needs momentum.
    clip_value, clip_norm : float, optional
        Limits of the size of each element of the gradient, and of the norm of the whole, applied before the step.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import SGD, Dense, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=SGD(learning_rate=0.1, momentum=0.9))
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    learning_rate: float = rate_or_schedule(0.01)
    momentum: float = part(0.0)
    nesterov: bool = flag(False)

    name = "sgd"
    formula = "u ← μu + g;  θ ← θ − α u, or with nesterov θ ← θ − α (g + μu)"
    slots = ("velocity",)

    def __post_init__(self):
        if self.nesterov and self.momentum == 0:
            raise ValueError("SGD(nesterov=True) needs momentum, which is 0; give it some, as in momentum=0.9")

    @staticmethod
    def coefficients(step, learning_rate, momentum, nesterov):
        # the step is a mixture of gradient and velocity, so that one loop serves all three kinds
        gradient_rate = learning_rate if nesterov else 0.0
        velocity_rate = learning_rate * momentum if nesterov else learning_rate
        return momentum, gradient_rate, velocity_rate

    @staticmethod
    def update(parameters, gradients, velocity, c):
        momentum, gradient_rate, velocity_rate = c[0], c[1], c[2]
        if momentum == 0.0:  # the velocity would equal the gradient, so it is neither read nor written
            rate = gradient_rate + velocity_rate
            for i in range(len(parameters)):
                parameters[i] -= rate * gradients[i]
            return
        for i in range(len(parameters)):
            gradient = gradients[i]
            velocity[i] = momentum * velocity[i] + gradient
            parameters[i] -= gradient_rate * gradient + velocity_rate * velocity[i]

    def vectorized(self, parameters, gradients, velocity, step):
        if self.momentum == 0:
            return parameters - self.learning_rate * gradients, velocity
        velocity = self.momentum * velocity + gradients
        direction = gradients + self.momentum * velocity if self.nesterov else velocity
        return parameters - self.learning_rate * direction, velocity
