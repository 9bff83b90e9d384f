"""The output itself, of a layer that computes a loss: of several outputs together, as in a variational autoencoder."""

import numpy as np

from . import Loss, register

register(Loss(
    name="output",
    formula="a",
    prime_formula="1",
    value=lambda a, y: a,
    prime=lambda a, y: 1.0 if a == a else a,  # nan stays nan
    vectorized=lambda a, y: a + np.zeros_like(y),
    vectorized_prime=lambda a, y: np.where(np.isnan(a), a, 1.0),
    needs_targets=False,
))
