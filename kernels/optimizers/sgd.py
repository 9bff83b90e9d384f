"""Stochastic gradient descent: plain, with momentum (Polyak 1964), or with Nesterov's (Sutskever et al. 2013, section 2).

In the form of PyTorch: the velocity is a sum of gradients and the learning rate stands outside of it. With a constant
learning rate that is Keras's form; where the rate is changed on the way, it takes hold of the next step at once.
"""

from ...checks.hyperparameters import flag, part, rate_or_schedule
from . import Optimizer, register


@register
class SGD(Optimizer):
    """Steps down the gradient, or along a velocity that gathers gradients.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
    momentum : float, default 0
        How much of the velocity is kept in a step, from 0 to 1. At 0 it is plain gradient descent, without any.
    nesterov : bool, default False
        Whether to look ahead, one step further along the velocity. Needs momentum.
    clip_value, clip_norm : float, optional
        Limits on the gradients, as of every `Optimizer`.
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
        # the step is along a mixture of gradient and velocity: the same loop for all three kinds
        gradient_rate = learning_rate if nesterov else 0.0
        velocity_rate = learning_rate * momentum if nesterov else learning_rate
        return momentum, gradient_rate, velocity_rate

    @staticmethod
    def update(parameters, gradients, velocity, c):
        momentum, gradient_rate, velocity_rate = c[0], c[1], c[2]
        if momentum == 0.0:  # the velocity would be the gradient: it is left alone, and not read from memory either
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
