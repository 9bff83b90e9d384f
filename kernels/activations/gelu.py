"""The Gaussian error linear unit (Hendrycks and Gimpel 2016), exact: z times the normal distribution function of z."""

import math

import numpy as np

from ..elementwise.elementary import ERF_LARGE, ERF_MIDDLE, ERF_RANGE, ERF_SMALL, erf, exp
from . import Activation, register

SQRT_HALF = math.sqrt(0.5)
DENSITY = 1 / math.sqrt(2 * math.pi)  # φ(0)

numpy_erf = np.vectorize(math.erf, otypes=[float])


def vectorized_prime(z, a):
    density = np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)
    return (1 + numpy_erf(z / np.sqrt(2))) / 2 + z * density


def onnx_float64(graph, z):
    """½ (z + |z| erf |x|) with x = z/√2, with the kernel's polynomials: ONNX Runtime has erf only in float32."""
    x = graph("Mul", z, SQRT_HALF)
    if not graph.exact:
        power = graph("Erf", graph("Cast", x, to="float32"))
        return graph("Mul", graph("Mul", z, 0.5), graph("Add", graph("Cast", power, to="float64"), 1.0))
    size = graph("Min", graph("Abs", x), ERF_RANGE.float64)
    small = graph("Add", size, graph("Mul", size, polynomial(graph, graph("Mul", size, size), ERF_SMALL.float64)))
    large = graph("Sub", 1.0, graph("Exp", graph("Neg", polynomial(graph, size, ERF_LARGE.float64))))
    power = graph("Where", graph("Less", size, ERF_MIDDLE.float64), small, large)
    return graph("Mul", graph("Add", z, graph("Mul", graph("Abs", z), power)), 0.5)


def polynomial(graph, x, coefficients):
    """Evaluate a polynomial by Horner's scheme."""
    *lower, total = coefficients
    for coefficient in reversed(lower):
        total = graph("Add", graph("Mul", x, total), coefficient)
    return total


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
