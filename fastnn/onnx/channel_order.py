"""Two orders of axes: a sample's channels come last in fastnn and first in ONNX.

    fastnn    (height, width, channels)     (steps, features)
    ONNX      (channels, height, width)     (features, steps)

Where a graph is written, a value may exist in ONNX's order alone: it is transposed only where something asks for the other.
"""

import numpy as np


def to_last(rank):
    """The permutation of the axes of (batch, channels, …), `rank` of them, that puts the channels last."""
    return [0, *range(2, rank), 1]


def to_first(rank):
    """The permutation of the axes of (batch, …, channels) that puts the channels behind the batch."""
    return [0, rank - 1, *range(1, rank - 1)]


def last_shape(shape):
    """The shape of a sample in fastnn's order, from that in ONNX's."""
    return (*shape[1:], shape[0]) if len(shape) > 1 else shape


def first_shape(shape):
    """The shape of a sample in ONNX's order, from that in fastnn's."""
    return (shape[-1], *shape[:-1]) if len(shape) > 1 else shape


def flattened_rows(weight, shape):
    """A weight (numbers of a sample, outputs), whose rows are those of a flattened `shape` in ONNX's order, in fastnn's."""
    rows = np.arange(len(weight)).reshape(shape)
    return weight[np.moveaxis(rows, 0, -1).ravel()] if len(shape) > 1 else weight
