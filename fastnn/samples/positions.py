"""Targets and weights of outputs that stand at several positions of a sample, such as the pixels of an image.

A network whose last shape is (height, width, channels) has height · width positions, each with `channels` outputs. A
position whose label is −1, or whose weight is 0, does not count: neither in the loss nor in the metrics.
"""

import math

import numpy as np

from .arrays import unchangeable
from .targets import Targets, checked_labels

NOT_COUNTED = -1  # the label of a position that does not count
MOST_IN_BYTES = 256  # classes whose labels are kept in a byte each


def position_labels(y, classes):
    """Return the Targets of labels (samples, *positions), of which those that are −1 do not count."""
    labels, kept = checked_labels(y, classes, least=NOT_COUNTED), np.uint8 if classes <= MOST_IN_BYTES else np.int64
    counted = None if labels.dtype.kind == "u" else labels != NOT_COUNTED
    if counted is None or counted.all():
        return Targets(unchangeable(np.require(labels, kept, ["C", "A"]), labels), None)
    if not counted.any():
        raise ValueError("y is -1 everywhere, so no position counts; give labels to some")
    return Targets(np.where(counted, labels, 0).astype(kept), None, counted)


def counted_weights(weights, counted, dtype):
    """Return weights (samples, *positions) that are 0 where `counted` is False.

    weights: (samples,) or (samples, *positions), or None. counted: as in `Targets`.
    """
    if counted is None:
        return weights
    if weights is None:
        return counted.astype(dtype)
    found = at_positions(weights, counted.shape) * counted
    if not found.any():
        raise ValueError("sample_weight is 0 wherever y is not -1, so no position counts; give weights to some")
    return found


def at_positions(weights, shape):
    """Return weights (samples,) or (samples, *positions) as an array of this shape, (samples, *positions)."""
    return np.broadcast_to(weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim)), shape)


def refuse_shape(given, forms, positions, outputs):
    """Raise an error, with a repair, about a y of this shape; forms: the valid shapes in words."""
    own, sample, hint = (*positions, outputs), given[1:], ""
    if not positions:
        pass
    elif sample != own and sample == (own[-1], *own[:-1]):
        hint = f"; its channels come first: give np.moveaxis(np.asarray(y), 1, -1), of shape {(given[0], *own)}"
    elif sample == positions:
        hint = f"; it has one number at each position: give {outputs}, or end the network with one output"
    elif len(positions) == 2 and sample[:2] == positions[::-1] and sample[2:] in ((), (outputs,)):
        hint = "; its height and width are exchanged: give np.swapaxes(y, 1, 2)"
    elif sample and math.prod(sample) in (math.prod(positions), math.prod(own)):
        wanted = positions if math.prod(sample) == math.prod(positions) else own
        hint = f"; if its numbers are in that order, give y.reshape({(given[0], *wanted)})"
    elif len(sample) < len(positions):
        hint = ("; there are outputs at each position: for one target a sample, end the network with GlobalAveragePool(), "
                "or with Flatten() and a Dense layer")
    elif sample[:len(positions)] != positions:
        hint = ("; the sizes differ: crop or resize y, or make the network keep the size, with padding='same' and with as "
                "much upsampling as it has strides and pooling")
    elif "labels" in forms[0]:
        hint = "; where y has a color for each class, give the number of the class instead"
    raise ValueError(f"y has shape {given}; this network takes {' or '.join(forms)}{hint}")
