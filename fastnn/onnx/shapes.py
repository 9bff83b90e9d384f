"""Operators that change the shape of what comes from the input, and leave each sample's numbers in their order.

A graph computes with the sizes of its values. The batch among them is `BATCH`, whatever number of samples it stands for. An
exporter may have written the number of its example there; that is taken for the batch where it can be nothing else.
"""

import math
from dataclasses import replace

import numpy as np

from .chain import UnknownForm
from .registry import Tail, constant, operator, signal

BATCH = -(2**20)  # among sizes, none of which is below -1
FREE = "; export it with a batch of any size (dynamic_shapes of torch.onnx.export)"


@operator("Shape")
def sizes(walk, node, x, *, start=0, end=None):
    return np.array([BATCH, *signal(x).shape][start:end], np.int64)


@operator("Flatten")
def flatten(walk, node, x, *, axis=1):
    """The axes before `axis` into one, and the others into another."""
    x = signal(x)
    first = axis + len(x.shape) + 1 if axis < 0 else axis
    alone = walk.batch == 1 and first == 0  # one sample, whose row has its numbers whether the batch is an axis or not
    if not alone and not (first >= 1 and math.prod(x.shape[:first - 1]) == 1):
        raise UnknownForm(f"it flattens from axis {axis}, which runs samples together" + FREE * (first == 0))
    return replace(x, shape=(math.prod(x.shape),))


@operator("Reshape")
def reshape(walk, node, x, shape, *, allowzero=0):
    """(batch, …) to (batch, other axes), or of one feature to (batch,)."""
    if isinstance(x, Tail):
        return x
    x, given = signal(x), [int(n) for n in constant(shape, "shape")]
    before = [BATCH, *x.shape]
    if allowzero and 0 in given:
        raise UnknownForm("it makes an axis of no numbers")
    wanted = [before[axis] if n == 0 and axis < len(before) else n for axis, n in enumerate(given)]
    if (made := sample_shape(walk.batch, wanted, math.prod(x.shape))) is None:
        named = ["batch" if n == BATCH else n for n in given]
        raise UnknownForm(f"it gives its input of {x.shape} numbers a sample the shape {named}" +
                          FREE * any(n > 0 for n in given[:1]))
    return replace(x, shape=made)


def sample_shape(batch, wanted, numbers):
    """The shape of a sample of so many numbers where (batch, …) is reshaped so; None if samples would run together."""
    first, *rest = wanted or [0]
    if rest.count(-1) == 1 and first in (BATCH, batch):  # whatever is left over is a sample's
        known = -math.prod(rest)
        rest = [numbers // known if n == -1 and known > 0 else n for n in rest]
    whole = all(n > 0 for n in rest) and math.prod(rest) == numbers
    # another number than the example's could only be a batch of that many
    return tuple(rest) if whole and (first in (-1, BATCH, batch) or (batch is None and first > 0)) else None


@operator("Squeeze")
def squeeze(walk, node, x, given=None, *, axes=None):
    if isinstance(x, Tail):
        return x
    x = signal(x)
    places = sample_axes(given, axes, len(x.shape) + 1)
    if not all(x.shape[place] == 1 for place in places):
        raise UnknownForm("it takes away an axis of more than one number")
    return replace(x, shape=tuple(n for place, n in enumerate(x.shape) if place not in places))


@operator("Unsqueeze")
def unsqueeze(walk, node, x, given=None, *, axes=None):
    x, shape = signal(x), list(signal(x).shape)
    count = len(given if given is not None else axes or ())
    for place in sorted(sample_axes(given, axes, len(shape) + 1 + count)):
        shape.insert(place, 1)
    return replace(x, shape=tuple(shape))


def sample_axes(operand, attribute, rank):
    """Axes of a value of `rank`, given by an operand or by an attribute, counted among those of a sample."""
    axes = attribute if operand is None else constant(operand, "axes").reshape(-1).tolist()
    if axes is None:
        raise UnknownForm("it does not say which axes")
    places = {axis + (rank if axis < 0 else 0) - 1 for axis in axes}
    if not all(0 <= place < rank - 1 for place in places):
        raise UnknownForm("it takes the batch for one sample" + FREE)
    return places
