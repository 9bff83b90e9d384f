"""The absolute error, which is less sensitive to outliers than the squared error."""

import numpy as np

from . import Loss, register

register(Loss(
    name="absolute_error",
    formula="|a − y|",
    prime_formula="sign(a − y), 0 where a = y",
    value=lambda a, y: abs(a - y),
    prime=lambda a, y: 1.0 if a > y else -1.0 if a < y else a - y,  # a - y is 0, or nan if a or y is nan
    vectorized=lambda a, y: np.abs(a - y),
    vectorized_prime=lambda a, y: np.sign(a - y),
    smooth=False,
    kinks=(0.0,),
))
