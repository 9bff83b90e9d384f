"""From the steps of sequences to one row for each, in NumPy. x (steps, features), offsets (sequences + 1,)."""

from itertools import pairwise

import numpy as np

from ..naive.rungs import check_offsets, check_tokens
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


def average_over_time_forward(x, offsets):
    """Compute the mean of the steps of each sequence: a (sequences, features).

    Examples
    --------
    >>> average_over_time_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[1.5], [3.0]]
    """
    x = real(x)
    offsets = np.array(check_offsets(offsets, len(x), least=1))
    return np.add.reduceat(x, offsets[:-1], axis=0) / np.diff(offsets)[:, None].astype(x.dtype)


def average_over_time_backward(da, offsets):
    """Compute the gradient of `average_over_time_forward` from da: dx (steps, features).

    Examples
    --------
    >>> average_over_time_backward([[4.0], [6.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [2.0], [6.0]]
    """
    da = real(da)
    lengths = np.diff(check_offsets(offsets, least=1, sequences=len(da)))
    return np.repeat(da / lengths[:, None].astype(da.dtype), lengths, axis=0)


def max_over_time_forward(x, offsets):
    """Compute the maximum of the steps of each sequence: a (sequences, features).

    Examples
    --------
    >>> max_over_time_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [3.0]]
    """
    x = real(x)
    return np.maximum.reduceat(x, check_offsets(offsets, len(x), least=1)[:-1], axis=0)


def max_over_time_backward(da, x, offsets):
    """Compute the gradient of `max_over_time_forward` from da: dx (steps, features).

    Examples
    --------
    >>> max_over_time_backward([[5.0], [6.0]], [[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[0.0], [5.0], [6.0]]
    """
    da, x = real(da), real(x)
    dx = np.zeros_like(x)
    for i, (begin, end) in enumerate(pairwise(check_offsets(offsets, len(x), least=1, sequences=len(da)))):
        dx[begin + x[begin:end].argmax(axis=0), np.arange(x.shape[1])] = da[i]
    return dx


def embedding_forward(x, weight):
    """Take the row of the weight that belongs to each token: a (positions, features).

    Examples
    --------
    >>> embedding_forward([2, 0, 2], weight=[[1.0], [2.0], [3.0]]).tolist()
    [[3.0], [1.0], [3.0]]
    """
    weight = real(weight)
    return weight[check_tokens(x, len(weight))]


def embedding_backward(da, x, tokens):
    """Compute the gradient of `embedding_forward` from da: dweight (tokens, features).

    Examples
    --------
    >>> embedding_backward([[1.0], [10.0], [100.0]], [2, 0, 2], tokens=3).tolist()
    [[10.0], [0.0], [101.0]]
    """
    da = real(da)
    dweight = np.zeros((tokens, da.shape[1]), da.dtype)
    np.add.at(dweight, check_tokens(x, tokens, len(da)), da)
    return dweight
