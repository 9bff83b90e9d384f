"""Cells: what a column holds as numbers or as words, what stands for a missing value, and one category in several spellings.

A category is found by how it is written. Where another table writes it otherwise, without a doubt about what is meant, it is
found as well: 1, 1.0, "1" and "01" are one, and so are True, "true" and "TRUE".
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
    """(codes, values): the different values of a series, and the place of each row's among them, -1 where it is missing."""
    pd, series = pandas(), normalized_column(series)
    if series.dtype != object or pd.api.types.infer_dtype(series, skipna=True) == "string":
        codes, values = pd.factorize(series)
        return codes, values.tolist()
    places, values, codes = {}, [], np.full(len(series), -1, np.intp)
    for row, (value, absent) in enumerate(zip(series.tolist(), series.isna().tolist(), strict=True)):
        if not absent:  # by type and text: True and 1 are equal, and a list has no hash
            codes[row] = places.setdefault((type(value), str(value)), len(places))
            values += [value] * (len(values) < len(places))
    return codes, values


def as_numbers(series, truth=False):
    """A series as float64, NaN where it is missing or infinite. ValueError if it holds anything else, such as dates.

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
    """Whether all cells are True or False, apart from missing ones."""
    return pandas().api.types.infer_dtype(normalized_column(series), skipna=True) == "boolean"


def numbers_in(texts):
    """The numbers that are written in texts, float64, NaN for a text that is none."""
    return pandas().to_numeric(pandas().Series(texts, dtype=object), errors="coerce").to_numpy(np.float64)


def as_words(series):
    """A series as a list of str, None where it is missing. A whole number is written the same in every dtype."""
    codes, values = distinct(series)
    words = [*map(written, values), None]
    return [words[code] for code in codes]


def written(value):
    """A value as text."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value).removesuffix(MIDNIGHT)  # a date as a CSV file has it


def word_counts(series):
    """{word: rows} of a series, what is missing aside."""
    codes, values = distinct(series)
    found = {}
    for value, rows in zip(values, np.bincount(codes[codes >= 0], minlength=len(values)).tolist(), strict=True):
        found[written(value)] = found.get(written(value), 0) + rows
    return found


def words_for_missing(series, known=()):
    """{word: rows} of the words in a series that stand for missing values, none of them `known`."""
    if normalized_column(series).dtype != object:
        return {}
    return {word: rows for word, rows in word_counts(series).items() if means_missing(word, known) and word.strip()}


def without(series, missing_values, known=()):
    """A series in which `missing_values`, empty texts and words such as NA are missing; itself where it has none of them.

    It keeps its type where that is no plain one.

    known: the words that stay what they are, such as a category "None".
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
    """A series of numbers in text as numbers; itself where it holds anything else."""
    values = distinct(series)[1]
    if not values or not all(isinstance(value, str) for value in values):
        return series
    found = numbers_in(values)
    return series if np.isnan(found).any() else normalized_column(pandas().to_numeric(series))


def spellings(value):
    """What a cell is found by: its text and, for a number and for True and False, what is equal to it otherwise written."""
    word = unicodedata.normalize("NFC", written(value).strip()).removesuffix(MIDNIGHT)
    if word.lower() in TRUTH:
        return {word, word.lower() == "true"}
    if WHOLE.fullmatch(word):
        return {word, (int(word.partition(".")[0]),)}
    return {word, float(value)} if isinstance(value, float) else {word}


def all_spellings(text):
    """What cells are found by that mean the same as a category or a mark: of a text that is a number that number as well.

    In cells "1.10" and "1.1" may be versions, and differ. A cell that is the number 1.1 is either.
    """
    found = spellings(text)
    return found | {float(text)} if isinstance(text, str) and FRACTION.fullmatch(text.strip()) else found


def places_of(categories):
    """A function that finds the place of a cell's category, or None where it is in none of them, or in doubt."""
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
