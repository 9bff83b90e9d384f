"""Layers of Keras that change the shape."""

from ..layers import Flatten, Reshape, UpSample2D, ZeroPad2D
from .converter import axes_of, channels_last, converter, pair


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
