"""The leaky rectified linear unit (Maas, Hannun and Ng 2013), with a small slope for negative z."""

import numpy as np

from . import Activation, register

SLOPE = 0.01

register(Activation(
    name="leaky_relu",
    formula="z where z > 0, else 0.01 z",
    prime_formula="1 where z > 0, else 0.01",
    value=lambda z: z if z > 0.0 else SLOPE * z,
    prime=lambda z, a: 1.0 if z > 0.0 else SLOPE,
    vectorized=lambda z: np.maximum(z, SLOPE * z),
    vectorized_prime=lambda z, a: np.where(z > 0, 1, SLOPE),
    initializer="he_normal",
    smooth=False,
    kinks=(0.0,),
    onnx="LeakyRelu",
    onnx_attributes={"alpha": SLOPE},
    onnx_float64=lambda graph, z: graph("Max", z, graph("Mul", z, SLOPE)),
))
