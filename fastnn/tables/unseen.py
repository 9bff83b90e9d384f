"""What a table to predict has and the rows had not that a model was trained on: one warning for each kind."""

from ..checks.caller_warning import warn_caller

SHOWN = 3  # columns in a warning


class UnknownCategory(UserWarning):
    """A table holds text, or misses it, that was not in the rows that the preprocessing was learned from."""


class MissingNumber(UserWarning):
    """A table misses numbers in a column that had all in the rows that the preprocessing was learned from."""


def warn_of_unseen(unseen, rows):
    """Warn of what columns of a table hold. unseen: (column, {word: rows}) pairs, None for what is missing. rows: of all."""
    words = [(column, in_words(found), found) for column, found in unseen if found and column.kind == "text"]
    if words:
        warn_caller(f"{together(words, rows)}: in none of the categories learned, and 0 in all of them", UnknownCategory)
    numbers = [(column, f"misses numbers, for which {column.median:g} stands,", found) for column, found in unseen
               if found and column.kind == "number"]
    if numbers:
        warn_caller(f"{together(numbers, rows)}: none was missing in the rows that the model was trained on", MissingNumber)


def together(said, rows):
    """What is said of each of some columns."""
    parts = [f"column {column.name!r} {what} in {sum(found.values()):,} of {rows:,} rows" for column, what, found in said]
    more = len(parts) - SHOWN
    return "; ".join(parts[:SHOWN]) + f"; and likewise {more:,} more column{'s' * (more > 1)}" * (more > 0)


def in_words(found):
    """What text a column holds, and whether it misses some."""
    words = [word for word in found if word is not None]
    more = len(words) - 1
    parts = [f"holds {word!r}" for word in words[:1]] + [f"{more:,} more word{'s' * (more > 1)}"] * (more > 0)
    return " and ".join(parts + ["misses text"] * (None in found))
