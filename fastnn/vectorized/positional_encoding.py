"""Codes of the positions of steps, in NumPy."""

import numpy as np

from ..naive.rungs import check_offsets
from .records import real


def positions(steps, features):
    """Return the codes (steps, features) of the positions 0 … steps − 1: sines in even columns, cosines in odd ones."""
    columns = np.arange(features)
    angles = np.arange(steps)[:, None] * np.exp(-np.log(10000.0) * (columns - columns % 2) / features)
    return np.where(columns % 2, np.cos(angles), np.sin(angles))


def positional_encoding_forward(x, offsets):
    """Add to each step of a sequence the sines and cosines of its position: a (steps, features).

    Examples
    --------
    >>> positional_encoding_forward([[0.0, 0.0], [0.0, 0.0]], offsets=[0, 1, 2])
    array([[0., 1.],
           [0., 1.]])
    """
    x = real(x)
    lengths = np.diff(check_offsets(offsets, len(x)))
    codes = [positions(length, x.shape[1]) for length in lengths]
    return (x + np.concatenate(codes)).astype(x.dtype)
