"""Softplus (Dugas et al. 2001), the smooth form of relu."""

import numpy as np

from ..elementary import expm1, softplus
from . import Activation, register

register(Activation(
    name="softplus",
    formula="log(1 + eᶻ)",
    prime_formula="1 / (1 + e⁻ᶻ) = 1 − e⁻ᵃ",
    value=lambda z: softplus(z),
    prime=lambda z, a: -expm1(-a),
    vectorized=lambda z: np.logaddexp(0, z),
    vectorized_prime=lambda z, a: np.exp(-np.logaddexp(0, -z)),
    onnx="Softplus",
))
