"""Attention as a function for Python: it runs as a network of one row, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import math

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.layers.attention.attention import attention_row, scratch_of
from ..kernels.layers.attention.position_embedding import position_embedding_row
from ..kernels.layers.attention.positional_encoding import add_positions_row, positions_row
from ..naive.attention import check_attention
from ..naive.position_embedding import check_positions
from ..naive.rungs import check_offsets
from ..runtime.memory import aligned
from ..runtime.threads import FLOPS_PER_PART, NUMBERS_PER_PART, parts, resolve_threads
from .arguments import check_alike, place, real_arrays, run_phase
from .sequence_calls import Steps


class Call:
    """The row of attention whose memory is wherever its arrays lie."""

    def __init__(self, query, keys, values, offsets, source_offsets, heads, causal, weight, threads, da=None):
        given = {"query": query, "keys": keys, "values": values, "weight": weight, "da": da}
        self.dtype, *arrays = real_arrays(**{name: array for name, array in given.items() if array is not None})
        arrays = iter(arrays)
        self.query, self.keys, self.values, self.weight, self.da = (
            None if array is None else next(arrays) for array in given.values())
        offsets, source_offsets = check_attention(
            self.query.shape, self.keys.shape, self.values.shape, offsets, source_offsets, heads, causal,
            None if weight is None else self.weight.shape)
        self.query_axis, self.source_axis = Steps(self.dtype, offsets), Steps(self.dtype, source_offsets)
        self.samples, longest = len(offsets) - 1, max(1, int(np.diff(source_offsets).max()))
        features, width, scores = self.query.shape[1] // heads, self.values.shape[1] // heads, "dot"
        if weight is not None:
            scores = "additive"
        places, size = scratch_of(longest, features, width, da is not None, weight is not None)
        self.work = 2 * len(self.query) * longest * (self.query.shape[1] + self.values.shape[1])
        self.parts = min(parts(self.work, FLOPS_PER_PART, resolve_threads(threads)), self.samples * heads)
        self.scratch = aligned(size * self.parts, self.dtype)
        self.partials = aligned(self.samples * features, self.dtype)
        self.a = np.empty((len(self.query), self.values.shape[1]), self.dtype)
        self.options = {
            "scores": scores, "heads": heads, "key_features": features, "value_features": width, "causal": causal,
            "scale": 1 / math.sqrt(features) if weight is None else 1.0, "query": place(self.query),
            "keys": place(self.keys), "values": place(self.values), "a": place(self.a), "query_row": heads * features,
            "keys_row": heads * features, "values_row": heads * width, "a_row": heads * width,
            "weight": -1 if weight is None else place(self.weight),
            "query_axis": self.query_axis.place, "source_axis": self.source_axis.place, "scratch": place(self.scratch),
            "scratch_size": size, "partials": place(self.partials), **places}

    def forward(self):
        run_phase(attention_row(self.dtype, self.parts, **self.options), "forward", self.samples, self.work)
        return self.a

    def backward(self):
        if self.da.shape != self.a.shape:
            raise ValueError(f"da has shape {self.da.shape}; it must be {self.a.shape}, that of the result")
        found = [np.empty_like(array) for array in (self.query, self.keys, self.values)]
        learned = None if self.weight is None else (place(self.weight), self.weight.size)
        places = zip(("dquery", "dkeys", "dvalues"), map(place, found), strict=True)
        row = attention_row(self.dtype, self.parts, training=True, da=place(self.da), learned=learned, **self.options,
                            **dict(places))
        run_phase(row, "backward_first", self.samples, self.work)
        if learned is not None:
            found.append(np.empty_like(self.weight))
            run_phase(row, "backward_third", self.samples, self.work, address(found[-1]) - address(self.weight))
        return tuple(found)


def attention_forward(query, keys, values, offsets, source_offsets=None, *, heads=1, causal=False, weight=None,
                      threads=None):
    """Compute a weighted mean of values for each query: a (queries, heads · value_features).

    Scores are q · k / √features; with a weight they are Σ weight tanh(q + k).

    Examples
    --------
    >>> attention_forward([[0.0]], [[1.0], [2.0]], [[10.0], [20.0]], offsets=[0, 1], source_offsets=[0, 2])
    array([[15.]])
    """
    return Call(query, keys, values, offsets, source_offsets, heads, causal, weight, threads).forward()


def attention_backward(da, query, keys, values, offsets, source_offsets=None, *, heads=1, causal=False, weight=None,
                       threads=None):
    """Compute the gradients of `attention_forward` from da: dquery, dkeys, dvalues, and dweight if there is a weight.

    Examples
    --------
    >>> dquery, dkeys, dvalues = attention_backward([[1.0]], [[0.0]], [[1.0], [2.0]], [[10.0], [20.0]], [0, 1], [0, 2])
    >>> dquery, dkeys.tolist(), dvalues.tolist()
    (array([[2.5]]), [[0.0], [0.0]], [[0.5], [0.5]])
    """
    return Call(query, keys, values, offsets, source_offsets, heads, causal, weight, threads, da).backward()


class PoolCall:
    """The row of a learned weighted mean whose memory is wherever its arrays lie."""

    def __init__(self, x, offsets, query, threads, da=None):
        given = {"x": x, "query": query} | ({} if da is None else {"da": da})
        self.dtype, self.x, self.query, *rest = real_arrays(**given)
        offsets = check_offsets(offsets, len(self.x), least=1)
        check_attention((1, *self.query.shape), self.x.shape, self.x.shape, [0, 1], [0, len(self.x)], 1, False)
        self.axis, self.samples, features = Steps(self.dtype, offsets), len(offsets) - 1, self.x.shape[1]
        places, size = scratch_of(int(np.diff(offsets).max()), features, features, da is not None, False)
        self.work = 4 * self.x.size
        self.parts = min(parts(self.work, FLOPS_PER_PART, resolve_threads(threads)), self.samples)
        self.scratch = aligned(size * self.parts, self.dtype)
        self.a, self.partials = (np.empty((self.samples, features), self.dtype) for _ in range(2))
        self.options = {
            "scores": "dot", "heads": 1, "key_features": features, "value_features": features, "learns_query": True,
            "scale": 1 / math.sqrt(features), "query": place(self.query), "keys": place(self.x), "values": place(self.x),
            "a": place(self.a), "partials": place(self.partials), "source_axis": self.axis.place,
            "scratch": place(self.scratch), "scratch_size": size, **places,
            **dict.fromkeys(("query_row", "keys_row", "values_row", "a_row"), features)}
        self.da = None if da is None else rest[0]

    def forward(self):
        run_phase(attention_row(self.dtype, self.parts, **self.options), "forward", self.samples, self.work)
        return self.a

    def backward(self):
        check_alike(a=self.a, da=self.da)
        dx, dquery = np.empty_like(self.x), np.empty_like(self.query)
        row = attention_row(self.dtype, self.parts, training=True, da=place(self.da),
                            learned=(place(self.query), self.query.size), dquery=place(self.partials), dkeys=place(dx),
                            dvalues=place(dx), to=(False, True, False), **self.options)
        run_phase(row, "backward_first", self.samples, self.work)
        run_phase(row, "backward_third", self.samples, self.work, address(dquery) - address(self.query))
        return dx, dquery


def attention_pool_forward(x, offsets, query, threads=None):
    """Compute Σ pₜ xₜ of each sequence, where p is the softmax of query · xₜ / √features over its steps.

    Examples
    --------
    >>> attention_pool_forward([[1.0], [3.0], [5.0]], offsets=[0, 2, 3], query=[0.0])
    array([[2.],
           [5.]])
    """
    return PoolCall(x, offsets, query, threads).forward()


def attention_pool_backward(da, x, offsets, query, threads=None):
    """Compute the gradients of `attention_pool_forward` from da: dx, dquery.

    Examples
    --------
    >>> attention_pool_backward([[1.0], [1.0]], [[1.0], [3.0], [5.0]], offsets=[0, 2, 3], query=[0.0])[1]
    array([1.])
    """
    return PoolCall(x, offsets, query, threads, da).backward()


def positional_encoding_forward(x, offsets, threads=None):
    """Add to each step of a sequence the sines and cosines of its position: a (steps, features).

    Examples
    --------
    >>> positional_encoding_forward([[0.0, 0.0], [0.0, 0.0]], offsets=[0, 1, 2])
    array([[0., 1.],
           [0., 1.]])
    """
    dtype, x = real_arrays(x=x)
    offsets = check_offsets(offsets, len(x))
    axis, a = Steps(dtype, offsets), np.empty_like(x)
    table = np.empty((int(np.diff(offsets).max()), x.shape[1]), dtype)
    given = {"axis": axis.place, "table": place(table), "features": x.shape[1]}
    run_phase(positions_row(dtype, **given), "forward", axis.sequences)
    own = parts(x.size, NUMBERS_PER_PART, resolve_threads(threads))
    run_phase(add_positions_row(dtype, own, x=place(x), a=place(a), **given), "forward", axis.sequences, x.size)
    return a


def position_embedding_forward(x, weight, offsets, threads=None):
    """Add to step t of each sequence row t of a weight: a (steps, features).

    Examples
    --------
    >>> position_embedding_forward([[1.0], [2.0], [3.0]], weight=[[10.0], [20.0]], offsets=[0, 2, 3])
    array([[11.],
           [22.],
           [13.]])
    """
    dtype, x, weight = real_arrays(x=x, weight=weight)
    axis, a = Steps(dtype, check_positions(x.shape, len(weight), weight.shape[1:], offsets)), np.empty_like(x)
    own = parts(x.size, NUMBERS_PER_PART, resolve_threads(threads))
    row = position_embedding_row(dtype, own, axis=axis.place, positions=len(weight), features=x.shape[1],
                                 weight=place(weight), x=place(x), a=place(a))
    run_phase(row, "forward", axis.sequences, x.size)
    return a


def position_embedding_backward(da, positions, offsets, threads=None):
    """Compute the gradient of `position_embedding_forward` from da: dweight (positions, features).

    Examples
    --------
    >>> position_embedding_backward([[1.0], [10.0], [100.0]], positions=3, offsets=[0, 2, 3])
    array([[101.],
           [ 10.],
           [  0.]])
    """
    dtype, da = real_arrays(da=da)
    axis = Steps(dtype, check_positions(da.shape, positions, da.shape[1:], offsets))
    dweight = np.empty((positions, da.shape[1]), dtype)
    own = parts(da.size, NUMBERS_PER_PART, resolve_threads(threads))
    row = position_embedding_row(dtype, own, axis=axis.place, positions=positions, features=da.shape[1], weight=0, x=0, a=0,
                                 da=place(da))
    run_phase(row, "backward_third", axis.sequences, da.size, address(dweight))
    return dweight
