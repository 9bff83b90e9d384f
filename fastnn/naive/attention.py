"""Attention in pure Python loops: weighted means of the steps of sources, with weights that depend on queries.

The rows of all sequences stand one after the other: query i of sample n attends to the steps of the source of sample n. The
columns of the heads stand side by side.
"""

import math

from .records import shape, to_lists
from .rungs import check_offsets


def attention_forward(query, keys, values, offsets, source_offsets=None, *, heads=1, causal=False, weight=None):
    """Compute a weighted mean of values for each query: a = softmax(scores) @ values, for each head.

    Scores are q · k / √features; with a weight they are Σ weight tanh(q + k).

    Parameters
    ----------
    query : (queries, heads · features)
    keys : (steps, heads · features)
    values : (steps, heads · value_features)
    offsets : (samples + 1,)
        Of the queries.
    source_offsets : (samples + 1,), optional
        Of the steps of keys and values; by default the same.
    heads : int
    causal : bool
        Whether query number t of a sample sees only the steps 0 … t.
    weight : (features,), optional
        For one head.

    Returns
    -------
    a : (queries, heads · value_features)

    Examples
    --------
    >>> attention_forward([[0.0]], [[1.0], [2.0]], [[10.0], [20.0]], offsets=[0, 1], source_offsets=[0, 2])
    [[15.0]]
    """
    parts = prepared(query, keys, values, offsets, source_offsets, heads, causal, weight)
    width = parts.width
    a = [[0.0] * (heads * width) for _ in parts.query]
    for i, head, steps in parts.each():
        for j, p in zip(steps, parts.weights(i, head, steps), strict=True):
            for column in range(head * width, (head + 1) * width):
                a[i][column] += p * parts.values[j][column]
    return a


def attention_backward(da, query, keys, values, offsets, source_offsets=None, *, heads=1, causal=False, weight=None):
    """Compute the gradients of `attention_forward` from da: dquery, dkeys, dvalues, and dweight if there is a weight.

    Examples
    --------
    >>> dquery, dkeys, dvalues = attention_backward([[1.0]], [[0.0]], [[1.0], [2.0]], [[10.0], [20.0]], [0, 1], [0, 2])
    >>> dquery, dkeys, dvalues
    ([[2.5]], [[0.0], [0.0]], [[0.5], [0.5]])
    """
    parts = prepared(query, keys, values, offsets, source_offsets, heads, causal, weight)
    da, features, width = to_lists(da), parts.features, parts.width
    if shape(da) != (len(parts.query), heads * width):
        raise ValueError(f"da has shape {shape(da)}; it must be {(len(parts.query), heads * width)}, that of the result")
    dquery, dkeys, dvalues = ([[0.0] * len(row) for row in rows] for rows in (parts.query, parts.keys, parts.values))
    dweight = [0.0] * features
    for i, head, steps in parts.each():
        p = parts.weights(i, head, steps)
        columns = range(head * width, (head + 1) * width)
        dp = [sum(da[i][column] * parts.values[j][column] for column in columns) for j in steps]
        inner = sum(one * other for one, other in zip(p, dp, strict=True))
        for j, weight_of_step, gradient in zip(steps, p, dp, strict=True):
            for column in columns:
                dvalues[j][column] += weight_of_step * da[i][column]
            ds = weight_of_step * (gradient - inner)
            for f in range(features):
                column = head * features + f
                q, k = parts.query[i][column], parts.keys[j][column]
                if weight is None:
                    dquery[i][column] += ds * k / math.sqrt(features)
                    dkeys[j][column] += ds * q / math.sqrt(features)
                else:
                    t = math.tanh(q + k)
                    dz = ds * parts.weight[f] * (1 - t * t)
                    dquery[i][column] += dz
                    dkeys[j][column] += dz
                    dweight[f] += ds * t
    return (dquery, dkeys, dvalues) if weight is None else (dquery, dkeys, dvalues, dweight)


class Parts:
    """The checked arguments, and the weights of a query."""

    def __init__(self, query, keys, values, offsets, source_offsets, heads, causal, weight):
        self.query, self.keys, self.values, self.weight = query, keys, values, weight
        self.offsets, self.source_offsets, self.heads, self.causal = offsets, source_offsets, heads, causal
        self.features, self.width = len(query[0]) // heads, len(values[0]) // heads

    def each(self):
        """Yield (number of the query, head, steps that it sees) for all queries and heads."""
        for n in range(len(self.offsets) - 1):
            steps = range(self.source_offsets[n], self.source_offsets[n + 1])
            for i in range(self.offsets[n], self.offsets[n + 1]):
                for head in range(self.heads):
                    yield i, head, steps[:i - self.offsets[n] + 1] if self.causal else steps

    def score(self, i, j, head):
        pairs = [(self.query[i][column], self.keys[j][column])
                 for column in range(head * self.features, (head + 1) * self.features)]
        if self.weight is None:
            return sum(q * k for q, k in pairs) / math.sqrt(self.features)
        return sum(w * math.tanh(q + k) for w, (q, k) in zip(self.weight, pairs, strict=True))

    def weights(self, i, head, steps):
        scores = [self.score(i, j, head) for j in steps]
        top = max(scores)  # subtracted for stability only
        powers = [math.exp(score - top) for score in scores]
        return [power / sum(powers) for power in powers]


def prepared(query, keys, values, offsets, source_offsets, heads, causal, weight):
    query, keys, values = to_lists(query), to_lists(keys), to_lists(values)
    weight = None if weight is None else to_lists(weight)
    offsets, source_offsets = check_attention(shape(query), shape(keys), shape(values), offsets, source_offsets, heads,
                                              causal, None if weight is None else shape(weight))
    return Parts(query, keys, values, offsets, source_offsets, heads, causal, weight)


def check_attention(query, keys, values, offsets, source_offsets, heads, causal, weight=None):
    """Return the offsets of queries and of steps as lists; raise an error for shapes that attention does not take."""
    for name, given in (("query", query), ("keys", keys), ("values", values)):
        if len(given) != 2 or given[1] % heads:
            raise ValueError(f"{name} has shape {given}; it must be (rows, {heads} · features)")
    if query[1] != keys[1] or keys[0] != values[0]:
        raise ValueError(f"query, keys and values have shapes {query}, {keys} and {values}; query and keys must have as "
                         "many features, keys and values as many steps")
    offsets = check_offsets(offsets, query[0])
    own = offsets if source_offsets is None else check_offsets(source_offsets, keys[0])
    if own[-1] != keys[0] or len(own) != len(offsets):
        raise ValueError(f"source_offsets are {own}; they must be those of {len(offsets) - 1} samples with {keys[0]} steps")
    if any(own[n] == own[n + 1] and offsets[n] < offsets[n + 1] for n in range(len(own) - 1)):
        raise ValueError("a sample has a query and no steps to attend to")
    if causal and own != offsets:
        raise ValueError("causal attention takes queries and steps of the same offsets")
    if weight is not None and (heads != 1 or weight != query[1:]):
        raise ValueError(f"weight has shape {weight} and there are {heads} heads; additive scores take one head and a "
                         f"weight of shape {query[1:]}")
    return offsets, own
