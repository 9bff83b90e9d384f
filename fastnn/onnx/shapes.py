"""Operators that change the shape of a value and keep the elements of each sample in order.

A graph may compute with the shapes of its values. `BATCH` stands for the number of samples in them. An exporter may have
written the number of samples of its example instead; it is taken for the batch if it cannot be anything else.
"""

import math
from dataclasses import replace

import numpy as np

from .any_length import Tokens
from .arrangement import BATCH, Arranged
from .chain import UnknownForm
from .registry import StepsFirst, Tail, constant, operator, signal

FREE = "; export it with a batch of any size (dynamic_shapes of torch.onnx.export)"


@operator("Shape")
def sizes(walk, node, x, *, start=0, end=None):
    if isinstance(x, Arranged):
        shape = x.index.shape
    elif isinstance(x, Tokens):
        shape = BATCH, *x.entry.sizes
    elif hasattr(x, "sizes_by_axis"):
        shape = x.sizes_by_axis(BATCH)
    elif isinstance(x, StepsFirst):
        shape = x.signal.shape[0], BATCH, *x.signal.shape[1:]
    else:
        shape = BATCH, *signal(x).shape
    return np.array(shape[start:end], np.int64)


@operator("Flatten")
def flatten(walk, node, x, *, axis=1):
    """Flatten the axes before `axis` into one axis, and the others into another."""
    x = signal(x)
    first = axis + len(x.shape) + 1 if axis < 0 else axis
    alone = walk.batch == 1 and first == 0  # a single sample: its row has the same elements with or without the batch axis
    if not alone and not (first >= 1 and math.prod(x.shape[:first - 1]) == 1):
        raise UnknownForm(f"it flattens from axis {axis}, which runs samples together" + FREE * (first == 0))
    return replace(x, shape=(math.prod(x.shape),))


@operator("Reshape")
def reshape(walk, node, x, shape, *, allowzero=0):
    """Reshape (batch, …) to (batch, other axes), or one feature to (batch,)."""
    if isinstance(x, Tail):
        return x
    given = [int(n) for n in constant(shape, "shape")]
    if hasattr(x, "reshaped"):
        return x.reshaped(walk, node, given)
    x = signal(x)
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
    """Return the shape of a sample of `numbers` elements if the batch is reshaped to `wanted`; None if samples would mix."""
    first, *rest = wanted or [0]
    if rest.count(-1) == 1 and first in (BATCH, batch):  # the remaining size belongs to the sample
        known = -math.prod(rest)
        rest = [numbers // known if n == -1 and known > 0 else n for n in rest]
    whole = all(n > 0 for n in rest) and math.prod(rest) == numbers
    # a number other than the example's can only mean a batch of that size
    return tuple(rest) if whole and (first in (-1, BATCH, batch) or (batch is None and first > 0)) else None


@operator("Squeeze")
def squeeze(walk, node, x, given=None, *, axes=None):
    if isinstance(x, Tail):
        return x
    if hasattr(x, "squeezed"):
        return x.squeezed(walk, node, axes or np.reshape(constant(given, "axes"), -1).tolist())
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
    """Return axes of a value of `rank`, from an operand or an attribute, counted within a sample."""
    axes = attribute if operand is None else constant(operand, "axes").reshape(-1).tolist()
    if axes is None:
        raise UnknownForm("it does not say which axes")
    places = {axis + (rank if axis < 0 else 0) - 1 for axis in axes}
    if not all(0 <= place < rank - 1 for place in places):
        raise UnknownForm("it takes the batch for one sample" + FREE)
    return places
