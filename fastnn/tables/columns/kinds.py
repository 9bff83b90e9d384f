"""Columns as plain data: the features that each becomes, learned once and stored in the model's file.

    Number   (x - mean) / scale, within ± limit; a missing one is replaced by the median and has an indicator column; bins
             may follow
    Date     the same for the time in days, and the sine and cosine of its place in the year, the week and the day
    Code     both readings of whole numbers that may be names: those of Number, then those of Text
    Missing  1 where a number is missing and 0 elsewhere, for a column that is otherwise constant
    Text     one column for each category, 1 for that category and else 0; "missing" may be a category. Or, if there are
             many, the number of the category, for which the network has a vector
    FreeText the words of a text, and its pairs of neighboring words
    Ignored  nothing, with a reason

`transform` returns the values that training did not have: {word: number of rows}, with None for missing cells.
"""

from dataclasses import dataclass, fields

import numpy as np

from ...checks import true_or_false, whole_number
from ...checks.single import checked
from ...runtime.quiet import quiet
from ..plain import different_words, finite, positive, word
from . import bins, dates
from .cells import as_numbers, distinct, holds_truth, places_of, word_counts
from .free_text import FreeText
from .tails import LIMIT, reach

NUMBERS = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
WORDS = ("string", "mixed", "mixed-integer", "categorical")
VECTOR = 24  # numbers in the vector of a category
MOST_NUMBERS = 1024
SAFE = (1e-150, 1e150)  # numbers whose squares are representable
ROUNDING = 64 * np.finfo(np.float64).eps  # relative to the largest; numbers that differ by less count as equal


@dataclass(frozen=True)
class Number:
    """A column of numbers, standardized.

    Attributes
    ----------
    mean, scale : float
        Of the training rows.
    limit : float
        The limit of a standardized number: see `fastnn.tables.columns.tails`.
    median : float
        The replacement of a missing number.
    missing : bool
        Whether some were missing in training: then a second column indicates missing values.
    truth : bool
        Whether the numbers were True and False: then text such as "true" is a number.
    edges : tuple of float
        Of the bins of a piecewise-linear encoding, which follow as features: see `fastnn.tables.columns.bins`.
    """

    name: str = checked(word)
    mean: float = checked(finite)
    scale: float = checked(positive)
    median: float = checked(finite)
    missing: bool = checked(true_or_false)
    limit: float = checked(positive, default=LIMIT)
    truth: bool = checked(true_or_false, default=False, optional=True)  # not in files of earlier versions
    edges: tuple = checked(bins.edges, default=(), optional=True)
    kind = "number"

    @classmethod
    def fit(cls, series, limit="auto", count=0):
        """Learn from a series. limit: "auto" to determine it from the tail of the numbers. count: of bins, at most."""
        values = as_numbers(series)
        absent = np.isnan(values)
        median = float(np.median(values[~absent])) if not absent.all() else 0.0
        filled = np.where(absent, median, values)
        mean, scale = mean_and_scale(filled)
        limit = reach(np.abs(filled - mean) / scale) if limit == "auto" else limit
        return cls(series.name, mean, scale, median, bool(absent.any()), limit, holds_truth(series),
                   bins.edges_of(filled, count))

    @property
    def features(self):
        """The names of the features."""
        return [self.name, *([f"{self.name} missing"] if self.missing else []), *bins.names(self.name, self.edges)]

    def transform(self, series, out):
        """Write to out (rows, features), and return the values that training did not have."""
        values = as_numbers(series, self.truth)
        absent = np.isnan(values)
        filled = np.where(absent, self.median, values)
        standardized = quiet(lambda: (filled - self.mean) / self.scale, over="ignore")  # infinity is limited too
        out[:, 0] = np.clip(standardized, -self.limit, self.limit)
        if self.missing:
            out[:, 1] = absent
        if self.edges:
            reached = self.limit * self.scale
            limited = np.clip(filled, self.mean - reached, self.mean + reached)
            bins.encode(limited, self.edges, self.limit > LIMIT, out[:, 1 + self.missing:])
        return {None: int(absent.sum())} if absent.any() and not self.missing else {}

    def __str__(self):
        binned = f" and in {len(self.edges) - 1} bins" if self.edges else ""
        return f"standardized{binned}" + (f", missing as {self.median:g} and told" if self.missing else "")


@dataclass(frozen=True)
class Date(Number):
    """A column of dates: the days since 1970-01-01 as a Number, and the cycles of the year and the week.

    Attributes
    ----------
    clock : bool
        Whether the dates had times of day in training: then the cycle of the day follows.
    """

    clock: bool = checked(true_or_false, default=False)
    kind = "date"

    @classmethod
    def fit(cls, series, limit="auto", count=0):
        """Learn from a series of dates; parameters as of `Number.fit`."""
        days = dates.days_of(series)
        learned = Number.fit(days, limit, count)
        there = days.to_numpy()[days.notna()]
        return cls(**{each.name: getattr(learned, each.name) for each in fields(Number)}, clock=bool((there % 1 != 0).any()))

    @property
    def features(self):
        """The names of the features."""
        return super().features + dates.cycle_names(self.name, self.clock)

    def transform(self, series, out):
        """Write to out (rows, features), and return the values that training did not have."""
        days = dates.days_of(series)
        places = len(super().features)
        unseen = super().transform(days, out[:, :places])
        out[:, places:] = dates.cycles(days.fillna(self.median).to_numpy(), self.clock)
        return unseen

    def __str__(self):
        return f"as days {super().__str__()}, and cycles of year, week{' and day' if self.clock else ''}"


@dataclass(frozen=True)
class Missing:
    """A column of numbers that are constant in training except for missing ones: 1 where one is missing, 0 elsewhere."""

    name: str = checked(word)
    kind = "missing"
    missing = True
    scale = None  # the numbers themselves are not used

    @property
    def features(self):
        """The name of the feature."""
        return [f"{self.name} missing"]

    def transform(self, series, out):
        """Write to out (rows, 1), and return the values that training did not have: none."""
        out[:, 0] = np.isnan(as_numbers(series))
        return {}

    def __str__(self):
        return "1 where missing, for the others are alike"


def vector_size(where, value):
    """Return the size of the vectors of categories, 0 for one-hot features."""
    return whole_number(where, value, least=0, most=MOST_NUMBERS)


@dataclass(frozen=True)
class Text:
    """A column of categories: one-hot, or embedded.

    One-hot, a cell in no category is 0 in all features. Embedded, the only feature is a token: 0 for a cell in no category,
    from 1 on the categories, and the last one for missing. The network has a vector for each.

    Attributes
    ----------
    categories : tuple of str
    missing : bool
        Whether some were missing in training: then missing is the last category.
    other : bool
        Whether training had more categories than are kept: then a cell in no category is not reported.
    embedded : int
        The size of the vectors; 0 for one-hot features.
    """

    name: str = checked(word)
    categories: tuple = checked(different_words)
    missing: bool = checked(true_or_false)
    other: bool = checked(true_or_false, default=False, optional=True)  # not in files of earlier versions
    embedded: int = checked(vector_size, default=0, optional=True)
    kind = "text"

    @classmethod
    def fit(cls, series, most=100, one_hot=None):
        """Learn from a series, with the `most` most frequent categories; embedded if these are more than `one_hot`."""
        counts = word_counts(series)
        kept = sorted(sorted(counts), key=counts.get, reverse=True)[:most]  # ties are resolved by name
        embedded = VECTOR if one_hot is not None and len(kept) > one_hot else 0
        return cls(series.name, tuple(sorted(kept)), sum(counts.values()) < len(series), len(counts) > most, embedded)

    @property
    def features(self):
        """The names of the features."""
        if self.embedded:
            return [f"{self.name} number"]
        return [f"{self.name} = {category}" for category in self.categories] + [f"{self.name} missing"] * self.missing

    @property
    def tokens(self):
        """{number of a feature: (number of tokens, size of their vectors)}."""
        return {0: (1 + len(self.categories) + self.missing, self.embedded)} if self.embedded else {}

    def transform(self, series, out):
        """Write to out (rows, features), and return the values that training did not have."""
        (codes, cells), place = distinct(series), places_of(self.categories)
        places = [*map(place, cells), len(self.categories) if self.missing else None]  # the code of missing is -1
        columns = np.array([-1 if found is None else found for found in places])[codes]
        if self.embedded:
            out[:, 0] = columns + 1
        else:
            rows = np.flatnonzero(columns >= 0)
            out[:] = 0
            out[rows, columns[rows]] = 1
        *counts, missing = np.bincount(np.where(codes < 0, len(cells), codes), minlength=len(places)).tolist()
        unseen = {} if self.other else {str(cells[k]): counts[k] for k in range(len(cells)) if places[k] is None}
        return unseen | ({None: missing} if missing and not self.missing else {})

    def __str__(self):
        count = f"{len(self.categories):,} categories" if len(self.categories) != 1 else "1 category"
        if self.embedded:
            return f"vectors of {self.embedded}, {count}" + " and missing" * self.missing
        return f"one-hot, {count}" + " and missing" * self.missing + ", others in none" * self.other


@dataclass(frozen=True)
class Code(Number):
    """A column of whole numbers in both readings: a Number, and the categories that the numbers may be names of.

    Attributes
    ----------
    categories : tuple of str
    embedded : int
        As of Text. A number that is none of them is 0 in all, or token 0.
    """

    categories: tuple = checked(different_words, default=())
    embedded: int = checked(vector_size, default=0, optional=True)
    kind = "code"

    @classmethod
    def fit(cls, series, limit="auto", count=0, most=100, one_hot=None):
        """Learn from a series; parameters as of `Number.fit` and `Text.fit`."""
        learned, names = Number.fit(series, limit, count), Text.fit(series, most, one_hot)
        return cls(**{each.name: getattr(learned, each.name) for each in fields(Number)}, categories=names.categories,
                   embedded=names.embedded)

    @property
    def as_text(self):
        return Text(self.name, self.categories, False, True, self.embedded)

    @property
    def tokens(self):
        """As of Text."""
        first = len(super().features)
        return {first + place: pair for place, pair in self.as_text.tokens.items()}

    @property
    def features(self):
        """The names of the features."""
        return super().features + self.as_text.features

    def transform(self, series, out):
        """Write to out (rows, features), and return the values that training did not have."""
        places = len(super().features)
        self.as_text.transform(series, out[:, places:])
        return super().transform(series, out[:, :places])

    def __str__(self):
        way = f"a vector of {self.embedded} for each of" if self.embedded else "one-hot as"
        return f"{super().__str__()}, and {way} {len(self.categories):,} codes"


@dataclass(frozen=True)
class Ignored:
    """A column that is not an input of the network."""

    name: str = checked(word)
    reason: str = checked(word)
    kind = "ignored"
    features = ()
    scale = None

    def __str__(self):
        return self.reason


KINDS = {kind.kind: kind for kind in (Number, Date, Code, Missing, Text, FreeText, Ignored)}


def mean_and_scale(values):
    """Return the mean and the standard deviation of numbers, 1 for a deviation of 0."""
    largest = float(np.abs(values).max(initial=0.0))
    unit = 1.0 if largest == 0 or SAFE[0] < largest < SAFE[1] else largest
    return float((values / unit).mean()) * unit, float((values / unit).std()) * unit or 1.0


def alike(values):
    """Return whether numbers differ only by rounding, ignoring missing ones."""
    present = values[~np.isnan(values)]
    if not len(present):
        return True
    low, high = float(present.min()), float(present.max())
    return high / 2 - low / 2 <= ROUNDING / 2 * max(abs(low), abs(high))
