"""The target: conversion of the column to network outputs and back. Values are standardized, classes are numbered.

A positive target that spans orders of magnitude may be learned in logarithms: then equal errors are equal ratios instead of
equal differences. `fastnn.tables.training` compares the two on the data.
"""

from dataclasses import dataclass

import numpy as np

from ..checks import true_or_false
from ..checks.single import checked
from . import metrics, plain
from .classes import Classes  # noqa: F401 - pickles of earlier versions name it here
from .columns.cells import as_numbers as plain_numbers
from .columns.cells import without
from .columns.frames import categorical_names, normalized_column, pandas
from .columns.kinds import NUMBERS, WORDS
from .single import Head, Single

AMOUNTS = "regression", "counts"  # tasks whose targets are numbers
FEW = 10  # largest number of different whole numbers that are taken for classes
SKEWED = 1.0  # skewness from which on logarithms may help; that of the exponential distribution is 2
LARGEST = 1e100  # largest value of a target, so that sums of squared errors do not overflow
SMALL = 20  # largest median of what may be counts
RATIO = np.log(2.0)  # how far the logarithm of a prediction may exceed the range of the training rows
OTHERS = {  # pandas' names of types that are neither numbers nor text, and what may be derived from them
    "datetime64": "dates", "datetime": "dates", "date": "dates", "timedelta64": "durations", "timedelta": "durations",
    "period": "periods", "time": "times of day", "complex": "complex numbers", "interval": "intervals",
    "mixed": "other things",
}
DERIVED = {"dates": "the year or the days since the first", "durations": "the seconds", "periods": "the year",
           "times of day": "the hour", "complex numbers": "the absolute value", "intervals": "the middle"}


@dataclass(frozen=True)
class Values(Single):
    """A target of numbers: z = (t − mean) / scale, where t is the target or, with `logarithm`, its natural logarithm.

    Attributes
    ----------
    mean, scale, low, high : float
        Of t over the training rows.
    """

    name: str = checked(plain.word)
    mean: float = checked(plain.finite)
    scale: float = checked(plain.positive)
    low: float = checked(plain.finite)
    high: float = checked(plain.finite)
    logarithm: bool = checked(true_or_false, default=False)
    kind, measure, linear = "regression", "rmse", "regression"
    outputs = 1
    heads = (Head(1, "identity", "squared_error"),)
    has_intervals = True

    @classmethod
    def fit(cls, series, logarithm=False):
        """Learn from the training rows."""
        values = as_numbers(series)
        if logarithm and values.min() <= 0:
            raise ValueError(f"column {series.name!r} holds {values.min():g}; only what is positive has a logarithm: "
                             "train without --log-target")
        largest = np.abs(values).max()
        if largest > LARGEST:
            raise ValueError(f"column {series.name!r} holds {largest:g}, too large to be squared; divide it by "
                             f"{largest:.0e}, or put logarithms in its place")
        t = np.log(values) if logarithm else values
        return cls(series.name, *map(float, (t.mean(), t.std() or 1.0, t.min(), t.max())), logarithm)

    def encode(self, series):
        """Return the desired network outputs (rows,), float64."""
        values = as_numbers(series)
        return ((np.log(values) if self.logarithm else values) - self.mean) / self.scale

    def estimates(self, outputs):
        """Return (rows,) float64 in the target's units, from outputs (rows, 1).

        With logarithms, a prediction is limited to the range from half the smallest to twice the largest value in training,
        because the exponential would amplify an error far from all data without bound.
        """
        t = np.asarray(outputs, np.float64)[:, 0] * self.scale + self.mean
        return np.exp(np.clip(t, self.low - RATIO, self.high + RATIO)) if self.logarithm else t

    def judged(self, series, predicted, weights=None):
        """Return the metrics of values (rows,)."""
        return metrics.regression(as_numbers(series), predicted, weights)

    def errors(self, series, outputs):
        """Return the errors for intervals (rows,), in the units of the network's output."""
        return np.abs(outputs[:, 0].astype(np.float64) - self.encode(series))

    def ends(self, outputs, half):
        """Return the ends (rows, 2) of intervals around outputs, in the target's units."""
        outputs = outputs.astype(np.float64)
        return np.stack([self.estimates(outputs - half), self.estimates(outputs + half)], axis=1)

    def __str__(self):
        return "values, " + ("their logarithms standardized" if self.logarithm else "standardized")


def as_target(series, missing_values, known=()):
    """Return a column as a target, of the same type, with missing values marked.

    known: words, such as None, that are classes and not missing values. Raises ValueError if the column holds neither
    numbers nor words.
    """
    byte_order = isinstance(series.dtype, np.dtype) and not series.dtype.isnative
    if byte_order or (isinstance(series.dtype, pandas().ArrowDtype) and kind_in(series) == "string"):
        plain = normalized_column(series)  # pandas supports few operations on these types
        series = plain.astype("category") if is_categorical(series) else plain
    series = without(series, missing_values, known)
    if series.notna().any():
        check_kind(series[series.notna()])
    return series


def as_numbers(series):
    """Return a series of any type as float64, NaN where it is missing or infinite."""
    return plain_numbers(normalized_column(series))


def present(series, *, numbers=False):
    """Return which rows have a target, as booleans; an infinite number is none. `numbers`: whether all must be numbers."""
    there = series.notna().to_numpy()
    if numbers or kind_in(series) in NUMBERS:
        there = there & np.isfinite(as_numbers(series))
    return there


def kind_in(series):
    """Return the type of values in a series as inferred by pandas; for a categorical one, that of its categories."""
    if isinstance(series.dtype, pandas().CategoricalDtype):
        series = series.cat.categories
    elif isinstance(series.dtype, pandas().ArrowDtype):
        series = normalized_column(series)
    return pandas().api.types.infer_dtype(series, skipna=True)


def is_whole(series):
    """Return whether all values are whole numbers; True and False are not."""
    if kind_in(series) not in NUMBERS or kind_in(series) == "boolean":
        return False
    values = as_numbers(series)
    return bool(np.all(values == np.floor(values)))


def check_kind(series):
    """Refuse a column that holds neither numbers nor words."""
    kind = kind_in(series)
    if kind not in NUMBERS + WORDS or (kind == "mixed" and not series.map(pandas().api.types.is_scalar).all()):
        found = OTHERS.get(kind, kind)
        such = f", such as {DERIVED[found]}" if found in DERIVED else ""
        raise ValueError(f"column {series.name!r} holds {found}; the target must be numbers or text: derive one from "
                         f"it{such}, or write it as text if each is a class")


def judge_task(series):
    """Return "classification" for text, bools, categories, and a few different whole numbers that occur often."""
    if is_categorical(series) or kind_in(series) not in NUMBERS or kind_in(series) == "boolean":
        return "classification"
    different = series.nunique()
    return "classification" if is_whole(series) and different <= FEW and different <= len(series) / 5 else "regression"


def is_categorical(series):
    """Return whether a column has a categorical type."""
    return bool(categorical_names(series.to_frame()))


def looks_counted(series):
    """Return whether values may be counts: whole numbers of at least 0, half of them small, and skewed to the right."""
    values = as_numbers(series)
    return is_whole(series) and values.min() >= 0 and np.median(values) <= SMALL and skewness(values) > SKEWED / 2


def is_skewed(series):
    """Return whether logarithms may help: all values positive, skewed to the right, and less so in logarithms."""
    values = as_numbers(series)
    if values.min() <= 0:
        return False
    return skewness(values) > max(SKEWED, abs(skewness(np.log(values))))


def skewness(values):
    """Return the third standardized moment, mean(((x − mean) / std)³)."""
    return float((((values - values.mean()) / (values.std() or 1.0)) ** 3).mean())
