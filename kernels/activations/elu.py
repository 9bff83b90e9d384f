"""The exponential linear unit (Clevert, Unterthiner and Hochreiter 2015); at α = 1 its derivative is continuous."""

import numpy as np

from ..elementwise.elementary import expm1
from . import Activation, register

register(Activation(
    name="elu",
    formula="z where z > 0, else eᶻ − 1",
    prime_formula="1 where z > 0, else a + 1",
    value=lambda z: z if z > 0.0 else expm1(z),
    prime=lambda z, a: 1.0 if z > 0.0 else a + 1.0,
    vectorized=lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    vectorized_prime=lambda z, a: np.exp(np.minimum(z, 0)),
    initializer="he_normal",
    onnx="Elu",
    onnx_attributes={"alpha": 1.0},
    onnx_float64=lambda graph, z: graph("Add", graph("Max", z, 0.0), graph("Sub", graph("Exp", graph("Min", z, 0.0)), 1.0)),
))
