"""A column of text that consists mostly of numbers: its different texts, their possible formats, and the numbers.

For speed, each different text is processed once, and all of them together, joined to one text, with methods of str.
"""

import re

import numpy as np

from ..columns.frames import EXACT
from . import numerals

MOST = 0.8  # fraction of the rows with text that must be numbers in a column of numbers
LOOKED_AT = 200  # rows, evenly spaced, that are enough to recognize most text
MOSTLY = 0.9  # fraction of different texts among them from which on duplicates are not searched
LONG = 16  # number of characters from which on a whole number may be beyond EXACT
WHOLE = re.compile(r"[+-]?[0-9]+(?:\.0*)?")


class NumberText:
    """Numbers as text, perhaps with other words.

    Attributes
    ----------
    words : list of str
        The different texts that are numbers, with plain characters instead of typographic ones.
    strangers : list of str
        The different texts that are not numbers.
    formats : tuple of NumberFormat
        The formats under which all of `words` are numbers: see `numerals.formats_of`.
    """

    def __init__(self, pd, series, missing_values=()):
        self.pd, self.series = pd, series
        self.codes, written = different(pd, series)
        self.found = plain_words(written)
        self.words, self.strangers, self.formats = self.found, [], numerals.formats_of(self.found)
        self.numeric, self.absent = np.ones(len(written), bool), np.zeros(len(written), bool)
        if not self.formats:
            self.numeric = np.fromiter(map(numerals.is_number, self.found), bool, len(written))
            self.absent = np.fromiter((word in missing_values for word in written), bool, len(written)) & ~self.numeric
            self.words = [self.found[k] for k in np.flatnonzero(self.numeric)]
            self.strangers = [self.found[k] for k in np.flatnonzero(~self.numeric & ~self.absent)]
            self.formats = numerals.formats_of(self.words)

    @classmethod
    def find(cls, pd, series, missing_values=(), share=MOST):
        """Return the numbers in a column, or None if fewer than a share of it are. `missing_values` are ignored."""
        missing_values = {value for value in missing_values if isinstance(value, str)}
        some = sample(series)
        if not all(isinstance(word, str) for word in some):
            return None
        if sum(map(numerals.is_number, some)) < share / 2 * sum(word not in missing_values for word in some):
            return None
        if series.dtype == object and pd.api.types.infer_dtype(series, skipna=True) != "string":
            return None
        found = cls(pd, series, missing_values)
        rows = np.bincount(found.codes[found.codes >= 0], minlength=len(found.found))
        return found if found.words and rows[found.numeric].sum() >= share * rows[~found.absent].sum() else None

    def numbers(self, number_format):
        """Return the column as a series of numbers; other texts are unchanged."""
        lines = "\n".join(self.words).replace(number_format.thousands, "").replace(number_format.decimal, ".")
        values = exact(self.pd, lines.split("\n"))
        places = np.cumsum(self.numeric) - 1
        places[~self.numeric] = -1
        if not self.strangers:
            return spread(self.pd, self.series, values, np.where(self.codes < 0, -1, places[self.codes]))
        mixed = np.array([*self.found, None], object)
        mixed[:-1][self.numeric] = values.astype(object)
        return self.pd.Series(mixed[self.codes], self.series.index, object, self.series.name)

    def row_of(self, word):
        """Return the number of the first row, from 1, that contains a word."""
        return int(np.flatnonzero(self.codes == self.found.index(word))[0]) + 1

    def contradiction(self, number_format):
        """Return the first word that is not a number of a format; None if all are."""
        return next((word for word in self.words if not numerals.is_number(word, number_format)), None)


def different(pd, series):
    """Return the index of each row's text, -1 if missing, and the different texts; or all texts, if most differ."""
    some = sample(series)
    if len({*some}) < MOSTLY * len(some):
        codes, words = pd.factorize(series)
        return codes, words.tolist()
    there = series.notna().to_numpy()
    return np.where(there, np.cumsum(there) - 1, -1), series[there].tolist()


def sample(series):
    """Return some texts, evenly spaced over a column."""
    return series.iloc[::max(1, len(series) // LOOKED_AT)].dropna().tolist()


def plain_words(words):
    """Return texts with plain characters instead of typographic ones, and without blanks around them."""
    if not all(map(str.isascii, words)):
        words = [word.translate(numerals.PLAIN) for word in words]
    return list(map(str.strip, words))


def exact(pd, words):
    """Return an array of numbers in Python's notation: integers exactly, as int64, uint64 or int; others as float64."""
    if max(map(len, words)) >= LONG and all(map(WHOLE.fullmatch, words)):
        whole = [int(word.partition(".")[0]) for word in words]
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= min(whole) and max(whole) <= np.iinfo(dtype).max:
                return np.array(whole, dtype)
        return np.array(whole, object)
    try:
        return pd.to_numeric(pd.Series(words, dtype=object)).to_numpy()
    except ValueError:  # older versions of pandas refuse integers of more than 64 bits
        return np.array(words).astype(np.float64)


def spread(pd, series, values, places):
    """Return a series like another one with the value at each row's index, missing for -1. Integers stay exact."""
    absent = places < 0
    if not absent.any():
        found = values[places]
    elif values.dtype.kind in "iu" and (values.max() > EXACT or values.min() < -EXACT):
        kind = pd.array([], dtype=f"{'UI' if values.dtype.kind == 'u' else 'I'}nt64").dtype
        found = pd.arrays.IntegerArray(values[np.where(absent, 0, places)], absent).astype(kind)
    else:
        values = values if values.dtype == object else values.astype(np.float64)
        found = np.append(values, np.nan)[places]
    return pd.Series(found, series.index, name=series.name)
