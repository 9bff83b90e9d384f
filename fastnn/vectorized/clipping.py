"""Limits on a gradient before the optimizer's step."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..naive.rungs import check_limit
from .records import real


def clip_by_value(gradients: ArrayLike, limit: float) -> NDArray:
    """Limit each element to [−limit, limit].

    Examples
    --------
    >>> clip_by_value([-3.0, 0.5, 2.0], limit=1.0)
    array([-1. ,  0.5,  1. ])
    """
    check_limit("limit", limit)
    return np.clip(real(gradients), -limit, limit)


def clip_by_norm(gradients: ArrayLike, limit: float) -> NDArray:
    """Scale the gradient down to ‖g‖ = limit if ‖g‖ = √Σ g² exceeds it (Pascanu et al. 2013, algorithm 1).

    Examples
    --------
    >>> clip_by_norm([3.0, 4.0], limit=0.5)
    array([0.3, 0.4])
    """
    check_limit("limit", limit)
    gradients = real(gradients)
    norm = float(np.linalg.norm(gradients))
    return gradients * (limit / norm) if norm > limit else gradients


def clip(gradients: NDArray, value: float | None, norm: float | None) -> NDArray:
    """Clip by value, then by norm; None means no limit."""
    if value is not None:
        gradients = clip_by_value(gradients, value)
    return gradients if norm is None else clip_by_norm(gradients, norm)
