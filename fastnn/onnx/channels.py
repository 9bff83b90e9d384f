"""Normalizations of channels, and scales and shifts of one number for each channel.

A scale of channels is part of the convolution or normalization that it reads, if its numbers are read as they are, and
otherwise a convolution of one pixel for each channel.
"""

from dataclasses import replace

import numpy as np

from ..layers import BatchNorm, Conv1D, DepthwiseConv2D, GroupNorm
from ..layers.convolution.base import Convolution
from .chain import Entry, Layer, UnknownForm, is_identity
from .channel_order import first_shape
from .images import applied, given_by, image, transpose
from .registry import constant, operator, shortest_float, signal


def channels_normalized(walk, x, epsilon, scale, shift, mean, variance):
    """Return the signal of a `BatchNorm` with these numbers, one for each channel."""
    source, shape = image(walk, x)
    statistics = {"scale": scale, "shift": shift, "running_mean": mean, "running_variance": variance}
    if any(each.shape != shape[-1:] for each in statistics.values()):
        raise UnknownForm(f"it does not have one statistic for each of {shape[-1]} channels")
    return applied(source, BatchNorm(epsilon=shortest_float(np.float32(epsilon))), shape, statistics)


@operator("GroupNormalization", without_effect=["stash_type"])
def groups_normalized(walk, node, x, scale, shift, *, num_groups, epsilon):
    source, shape = image(walk, x)
    numbers = {"scale": scale, "shift": shift}
    if any(each.shape != shape[-1:] for each in numbers.values()):
        raise UnknownForm(f"it does not have a scale and a shift for each of {shape[-1]} channels")
    return applied(source, GroupNorm(num_groups, shortest_float(np.float32(epsilon))), shape, numbers)


@operator("InstanceNormalization")
def instances_normalized(walk, node, x, scale, shift, *, epsilon):
    """Normalize each channel of a sample, or the groups of channels that a reshape has made axes of, as PyTorch does."""
    x, shape = signal(x), None
    scale, shift = constant(scale, "scale"), constant(shift, "shift")
    groups, first = x.shape[0], image_before(x)
    if len(x.shape) == 2 and len(first) in (2, 3) and first != x.shape and first[0] % groups == 0:
        x, shape = replace(x, shape=first), x.shape
    source, numbers = image(walk, x)
    epsilon = shortest_float(np.float32(epsilon))
    own = {name: np.repeat(each, numbers[-1] // groups) for name, each in (("scale", scale), ("shift", shift))}
    normalized = applied(source, GroupNorm(groups, epsilon), numbers, own)
    return normalized if shape is None else replace(normalized, shape=shape)


def image_before(x):
    """Return the shape of a sample, channels first, that a signal had before it was reshaped."""
    entry = x.stage.source
    if isinstance(entry, Entry) and entry.inputs is None and is_identity(x.stage):
        return entry.sizes
    return first_shape(x.stage.shape or x.shape)


def channels_scaled(walk, node, x, kind, c, first):
    """Return the signal of x combined with a constant of one number for each channel, or None if it is none.

    kind: "Add", "Sub", "Mul" or "Div"; first: whether x is the first operand.
    """
    x, rank = signal(x), len(signal(x).shape) + 1
    if rank not in (3, 4) or c.size == 1 or c.ndim > rank:
        return None
    sizes = (1,) * (rank - c.ndim) + c.shape
    axis = sizes.index(c.size) if c.size in sizes else 0
    if rank == 4 and axis == 3 and x.shape[2] == c.size and x.memory is None:  # the channels are last
        found = channels_scaled(walk, node, transpose(walk, node, x, perm=[0, 3, 1, 2]), kind, c.reshape(-1, 1, 1), first)
        return transpose(walk, node, found, perm=[0, 2, 3, 1])
    if axis != 1 or c.size != x.shape[0] or c.dtype.kind not in "fiu" or (kind == "Div" and not first):
        return None
    c = c.reshape(-1).astype(np.float64)
    one, sign = np.ones_like(c), 1.0 if first else -1.0
    scale, shift = {"Add": (one, c), "Sub": (sign * one, -sign * c), "Mul": (c, 0 * c), "Div": (one / c, 0 * c)}[kind]
    source, shape = image(walk, x)
    if isinstance(source, Entry) or source.stage is not None or not is_linear(source.spec):
        spec = DepthwiseConv2D(1) if rank == 4 else Conv1D(c.size, 1, groups=c.size)
        return applied(source, spec, shape, {"weight": scale.reshape(spec.parameter_shapes(shape)["weight"]), "bias": shift})
    names = ("weight", "bias") if isinstance(source.spec, Convolution) else ("scale", "shift")
    weight, bias = (np.asarray(source.parameters[name], np.float64) for name in names)
    if isinstance(source.spec, Convolution) and source.spec.transposed:  # (…, outputs / groups, inputs) of each group
        *_, outputs, inputs = weight.shape
        groups = source.spec.groups
        each = scale.reshape(groups, outputs).T[:, :, None] * np.ones(inputs // groups)  # (outputs, groups, inputs / groups)
        weight = weight * each.reshape(outputs, inputs)
    else:
        weight = weight * scale
    parameters = {**source.parameters, names[0]: weight, names[1]: bias * scale + shift}
    return given_by(Layer(source.source, source.spec, parameters), shape)


def is_linear(spec):
    """Whether a layer ends with one scale and one shift for each channel."""
    return isinstance(spec, (BatchNorm, GroupNorm)) or (isinstance(spec, Convolution) and spec.activation == "identity")
