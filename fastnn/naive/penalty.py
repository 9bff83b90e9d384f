"""Penalties on a weight: l1 Σ |w| + l2 Σ w², added to the loss; the bias has no penalty."""

from .records import Matrix, to_lists
from .rungs import check_strengths


def weight_penalty(weight: Matrix, l1: float = 0.0, l2: float = 0.0) -> float:
    """Compute l1 Σ |w| + l2 Σ w².

    Examples
    --------
    >>> weight_penalty([[1.0, -2.0], [3.0, 0.0]], l1=0.5, l2=2.0)
    31.0
    """
    check_strengths(l1, l2)
    return sum(l1 * abs(w) + l2 * w * w for row in to_lists(weight) for w in row)


def weight_penalty_gradient(weight: Matrix, l1: float = 0.0, l2: float = 0.0) -> Matrix:
    """Compute the derivative of the penalty with respect to each w: l1 sign(w) + 2 l2 w, with sign(0) = 0.

    Examples
    --------
    >>> weight_penalty_gradient([[1.0, -2.0], [3.0, 0.0]], l1=0.5, l2=2.0)
    [[4.5, -8.5], [12.5, 0.0]]
    """
    check_strengths(l1, l2)
    return [[l1 * ((w > 0) - (w < 0)) + 2 * l2 * w for w in row] for row in to_lists(weight)]
