"""Activations of Keras that are layers."""

import math

from ..checks import shown
from ..layers import Activation
from .converter import activation_of, converter, last_axis


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
