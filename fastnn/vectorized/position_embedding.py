"""Learned codes of the positions of steps, in NumPy."""

import numpy as np

from ..naive.position_embedding import check_positions
from .records import real


def position_embedding_forward(x, weight, offsets):
    """Add to step t of each sequence row t of a weight: a (steps, features).

    Examples
    --------
    >>> position_embedding_forward([[1.0], [2.0], [3.0]], weight=[[10.0], [20.0]], offsets=[0, 2, 3])
    array([[11.],
           [22.],
           [13.]])
    """
    x, weight = real(x), real(weight)
    return x + weight[places(check_positions(x.shape, len(weight), weight.shape[1:], offsets))]


def position_embedding_backward(da, positions, offsets):
    """Compute the gradient of `position_embedding_forward` from da: dweight (positions, features).

    Examples
    --------
    >>> position_embedding_backward([[1.0], [10.0], [100.0]], positions=3, offsets=[0, 2, 3])
    array([[101.],
           [ 10.],
           [  0.]])
    """
    da = real(da)
    dweight = np.zeros((positions, da.shape[1]), da.dtype)
    np.add.at(dweight, places(check_positions(da.shape, positions, da.shape[1:], offsets)), da)
    return dweight


def places(offsets):
    """Return the position of each step in its sequence."""
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))
