"""The hinge loss of support vector machines (Cortes and Vapnik 1995): labels are −1 and 1, and outputs are values."""

import numpy as np

from . import Loss, register

register(Loss(
    name="hinge",
    formula="max(0, 1 − y a), y = ±1",
    prime_formula="−y where y a < 1, else 0",
    value=lambda a, y: 1.0 - y * a if y * a < 1.0 else 0.0 * a,  # nan if a or y is nan
    prime=lambda a, y: -y if y * a < 1.0 else 0.0 * a,
    vectorized=lambda a, y: np.where(y * a < 1, 1 - y * a, 0 * a),
    vectorized_prime=lambda a, y: np.where(y * a < 1, -y, 0 * a),
    smooth=False,
    kinks=(0.0,),  # for y = ±1, where a = y
    on_target=lambda y: y if y * y >= 1.0 or y == 0.0 else 1.0 / y,
))
