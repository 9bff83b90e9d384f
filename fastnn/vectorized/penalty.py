"""Penalties on a weight: l1 Σ |w| + l2 Σ w², added to the loss; the bias has no penalty."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..naive.rungs import check_strengths
from .records import real


def weight_penalty(weight: ArrayLike, l1: float = 0.0, l2: float = 0.0) -> float:
    """Compute l1 Σ |w| + l2 Σ w².

    Examples
    --------
    >>> weight_penalty([[1.0, -2.0], [3.0, 0.0]], l1=0.5, l2=2.0)
    31.0
    """
    check_strengths(l1, l2)
    weight = real(weight)
    return float(l1 * np.abs(weight).sum() + l2 * (weight**2).sum())


def weight_penalty_gradient(weight: ArrayLike, l1: float = 0.0, l2: float = 0.0) -> NDArray:
    """Compute the derivative of the penalty with respect to each w: l1 sign(w) + 2 l2 w, with sign(0) = 0.

    Examples
    --------
    >>> weight_penalty_gradient([[1.0, -2.0], [3.0, 0.0]], l1=0.5, l2=2.0).tolist()
    [[4.5, -8.5], [12.5, 0.0]]
    """
    check_strengths(l1, l2)
    weight = real(weight)
    return l1 * np.sign(weight) + 2 * l2 * weight
