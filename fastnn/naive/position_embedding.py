"""Learned codes of the positions of steps, in pure Python loops."""

from itertools import pairwise

from .records import shape, to_lists
from .rungs import check_offsets


def position_embedding_forward(x, weight, offsets):
    """Add to step t of each sequence row t of a weight.

    Parameters
    ----------
    x : (steps, features)
    weight : (positions, features)
        With a row for each step of the longest sequence at least.
    offsets : (sequences + 1,)

    Returns
    -------
    a : (steps, features)

    Examples
    --------
    >>> position_embedding_forward([[1.0], [2.0], [3.0]], weight=[[10.0], [20.0]], offsets=[0, 2, 3])
    [[11.0], [22.0], [13.0]]
    """
    x, weight = to_lists(x), to_lists(weight)
    offsets = check_positions(shape(x), len(weight), shape(weight)[1:], offsets)
    return [[number + code for number, code in zip(x[begin + t], weight[t], strict=True)]
            for begin, end in pairwise(offsets) for t in range(end - begin)]


def position_embedding_backward(da, positions, offsets):
    """Compute the gradient of `position_embedding_forward` from da: dweight; that of x is da.

    Parameters
    ----------
    da : (steps, features)
    positions : int
        The number of rows of the weight.
    offsets : (sequences + 1,)

    Returns
    -------
    dweight : (positions, features)

    Examples
    --------
    >>> position_embedding_backward([[1.0], [10.0], [100.0]], positions=3, offsets=[0, 2, 3])
    [[101.0], [10.0], [0.0]]
    """
    da = to_lists(da)
    offsets = check_positions(shape(da), positions, shape(da)[1:], offsets)
    dweight = [[0.0] * len(da[0]) for _ in range(positions)]
    for begin, end in pairwise(offsets):
        for t in range(end - begin):
            for j in range(len(da[begin + t])):
                dweight[t][j] += da[begin + t][j]
    return dweight


def check_positions(steps, positions, features, offsets):
    """Return the offsets as a list; raise an error for sequences that are longer than there are positions."""
    offsets = check_offsets(offsets, steps[0])
    if len(steps) != 2 or features != steps[1:]:
        raise ValueError(f"the steps have shape {steps} and a row of the weight {features}; both must have as many features")
    longest = max((end - begin for begin, end in pairwise(offsets)), default=0)
    if longest > positions:
        raise ValueError(f"a sequence has {longest} steps, and there are {positions} positions")
    return offsets
