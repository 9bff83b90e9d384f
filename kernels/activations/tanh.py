"""The hyperbolic tangent."""

import math

import numpy as np

from . import Activation, register

register(Activation(
    name="tanh",
    formula="(eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ)",
    prime_formula="1 − a²",
    value=lambda z: math.tanh(z),
    prime=lambda z, a: 1.0 - a * a,
    needs_z=False,
    vectorized=np.tanh,
    vectorized_prime=lambda z, a: 1 - a**2,
    onnx="Tanh",
))
