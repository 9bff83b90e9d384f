"""Columns as plain data: what each becomes in the matrix that the network sees, learned once and kept in the model's file.

    Number   (x - mean) / scale, within ± limit; a missing one is taken for the median, and has a column of its own
    Missing  1 where a number is missing and 0 elsewhere: all that tells rows apart where the numbers are alike
    Text     one column a category, 1 where it is that one and else 0; "missing" may be a category
    Ignored  nothing, for a reason

What a table to predict has and training had not is returned beside the columns: {word: rows}, None for missing cells.
"""

from dataclasses import dataclass

import numpy as np

from ...checks import true_or_false
from ...checks.single import checked
from ..plain import different_words, finite, positive, word
from .cells import as_numbers, distinct, holds_truth, places_of, word_counts
from .tails import LIMIT, reach

NUMBERS = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
WORDS = ("string", "mixed", "mixed-integer", "categorical")
SAFE = (1e-150, 1e150)  # numbers whose squares are numbers
ROUNDING = 64 * np.finfo(np.float64).eps  # relative to the largest, numbers that differ by less are alike


@dataclass(frozen=True)
class Number:
    """A column of numbers, standardized.

    Attributes
    ----------
    mean, scale : float
        Of the training rows.
    limit : float
        So many scales from the mean a number counts at most: see `fastnn.tables.tails`.
    median : float
        What a missing number is taken for.
    missing : bool
        Whether some were missing in training: a second column is then 1 where it is so.
    truth : bool
        Whether True and False stood for the numbers: text such as "true" is then one of them.
    """

    name: str = checked(word)
    mean: float = checked(finite)
    scale: float = checked(positive)
    median: float = checked(finite)
    missing: bool = checked(true_or_false)
    limit: float = checked(positive, default=LIMIT)
    truth: bool = checked(true_or_false, default=False, optional=True)  # files of old have it not
    kind = "number"

    @classmethod
    def fit(cls, series, limit="auto"):
        """Learn from a series. limit: "auto" for as far as its numbers reach."""
        values = as_numbers(series)
        absent = np.isnan(values)
        median = float(np.median(values[~absent])) if not absent.all() else 0.0
        filled = np.where(absent, median, values)
        mean, scale = mean_and_scale(filled)
        limit = reach(np.abs(filled - mean) / scale) if limit == "auto" else limit
        return cls(series.name, mean, scale, median, bool(absent.any()), limit, holds_truth(series))

    @property
    def features(self):
        """The names of the columns that it becomes."""
        return [self.name, f"{self.name} missing"] if self.missing else [self.name]

    def transform(self, series, out):
        """Write to out (rows, features), and return what training had not."""
        values = as_numbers(series, self.truth)
        absent = np.isnan(values)
        with np.errstate(over="ignore"):  # beyond all bounds is beyond the limit
            standardized = (np.where(absent, self.median, values) - self.mean) / self.scale
        out[:, 0] = np.clip(standardized, -self.limit, self.limit)
        if self.missing:
            out[:, 1] = absent
        return {None: int(absent.sum())} if absent.any() and not self.missing else {}

    def __str__(self):
        return "standardized" + (f", missing as {self.median:g} and told" if self.missing else "")


@dataclass(frozen=True)
class Missing:
    """A column of numbers that are alike in training where they are not missing: 1 where one is missing, 0 elsewhere."""

    name: str = checked(word)
    kind = "missing"
    missing = True
    scale = None  # none of its numbers counts

    @property
    def features(self):
        """The name of the column that it becomes."""
        return [f"{self.name} missing"]

    def transform(self, series, out):
        """Write to out (rows, 1), and return what training had not: nothing."""
        out[:, 0] = np.isnan(as_numbers(series))
        return {}

    def __str__(self):
        return "1 where missing, for the others are alike"


@dataclass(frozen=True)
class Text:
    """A column of categories, one-hot. What is in none of them is 0 in all its columns.

    Attributes
    ----------
    categories : tuple of str
    missing : bool
        Whether some were missing in training: that is a category then, the last.
    other : bool
        Whether there were more categories in training than are kept: what is in none of them is then one of the others.
    """

    name: str = checked(word)
    categories: tuple = checked(different_words)
    missing: bool = checked(true_or_false)
    other: bool = checked(true_or_false, default=False, optional=True)  # files of old have it not
    kind = "text"

    @classmethod
    def fit(cls, series, most=100):
        """Learn from a series, of its categories the `most` frequent ones."""
        counts = word_counts(series)
        kept = sorted(sorted(counts), key=counts.get, reverse=True)[:most]  # of equally frequent ones the first by name
        return cls(series.name, tuple(sorted(kept)), sum(counts.values()) < len(series), len(counts) > most)

    @property
    def features(self):
        """The names of the columns that it becomes."""
        return [f"{self.name} = {category}" for category in self.categories] + [f"{self.name} missing"] * self.missing

    def transform(self, series, out):
        """Write to out (rows, features), and return what training had not."""
        (codes, cells), place = distinct(series), places_of(self.categories)
        places = [place(cell) for cell in cells] + [out.shape[1] - 1 if self.missing else None]  # missing has the code -1
        columns = np.array([-1 if found is None else found for found in places])[codes]
        rows = np.flatnonzero(columns >= 0)
        out[:] = 0
        out[rows, columns[rows]] = 1
        *counts, missing = np.bincount(np.where(codes < 0, len(cells), codes), minlength=len(places)).tolist()
        unseen = {} if self.other else {str(cells[k]): counts[k] for k in range(len(cells)) if places[k] is None}
        return unseen | ({None: missing} if missing and not self.missing else {})

    def __str__(self):
        count = f"{len(self.categories)} categories" if len(self.categories) != 1 else "1 category"
        return f"one-hot, {count}" + " and missing" * self.missing + ", others in none" * self.other


@dataclass(frozen=True)
class Ignored:
    """A column that the network does not see."""

    name: str = checked(word)
    reason: str = checked(word)
    kind = "ignored"
    features = ()
    scale = None

    def __str__(self):
        return self.reason


KINDS = {kind.kind: kind for kind in (Number, Missing, Text, Ignored)}


def mean_and_scale(values):
    """The mean and the standard deviation of numbers, 1 for a deviation of 0."""
    largest = float(np.abs(values).max(initial=0.0))
    unit = 1.0 if largest == 0 or SAFE[0] < largest < SAFE[1] else largest
    return float((values / unit).mean()) * unit, float((values / unit).std()) * unit or 1.0


def alike(values):
    """Whether numbers differ by no more than rounding, those that are missing aside."""
    present = values[~np.isnan(values)]
    if not len(present):
        return True
    low, high = float(present.min()), float(present.max())
    return high / 2 - low / 2 <= ROUNDING / 2 * max(abs(low), abs(high))
