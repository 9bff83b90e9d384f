"""The focal loss (Lin et al. 2017) of one probability, or of several that may all be 1; see `focal.py`."""

import numpy as np

from ..elementwise.elementary import exp, log, log1p
from . import Loss, families, register
from .focal import check_gamma, of_class, of_logit


def binary_focal_loss(name, gamma):
    """Return the record of the focal loss of one probability, or of several that may all be 1."""
    check_gamma(name, gamma)
    value, prime, vectorized, vectorized_prime = of_class(gamma)
    z_value, z_prime, z_vectorized, z_vectorized_prime = of_logit(gamma)

    def no_value(a):  # ℓ of the probability 1 − a, with the digits of a small a
        return -exp(gamma * log(a)) * log1p(-a)

    after_sigmoid = Loss(
        name=f"sigmoid_{name}",
        formula=f"−y (1 − p)^{gamma:g} log p − (1 − y) p^{gamma:g} log(1 − p), p = sigmoid(z)",
        prime_formula=f"−y (1 − p)^{gamma:g} (1 − p − {gamma:g} p log p) + "
                      f"(1 − y) p^{gamma:g} (p − {gamma:g} (1 − p) log(1 − p))",
        value=lambda z, y: y * z_value(z) + (1.0 - y) * z_value(-z),
        prime=lambda z, y: y * z_prime(z) - (1.0 - y) * z_prime(-z),
        vectorized=lambda z, y: y * z_vectorized(z) + (1 - y) * z_vectorized(-z),
        vectorized_prime=lambda z, y: y * z_vectorized_prime(z) - (1 - y) * z_vectorized_prime(-z),
        targets="binary",
    )
    return Loss(
        name=name,
        formula=f"−y (1 − a)^{gamma:g} log a − (1 − y) a^{gamma:g} log(1 − a)",
        prime_formula=f"y (1 − a)^{gamma:g} ({gamma:g} log(a) / (1 − a) − 1 / a) − "
                      f"(1 − y) a^{gamma:g} ({gamma:g} log(1 − a) / a − 1 / (1 − a))",
        value=lambda a, y: (0.0 if y == 0.0 else y * value(a)) + (0.0 if y == 1.0 else (1.0 - y) * no_value(a)),
        prime=lambda a, y: (0.0 if y == 0.0 else y * prime(a)) - (0.0 if y == 1.0 else (1.0 - y) * prime(1.0 - a)),
        vectorized=lambda a, y: (y * vectorized(np.where(y == 0, 0.5, a))
                                 - (1 - y) * a ** gamma * np.log1p(-np.where(y == 1, 0.5, a))),
        vectorized_prime=lambda a, y: (y * vectorized_prime(np.where(y == 0, 0.5, a))
                                       - (1 - y) * vectorized_prime(1 - np.where(y == 1, 0.5, a))),
        on_logits={"sigmoid": after_sigmoid},
        domain=(0, 1),
        targets="binary",
    )


families["binary_focal"] = binary_focal_loss
register(binary_focal_loss("binary_focal_2", 2.0))
