"""The identity, the activation of a layer without an activation."""

import numpy as np

from . import Activation, register

register(Activation(
    name="identity",
    formula="z",
    prime_formula="1",
    value=lambda z: z,
    prime=lambda z, a: 1.0,
    vectorized=lambda z: z.copy(),
    vectorized_prime=lambda z, a: np.ones_like(z),
    onnx="Identity",
))
