"""A learned weighted mean of the steps of each sequence, in pure Python: attention with one query for all sequences."""

from .attention import attention_backward, attention_forward
from .records import to_lists
from .rungs import check_offsets


def attention_pool_forward(x, offsets, query):
    """Compute Σ pₜ xₜ of each sequence, where p is the softmax of query · xₜ / √features over its steps.

    Parameters
    ----------
    x : (steps, features)
    offsets : (sequences + 1,)
    query : (features,)

    Returns
    -------
    a : (sequences, features)

    Examples
    --------
    >>> attention_pool_forward([[1.0], [3.0], [5.0]], offsets=[0, 2, 3], query=[0.0])
    [[2.0], [5.0]]
    """
    x, offsets, queries = prepared(x, offsets, query)
    return attention_forward(queries, x, x, range(len(queries) + 1), offsets)


def attention_pool_backward(da, x, offsets, query):
    """Compute the gradients of `attention_pool_forward` from da: dx, dquery.

    Examples
    --------
    >>> attention_pool_backward([[1.0], [1.0]], [[1.0], [3.0], [5.0]], offsets=[0, 2, 3], query=[0.0])
    ([[0.5], [0.5], [1.0]], [1.0])
    """
    x, offsets, queries = prepared(x, offsets, query)
    dquery, dkeys, dvalues = attention_backward(da, queries, x, x, range(len(queries) + 1), offsets)
    dx = [[one + other for one, other in zip(*rows, strict=True)] for rows in zip(dkeys, dvalues, strict=True)]
    return dx, [sum(column) for column in zip(*dquery, strict=True)]


def prepared(x, offsets, query):
    """Return x, its offsets, and the query of each sequence."""
    x, query = to_lists(x), to_lists(query)
    offsets = check_offsets(offsets, len(x), least=1)
    return x, offsets, [query] * (len(offsets) - 1)
