"""Quantiles of a target of values: an output for each, learned by its pinball loss (Koenker and Bassett 1978).

The outputs of a row are sorted, so that quantiles do not cross; that never increases the pinball loss (Chernozhukov,
Fernández-Val and Galichon 2010). Each quantile is then shifted by that quantile of its errors on the rows held out, as
in conformalized quantile regression (Romano, Patterson and Candès 2019), so that the promised share of these rows is below.
The shifts are limited by each other where they would let quantiles cross.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...checks import shown
from ...checks.single import checked
from .. import metrics, plain
from ..single import Head
from ..target import RATIO, Values, as_numbers


def checked_quantiles(where, values):
    """Return ascending probabilities, each above 0 and below 1."""
    if not isinstance(values, (list, tuple)) or not values:
        raise ValueError(f"{where} is {shown(values)}; it must be a list of numbers between 0 and 1, such as 0.1, 0.5, 0.9")
    found = tuple(plain.positive(where, value) for value in values)
    if max(found) >= 1 or [*found] != sorted({*found}):
        raise ValueError(f"{where} is {shown(values)}; it must hold different numbers between 0 and 1, such as 0.1, 0.9")
    return found


def finite_numbers(where, values):
    """Return a tuple of finite numbers."""
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where} is {shown(values)}; it must be a list of numbers")
    return tuple(plain.finite(where, value) for value in values)


@dataclass(frozen=True)
class Quantiles(Values):
    """Quantiles of values.

    Attributes
    ----------
    quantiles : tuple of float
        Ascending probabilities.
    shifts : tuple of float
        Added to each output, in the units of the network.
    """

    quantiles: tuple = checked(checked_quantiles, default=(0.5,))
    shifts: tuple = checked(finite_numbers, default=(), optional=True)
    kind, measure, linear = "quantiles", "pinball", None
    has_intervals = False

    def __post_init__(self):
        if self.shifts and len(self.shifts) != len(self.quantiles):
            raise ValueError(f"shifts has {len(self.shifts)} numbers for {len(self.quantiles)} quantiles")

    @classmethod
    def of(cls, values, quantiles):
        """Return the quantiles of a target of Values."""
        return cls(values.name, values.mean, values.scale, values.low, values.high, values.logarithm, tuple(quantiles))

    @property
    def outputs(self):
        return len(self.quantiles)

    @property
    def heads(self):
        return tuple(Head(1, "identity", f"quantile_{q!r}") for q in self.quantiles)

    def learned(self, encoded):
        return [encoded] * self.outputs

    def shifted(self, outputs, encoded, weights=None):
        """Return this target with the shifts for which the share q of the rows held out is below each quantile.

        outputs: (rows, quantiles) of networks that were not trained on the rows. encoded: (rows,). weights: (rows,).
        """
        errors = encoded[:, None] - np.sort(outputs.astype(np.float64), axis=1)
        order, n = np.argsort(errors, axis=0, kind="stable"), len(errors)
        shifts = []
        for k, q in enumerate(self.quantiles):
            own = errors[order[:, k], k]
            below = np.arange(1, n + 1) if weights is None else np.cumsum(weights[order[:, k]]) * n / weights.sum()
            shifts.append(float(np.interp(q * (n + 1), below, own)))
        return replace(self, shifts=tuple(shifts))

    def estimates(self, outputs):
        """Return quantiles (rows, quantiles) float64, ascending, in the target's units."""
        z = np.sort(np.asarray(outputs, np.float64), axis=1)
        if self.shifts:
            z = np.sort(z + self.shifts, axis=1)
        t = z * self.scale + self.mean
        return np.exp(np.clip(t, self.low - RATIO, self.high + RATIO)) if self.logarithm else t

    def named(self, predictions):
        """Return {name: column} of quantiles (rows, quantiles)."""
        return {f"{self.name}_q{q:g}": own for q, own in zip(self.quantiles, predictions.T, strict=True)}

    def judged(self, series, predicted, weights=None):
        """Return the metrics of quantiles (rows, quantiles)."""
        return metrics.quantiles(as_numbers(series), predicted, self.quantiles, weights)

    def __str__(self):
        return f"quantiles {', '.join(f'{q:g}' for q in self.quantiles)}, {super().__str__()}"
