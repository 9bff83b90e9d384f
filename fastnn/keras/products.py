"""Dense layers, convolutions and pools of Keras.

A kernel of Keras has the axes of a weight here. That of a depthwise convolution, (height, width, channels, multiplier), has
the numbers of (height, width, 1, channels · multiplier) in the same order.
"""

import numpy as np

from ..layers import (
    AveragePool1D,
    AveragePool2D,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1D,
    MaxPool2D,
    Reshape,
)
from .converter import activation_of, axes_of, channels_last, converter, kernel_and_bias, pair, penalties, plain


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
