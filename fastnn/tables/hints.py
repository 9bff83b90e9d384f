"""Text that is nearly something else: numbers but for a word, numbers with signs of their own, dates.

What a person would see at once is said, and not guessed at: whether "-" is a missing value is theirs to know.
"""

import re

from .reading import pandas

MANY = 20  # words that are taken into the advice
MOST = 0.8  # of the texts in a column make it "nearly" something
DATE = r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?"
ORNAMENT = r"[\s%€$£¥'’_]"


def almost_numbers(series):
    """The words in a column of text that are no numbers, where most are; else an empty list."""
    words = texts(series)
    wrong = pandas().to_numeric(words, errors="coerce").isna()
    return list(words[wrong].unique()) if len(words) and MOST <= 1 - wrong.mean() < 1 else []


def hint(name, series):
    """A sentence on what a column of text nearly is and what to do about it; None where it is nothing else."""
    if words := almost_numbers(series):
        some = ", ".join(map(repr, words[:4])) + ", …" * (len(words) > 4)
        count = int(texts(series).isin(words).sum())
        return (f"column {name!r} holds {some} among its numbers, in {count:,} of {len(series):,} rows, and so counts as "
                f"text; if that means missing, say --missing={','.join(words[:MANY])!r}")
    words = texts(series)
    if not len(words):
        return None
    if words.str.fullmatch(DATE).mean() >= MOST:
        return (f"column {name!r} holds dates, which count as text; put numbers in their place, such as the year, the month "
                "or the days since the first")
    plain = words.map(lambda word: re.sub(ORNAMENT, "", word).replace(",", ""))
    if pandas().to_numeric(plain, errors="coerce").notna().mean() >= MOST:
        return (f"column {name!r} looks like numbers, such as {words.iloc[0]!r}, but counts as text; write them without "
                f"signs of currency, percent and thousands, as {plain.iloc[0]!r}")
    return None


def texts(series):
    """The str in a column."""
    present = series.dropna()
    return present[present.map(lambda value: isinstance(value, str))].astype(str)
