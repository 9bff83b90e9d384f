"""Layers of Keras that draw random numbers in training."""

from ..checks import shown
from ..layers import Dropout, GaussianNoise, RandomFlip
from .converter import channels_last, converter


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
