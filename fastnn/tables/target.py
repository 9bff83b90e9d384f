"""The column to predict, as what the network learns and back: values standardised, classes counted.

A positive target that spans orders of magnitude may be learned in logarithms: then equal errors are equal ratios, not equal
differences. Which of the two suits is a question to the data: see `fastnn.tables.training`.
"""

from dataclasses import dataclass

import numpy as np

from . import plain
from .columns import NUMBERS, WORDS, as_numbers, as_words
from .hints import almost_numbers, hint
from .reading import pandas

FEW = 10  # so few different whole numbers are taken for classes
SKEWED = 1.0  # a skewness from which logarithms are worth a try; that of the exponential distribution is 2
LARGEST = 1e100  # that a value to predict may be: sums of squared errors are numbers then
RATIO = np.log(2.0)  # so far beyond what was seen in training the logarithm of a prediction may go


@dataclass(frozen=True)
class Values:
    """A target of numbers: z = (t − mean) / scale, where t is the target or, with `logarithm`, its natural logarithm.

    Attributes
    ----------
    mean, scale, low, high : float
        Of t over the training rows.
    """

    name: str
    mean: float
    scale: float
    low: float
    high: float
    logarithm: bool = False
    kind = "regression"
    outputs = 1

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
        """(rows,) float64: what the network is to put out."""
        values = as_numbers(series)
        return ((np.log(values) if self.logarithm else values) - self.mean) / self.scale

    def decode(self, outputs):
        """(rows,) float64 in the target's units, from outputs (rows, 1).

        The exponential would blow a slip far from all data up beyond bounds: in logarithms a prediction stays between half
        the least and twice the largest value seen in training.
        """
        t = np.asarray(outputs, np.float64)[:, 0] * self.scale + self.mean
        return np.exp(np.clip(t, self.low - RATIO, self.high + RATIO)) if self.logarithm else t

    def __str__(self):
        return "values, " + ("their logarithms standardised" if self.logarithm else "standardised")


@dataclass(frozen=True)
class Classes:
    """A target of classes, numbered in the order of `labels`.

    Attributes
    ----------
    labels : tuple of str or int
    """

    name: str
    labels: tuple
    kind = "classification"

    @classmethod
    def fit(cls, series):
        """Learn from all rows: a class is one even if the training rows have none of it."""
        labels = as_labels(series)
        return cls(series.name, tuple(sorted(set(labels), key=lambda label: (isinstance(label, str), label))))

    @property
    def outputs(self):
        return len(self.labels)

    def encode(self, series):
        """(rows,) int64: numbers of classes."""
        place = {label: k for k, label in enumerate(self.labels)}
        labels = as_labels(series)
        unknown = next((label for label in labels if label not in place), None)
        if unknown is not None:
            raise ValueError(f"column {series.name!r} holds the class {unknown!r}, which the model does not know; "
                             f"it knows {', '.join(map(repr, self.labels))}")
        return np.array([place[label] for label in labels], np.int64)

    def decode(self, outputs):
        """(rows,) array of labels, from probabilities (rows, classes)."""
        kind = np.int64 if all(type(label) is int for label in self.labels) else object
        return np.array(self.labels, kind)[np.argmax(outputs, axis=1)]

    def __str__(self):
        shown = [str(label) for label in self.labels[:5]] + ["…"] * (len(self.labels) > 5)
        return f"{len(self.labels)} classes: {', '.join(shown)}"


TARGETS = {kind.kind: kind for kind in (Values, Classes)}


def from_config(config):
    """The target that `to_config` described."""
    return plain.from_config(TARGETS, config)


def present(series, *, numbers=False):
    """Which rows have a target, as booleans; an infinite number is none. `numbers`: whether they all must be numbers."""
    there = series.notna().to_numpy()
    if numbers or pandas().api.types.is_numeric_dtype(series):
        there = there & np.isfinite(as_numbers(series))
    return there


def as_labels(series):
    """A series as a list of int where its values are whole numbers, else of str."""
    if is_whole(series):
        return [int(value) for value in series]
    return as_words(series)


def is_whole(series):
    """Whether all values are whole numbers; True and False are words."""
    kind = pandas().api.types.infer_dtype(series, skipna=True)
    if kind not in NUMBERS or kind == "boolean":
        return False
    values = as_numbers(series)
    return bool(np.all(values == np.floor(values)))


def check_target(series, task):
    """Refuse a target that is neither numbers nor words, or words that are meant for numbers, or words all different."""
    kind = pandas().api.types.infer_dtype(series, skipna=True)
    if kind not in NUMBERS + WORDS or (kind == "mixed" and not series.map(pandas().api.types.is_scalar).all()):
        raise ValueError(f"column {series.name!r} holds {'other things' if kind == 'mixed' else kind}; the target must be "
                         "numbers or text: derive one from it")
    if task == "auto" and kind in WORDS:
        if len(almost_numbers(series)):
            raise ValueError(f"{hint(series.name, series)}, or --task classification if each is a class of its own")
        rows, different = len(series), len(set(as_words(series)))
        if different > rows / 2:
            raise ValueError(f"the target {series.name!r} has {different:,} different texts in {rows:,} rows, which are no "
                             f"classes{'; ' + found if (found := hint(series.name, series)) else ''}")


def judge_task(series):
    """"classification" for text, True and False, and few different whole numbers that come up often; else "regression"."""
    kind = pandas().api.types.infer_dtype(series, skipna=True)
    if kind not in NUMBERS or kind == "boolean":
        return "classification"
    different = series.nunique()
    return "classification" if is_whole(series) and different <= FEW and different <= len(series) / 5 else "regression"


def is_skewed(series):
    """Whether logarithms are worth a try: all positive, skewed to the right, and less so in logarithms."""
    values = as_numbers(series)
    if values.min() <= 0:
        return False
    return skewness(values) > max(SKEWED, abs(skewness(np.log(values))))


def skewness(values):
    """The third standardised moment, mean(((x − mean) / std)³)."""
    return float((((values - values.mean()) / (values.std() or 1.0)) ** 3).mean())
