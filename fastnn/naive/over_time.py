"""From the steps of sequences to one row for each, in pure Python loops.

The steps of all sequences stand one after the other: x (steps, features). Sequence i has the rows offsets[i] to
offsets[i + 1] − 1.
"""

from itertools import pairwise

from .records import to_lists
from .rungs import check_offsets, check_tokens


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
    da = to_lists(da)
    offsets = check_offsets(offsets, least=1, sequences=len(da))
    dx = [[0.0] * len(da[0]) for _ in range(offsets[-1])]
    for i in range(len(da)):
        for j in range(len(da[i])):
            dx[offsets[i + 1] - 1][j] = da[i][j]
    return dx


def average_over_time_forward(x, offsets):
    """Compute the mean of the steps of each sequence, feature by feature.

    Parameters
    ----------
    x : (steps, features)
    offsets : (sequences + 1,)

    Returns
    -------
    a : (sequences, features)

    Examples
    --------
    >>> average_over_time_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3])
    [[1.5], [3.0]]
    """
    x, offsets = to_lists(x), check_offsets(offsets, len(x), least=1)
    a = []
    for begin, end in pairwise(offsets):
        a.append([0.0] * len(x[0]))
        for j in range(len(x[0])):
            for t in range(begin, end):
                a[-1][j] += x[t][j]
            a[-1][j] /= end - begin
    return a


def average_over_time_backward(da, offsets):
    """Compute the gradient of `average_over_time_forward` from da: at each step da / number of steps.

    Parameters
    ----------
    da : (sequences, features)
    offsets : (sequences + 1,)

    Returns
    -------
    dx : (steps, features)

    Examples
    --------
    >>> average_over_time_backward([[4.0], [6.0]], offsets=[0, 2, 3])
    [[2.0], [2.0], [6.0]]
    """
    da = to_lists(da)
    offsets, dx = check_offsets(offsets, least=1, sequences=len(da)), []
    for i, (begin, end) in enumerate(pairwise(offsets)):
        for _ in range(begin, end):
            dx.append([number / (end - begin) for number in da[i]])
    return dx


def largest_steps(x, offsets):
    """Return the number of the step that holds the maximum of each feature of each sequence."""
    places = []
    for begin, end in pairwise(offsets):
        places.append([begin] * len(x[0]))
        for t in range(begin + 1, end):
            for j, number in enumerate(x[t]):
                if number > x[places[-1][j]][j] or number != number:
                    places[-1][j] = t
    return places


def max_over_time_forward(x, offsets):
    """Compute the maximum of the steps of each sequence, feature by feature. NaN counts as larger than any number.

    Parameters
    ----------
    x : (steps, features)
    offsets : (sequences + 1,)

    Returns
    -------
    a : (sequences, features)

    Examples
    --------
    >>> max_over_time_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3])
    [[2.0], [3.0]]
    """
    x, offsets = to_lists(x), check_offsets(offsets, len(x), least=1)
    return [[x[t][j] for j, t in enumerate(places)] for places in largest_steps(x, offsets)]


def max_over_time_backward(da, x, offsets):
    """Compute the gradient of `max_over_time_forward` from da: da at the first maximum of each sequence, 0 elsewhere.

    Parameters
    ----------
    da : (sequences, features)
    x : (steps, features)
    offsets : (sequences + 1,)

    Returns
    -------
    dx : (steps, features)

    Examples
    --------
    >>> max_over_time_backward([[5.0], [6.0]], [[1.0], [2.0], [3.0]], offsets=[0, 2, 3])
    [[0.0], [5.0], [6.0]]
    """
    da, x = to_lists(da), to_lists(x)
    offsets = check_offsets(offsets, len(x), least=1, sequences=len(da))
    dx = [[0.0] * len(row) for row in x]
    for i, places in enumerate(largest_steps(x, offsets)):
        for j, t in enumerate(places):
            dx[t][j] = da[i][j]
    return dx


def embedding_forward(x, weight):
    """Take the row of the weight that belongs to each token.

    Parameters
    ----------
    x : (positions,)
        Tokens, the numbers of rows of the weight.
    weight : (tokens, features)

    Returns
    -------
    a : (positions, features)

    Examples
    --------
    >>> embedding_forward([2, 0, 2], weight=[[1.0], [2.0], [3.0]])
    [[3.0], [1.0], [3.0]]
    """
    weight = to_lists(weight)
    return [[*weight[token]] for token in check_tokens(x, len(weight))]


def embedding_backward(da, x, tokens):
    """Compute the gradient of `embedding_forward` from da: dweight, where each row adds up da of the positions of its token.

    Parameters
    ----------
    da : (positions, features)
    x : (positions,)
    tokens : int
        The number of rows of the weight.

    Returns
    -------
    dweight : (tokens, features)

    Examples
    --------
    >>> embedding_backward([[1.0], [10.0], [100.0]], [2, 0, 2], tokens=3)
    [[10.0], [0.0], [101.0]]
    """
    da, x = to_lists(da), check_tokens(x, tokens, len(da))
    dweight = [[0.0] * len(da[0]) for _ in range(tokens)]
    for i in range(len(da)):
        for j in range(len(da[i])):
            dweight[x[i]][j] += da[i][j]
    return dweight
