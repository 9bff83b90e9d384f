"""Attention in foreign graphs, by its operators: products of queries and keys, a softmax, and a product with the values.

Projections before it, and the product behind it, become those of one `MultiHeadAttention`. Which numbers belong to which
head, step and sample is read from the places of the numbers, see `arrangement`.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..layers import MultiHeadAttention
from .arrangement import Arranged, arranged
from .chain import Layer, Signal, UnknownForm, scaled
from .images import by_steps
from .recognition import PROBE
from .registry import constant

UNSEEN = -1e9  # a number added to a score, from which on the weight of a step is 0 in float32 and float64


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of queries and keys, or their softmax.

    Attributes
    ----------
    query, key : Signal
        Of steps, of which each head has some columns.
    query_columns, key_columns : array (heads, features)
    heads_at : array
        The numbers of the heads of all samples in the order of the leading axes: sample · heads + head.
    scale : float
    causal, weighted : bool
        Whether later steps are hidden, and whether the softmax has been taken.
    """

    query: Signal
    key: Signal
    query_columns: np.ndarray
    key_columns: np.ndarray
    heads_at: np.ndarray
    scale: float = 1.0
    causal: bool = False
    weighted: bool = False


def columns_of(x, index):
    """Return (sample, columns) of each head of an array (heads of all samples, steps, features) of places in x.

    Raise UnknownForm if step number t of a head is not that of x, or columns change from step to step.
    """
    features = x.shape[-1]
    numbers = math.prod(x.shape)
    sample, step, column = index // numbers, index % numbers // features, index % features
    right = len(x.shape) == 2 and index.shape[1] == x.shape[0]
    if not right or (sample != sample[:, :1, :1]).any() or (step != np.arange(index.shape[1])[:, None]).any() or \
            (column != column[:, :1]).any():
        raise UnknownForm("it multiplies values in an order that attention of heads does not have")
    return sample[:, 0, 0], column[:, 0]


def by_head(samples, sample, columns):
    """Return (the columns of each head, the number of each row: sample · heads + head); every sample has the same heads."""
    heads = len(sample) // samples
    order = np.argsort(sample, kind="stable").reshape(samples, heads)
    if (np.bincount(sample, minlength=samples) != heads).any() or (columns[order] != columns[order[0]]).any():
        raise UnknownForm("its heads have other features in other samples")
    rows = np.empty(len(sample), np.int64)
    rows[order.ravel()] = np.arange(len(sample))
    return columns[order[0]], rows


def products(walk, node, left, right):
    """Return the value of a product of two values that both come from the input."""
    if isinstance(left, Scores):
        return attended(walk, left, arranged(walk, right))
    left, right = arranged(walk, left), arranged(walk, right)
    query, key = left.index, np.swapaxes(right.index, -1, -2)
    if query.ndim < 3 or query.shape[:-2] != key.shape[:-2] or query.shape[-1] != key.shape[-1]:
        raise UnknownForm(f"it multiplies values of the shapes {query.shape} and {right.index.shape}, as no layer here does")
    lead = query.shape[:-2]
    sample, columns = columns_of(left.x, query.reshape(-1, *query.shape[-2:]))
    other, key_columns = columns_of(right.x, key.reshape(-1, *key.shape[-2:]))
    query_columns, rows = by_head(walk.samples, sample, columns)
    key_columns, key_rows = by_head(walk.samples, other, key_columns)
    if (rows != key_rows).any():
        raise UnknownForm("it multiplies queries of one sample or head with keys of another")
    return Scores(left.x, right.x, query_columns, key_columns, rows.reshape(lead))


def scored(walk, node, operands):
    """Return the value of a node that reads scores: a factor, a mask, the softmax, or another order of their heads."""
    scores = next(x for x in operands if isinstance(x, Scores))
    others = [x for x in operands if x is not scores]
    kind, steps = node.op_type, (scores.query.shape[0], scores.key.shape[0])
    if kind in ("Identity", "Cast", "Dropout"):
        return scores
    if kind in ("Reshape", "Transpose", "Squeeze", "Unsqueeze"):
        return moved_heads(walk, node, scores, others, steps)
    attributes = {each.name: each.i for each in node.attribute}
    if kind == "Softmax" and not scores.weighted:
        axis = attributes.get("axis", -1)
        if axis not in (-1, scores.heads_at.ndim + 1):
            raise UnknownForm(f"it takes the softmax of scores along axis {axis}, not over the steps of the keys")
        return replace(scores, weighted=True)
    if kind in ("Mul", "Div", "Add") and len(others) == 1 and not scores.weighted:
        other = constant(others[0], "other operand")
        if kind == "Add":
            return masked(scores, other, steps)
        if other.size == 1 and (kind == "Mul" or operands[0] is scores):
            number = float(other.reshape(-1)[0])
            return replace(scores, scale=scores.scale * number if kind == "Mul" else scores.scale / number)
    raise UnknownForm("it does something to the scores of attention that no layer here does")


def moved_heads(walk, node, scores, others, steps):
    """Return scores whose leading axes are moved, and not the last two."""
    from .arrangement import sizes_in
    from .recognition import evaluate

    count = math.prod(steps)
    index = scores.heads_at[..., None, None] * count + np.arange(count).reshape(steps)
    if node.op_type == "Reshape":
        others = [sizes_in(walk, others[0])]
    index = evaluate(node, [index, *others], walk.opsets)
    lead = index.reshape(*index.shape[:-2], -1)[..., 0] // count
    if index.shape[-2:] != steps or (index != lead[..., None, None] * count + np.arange(count).reshape(steps)).any():
        raise UnknownForm("it moves the steps of scores")
    return replace(scores, heads_at=lead)


def masked(scores, mask, steps):
    """Return scores with a constant added that hides nothing, or the steps behind that of a query."""
    try:
        mask = np.broadcast_to(mask, (*scores.heads_at.shape, *steps))
    except ValueError:
        raise UnknownForm(f"it adds a constant of shape {mask.shape} to scores of {steps} steps") from None
    hidden = mask <= UNSEEN
    if not (mask[~hidden] == 0).all():
        raise UnknownForm("it adds numbers to the scores of attention, which no layer here does")
    if not hidden.any():
        return scores
    if steps[0] != steps[1] or not (hidden == ~np.tri(steps[0], dtype=bool)).all():
        raise UnknownForm("it hides other steps than those behind each query; no layer here does that")
    return replace(scores, causal=True)


def attended(walk, scores, values):
    """Return the value that a softmax of scores makes of values: an arrangement of the output of a layer."""
    if not scores.weighted:
        raise UnknownForm("it multiplies scores without a softmax with values, which no layer here does")
    index = values.index
    if index.shape[:-2] != scores.heads_at.shape or index.shape[-2] != scores.key.shape[0]:
        raise UnknownForm(f"it multiplies weights of {scores.key.shape[0]} steps with values of shape {index.shape}")
    sample, columns = columns_of(values.x, index.reshape(-1, *index.shape[-2:]))
    heads = len(scores.query_columns)
    rows = scores.heads_at.ravel()
    if (sample != rows // heads).any():
        raise UnknownForm("it multiplies weights of one sample with values of another")
    value_columns = columns[np.argsort(rows, kind="stable")[:heads]]
    if (columns != value_columns[rows % heads]).any():
        raise UnknownForm("its heads have other features in other samples")
    size = scores.query_columns.shape[1]
    if value_columns.shape[1] != size:
        raise UnknownForm(f"its heads have {size} features of queries and {value_columns.shape[1]} of values, and "
                          "those of a layer here as many of both")
    parameters, sources = {}, []
    factor = scores.scale * math.sqrt(size)
    for name, x, own in (("query", scores.query, scores.query_columns), ("key", scores.key, scores.key_columns),
                         ("value", values.x, value_columns)):
        source, weight, bias = projection(x, own.ravel())
        if name == "query" and abs(factor - 1) > 1e-6:  # the layer divides by √features itself
            weight, bias = weight * factor, bias * factor
        sources.append(source)
        parameters |= {f"{name}_weight": weight, f"{name}_bias": bias}
    steps, width = scores.query.shape[0], heads * size
    usual = size * heads == len(parameters["query_weight"])
    spec = MultiHeadAttention(heads, None if usual else size, width, causal=scores.causal)
    layer = Layer(tuple(sources), spec, parameters)
    made = Signal(scaled(layer, steps * width, shape=(steps, width)), (steps, width), PROBE)
    sample, head = (scores.heads_at // heads)[..., None, None], (scores.heads_at % heads)[..., None, None]
    places = (sample * steps + np.arange(steps)[:, None]) * width + head * size + np.arange(size)
    return Arranged(made, places, walk.samples).moved(places)


def projection(x, columns):
    """Return (layer, weight, bias) whose product gives some columns of a signal of steps."""
    x = by_steps(x)
    stage = x.as_stage()
    if stage.weight.ndim < 2:
        stage = scaled(stage.finish("identity"), stage.features, shape=stage.shape)
        return stage.source, np.eye(x.shape[-1])[:, columns], np.zeros(len(columns))
    return stage.source, stage.weight[:, columns], np.broadcast_to(stage.bias, x.shape[-1])[columns]
