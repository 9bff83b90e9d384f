"""The absolute error, which outliers pull at no harder than others."""

import numpy as np

from . import Loss, register

register(Loss(
    name="absolute_error",
    formula="|a − y|",
    prime_formula="sign(a − y), 0 where a = y",
    value=lambda a, y: abs(a - y),
    prime=lambda a, y: 1.0 if a > y else -1.0 if a < y else a - y,  # the last is 0, or nan as a or y is
    vectorized=lambda a, y: np.abs(a - y),
    vectorized_prime=lambda a, y: np.sign(a - y),
    smooth=False,
    kinks=(0.0,),
))
