"""Half the deviance of Poisson distributed counts, where the network's output is the logarithm of their mean.

With mean eᵃ this is the negative log-likelihood of y minus its smallest value, so that it is 0 where eᵃ = y.
"""

import math

import numpy as np

from . import Loss, register


def value(a, y):
    # the part without a: 0 log 0 counts as 0
    constant = 0.0 if y <= 0.0 else y * math.log(y) - y
    return math.exp(a) - y * a + constant


def vectorized(a, y):
    constant = np.where(y <= 0, 0, y * np.log(np.where(y <= 0, 1, y)) - y)
    return np.exp(a) - y * a + constant


register(Loss(
    name="poisson",
    formula="eᵃ − y a + y log y − y",
    prime_formula="eᵃ − y",
    value=value,
    prime=lambda a, y: math.exp(a) - y,
    vectorized=vectorized,
    vectorized_prime=lambda a, y: np.exp(a) - y,
    on_target=math.log,
))
