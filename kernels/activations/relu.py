"""The rectified linear unit."""

import numpy as np

from . import Activation, register

register(Activation(
    name="relu",
    formula="max(z, 0)",
    prime_formula="1 where z > 0, else 0",
    value=lambda z: 0.0 if z < 0.0 else z,
    prime=lambda z, a: 1.0 if z > 0.0 else 0.0,
    needs_z=False,
    keeps_order=True,
    vectorized=lambda z: np.maximum(z, 0),
    vectorized_prime=lambda z, a: np.where(z > 0, 1, 0),
    initializer="he_normal",
    smooth=False,
    kinks=(0.0,),
    onnx="Relu",
))
