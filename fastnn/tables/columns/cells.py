"""Cells of a column as numbers or words, missing values, and the spellings of a category.

A category is identified by its text. It is also recognized in other unambiguous spellings: 1, 1.0, "1" and "01" are the
same, and so are True, "true" and "TRUE".
"""

import decimal
import numbers
import re
import unicodedata

import numpy as np

from .frames import as_float, from_objects, normalized_column, pandas
from .missing_words import means_missing

MIDNIGHT = " 00:00:00"
TRUTH = {"true": 1.0, "false": 0.0}
REAL = (numbers.Real, decimal.Decimal, np.bool_)
WHOLE = re.compile(r"[+-]?[0-9]{1,30}(?:\.0*)?")
FRACTION = re.compile(r"[+-]?[0-9]{0,30}\.[0-9]{1,30}")


def distinct(series):
    """Return (codes, values): the different values of a series, and the index of each row's value, -1 if missing."""
    pd, series = pandas(), normalized_column(series)
    if series.dtype != object or pd.api.types.infer_dtype(series, skipna=True) == "string":
        codes, values = pd.factorize(series)
        return codes, values.tolist()
    places, values, codes = {}, [], np.full(len(series), -1, np.intp)
    for row, (value, absent) in enumerate(zip(series.tolist(), series.isna().tolist(), strict=True)):
        if not absent:  # compared by type and text, because True equals 1, and a list has no hash
            codes[row] = places.setdefault((type(value), str(value)), len(places))
            values += [value] * (len(values) < len(places))
    return codes, values


def as_numbers(series, truth=False):
    """Return a series as float64, NaN where it is missing or infinite. Raise ValueError for other values, such as dates.

    truth: whether text may be True or False.
    """
    plain = normalized_column(series)
    if plain.dtype.kind in "biuf":
        values = plain.to_numpy(np.float64)
    else:
        codes, cells = distinct(plain)
        found = [as_float(cell) if isinstance(cell, REAL) else np.nan for cell in cells]
        texts = [k for k, cell in enumerate(cells) if isinstance(cell, str)]
        for k, number in zip(texts, numbers_in([cells[k] for k in texts]), strict=True):
            found[k] = TRUTH.get(cells[k].strip().lower(), number) if truth else number
        wrong = [k for k, number in enumerate(found) if number != number and not means_missing(cells[k])]
        if wrong:
            row = int(np.isin(codes, wrong).argmax())
            cell = cells[codes[row]]
            what = "" if isinstance(cell, str) else f", a {type(cell).__name__}"
            raise ValueError(f"column {series.name!r} is one of numbers, but row {row + 1} holds {cell!r}{what}; mend it, "
                             "or leave it empty")
        values = np.array([*found, np.nan])[codes]
    return np.where(np.isfinite(values), values, np.nan)


def holds_truth(series):
    """Return whether all cells are True, False or missing."""
    return pandas().api.types.infer_dtype(normalized_column(series), skipna=True) == "boolean"


def numbers_in(texts):
    """Return the numbers in texts as float64, NaN for a text that is not a number."""
    return pandas().to_numeric(pandas().Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)


def as_words(series):
    """Return a series as a list of str, None where missing. A whole number has the same text in every dtype."""
    codes, values = distinct(series)
    words = [*map(written, values), None]
    return [words[code] for code in codes]


def written(value):
    """Return a value as text."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value).removesuffix(MIDNIGHT)  # a date as in a CSV file


def word_counts(series):
    """Return {word: number of rows} of a series, without missing values."""
    codes, values = distinct(series)
    found = {}
    for value, rows in zip(values, np.bincount(codes[codes >= 0], minlength=len(values)).tolist(), strict=True):
        found[written(value)] = found.get(written(value), 0) + rows
    return found


def words_for_missing(series, known=()):
    """Return {word: number of rows} of the words in a series that stand for missing values and are not `known`."""
    if normalized_column(series).dtype != object:
        return {}
    return {word: rows for word, rows in word_counts(series).items() if means_missing(word, known) and word.strip()}


def without(series, missing_values, known=()):
    """Return a series in which `missing_values`, empty texts and words such as NA are missing; the series itself if it
    has none of them.

    A type other than a plain one is kept.

    known: words that are not missing values, such as a category "None".
    """
    plain = normalized_column(series)
    if not missing_values and plain.dtype != object:
        return series
    marks = {mark for value in missing_values for mark in all_spellings(value)}
    codes, values = distinct(plain)
    gone = np.array([means_missing(value, known) or not marks.isdisjoint(spellings(value)) for value in values] + [False])
    if not gone[codes].any():
        return series
    if plain is not series:
        return series.mask(gone[codes])
    cells = plain.to_numpy().astype(object)
    cells[gone[codes]] = None
    return from_objects(plain, cells)


def numbers_if_all(series):
    """Return a text series of numbers as numbers; the series itself if it holds anything else."""
    values = distinct(series)[1]
    if not values or not all(isinstance(value, str) for value in values):
        return series
    found = numbers_in(values)
    return series if np.isnan(found).any() else normalized_column(pandas().to_numeric(series))


def spellings(value):
    """Return the keys of a cell: its text and, for a number or a bool, the other spellings of the same value."""
    word = unicodedata.normalize("NFC", written(value).strip()).removesuffix(MIDNIGHT)
    if word.lower() in TRUTH:
        return {word, word.lower() == "true"}
    if WHOLE.fullmatch(word):
        return {word, (int(word.partition(".")[0]),)}
    return {word, float(value)} if isinstance(value, float) else {word}


def all_spellings(text):
    """Return the keys of all cells that mean the same category or missing value as `text`.

    For the text of a number they include the number. So a cell with the number 1.1 matches the texts "1.10" and "1.1", which
    do not match each other, because they may be versions.
    """
    found = spellings(text)
    return found | {float(text)} if isinstance(text, str) and FRACTION.fullmatch(text.strip()) else found


def places_of(categories):
    """Return a function that returns the index of a cell's category, or None if there is none or it is ambiguous."""
    exact, similar = {}, {}
    for place, category in enumerate(categories):
        exact.setdefault(category, place)
        for spelling in all_spellings(category):
            similar.setdefault(spelling, set()).add(place)

    def place(cell):
        if written(cell) in exact:
            return exact[written(cell)]
        found = set().union(*(similar.get(spelling, ()) for spelling in spellings(cell)))
        return found.pop() if len(found) == 1 else None

    return place
