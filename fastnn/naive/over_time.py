"""From the steps of sequences to one row for each, in pure Python loops.

The steps of all sequences stand one after the other: x (steps, features). Sequence i has the rows offsets[i] to
offsets[i + 1] − 1.
"""

from .records import shape, to_lists
from .rungs import check_offsets


def last_step_forward(x, offsets):
    """Take the last step of each sequence.

    Parameters
    ----------
    x : (steps, features)
    offsets : (sequences + 1,)

    Returns
    -------
    a : (sequences, features)

    Examples
    --------
    >>> last_step_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3])
    [[2.0], [3.0]]
    """
    x, offsets = to_lists(x), check_offsets(offsets, len(x), least=1)
    return [[*x[offsets[i + 1] - 1]] for i in range(len(offsets) - 1)]


def last_step_backward(da, offsets):
    """Compute the gradient of `last_step_forward` from da: da at the last step of each sequence, 0 elsewhere.

    Parameters
    ----------
    da : (sequences, features)
    offsets : (sequences + 1,)

    Returns
    -------
    dx : (steps, features)

    Examples
    --------
    >>> last_step_backward([[5.0], [6.0]], offsets=[0, 2, 3])
    [[0.0], [5.0], [6.0]]
    """
    da, offsets = to_lists(da), check_offsets(offsets, least=1, sequences=shape(da)[0])
    dx = [[0.0] * len(da[0]) for _ in range(offsets[-1])]
    for i in range(len(da)):
        for j in range(len(da[i])):
            dx[offsets[i + 1] - 1][j] = da[i][j]
    return dx
