"""Softplus (Dugas et al. 2001), a smooth approximation of relu."""

import numpy as np

from ..elementwise.elementary import expm1, softplus
from . import Activation, register


def onnx_float64(graph, z):
    tail = graph("Log", graph("Add", graph("Exp", graph("Neg", graph("Abs", z))), 1.0))
    return graph("Add", graph("Max", z, 0.0), tail)


register(Activation(
    name="softplus",
    formula="log(1 + eᶻ)",
    prime_formula="1 / (1 + e⁻ᶻ) = 1 − e⁻ᵃ",
    value=lambda z: softplus(z),
    prime=lambda z, a: -expm1(-a),
    vectorized=lambda z: np.logaddexp(0, z),
    vectorized_prime=lambda z, a: np.exp(-np.logaddexp(0, -z)),
    onnx="Softplus",
    onnx_float64=onnx_float64,
))
