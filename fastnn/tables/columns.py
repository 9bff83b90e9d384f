"""Columns as plain data: what each becomes in the matrix that the network sees, learned once and kept in the model's file.

    Number   (x - mean) / scale, within ± limit; what is missing is taken for the median, and told in a column of its own
    Text     one column a category, 1 where it is that one and else 0; "missing" may be a category
    Ignored  nothing, for a reason
"""

from dataclasses import dataclass

import numpy as np

from .reading import pandas

NUMBERS = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
LIMIT = 5.0  # standard deviations
APART = 20  # different texts, if they are in more than half of the rows, tell rows apart and nothing else
SAFE = (1e-150, 1e150)  # numbers whose squares are numbers
WORDS = ("string", "mixed", "mixed-integer", "categorical")


@dataclass(frozen=True)
class Number:
    """A column of numbers, standardised.

    Attributes
    ----------
    mean, scale : float
        Of the training rows; a scale of 1 where all are alike.
    limit : float
        So many scales from the mean a number counts at most. A slip of the pen far out (a stone of 59 mm among those of 5)
        would else reach where the network has learned nothing, and a single such row outweigh all others in what is
        predicted.
    median : float
        What a missing number is taken for.
    missing : bool
        Whether some were missing in training: a second column is then 1 where it is so.
    """

    name: str
    mean: float
    scale: float
    median: float
    missing: bool
    limit: float = LIMIT
    kind = "number"

    @classmethod
    def fit(cls, series, limit=LIMIT):
        """Learn from a series."""
        values = as_numbers(series)
        absent = np.isnan(values)
        median = float(np.median(values[~absent])) if not absent.all() else 0.0
        filled = np.where(absent, median, values)
        return cls(series.name, *mean_and_scale(filled), median, bool(absent.any()), limit)

    @property
    def features(self):
        """The names of the columns that it becomes."""
        return [self.name, f"{self.name} missing"] if self.missing else [self.name]

    def transform(self, series):
        """(rows, features) float64 from a series, and what was unknown in it (nothing)."""
        values = as_numbers(series)
        absent = np.isnan(values)
        with np.errstate(over="ignore"):  # beyond all bounds is beyond the limit
            standardised = (np.where(absent, self.median, values) - self.mean) / self.scale
        standardised = np.clip(standardised, -self.limit, self.limit)
        return np.stack([standardised, absent], axis=1) if self.missing else standardised[:, None], []

    def __str__(self):
        return "standardised" + (f", missing as {self.median:g} and told" if self.missing else "")


@dataclass(frozen=True)
class Text:
    """A column of categories, one-hot. What is in none of them is 0 in all its columns.

    Attributes
    ----------
    categories : tuple of str
    missing : bool
        Whether some were missing in training: that is a category then, the last.
    """

    name: str
    categories: tuple
    missing: bool
    kind = "text"

    @classmethod
    def fit(cls, series, most=100):
        """Learn from a series, of its categories the `most` frequent ones."""
        words = as_words(series)
        found, counts = np.unique([word for word in words if word is not None], return_counts=True)
        kept = np.sort(np.argsort(-counts, kind="stable")[:most])
        return cls(series.name, tuple(str(found[k]) for k in kept), any(word is None for word in words))

    @property
    def features(self):
        """The names of the columns that it becomes."""
        return [f"{self.name} = {category}" for category in self.categories] + [f"{self.name} missing"] * self.missing

    def transform(self, series):
        """(rows, features) float64 from a series, and the words in it that are in no category, one a row."""
        place = {word: k for k, word in enumerate(self.categories + (None,) * self.missing)}
        words = as_words(series)
        places = np.array([place.get(word, -1) for word in words], np.intp)
        rows = np.flatnonzero(places >= 0)
        encoded = np.zeros((len(words), len(place)))
        encoded[rows, places[rows]] = 1
        return encoded, [words[row] or "nothing" for row in np.flatnonzero(places < 0)]

    def __str__(self):
        count = f"{len(self.categories)} categories" if len(self.categories) != 1 else "1 category"
        return f"one-hot, {count}" + (" and missing" if self.missing else "")


@dataclass(frozen=True)
class Ignored:
    """A column that the network does not see."""

    name: str
    reason: str
    kind = "ignored"
    features = ()

    def __str__(self):
        return self.reason


KINDS = {kind.kind: kind for kind in (Number, Text, Ignored)}


def judge(series, *, text=False, most=100):
    """Number, Text, or the Ignored that a column of the whole table is; `text` says that its numbers are names."""
    present = series.dropna()
    kind = pandas().api.types.infer_dtype(present, skipna=True)
    if present.empty:
        return Ignored(series.name, "ignored: all missing")
    if kind not in NUMBERS + WORDS:
        return Ignored(series.name, f"ignored: holds {kind}; derive numbers or text from it")
    if text or kind in WORDS:
        count = len(set(as_words(present)))
        if count > min(most, APART) and count > len(present) / 2:
            return Ignored(series.name, f"ignored: {count:,} different texts in {len(present):,} rows")
    else:
        numbers = as_numbers(series)
        if len(numbers) > 2 and kind == "integer" and np.all(np.diff(numbers) == 1):
            return Ignored(series.name, "ignored: counts the rows")
        count = len(np.unique(numbers[~np.isnan(numbers)]))
    if count < 2 and len(present) == len(series):
        return Ignored(series.name, "ignored: alike in all rows")
    return Text if text or kind in WORDS else Number


def mean_and_scale(values):
    """The mean and the standard deviation of numbers, 1 for a deviation of 0."""
    largest = float(np.abs(values).max(initial=0.0))
    unit = 1.0 if largest == 0 or SAFE[0] < largest < SAFE[1] else largest
    return float((values / unit).mean()) * unit, float((values / unit).std()) * unit or 1.0


def without(series, missing_values):
    """A series with `missing_values` missing; where that leaves nothing but numbers in text, they are numbers."""
    marked = series.isin(missing_values) if missing_values else None
    if marked is None or not marked.any():
        return series
    series = series.mask(marked)
    try:
        return pandas().to_numeric(series)
    except (ValueError, TypeError):
        return series


def as_numbers(series):
    """A series as float64, NaN where it is missing or infinite."""
    numbers = pandas().to_numeric(series, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & series.notna()).to_numpy())
    if len(wrong):
        raise ValueError(f"column {series.name!r} is one of numbers, but row {wrong[0] + 1} holds "
                         f"{series.iloc[wrong[0]]!r}; mend it, or leave it empty")
    values = numbers.to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def as_words(series):
    """A series as a list of str, None where it is missing. A whole number is written the same in every dtype."""
    words = []
    for value, absent in zip(series.tolist(), series.isna().tolist(), strict=True):
        if not absent and isinstance(value, float) and value.is_integer():
            value = int(value)
        words.append(None if absent else str(value))
    return words
