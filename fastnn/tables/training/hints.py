"""Hints about text that is nearly something else: numbers except for a word, numbers with other signs, dates.

The hints report what a person would notice, and decide nothing: only the user knows whether "-" is a missing value.
"""

import re

from ..columns.frames import pandas
from ..reading import numerals

MANY = 20  # largest number of words in a hint
MOST = 0.8  # fraction of the rows with text from which on a column is "nearly" something
LOOKED_AT = 100_000  # different texts to check, the most frequent ones
DATE = r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[ T].*)?"
DATES = ("datetime64", "datetime", "date")
IN_THEIR_PLACE = "write them all as 2024-01-31, or put numbers in their place, such as the year or the month"
CODE = r"\s*[+-]?0\d+"  # 007 is not an amount
ORNAMENT = re.compile(r"[%€$£¥]|(?<=\d)_(?=\d)")
INDIAN = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")  # 12,34,567: a list, or a number
IN_BRACKETS = re.compile(r"\((.*)\)")  # a negative amount in accounting


def almost_numbers(series):
    """Return the counts of words that are not numbers, if most are numbers: a Series by word; else an empty one."""
    return strangers(texts(series))


def strangers(counts):
    """Return, from the counts of words, those of words that are not numbers, if most are."""
    numeric = counts.index.map(numerals.is_number).to_numpy(bool) | pandas().to_numeric(
        counts.index.to_series(), errors="coerce").notna().to_numpy()
    wrong = counts[~numeric]
    return wrong if len(wrong) and wrong.sum() <= (1 - MOST) * counts.sum() else counts[:0]


def hint(name, series, are="counts as text"):
    """Return a sentence on what a column of text nearly is and the repair; None if there is no hint.

    are: how the column is treated, such as "is ignored".
    """
    counts = texts(series)
    if pandas().api.types.infer_dtype(series, skipna=True) in DATES:
        return f"column {name!r} holds dates and {are}; {IN_THEIR_PLACE}"
    if not len(counts):
        return None
    wrong = strangers(counts)
    if len(wrong):
        some = ", ".join(map(repr, wrong.index[:4])) + ", …" * (len(wrong) > 4)
        return (f"column {name!r} holds {some} among its numbers, in {int(wrong.sum()):,} of {len(series):,} rows, and so "
                f"{are}; if that means missing, say --missing={','.join(wrong.index[:MANY])!r}")
    words = counts.index.to_series()
    if share(words.str.fullmatch(DATE), counts) >= MOST:
        return f"column {name!r} holds dates and {are}; {IN_THEIR_PLACE}"
    bare = words.map(without_ornaments)
    numeric = bare.map(numerals.is_number).astype(bool)
    if share(numeric, counts) < MOST:
        return None
    if pandas().to_numeric(words, errors="coerce").notna().all():
        if words.str.fullmatch(CODE).any() or are != "counts as text":
            return None
        return (f"column {name!r} holds numbers as text, such as {words.iloc[0]!r}, and {are}; if they are amounts, put "
                "numbers in their place")
    found, repair = looks(words[numeric].tolist(), bare[numeric].tolist())
    return f"column {name!r} {found}, but {are}; {repair}"


def looks(words, bare):
    """Return what words with ornaments, whose numbers are `bare`, look like, and how to write them."""
    formats = numerals.formats_of(bare)
    if not formats:
        one = next(each for each in numerals.FORMATS if numerals.is_number(bare[0], each))
        other = next(word for word, number in zip(words, bare, strict=True) if not numerals.is_number(number, one))
        return f"holds numbers written in several ways, such as {words[0]!r} and {other!r}", "write all in one way"
    read = [(word, [numerals.plain(number, each) for each in formats]) for word, number in zip(words, bare, strict=True)]
    word, ways = max(read, key=lambda each: (len({*each[1]}), each[0] != each[1][0]))  # the most instructive example
    repair = "write them without signs of currency, percent and thousands, and with a decimal point, as "
    repair += " or ".join(map(repr, ways)) + ", whichever it is" * (len(ways) > 1)
    return f"looks like numbers, such as {word!r}", repair


def without_ornaments(word):
    """Return a number without currency signs, percent signs and other ornaments."""
    word = ORNAMENT.sub("", word.translate(numerals.PLAIN)).strip()
    word = IN_BRACKETS.sub(r"-\1", word).replace("- ", "-")
    return word.replace(",", "") if INDIAN.fullmatch(word) else word


def share(chosen, counts):
    """Return the fraction of the rows with a chosen word."""
    return counts[chosen.to_numpy(bool)].sum() / counts.sum()


def texts(series):
    """Return the count of each str in a column: a Series by word, the most frequent first."""
    present = series[:0] if pandas().api.types.is_numeric_dtype(series) else series.dropna()
    return present[present.map(lambda value: isinstance(value, str))].astype(str).value_counts()[:LOOKED_AT]
