"""Normalization and rescaling of Keras."""

import numpy as np

from ..checks import shown
from ..layers import BatchNorm, GroupNorm, LayerNorm, Normalize, Rescale
from .converter import converter, last_axis

MOST = 2**20  # channels of a layer that has no array in the file, so that a small file makes no large network
SMALLEST = 1e-7  # the least standard deviation that Normalization divides by


def scale_and_shift(layer, shape, statistics=()):
    """Return {scale, shift}, and the statistics, of a layer that normalizes by the last axis."""
    names = [name for name, option in (("gamma", "scale"), ("beta", "center")) if layer.option(option, True) is True]
    names += statistics
    if not names:
        refuse_many(shape)
    found = {name: layer.read(names, name, shape[-1:]) for name in names}
    if (found.get("moving_variance", np.zeros(1)) < 0).any():
        raise ValueError("its moving_variance holds numbers below 0, which no variance is")
    ours = {"gamma": "scale", "beta": "shift", "moving_mean": "running_mean", "moving_variance": "running_variance"}
    return {"scale": np.ones(shape[-1]), "shift": np.zeros(shape[-1])} | {ours[name]: each for name, each in found.items()}


def refuse_many(shape):
    """Refuse more channels than a layer may have that has no array in the file."""
    if shape[-1] > MOST:
        raise ValueError(f"it has {shape[-1]:,} channels and no array in the file; it must have at most {MOST:,}")


@converter("BatchNormalization")
def batch_norm(layer, shape):
    last_axis(layer, shape)
    spec = BatchNorm(layer.option("momentum", 0.99), layer.option("epsilon", 1e-3))
    return [(spec, scale_and_shift(layer, shape, ["moving_mean", "moving_variance"]))]


@converter("LayerNormalization")
def layer_norm(layer, shape):
    last_axis(layer, shape)
    layer.neutral("rms_scaling", False)
    return [(LayerNorm(layer.option("epsilon", 1e-3)), scale_and_shift(layer, shape))]


@converter("GroupNormalization")
def group_norm(layer, shape):
    last_axis(layer, shape)
    groups = layer.option("groups", 32)
    return [(GroupNorm(shape[-1] if groups == -1 else groups, layer.option("epsilon", 1e-3)), scale_and_shift(layer, shape))]


@converter("Normalization")
def normalization(layer, shape):
    axis = layer.option("axis", -1)
    axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if axis not in (None, -1, len(shape), []) or isinstance(axis, bool):
        raise ValueError(f"its option axis is {shown(axis)}; only the last axis, or none, has a counterpart")
    layer.neutral("invert", False)
    mean, variance = layer.option("mean"), layer.option("variance")
    own = () if axis in (None, []) else shape[-1:]
    if not own or mean is not None:
        refuse_many(shape)
    if mean is None:
        names = ["mean", "variance", "count"]
        mean, variance = (layer.read(names, name, own) for name in names[:2])
    # in the arithmetic of Keras: float32 unless the layer computes in float64
    mean, variance = (np.broadcast_to(np.ravel(np.array(each, np.float64)), shape[-1:]) for each in (mean, variance))
    if (variance < 0).any():
        raise ValueError("its variance holds numbers below 0, which no variance is")
    return [(Normalize(), {"mean": mean, "scale": 1 / np.maximum(np.sqrt(variance), SMALLEST), "samples": np.ones(1)})]


@converter("Rescaling")
def rescaling(layer, shape):
    return [(Rescale(layer.option("scale"), layer.option("offset", 0.0)), {})]
