"""The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact: z times the normal distribution function of z."""

import math

import numpy as np

from ..elementary import erf, exp
from . import Activation, register

SQRT_HALF = math.sqrt(0.5)
DENSITY = 1 / math.sqrt(2 * math.pi)  # φ(0)

numpy_erf = np.vectorize(math.erf, otypes=[float])


def vectorized_prime(z, a):
    density = np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)
    return (1 + numpy_erf(z / np.sqrt(2))) / 2 + z * density


def onnx_float64(graph, z):
    # ONNX Runtime has erf in float32 alone, which leaves an error of 1e-7
    power = graph("Erf", graph("Cast", graph("Mul", z, SQRT_HALF), to="float32"))
    return graph("Mul", graph("Mul", z, 0.5), graph("Add", graph("Cast", power, to="float64"), 1.0))


register(Activation(
    name="gelu",
    formula="z Φ(z) with Φ(z) = ½ (1 + erf(z/√2))",
    prime_formula="Φ(z) + z φ(z) with φ(z) = e^(−z²/2) / √(2π)",
    value=lambda z: 0.5 * z * (1.0 + erf(SQRT_HALF * z)),
    prime=lambda z, a: 0.5 * (1.0 + erf(SQRT_HALF * z)) + DENSITY * z * exp(-0.5 * z * z),
    vectorized=lambda z: z * (1 + numpy_erf(z / np.sqrt(2))) / 2,
    vectorized_prime=vectorized_prime,
    initializer="he_normal",
    onnx="Gelu",  # since opset 20
    onnx_attributes={"approximate": "none"},
    onnx_float64=onnx_float64,
))
