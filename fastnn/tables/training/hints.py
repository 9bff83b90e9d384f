"""Text that is nearly something else: numbers but for a word, numbers with signs of their own, dates.

What a person would see at once is said, and not guessed at: whether "-" is a missing value is theirs to know.
"""

import re

from ..columns.frames import pandas
from ..reading import numerals

MANY = 20  # words that are taken into the advice
MOST = 0.8  # of the rows with text make a column "nearly" something
LOOKED_AT = 100_000  # different texts, the commonest
DATE = r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[ T].*)?"
DATES = ("datetime64", "datetime", "date")
IN_THEIR_PLACE = "put numbers in their place, such as the year, the month or the days since the first"
CODE = r"\s*[+-]?0\d+"  # 007 is no amount
ORNAMENT = re.compile(r"[%€$£¥]|(?<=\d)_(?=\d)")
INDIAN = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")  # 12,34,567: a list, or a number
IN_BRACKETS = re.compile(r"\((.*)\)")  # how accounts write what is below zero


def almost_numbers(series):
    """How often each word comes that is no number, where most are numbers: a Series by word; else an empty one."""
    return strangers(texts(series))


def strangers(counts):
    """Of words and how often they come those that are no numbers, where most are."""
    numeric = counts.index.map(numerals.is_number).to_numpy(bool) | pandas().to_numeric(
        counts.index.to_series(), errors="coerce").notna().to_numpy()
    wrong = counts[~numeric]
    return wrong if len(wrong) and wrong.sum() <= (1 - MOST) * counts.sum() else counts[:0]


def hint(name, series, are="counts as text"):
    """A sentence on what a column of text nearly is and what to do about it; None where it is nothing else.

    are: what becomes of it, such as "is ignored".
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
    """What words look like that are numbers, `bare`, but for ornaments; and how to write them."""
    formats = numerals.formats_of(bare)
    if not formats:
        one = next(each for each in numerals.FORMATS if numerals.is_number(bare[0], each))
        other = next(word for word, number in zip(words, bare, strict=True) if not numerals.is_number(number, one))
        return f"holds numbers written in several ways, such as {words[0]!r} and {other!r}", "write all in one way"
    read = [(word, [numerals.plain(number, each) for each in formats]) for word, number in zip(words, bare, strict=True)]
    word, ways = max(read, key=lambda each: (len({*each[1]}), each[0] != each[1][0]))  # the first that shows most
    repair = "write them without signs of currency, percent and thousands, and with a decimal point, as "
    repair += " or ".join(map(repr, ways)) + ", whichever it is" * (len(ways) > 1)
    return f"looks like numbers, such as {word!r}", repair


def without_ornaments(word):
    """A number without the signs of currency, percent and the like around it."""
    word = ORNAMENT.sub("", word.translate(numerals.PLAIN)).strip()
    word = IN_BRACKETS.sub(r"-\1", word).replace("- ", "-")
    return word.replace(",", "") if INDIAN.fullmatch(word) else word


def share(chosen, counts):
    """The share of the rows whose word is chosen."""
    return counts[chosen.to_numpy(bool)].sum() / counts.sum()


def texts(series):
    """How often each str comes in a column: a Series by word, the commonest first."""
    present = series[:0] if pandas().api.types.is_numeric_dtype(series) else series.dropna()
    return present[present.map(lambda value: isinstance(value, str))].astype(str).value_counts()[:LOOKED_AT]
