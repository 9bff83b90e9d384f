"""From the steps of sequences to one row for each, in NumPy. x (steps, features), offsets (sequences + 1,)."""

import numpy as np

from ..naive.rungs import check_offsets
from .records import real


def last_step_forward(x, offsets):
    """Take the last step of each sequence: a (sequences, features).

    Examples
    --------
    >>> last_step_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [3.0]]
    """
    x = real(x)
    return x[np.array(check_offsets(offsets, len(x), least=1))[1:] - 1]


def last_step_backward(da, offsets):
    """Compute the gradient of `last_step_forward` from da: dx (steps, features).

    Examples
    --------
    >>> last_step_backward([[5.0], [6.0]], offsets=[0, 2, 3]).tolist()
    [[0.0], [5.0], [6.0]]
    """
    da = real(da)
    offsets = check_offsets(offsets, least=1, sequences=len(da))
    dx = np.zeros((offsets[-1], *da.shape[1:]), da.dtype)
    dx[np.array(offsets)[1:] - 1] = da
    return dx
