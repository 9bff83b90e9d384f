"""The kind of a column: numbers, categories, or ignored.

The kind is determined from the whole table, but whether the column varies from the training rows: the weights of a constant
feature would never be trained, and would matter for other values later.

A column numbers the rows if its numbers are whole, all different, and fill at least half of their range. For quantities this
happens by chance less than once in a thousand times. Such a column contains the order of the file and nothing about other
rows. Years, and dates written as 20240131, are not treated in this way.
"""

import numpy as np

from .cells import as_numbers, without, word_counts
from .dates import days_of, holds_dates
from .frames import pandas
from .free_text import FreeText, is_free
from .kinds import NUMBERS, WORDS, Code, Date, Ignored, Missing, Number, Text, alike

APART = 20  # more different texts than this, in more than half of the rows, only identify rows
CHANCE = 1e-3  # probability that whole numbers are all different; below it the column numbers the rows
IDENTIFIER = 1e-9  # the same for numbers that do not fill their range; below it they may identify rows
YEARS = (1583, 2200)
ALIKE = "alike in all rows that are trained on"


def learn(series, rows, *, text, keep, most, limit, bins, code=False, words=False, one_hot=None, terms=1000):
    """Return the Number, Date, Code, Missing, Text or Ignored of a column, learned from `rows` of it, or all if None.

    text: whether its numbers are names. keep: whether to use text that only identifies rows. most, limit: the largest number
    of categories, and the limit of a number in standard deviations from the mean. bins: the largest number of bins of a
    number. code: whether numbers get both readings. words: whether it is free text, of at most `terms` words and pairs.
    one_hot: the largest number of categories that are not embedded, None for any.
    """
    kind = FreeText if words else judge(series, text=text, most=most, keep=keep)
    if isinstance(kind, Ignored):
        return kind
    learned = series if rows is None else series.iloc[rows]
    if issubclass(kind, Number):
        values = as_numbers(days_of(learned) if kind is Date else learned)
        absent = np.isnan(values)
        if absent.all():
            return Ignored(series.name, "ignored: missing in all rows that are trained on")
        if alike(values):
            return Missing(series.name) if absent.any() else Ignored(series.name, f"ignored: {ALIKE}")
        return Code.fit(learned, limit, bins, most, one_hot) if code and kind is Number else kind.fit(learned, limit, bins)
    if kind is FreeText:
        column = FreeText.fit(learned, terms)
        return column if column.terms else Ignored(series.name, "ignored: no word occurs in two rows")
    column = Text.fit(learned, most, one_hot)
    if not column.categories:
        return Ignored(series.name, "ignored: missing in all rows that are trained on")
    return column if len(column.categories) + column.missing > 1 else Ignored(series.name, f"ignored: {ALIKE}")


def judge(series, *, text=False, most=100, keep=False):
    """Return Number, Date, Text, FreeText, or an Ignored for a column of the whole table."""
    present = series.dropna()
    kind = pandas().api.types.infer_dtype(present, skipna=True)
    if present.empty:
        return Ignored(series.name, "ignored: all missing")
    if not text and holds_dates(present):
        return Ignored(series.name, "ignored: alike in all rows") if len(present) == len(series) and alike(
            as_numbers(days_of(present))) else Date
    if kind not in NUMBERS + WORDS and not text:
        return Ignored(series.name, f"ignored: holds {kind}; derive numbers or text from it")
    if text or kind in WORDS:
        count = len(word_counts(present))
        if not keep and count > min(most, APART) and count > len(present) / 2:
            if not text and is_free(word_counts(present)):
                return FreeText
            return Ignored(series.name, f"ignored: {count:,} different texts in {len(present):,} rows")
        same = count < 2
    else:
        same = alike(as_numbers(series))
    if same and len(present) == len(series):
        return Ignored(series.name, "ignored: alike in all rows")
    return Text if text or kind in WORDS else Number


def counted(series):
    """Return (low, high, chance) of a column with a different whole number in each row, else None.

    chance: the probability that as many random numbers from low to high are all different.
    """
    if series.dtype.kind not in "iuf":
        return None
    values = as_numbers(series)
    values = values[~np.isnan(values)]
    if len(values) < 3 or 2 * len(values) <= len(series) or np.any(values != np.floor(values)):
        return None
    if len(np.unique(values)) < len(values):
        return None
    low, high = float(values.min()), float(values.max())
    span, count = high - low + 1, len(values)
    if span == count and len(values) == len(series) and np.all(np.diff(values) == 1):
        return low, high, 0.0  # consecutive in order, however few
    return low, high, float(np.exp(np.log1p(-np.arange(count) / span).sum()))


def counters_of(table, missing_values=()):
    """Return the names of the columns of a table that number its rows."""
    return [name for name in table.columns if counts_rows(without(table[name], missing_values))]


def counts_rows(series):
    """Return whether a column numbers the rows."""
    return is_counter(series) and not is_time(series)


def is_counter(series):
    """Return whether the numbers of a column are whole, all different, and fill their range, including times."""
    found = counted(series)
    return found is not None and found[2] < CHANCE and 2 * series.notna().sum() >= found[1] - found[0] + 1


def may_identify(series):
    """Return whether the numbers of a column may identify the rows: by chance they would not be all different."""
    found = counted(series)
    return found is not None and found[2] < IDENTIFIER and not is_counter(series) and not is_time(series)


def is_time(series):
    """Return whether all numbers of a column may be years, or all of them dates such as 20240131."""
    values = as_numbers(series)
    values = values[~np.isnan(values)]
    if not are_years(values // 10_000):
        return are_years(values)
    words = pandas().Series(values).astype(np.int64).astype(str)
    return bool(pandas().to_datetime(words, format="%Y%m%d", errors="coerce").notna().all())


def are_years(values):
    return bool(len(values)) and YEARS[0] <= values.min() and values.max() <= YEARS[1]
