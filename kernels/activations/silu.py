"""The sigmoid linear unit (Elfwing, Uchibe and Doya 2017), also known as swish."""

import numpy as np

from ..elementwise.elementary import sigmoid
from . import Activation, register


def vectorized(z):
    return z * np.exp(-np.logaddexp(0, -z))


def vectorized_prime(z, a):
    s = np.exp(-np.logaddexp(0, -z))
    return s * (1 + z * (1 - s))


register(Activation(
    name="silu",
    formula="z σ(z) with σ(z) = 1 / (1 + e⁻ᶻ)",
    prime_formula="σ(z) (1 + z − a)",
    value=lambda z: z * sigmoid(z),
    prime=lambda z, a: sigmoid(z) * (1.0 + (z - a)),  # z - a first: beside a huge z the 1 would be lost
    vectorized=vectorized,
    vectorized_prime=vectorized_prime,
    initializer="he_normal",
    # The operator Swish exists only since opset 24. The quotient keeps every digit. In the product with Sigmoid, the error
    # of ONNX Runtime, 1e-7 in float32, is multiplied by z, and some of its versions cannot run it in float64.
    onnx=lambda graph, z: graph("Div", z, graph("Add", graph("Exp", graph("Neg", z)), 1.0)),
))
