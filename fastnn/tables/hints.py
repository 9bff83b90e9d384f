"""Text that is nearly something else: numbers but for a word, numbers with signs of their own, dates.

What a person would see at once is said, and not guessed at: whether "-" is a missing value is theirs to know.
"""

import re

from .reading import pandas

MANY = 20  # words that are taken into the advice
MOST = 0.8  # of the rows with text make a column "nearly" something
LOOKED_AT = 100_000  # different texts, the commonest
DATE = r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[ T].*)?"
DATES = ("datetime64", "datetime", "date")
IN_THEIR_PLACE = "put numbers in their place, such as the year, the month or the days since the first"
ORNAMENT = r"[\s,%€$£¥'’_]"


def almost_numbers(series):
    """How often each word comes that is no number, where most are numbers: a Series by word; else an empty one."""
    return strangers(texts(series))


def strangers(counts):
    """Of words and how often they come those that are no numbers, where most are."""
    wrong = counts[pandas().to_numeric(counts.index.to_series(), errors="coerce").isna().to_numpy()]
    return wrong if len(wrong) and wrong.sum() <= (1 - MOST) * counts.sum() else counts[:0]


def hint(name, series, ignored=False):
    """A sentence on what a column of text nearly is and what to do about it; None where it is nothing else.

    ignored: whether nothing is learned from it, and so it does not count as text.
    """
    counts = texts(series)
    are = "is ignored" if ignored else "counts as text"
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
    plain = words.map(lambda word: re.sub(ORNAMENT, "", word))
    numbers = pandas().to_numeric(plain, errors="coerce").notna()
    if share(numbers, counts) >= MOST and (plain != words).any():
        example = words[(plain != words) & numbers].iloc[0]
        return (f"column {name!r} looks like numbers, such as {example!r}, but {are}; write them without signs of "
                f"currency, percent and thousands, as {plain[example]!r}")
    return None


def share(chosen, counts):
    """The share of the rows whose word is chosen."""
    return counts[chosen.to_numpy(bool)].sum() / counts.sum()


def texts(series):
    """How often each str comes in a column: a Series by word, the commonest first."""
    present = series[:0] if pandas().api.types.is_numeric_dtype(series) else series.dropna()
    return present[present.map(lambda value: isinstance(value, str))].astype(str).value_counts()[:LOOKED_AT]
