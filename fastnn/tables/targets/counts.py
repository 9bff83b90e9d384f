"""A target of counts, learned by the Poisson deviance.

The output is a = log(μ / mean), so that the prediction μ = mean · eᵃ is positive, and effects are ratios. The loss of a row
is half the deviance over the mean, eᵃ − (y / mean) a up to a constant. It needs no Poisson distribution: it estimates the
mean of any target of at least 0 (Wooldridge 1999), best where the variance is proportional to the mean. For rates, divide
the counts by the exposure and give the exposure as the weight of the row.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...checks.single import checked
from .. import metrics, plain
from ..single import Head, Single
from ..target import RATIO, as_numbers

LOWEST = -30.0  # of an output: a prediction of 1e-13 times the mean


@dataclass(frozen=True)
class Counts(Single):
    """A target of counts: numbers of at least 0.

    Attributes
    ----------
    mean : float
        That of the training rows; of a model, times the factor for which predictions add up to the counts on rows held out.
    high : float
        The largest value of the training rows.
    """

    name: str = checked(plain.word)
    mean: float = checked(plain.positive)
    high: float = checked(plain.positive)
    kind, measure, linear = "counts", "deviance", "counts"
    outputs = 1
    heads = (Head(1, "identity", "poisson"),)
    has_intervals = True

    @classmethod
    def fit(cls, series):
        """Learn from the training rows."""
        values = as_numbers(series)
        if values.min() < 0:
            raise ValueError(f"column {series.name!r} holds {values.min():g}; counts are numbers of at least 0: train with "
                             "--task regression")
        if not values.max() > 0:
            raise ValueError(f"column {series.name!r} is 0 in all rows that are learned from; there is nothing to learn")
        return cls(series.name, float(values.mean()), float(values.max()))

    def balanced(self, series, outputs, weights=None):
        """Return this target with the mean for which predictions add up to the counts, on rows held out.

        The average of networks in logarithms is a geometric mean of their predictions, which is too small on the whole.
        """
        weights = np.ones(len(series)) if weights is None else weights
        return replace(self, mean=self.mean * float((weights @ as_numbers(series)) / (weights @ self.estimates(outputs))))

    def encode(self, series):
        """Return counts over their mean (rows,), float64."""
        return as_numbers(series) / self.mean

    def estimates(self, outputs):
        """Return means (rows,) float64, from outputs (rows, 1); none is larger than twice the largest count in training."""
        a = np.asarray(outputs, np.float64)[:, 0]
        return self.mean * np.exp(np.clip(a, LOWEST, np.log(self.high / self.mean) + RATIO))

    def judged(self, series, predicted, weights=None):
        """Return the metrics of means (rows,)."""
        return metrics.counts(as_numbers(series), predicted, weights)

    def errors(self, series, outputs):
        """Return the errors for intervals (rows,): |y − μ| / √μ, whose size does not depend on μ if the variance is ∝ μ."""
        predicted = self.estimates(outputs)
        return np.abs(as_numbers(series) - predicted) / np.sqrt(predicted)

    def ends(self, outputs, half):
        """Return the ends (rows, 2) of intervals: μ ± half · √μ, and at least 0."""
        predicted = self.estimates(outputs)
        width = half * np.sqrt(predicted)
        return np.stack([np.maximum(predicted - width, 0), predicted + width], axis=1)

    def __str__(self):
        return f"counts, {self.mean:.4g} on the mean"
