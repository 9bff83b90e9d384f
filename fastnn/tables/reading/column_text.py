"""A column of text that holds numbers, all or most of it: the different texts, how they can be read, and the numbers.

Work is done once for each different text, and on all of them joined to one, by the methods of str: that is what is quick.
"""

import re

import numpy as np

from . import numerals

MOST = 0.8  # of the rows with text, if they hold numbers, make a column one of numbers
LOOKED_AT = 200  # rows, spread over the column, tell most text from numbers
MOSTLY = 0.9  # of these differ where it does not pay to find those that are alike
LONG = 16  # from so many characters on a whole number may be beyond EXACT
EXACT = 2**53  # float64 has all whole numbers up to here
WHOLE = re.compile(r"[+-]?[0-9]+(?:\.0*)?")


class NumberText:
    """Numbers as text, perhaps with other words among them.

    Attributes
    ----------
    words : list of str
        The different texts that are numbers, with plain signs in place of typeset ones.
    strangers : list of str
        The different texts that are none.
    formats : tuple of NumberFormat
        How all of `words` can be read: see `numerals.formats_of`.
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
        """The numbers in a column, or None where they are less than a share of it. `missing_values` do not count."""
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
        """The column as a series of numbers; strangers stay as they are."""
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
        """The number of the first row, from 1, that holds a word."""
        return int(np.flatnonzero(self.codes == self.found.index(word))[0]) + 1

    def contradiction(self, number_format):
        """The first word that is no number of a format; None if all are."""
        return next((word for word in self.words if not numerals.is_number(word, number_format)), None)


def different(pd, series):
    """For each row the place of its text, -1 where it is missing, and the different texts; or all, where most differ."""
    some = sample(series)
    if len({*some}) < MOSTLY * len(some):
        codes, words = pd.factorize(series)
        return codes, words.tolist()
    there = series.notna().to_numpy()
    return np.where(there, np.cumsum(there) - 1, -1), series[there].tolist()


def sample(series):
    """Some of the texts, from all over a column."""
    return series.iloc[::max(1, len(series) // LOOKED_AT)].dropna().tolist()


def plain_words(words):
    """Texts with plain signs in place of typeset ones, and without blanks around them."""
    if not all(map(str.isascii, words)):
        words = [word.translate(numerals.PLAIN) for word in words]
    return list(map(str.strip, words))


def exact(pd, words):
    """Numbers as Python writes them as an array: whole ones exactly, of int64, uint64 or Python's int; others float64."""
    if max(map(len, words)) >= LONG and all(map(WHOLE.fullmatch, words)):
        whole = [int(word.partition(".")[0]) for word in words]
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= min(whole) and max(whole) <= np.iinfo(dtype).max:
                return np.array(whole, dtype)
        return np.array(whole, object)
    try:
        return pd.to_numeric(pd.Series(words, dtype=object)).to_numpy()
    except ValueError:  # older versions of pandas take no whole number of more than 64 bits
        return np.array(words).astype(np.float64)


def spread(pd, series, values, places):
    """A series like another one, with the value at each row's place, and a missing one at -1. Whole numbers stay exact."""
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
