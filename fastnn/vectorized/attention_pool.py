"""A learned weighted mean of the steps of each sequence, in NumPy."""

import numpy as np

from ..naive.rungs import check_offsets
from .attention import attention_backward, attention_forward
from .records import real


def attention_pool_forward(x, offsets, query):
    """Compute Σ pₜ xₜ of each sequence, where p is the softmax of query · xₜ / √features over its steps.

    Examples
    --------
    >>> attention_pool_forward([[1.0], [3.0], [5.0]], offsets=[0, 2, 3], query=[0.0])
    array([[2.],
           [5.]])
    """
    x, offsets, queries = prepared(x, offsets, query)
    return attention_forward(queries, x, x, range(len(queries) + 1), offsets)


def attention_pool_backward(da, x, offsets, query):
    """Compute the gradients of `attention_pool_forward` from da: dx, dquery.

    Examples
    --------
    >>> attention_pool_backward([[1.0], [1.0]], [[1.0], [3.0], [5.0]], offsets=[0, 2, 3], query=[0.0])[1]
    array([1.])
    """
    x, offsets, queries = prepared(x, offsets, query)
    dquery, dkeys, dvalues = attention_backward(da, queries, x, x, range(len(queries) + 1), offsets)
    return dkeys + dvalues, dquery.sum(axis=0)


def prepared(x, offsets, query):
    """Return x, its offsets, and the query of each sequence."""
    x, offsets = real(x), check_offsets(offsets, len(x), least=1)
    return x, offsets, np.tile(real(query), (len(offsets) - 1, 1))
