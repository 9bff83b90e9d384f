"""Negative log-likelihoods of generalized linear models, for linear members and for the weights of a mixture.

Each is a convex function of the outputs Z (rows, outputs), with targets y (rows,):

    softmax   −log softmax(Z)[y], where y is the number of a class
    ordered   Σₖ log(1 + exp(Zₖ)) − [y > k] Zₖ, where y is the rank of a class, and Zₖ the logit of a larger rank than k
    poisson   exp(Z) − y Z, where y is a count over its mean
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LARGEST = 50.0  # exponent of a mean, so that a step that is far too long has a large loss and not an infinite one


@dataclass(frozen=True)
class Likelihood:
    """A loss of outputs.

    Attributes
    ----------
    losses : function of (Z, y)
        Returns the loss of each row, (rows,).
    slope : function of (Z, y)
        Returns its derivatives (rows, outputs) by Z.
    curvature : function of (Z, U, w)
        Returns Σ w Uᵢ H Uⱼ (models, models), where U (models, rows, outputs) are directions, and H the second derivatives
        of the loss of a row by its outputs.
    typical : float
        The curvature of an output at the beginning, or a bound on it.
    """

    losses: Callable
    slope: Callable
    curvature: Callable
    typical: float


def probabilities(Z):
    """Return the softmax of logits (rows, classes)."""
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def log_losses(Z, labels):
    """Return −log softmax(Z)[label] of each row, (rows,)."""
    Z = Z - Z.max(axis=1, keepdims=True)
    return np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(labels)), labels]


def softmax_slope(Z, labels):
    P = probabilities(Z)
    P[np.arange(len(labels)), labels] -= 1
    return P


def softmax_curvature(Z, U, w):
    P = probabilities(Z)
    means = (U * P).sum(axis=2)  # (models, rows)
    return np.einsum("irk,jrk,rk->ij", U, U, P * w[:, None]) - (means * w) @ means.T


def sigmoid(Z):
    """Return 1 / (1 + exp(−Z))."""
    return 0.5 * (1 + np.tanh(0.5 * Z))


def above(ranks, count):
    """Return whether each rank is larger than 0, 1, …, count − 1: (rows, count) float64."""
    return (ranks[:, None] > np.arange(count)).astype(np.float64)


def ordered_losses(Z, ranks):
    return (np.logaddexp(0, Z) - above(ranks, Z.shape[1]) * Z).sum(axis=1)


def ordered_curvature(Z, U, w):
    P = sigmoid(Z)
    return np.einsum("irk,jrk,rk->ij", U, U, P * (1 - P) * w[:, None])


def means(Z):
    return np.exp(np.minimum(Z, LARGEST))


def poisson_losses(Z, y):
    return (means(Z) - y[:, None] * Z).sum(axis=1)


LIKELIHOODS = {
    "classification": Likelihood(log_losses, softmax_slope, softmax_curvature, 0.25),
    "ordered": Likelihood(ordered_losses, lambda Z, y: sigmoid(Z) - above(y, Z.shape[1]), ordered_curvature, 0.25),
    "counts": Likelihood(poisson_losses, lambda Z, y: means(Z) - y[:, None],
                         lambda Z, U, w: np.einsum("irk,jrk,rk->ij", U, U, means(Z) * w[:, None]), 1.0),
}
