"""Warnings about categories and missing numbers that were not in the training rows."""

from ..checks.caller_warning import warn_caller

SHOWN = 3  # largest number of columns in a warning


class UnknownCategory(UserWarning):
    """A table contains text, or missing text, that was not in the training rows."""


class MissingNumber(UserWarning):
    """A table has missing numbers in a column that had none in the training rows."""


def warn_of_unseen(unseen, rows):
    """Warn of unseen values. unseen: (column, {word: rows}) pairs, None for missing cells. rows: number of all rows."""
    texts = [(column, in_words(found), found) for column, found in unseen if found and column.kind == "text"]
    for embedded, means in ((False, "the network sees 0 in each of its features"),
                            (True, "a single vector stands for all such words")):
        if words := [each for each in texts if bool(each[0].embedded) is embedded]:
            warn_caller(f"{together(words, rows)}: not among the categories learned, so {means}", UnknownCategory)
    numbers = [(column, f"misses numbers, for which {column.median:g} stands,", found) for column, found in unseen
               if found and column.kind in ("number", "date", "code")]
    if numbers:
        warn_caller(f"{together(numbers, rows)}: none was missing in the rows that the model was trained on", MissingNumber)


def together(said, rows):
    """Join the descriptions of columns."""
    parts = [f"column {column.name!r} {what} in {sum(found.values()):,} of {rows:,} rows" for column, what, found in said]
    more = len(parts) - SHOWN
    return "; ".join(parts[:SHOWN]) + f"; and likewise {more:,} more column{'s' * (more > 1)}" * (more > 0)


def in_words(found):
    """Return the unseen text of a column, and whether some is missing, in words."""
    words = [word for word in found if word is not None]
    more = len(words) - 1
    parts = [f"holds {word!r}" for word in words[:1]] + [f"{more:,} more word{'s' * (more > 1)}"] * (more > 0)
    return " and ".join(parts + ["misses text"] * (None in found))
