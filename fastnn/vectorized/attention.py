"""Attention in NumPy: weighted means of the steps of sources, with weights that depend on queries.

The rows of all sequences stand one after the other, and the columns of the heads side by side.
"""

import numpy as np

from ..naive.attention import check_attention
from .records import real


def attention_forward(query, keys, values, offsets, source_offsets=None, *, heads=1, causal=False, weight=None):
    """Compute a weighted mean of values for each query: a (queries, heads · value_features).

    Scores are q · k / √features; with a weight they are Σ weight tanh(q + k).

    Examples
    --------
    >>> attention_forward([[0.0]], [[1.0], [2.0]], [[10.0], [20.0]], offsets=[0, 1], source_offsets=[0, 2])
    array([[15.]])
    """
    query, keys, values, weight, spans = prepared(query, keys, values, offsets, source_offsets, heads, causal, weight)
    a = np.zeros((len(query), values.shape[1]), values.dtype)
    for queries, steps in spans:
        for q, k, v, out in zip(*(np.split(x, heads, axis=1) for x in (query[queries], keys[steps], values[steps],
                                                                      a[queries])), strict=True):
            out[...] = weights(q, k, causal, weight)[0] @ v
    return a


def attention_backward(da, query, keys, values, offsets, source_offsets=None, *, heads=1, causal=False, weight=None):
    """Compute the gradients of `attention_forward` from da: dquery, dkeys, dvalues, and dweight if there is a weight.

    Examples
    --------
    >>> dquery, dkeys, dvalues = attention_backward([[1.0]], [[0.0]], [[1.0], [2.0]], [[10.0], [20.0]], [0, 1], [0, 2])
    >>> dquery, dkeys.tolist(), dvalues.tolist()
    (array([[2.5]]), [[0.0], [0.0]], [[0.5], [0.5]])
    """
    query, keys, values, weight, spans = prepared(query, keys, values, offsets, source_offsets, heads, causal, weight)
    da = real(da)
    if da.shape != (len(query), values.shape[1]):
        raise ValueError(f"da has shape {da.shape}; it must be {(len(query), values.shape[1])}, that of the result")
    dquery, dkeys, dvalues = np.zeros_like(query), np.zeros_like(keys), np.zeros_like(values)
    dweight = None if weight is None else np.zeros_like(weight)
    for queries, steps in spans:
        arrays = (da[queries], query[queries], keys[steps], values[steps], dquery[queries], dkeys[steps], dvalues[steps])
        for given, q, k, v, dq, dk, dv in zip(*(np.split(x, heads, axis=1) for x in arrays), strict=True):
            p, t = weights(q, k, causal, weight)
            dv += p.T @ given
            dp = given @ v.T
            ds = p * (dp - (p * dp).sum(axis=1, keepdims=True))
            if weight is None:
                ds /= q.dtype.type(np.sqrt(q.shape[1]))
                dq += ds @ k
                dk += ds.T @ q
            else:
                dz = ds[..., None] * (weight * (1 - t * t))
                dq += dz.sum(axis=1)
                dk += dz.sum(axis=0)
                dweight += np.einsum("ij,ijf->f", ds, t)
    return (dquery, dkeys, dvalues) if weight is None else (dquery, dkeys, dvalues, dweight)


def weights(q, k, causal, weight):
    """Return the softmax of the scores (queries, steps) of one head of a sample, and tanh(q + k) if there is a weight."""
    t = None if weight is None else np.tanh(q[:, None] + k)
    scores = q @ k.T / q.dtype.type(np.sqrt(q.shape[1])) if weight is None else t @ weight
    if causal:
        scores = np.where(np.tri(len(q), len(k), dtype=bool), scores, -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True), t


def prepared(query, keys, values, offsets, source_offsets, heads, causal, weight):
    """Return arrays, and for each sample with a query the slices of its queries and steps."""
    query, keys, values = real(query), real(keys), real(values)
    weight = None if weight is None else real(weight)
    offsets, source_offsets = check_attention(query.shape, keys.shape, values.shape, offsets, source_offsets, heads, causal,
                                              None if weight is None else weight.shape)
    spans = [(slice(*offsets[n:n + 2]), slice(*source_offsets[n:n + 2])) for n in range(len(offsets) - 1)
             if offsets[n] < offsets[n + 1]]
    return query, keys, values, weight, spans
