"""Cross entropy of one probability, the cost of logistic regression; after sigmoid it is computed from the logit.

The notes average it over the samples without the minus sign; the loss here is never negative.
"""

import numpy as np

from ..elementwise.elementary import log, log1p, sigmoid, softplus
from . import Loss, register


def value(a, y):
    # 0 log 0 counts as 0, so a term with weight 0 is left out
    return (0.0 if y == 0.0 else -y * log(a)) - (0.0 if y == 1.0 else (1.0 - y) * log1p(-a))


def prime(a, y):
    return (0.0 if y == 1.0 else (1.0 - y) / (1.0 - a)) - (0.0 if y == 0.0 else y / a)


def vectorized(a, y):
    return -y * np.log(np.where(y == 0, 1, a)) - (1 - y) * np.log1p(-np.where(y == 1, 0, a))


def vectorized_prime(a, y):
    return (1 - y) / np.where(y == 1, 1, 1 - a) - y / np.where(y == 0, 1, a)


after_sigmoid = Loss(
    name="sigmoid_binary_cross_entropy",
    formula="log(1 + eᶻ) − y z",
    prime_formula="1 / (1 + e⁻ᶻ) − y",
    # log(1 + eᶻ) = max(z, 0) + log(1 + e^−|z|); the small term is added last, so that it is not lost beside z − yz
    value=lambda z, y: (0.0 if z < 0.0 else z) - y * z + softplus(-abs(z)),
    prime=lambda z, y: sigmoid(z) - y,
    vectorized=lambda z, y: y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z),
    vectorized_prime=lambda z, y: np.exp(-np.logaddexp(0, -z)) - y,
    targets="binary",
)

record = register(Loss(
    name="binary_cross_entropy",
    formula="−y log a − (1 − y) log(1 − a)",
    prime_formula="(1 − y) / (1 − a) − y / a",
    value=value,
    prime=prime,
    vectorized=vectorized,
    vectorized_prime=vectorized_prime,
    on_logits={"sigmoid": after_sigmoid},
    domain=(0, 1),
    targets="binary",
))
