"""Notes for the user about the columns: which were ignored, and decisions to check."""

import shlex

from .cells import word_counts, words_for_missing
from .judging import counted, is_counter, is_time, may_identify

SHOWN = 5  # names in a sentence
APART = "different texts"


class Notes:
    """Sentences about columns; columns with the same note share a sentence."""

    def __init__(self):
        self.ignored, self.apart, self.indicators, self.words, self.single = {}, [], [], {}, []

    def add(self, column, series, *, known=(), counts=False, kept=False):
        """Add the notes about a column and the series that it was learned from.

        known: words in it that do not stand for missing values. counts: whether it numbers the rows. kept: whether it is
        used only because the user asked for it.
        """
        if column.kind == "ignored":
            self.add_ignored(column, series, counts)
        elif column.kind == "missing":
            self.indicators.append(column.name)
        elif column.kind == "text":
            self.add_text(column, series, known)
        elif counts:
            self.single.append(f"column {column.name!r} {range_of(series)}: it counts the rows, and is learned from because "
                               "there is no other")
        elif not kept and is_counter(series) and is_time(series):
            self.single.append(f"column {column.name!r} {range_of(series)}; it is taken for a time and learned from: say "
                               f"{option('drop', [column.name])} if it counts the rows")
        elif not kept and may_identify(series):
            self.single.append(f"column {column.name!r} {range_of(series)}; say {option('drop', [column.name])} if it tells "
                               "rows apart and nothing else")

    def add_ignored(self, column, series, counts):
        reason = column.reason.removeprefix("ignored: ")
        if counts:
            self.single.append(f"column {column.name!r} {range_of(series)}: it counts the rows and is ignored; say "
                               f"{option('keep-columns', [column.name])} to learn from it")
        elif APART in reason:
            self.apart.append(column.name)
        elif not reason.startswith("holds"):  # dates and other types have their own hint
            self.ignored.setdefault(reason, []).append(column.name)

    def add_text(self, column, series, known):
        for word, rows in words_for_missing(series, known).items():
            self.words.setdefault(word, []).append((column.name, rows))
        if column.other:
            counts = word_counts(series)
            rows = sum(counts[word] for word in counts.keys() - set(column.categories))
            self.single.append(
                f"column {column.name!r} has {len(counts):,} categories: the {len(column.categories):,} most frequent "
                f"count, and {rows:,} of {len(series):,} rows are in none of them; --max-categories {len(counts)} keeps all")

    def sentences(self):
        """Return the notes, a list of str."""
        found = [f"{columns(names)} ignored: {reason}" for reason, names in self.ignored.items()]
        if self.apart:
            found.append(f"{columns(self.apart)} ignored: nearly every row has a text of its own there; say "
                         f"{option('keep-columns', self.apart)} to learn from {'it' if len(self.apart) == 1 else 'them'}")
        if self.indicators:
            found.append(f"{columns(self.indicators)} alike in all rows that are trained on and not missing there; only "
                         "what is missing is learned from")
        if self.words:
            names = list(dict.fromkeys(name for places in self.words.values() for name, _ in places))
            places = "; ".join(f"{word!r} in {listed([f'{name!r} ({rows:,} rows)' for name, rows in where])}"
                               for word, where in self.words.items())
            found.append(f"words that count as missing: {places}; where they are categories, say "
                         f"{option('keep-words', names)}")
        return found + self.single


def range_of(series):
    """Return the beginning of a note about numbers that are all different."""
    low, high, _ = counted(series)
    return f"has a different whole number in each row, from {low:.0f} to {high:.0f}"


def columns(names):
    """Return the beginning of a sentence about columns."""
    return f"column {names[0]!r} is" if len(names) == 1 else f"columns {listed([repr(name) for name in names])} are"


def listed(words):
    """Return some words, and the number of the others."""
    return ", ".join(words[:SHOWN]) + f" and {len(words) - SHOWN:,} more" * (len(words) > SHOWN)


def option(name, values):
    """Return an option of the command line."""
    return f"--{name} {shlex.quote(','.join(values))}"
