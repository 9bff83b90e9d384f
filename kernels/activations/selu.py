"""The scaled exponential linear unit (Klambauer, Unterthiner, Mayr and Hochreiter 2017).

With its two constants, and weights drawn by `lecun_normal`, mean 0 and variance 1 are a fixed point of a layer.
"""

import numpy as np

from ..elementwise.elementary import expm1
from . import Activation, register

# λ and α of the paper, rounded to float64
SCALE = 1.0507009873554805
ALPHA = 1.6732632423543772
SCALE_ALPHA = SCALE * ALPHA

def onnx_float64(graph, z):
    below = graph("Mul", graph("Sub", graph("Exp", graph("Min", z, 0.0)), 1.0), SCALE_ALPHA)
    return graph("Add", graph("Mul", graph("Max", z, 0.0), SCALE), below)


register(Activation(
    name="selu",
    formula="λz where z > 0, else λα (eᶻ − 1), with λ = 1.0507… and α = 1.6732…",
    prime_formula="λ where z > 0, else a + λα",
    value=lambda z: SCALE * z if z > 0.0 else SCALE_ALPHA * expm1(z),
    prime=lambda z, a: SCALE if z > 0.0 else a + SCALE_ALPHA,
    vectorized=lambda z: SCALE * np.where(z > 0, z, ALPHA * np.expm1(np.minimum(z, 0))),
    vectorized_prime=lambda z, a: SCALE * np.where(z > 0, 1, ALPHA * np.exp(np.minimum(z, 0))),
    initializer="lecun_normal",
    smooth=False,
    kinks=(0.0,),
    onnx="Selu",
    onnx_attributes={"alpha": ALPHA, "gamma": SCALE},
    onnx_float64=onnx_float64,
))
