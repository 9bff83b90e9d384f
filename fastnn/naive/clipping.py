"""Limits on a gradient, a flat list of numbers, before the optimizer's step."""

import math

from .records import Vector, to_lists
from .rungs import check_limit


def clip_by_value(gradients: Vector, limit: float) -> Vector:
    """Limit each element to [−limit, limit].

    Examples
    --------
    >>> clip_by_value([-3.0, 0.5, 2.0], limit=1.0)
    [-1.0, 0.5, 1.0]
    """
    check_limit("limit", limit)
    return [max(-limit, min(limit, gradient)) for gradient in to_lists(gradients)]


def clip_by_norm(gradients: Vector, limit: float) -> Vector:
    """Scale the gradient down to ‖g‖ = limit if ‖g‖ = √Σ g² exceeds it (Pascanu et al. 2013, algorithm 1).

    Examples
    --------
    >>> clip_by_norm([3.0, 4.0], limit=1.0)
    [0.6000000000000001, 0.8]
    """
    check_limit("limit", limit)
    gradients, total = to_lists(gradients), 0.0
    for gradient in gradients:
        total += gradient * gradient
    norm = math.sqrt(total)
    return [gradient * (limit / norm) for gradient in gradients] if norm > limit else gradients


def clip(gradients: Vector, value: float | None, norm: float | None) -> Vector:
    """Clip by value, then by norm; None means no limit."""
    if value is not None:
        gradients = clip_by_value(gradients, value)
    return gradients if norm is None else clip_by_norm(gradients, norm)
