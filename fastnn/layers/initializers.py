"""Initializers: one record each, with a function from a generator and the shape of a weight to its initial values.

fan_in and fan_out are the numbers of features into and out of the layer, in a convolution of channels times taps of the
kernel. Biases start at zero.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..kernels.compiling.registry import Registry


@dataclass(frozen=True, eq=False)
class Initializer:
    """A named distribution of initial weights.

    Attributes
    ----------
    name, formula, source : str
    draw : callable
        draw(generator, shape, fans=None) -> float64 array of `shape`; fans are (fan_in, fan_out), by default the shape.
    """

    name: str
    formula: str
    source: str
    draw: Callable


initializers = Registry("initializer", Initializer)
register = initializers.register


def normal(variance):
    """Return a `draw` for the normal distribution with variance(fan_in, fan_out)."""
    return lambda generator, shape, fans=None: generator.normal(0.0, math.sqrt(variance(*(fans or shape))), shape)


def uniform(variance):
    """Return a `draw` for the uniform distribution on ±√(3 variance(fan_in, fan_out)), which has that variance."""

    def draw(generator, shape, fans=None):
        limit = math.sqrt(3 * variance(*(fans or shape)))
        return generator.uniform(-limit, limit, shape)

    return draw


GLOROT = "Glorot and Bengio 2010"
HE = "He, Zhang, Ren and Sun 2015"
LECUN = "LeCun, Bottou, Orr and Müller 1998"

register(Initializer("zeros", "0", "the notes, as what not to do", lambda generator, shape, fans=None: np.zeros(shape)))
register(Initializer("normal", "N(0, 0.01²)", "the notes, small random numbers", normal(lambda fan_in, fan_out: 1e-4)))
register(Initializer("glorot_normal", "N(0, 2 / (fan_in + fan_out))", GLOROT, normal(lambda i, o: 2 / (i + o))))
register(Initializer("glorot_uniform", "U(±√(6 / (fan_in + fan_out)))", GLOROT, uniform(lambda i, o: 2 / (i + o))))
register(Initializer("he_normal", "N(0, 2 / fan_in)", HE, normal(lambda i, o: 2 / i)))
register(Initializer("he_uniform", "U(±√(6 / fan_in))", HE, uniform(lambda i, o: 2 / i)))
register(Initializer("lecun_normal", "N(0, 1 / fan_in)", LECUN, normal(lambda i, o: 1 / i)))
register(Initializer("lecun_uniform", "U(±√(3 / fan_in))", LECUN, uniform(lambda i, o: 1 / i)))
