"""The quantile loss (Koenker and Bassett 1978): its minimum is the quantile q of y, and not the mean.

"quantile_0.9" is the loss whose outputs have 90 % of the targets below them; two networks, or two outputs of a graph, with
"quantile_0.05" and "quantile_0.95" give an interval that holds 90 % of them. Half the absolute error is "quantile_0.5".
"""

import numpy as np

from . import Loss, families, register


def quantile_loss(name, q):
    """Return the record of the loss of the quantile q, between 0 and 1."""
    if not 0.0 < q < 1.0:
        raise ValueError(f"loss {name!r} is of the quantile {q}; it must be between 0 and 1, as in 'quantile_0.9'")
    rest = 1.0 - q
    return Loss(
        name=name,
        formula=f"{q:g} (y − a) where a < y, else {rest:g} (a − y)",
        prime_formula=f"−{q:g} where a < y, {rest:g} where a > y",
        value=lambda a, y: q * (y - a) if a < y else rest * (a - y),
        prime=lambda a, y: -q if a < y else rest if a > y else a - y,
        vectorized=lambda a, y: np.maximum(q * (y - a), rest * (a - y)),
        vectorized_prime=lambda a, y: np.where(a < y, -q, np.where(a > y, rest, a - y)),
        smooth=False,
        kinks=(0.0,),
    )


families["quantile"] = quantile_loss
register(quantile_loss("quantile_0.5", 0.5))
