"""Layers of Keras as layers here, with their parameters.

A kernel of Keras has the axes of a weight here. That of a depthwise convolution, (height, width, channels, multiplier), has
the numbers of (height, width, 1, channels · multiplier) in the same order.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..checks import shown
from ..kernels.activations import activations
from ..layers import (
    Activation,
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
    Normalize,
    RandomFlip,
    Rescale,
    Reshape,
    UpSample2D,
    ZeroPad2D,
    input_shape,
)
from ..layers.ragged import output_shape

SAME = {name: name for name in ("relu", "sigmoid", "tanh", "softmax", "softplus", "elu", "selu", "gelu", "silu")}
ACTIVATIONS = SAME | {"linear": "identity", "swish": "silu"}  # by Keras' names
OTHERWISE = {"leaky_relu": "has the slope 0.2 in Keras"}  # names that mean something else here
MOST = 2**20  # channels of a layer that has no array in the file, so that a small file makes no large network
SMALLEST = 1e-7  # the least standard deviation that Normalization divides by
converters = {}


@dataclass
class Model:
    """Converted layers: [(layer, {parameter: array}), …], the shapes of a sample before and after them, and remarks."""

    parts: list
    inputs: tuple
    shape: tuple
    dtype: str
    remarks: list


def converted(layers, inputs):
    """Return the model of a list of Keras' layers for samples of the shape `inputs`."""
    inputs = shape = input_shape(inputs)
    parts, dtypes, remarks = [], set(), []
    for layer in layers:
        if layer.kind == "InputLayer":
            continue
        try:
            if layer.kind not in converters:
                raise ValueError("no layer here computes that")
            for part in converters[layer.kind](layer, shape):
                parts.append(part)
                both = isinstance(part[0], Bidirectional)
                shape = part[0].output_shape(shape) if both else output_shape(part[0], shape)
            layer.refuse_others()
            dtypes.add(layer.dtype())
        except (ValueError, TypeError, LookupError) as error:
            raise ValueError(f"its layer {layer.name!r}, {shown(layer.kind)}, cannot be taken: {error}") from error
        remarks += layer.remarks
    if not parts:
        raise ValueError("it has no layers")
    if len(dtypes) > 1:
        raise ValueError("its layers compute in float32 and in float64; networks here compute in one of them")
    return Model(parts, inputs, shape, dtypes.pop(), remarks)


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


def channels_last(layer):
    layer.neutral("data_format", "channels_last", None)


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


@converter("Dense")
def dense(layer, shape):
    units, activation = layer.option("units"), activation_of(layer)
    arrays = kernel_and_bias(layer, (shape[-1], units), units)
    if len(shape) == 1 or (len(shape) == 2 and shape[0] is None):  # of each sample, or of each step
        return [(Dense(units, activation, **penalties(layer)), arrays)]
    if len(shape) > 3 or activation == "softmax":
        raise ValueError(f"it takes the last axis of samples of shape {shape}" + " with softmax" * (activation == "softmax"))
    spec = (Conv1D, Conv2D)[len(shape) - 2](units, 1, activation, **penalties(layer))  # the same product at each place
    arrays["weight"] = arrays["weight"].reshape(*(1,) * (len(shape) - 1), shape[-1], units)
    return [(spec, arrays)]


def window_options(layer, axes):
    """Return the options of a convolution that ours name otherwise."""
    channels_last(layer)
    return {"kernel_size": plain(pair(layer.option("kernel_size"), axes)),
            "stride": plain(pair(layer.option("strides", 1), axes)), "padding": layer.option("padding", "valid"),
            "dilation": plain(pair(layer.option("dilation_rate", 1), axes))}


def plain(value):
    """Return a number for a tuple of one."""
    return value[0] if len(value) == 1 else value


def axes_of(layer, shape):
    """Return the number of axes of windows, and refuse samples of another shape."""
    axes = 1 if "1D" in layer.kind else 2
    if len(shape) != axes + 1:
        raise ValueError(f"it takes samples with {axes + 1} axes, and here they have the shape {shape}")
    return axes


@converter("Conv1D", "Conv2D")
def convolution(layer, shape):
    axes = axes_of(layer, shape)
    options, filters, groups = window_options(layer, axes), layer.option("filters"), layer.option("groups", 1)
    spec = (Conv1D, Conv2D)[axes - 1](filters, activation=activation_of(layer), groups=groups, **options, **penalties(layer))
    return [(spec, kernel_and_bias(layer, spec.parameter_shapes(shape)["weight"], filters))]


@converter("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(layer, shape):
    axes, channels, multiplier = axes_of(layer, shape), shape[-1], layer.option("depth_multiplier", 1)
    layer.neutral("groups", 1)
    options, activation = window_options(layer, axes), activation_of(layer)
    spec = depthwise_spec(axes, channels, multiplier, activation, options, penalties(layer, "depthwise_regularizer"))
    wanted = (*pair(options["kernel_size"], axes), channels, multiplier)
    arrays = kernel_and_bias(layer, wanted, channels * multiplier)
    return [(spec, arrays | {"weight": in_one_axis(arrays["weight"])})]


def depthwise_spec(axes, channels, multiplier, activation, options, penalty):
    if axes == 2:
        return DepthwiseConv2D(activation=activation, multiplier=multiplier, **options, **penalty)
    return Conv1D(channels * multiplier, activation=activation, groups=channels, **options, **penalty)


def in_one_axis(kernel):
    """Return a kernel (…, channels, multiplier) as (…, 1, channels · multiplier)."""
    return kernel.reshape(*kernel.shape[:-2], 1, -1)


@converter("SeparableConv1D", "SeparableConv2D")
def separable(layer, shape):
    axes, channels, multiplier = axes_of(layer, shape), shape[-1], layer.option("depth_multiplier", 1)
    options, filters = window_options(layer, axes), layer.option("filters")
    layer.neutral("groups", 1)
    has_bias, inner = layer.option("use_bias", True) is True, channels * multiplier
    names = ["depthwise_kernel", "pointwise_kernel"] + ["bias"] * has_bias
    first = depthwise_spec(axes, channels, multiplier, "identity", options, penalties(layer, "depthwise_regularizer"))
    last = (Conv1D, Conv2D)[axes - 1](filters, 1, activation_of(layer), **penalties(layer, "pointwise_regularizer"))
    kernel = layer.read(names, names[0], (*pair(options["kernel_size"], axes), channels, multiplier))
    return [(first, {"weight": in_one_axis(kernel), "bias": np.zeros(inner)}),
            (last, {"weight": layer.read(names, names[1], (*(1,) * axes, inner, filters)),
                    "bias": layer.read(names, "bias", (filters,)) if has_bias else np.zeros(filters)})]


@converter("Conv2DTranspose")
def transposed(layer, shape):
    options, filters = window_options(layer, axes_of(layer, shape)), layer.option("filters")
    layer.neutral("output_padding", None)
    layer.neutral("groups", 1)
    spec = ConvTranspose2D(filters, activation=activation_of(layer), **options, **penalties(layer))
    return [(spec, kernel_and_bias(layer, spec.parameter_shapes(shape)["weight"], filters))]


@converter("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
def pool(layer, shape):
    axes = axes_of(layer, shape)
    channels_last(layer)
    size = pair(layer.option("pool_size", 2), axes)
    strides = layer.option("strides")
    kinds = (MaxPool1D, MaxPool2D) if layer.kind.startswith("Max") else (AveragePool1D, AveragePool2D)
    return [(kinds[axes - 1](plain(size), stride=plain(size if strides is None else pair(strides, axes)),
                             padding=layer.option("padding", "valid")), {})]


@converter("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
def global_pool(layer, shape):
    axes = axes_of(layer, shape)
    channels_last(layer)
    kept = [(Reshape((*(1,) * axes, shape[-1])), {})] if layer.option("keepdims", False) is True else []
    return [((GlobalMaxPool if "Max" in layer.kind else GlobalAveragePool)(), {}), *kept]


def last_axis(layer, shape):
    """Refuse a layer that works on another axis than the last."""
    axis = layer.option("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if isinstance(axis, bool) or axis not in (-1, len(shape)):
        raise ValueError(f"its option axis is {shown(axis)}; only the last axis has a counterpart")


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


@converter("Flatten")
def flatten(layer, shape):
    channels_last(layer)
    return [(Flatten(), {})]


@converter("Reshape")
def reshape(layer, shape):
    return [(Reshape(tuple(layer.option("target_shape"))), {})]


@converter("ZeroPadding1D", "ZeroPadding2D")
def zero_padding(layer, shape):
    axes = axes_of(layer, shape)
    channels_last(layer)
    given = layer.option("padding", 1)
    if axes == 2:
        return [(ZeroPad2D(tuple(map(tuple, given)) if isinstance(given[0], list) else tuple(given)), {})]
    padding = ZeroPad2D(((0, 0), pair(given, 2)))  # a series is an image of height 1
    return [(Reshape((1, *shape)), {}), (padding, {}), (Reshape(padding.output_shape((1, *shape))[1:]), {})]


@converter("UpSampling2D")
def up_sampling(layer, shape):
    channels_last(layer)
    layer.neutral("interpolation", "nearest")
    return [(UpSample2D(pair(layer.option("size", 2), 2)), {})]


@converter("Activation")
def activation(layer, shape):
    return [(Activation(activation_of(layer)), {})]


@converter("ReLU")
def relu(layer, shape):
    layer.neutral("max_value", None)
    layer.neutral("threshold", 0.0)
    return [(Activation(sloped(layer.option("negative_slope", 0.0))), {})]


@converter("LeakyReLU")
def leaky_relu(layer, shape):
    return [(Activation(sloped(layer.option("alpha", layer.option("negative_slope", 0.3)))), {})]


def sloped(slope):
    """Return the name of the activation with this slope below zero."""
    if slope in (0.0, None):
        return "relu"
    if not math.isclose(slope, 0.01, rel_tol=1e-6):
        raise ValueError(f"its slope is {shown(slope)}; leaky_relu has the slope 0.01 here")
    return "leaky_relu"


@converter("ELU")
def elu(layer, shape):
    layer.neutral("alpha", 1.0)
    return [(Activation("elu"), {})]


@converter("Softmax")
def softmax(layer, shape):
    last_axis(layer, shape)
    return [(Activation("softmax"), {})]


@converter("Dropout", "SpatialDropout1D", "SpatialDropout2D")
def dropout(layer, shape):
    layer.neutral("noise_shape", None)
    channels_last(layer)
    if layer.kind.startswith("Spatial") and shape[0] is None:
        raise ValueError("it drops whole features of a sequence, which has no counterpart for sequences of any length")
    return [(Dropout(layer.option("rate"), channels=layer.kind.startswith("Spatial")), {})]


@converter("GaussianNoise")
def gaussian_noise(layer, shape):
    return [(GaussianNoise(layer.option("stddev")), {})]


@converter("RandomFlip")
def random_flip(layer, shape):
    channels_last(layer)
    mode = layer.option("mode", "horizontal_and_vertical")
    if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
        raise ValueError(f"its option mode is {shown(mode)}")
    return [(RandomFlip("horizontal" in mode, "vertical" in mode), {})]
