"""The logistic sigmoid, the activation of logistic regression."""

import numpy as np

from ..elementwise.elementary import sigmoid
from . import Activation, register

register(Activation(
    name="sigmoid",
    formula="1 / (1 + e⁻ᶻ)",
    prime_formula="a (1 − a)",
    value=lambda z: sigmoid(z),
    prime=lambda z, a: a * (1.0 - a),
    needs_z=False,
    vectorized=lambda z: np.exp(-np.logaddexp(0, -z)),  # no overflow, and accurate near 0
    vectorized_prime=lambda z, a: a - a**2,
    onnx="Sigmoid",
))
