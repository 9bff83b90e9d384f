"""Converters of layers of Keras, registered by Keras' names of the classes, and what they have in common."""

import numpy as np

from ..checks import shown
from ..kernels.activations import activations

SAME = {name: name for name in ("relu", "sigmoid", "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu")}
ACTIVATIONS = SAME | {"linear": "identity", "swish": "silu"}  # by Keras' names
OTHERWISE = {"leaky_relu": "has the slope 0.2 in Keras"}  # names that mean something else here
converters = {}


def converter(*kinds):
    """Register a function (layer, shape of a sample) -> [(layer here, {parameter: array}), …] for classes of Keras."""
    def register(function):
        converters.update(dict.fromkeys(kinds, function))
        return function
    return register


def activation_of(layer, name="activation"):
    """Return the name of an activation here, given by a layer's option."""
    given = layer.option(name, "linear")
    given = "linear" if given is None else given
    known = isinstance(given, str) and given not in OTHERWISE and (given in ACTIVATIONS or given in list(activations))
    if not known:
        why = OTHERWISE.get(given, "is not one that networks here have") if isinstance(given, str) else "is of your own code"
        raise ValueError(f"its activation {shown(given)} {why}")
    return ACTIVATIONS.get(given, given)


def pair(value, axes):
    """Return an option with a number for each axis, from an int or a list."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * axes


def plain(value):
    """Return a number for a tuple of one."""
    return value[0] if len(value) == 1 else value


def axes_of(layer, shape):
    """Return the number of axes of windows, and refuse samples of another shape."""
    axes = 1 if "1D" in layer.kind else 2
    if len(shape) != axes + 1:
        raise ValueError(f"it takes samples with {axes + 1} axes, and here they have the shape {shape}")
    return axes


def channels_last(layer):
    layer.neutral("data_format", "channels_last", None)


def last_axis(layer, shape):
    """Refuse a layer that works on another axis than the last."""
    axis = layer.option("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if isinstance(axis, bool) or axis not in (-1, len(shape)):
        raise ValueError(f"its option axis is {shown(axis)}; only the last axis has a counterpart")


def penalties(layer, name="kernel_regularizer"):
    """Return {l1, l2} of a layer's kernel, or a remark about any other penalty."""
    given = layer.config.get(name)
    config = given.get("config") if isinstance(given, dict) else None
    if isinstance(config, dict) and given.get("class_name") in ("L1", "L2", "L1L2", "l1", "l2", "l1_l2"):
        layer.option(name)
        return {each: float(config.get(each, 0.0)) for each in ("l1", "l2")}
    return {}


def kernel_and_bias(layer, shape, outputs, name="kernel"):
    """Return {weight, bias} of a layer with one kernel of this shape, whose bias is zero if it has none."""
    has_bias = layer.option("use_bias", True) is True
    names = [name] + ["bias"] * has_bias
    return {"weight": layer.read(names, name, shape),
            "bias": layer.read(names, "bias", (outputs,)) if has_bias else np.zeros(outputs)}
