"""The decimal and thousands separators, determined for each column from all its rows.

A number with a single reading, such as 12,5 or 1.234,56 or 1,234,567, determines the format of its column. If all numbers of
a column have two readings, such as 1,234, the other columns of the file determine it if they agree. Otherwise the file is
refused, with both readings in the error. An exception is 1.234: it has a decimal point, as in most files, unless the cells
are separated by semicolons, or 350 is beside 12.500, because a column with three decimals would have them everywhere.
"""

import numpy as np

from . import numerals
from .column_text import MOST, NumberText, plain_words, sample
from .float_columns import has_decimals, has_fractions, point_is_decimal
from .numerals import NAMES, NumberFormat

COMMA = NumberFormat(",", "")
FIRST = 1000  # rows that are enough for most columns
LONGEST = 19  # digits of the longest 64-bit integers


class Deciding:
    """The number formats of the columns of a table.

    Attributes
    ----------
    formats : dict of str to NumberFormat
        The formats of number columns that have separators.
    settled : set of str
        Columns whose format was determined by other columns, or by the custom of CSV files.
    notes : list of str
    """

    def __init__(self, pd, table, raw, told, separator):
        self.pd, self.table, self.raw, self.told, self.separator = pd, table, raw, told, separator
        self.formats, self.settled, self.notes, self.evidence, self.open = {}, set(), [], {}, {}
        self.converted, self.as_trained = [], {}
        doubtful = self.look_at_columns()
        self.look_at_points(doubtful)
        self.settle()
        self.check_as_trained()
        self.compare()

    def look_at_columns(self):
        """Determine the formats of columns from their own numbers; return the columns of floats that remain open."""
        doubtful, again = [], []
        self.read_decimal_commas()
        for name, series in self.table.items():
            if name in self.told.text or name in self.formats:
                continue
            if series.dtype == np.float64:
                values = series.to_numpy()
                if self.told.may_have_decimal_comma(name):
                    again.append(name)
                elif point_is_decimal(values[np.isfinite(values)]):
                    self.formats[name], self.evidence[name] = NumberFormat(), "."
                else:
                    doubtful.append(name)
            elif not self.pd.api.types.is_numeric_dtype(series):  # a bool is one
                share = 0.0 if name in self.told.learned else MOST
                found = NumberText.find(self.pd, series, self.told.missing_values, share)
                if found and found.strangers and max(map(len, found.words)) >= LONGEST:
                    # beyond int64 the parser returns every cell as it is, also words that mean a missing value
                    found = NumberText.find(self.pd, self.raw([name])[name], self.told.missing_values, share)
                if found:
                    self.decide(name, found)
        for name, series in (self.raw(again).items() if again else ()):
            self.decide(name, NumberText(self.pd, series, self.told.missing_values))
        return doubtful

    def read_decimal_commas(self):
        """Determine the columns that the parser can read with decimal commas, if some of their cells require that."""
        names = [name for name, series in self.table.items() if name not in self.told.text
                 and not self.told.speaks_of(name) and self.told.learned.get(name, COMMA) == COMMA and has_commas(series)]
        for name, series in (self.raw(names, dtype=None, decimal=",").items() if names else ()):
            if series.dtype == np.float64:
                self.table[name], self.formats[name], self.evidence[name] = series, COMMA, ","
                self.converted.append(name)

    def look_at_points(self, doubtful):
        """Check the text of floats such as 1.234, whose point may separate thousands."""
        usual = set(self.evidence.values()) == {"."} and not self.told.speaks_of(None)
        first, rest, open_ = self.raw(doubtful, FIRST) if doubtful else {}, [], {}
        for name in doubtful:
            words, decimals = first[name].dropna().tolist(), has_decimals(self.table[name])
            if any(numerals.is_number(word) and not numerals.is_number(word, NumberFormat(",", ".")) for word in words):
                self.formats[name], self.evidence[name] = NumberFormat(), "."
            elif is_grouped(words) or (not usual and (decimals or any("." in word for word in words))):
                rest.append(name)  # if so many rows have no whole number with a point, such as 2.000, no later row has one
            elif decimals:
                self.formats[name] = NumberFormat()
                self.settled.add(name)
                if has_fractions(self.table[name]) and name not in self.told.learned and not self.told.speaks_of(name):
                    series = first[name] if any("." in word for word in words) else self.raw([name])[name]
                    open_[name] = NumberText(self.pd, series)
        if open_:
            why = f", since column {next(iter(self.evidence))!r} has a decimal point"
            self.note_reading(open_, NumberFormat(), NumberFormat(",", "."), why)
        for name, series in (self.raw(rest).items() if rest else ()):
            self.decide(name, NumberText(self.pd, series))

    def decide(self, name, column):
        """Determine a column from the caller's options, the model, or its own numbers; else leave it open."""
        if self.told.speaks_of(name):
            found = self.as_told(name, column)
        elif name in self.told.learned:
            found = self.as_learned(name, column)
        else:
            found = column.formats[0] if len(column.formats) == 1 else None
            if found is None and column.formats and not column.strangers and self.is_required(name):
                self.open[name] = column
        if found is not None:
            self.take(name, column, found)

    def take(self, name, column, found):
        """Read a column in a format."""
        if column.strangers and name not in self.told.learned:
            return
        text = "\n".join(column.words)
        if found.decimal in text or found.thousands in (".", ","):
            self.evidence[name] = found.decimal
            self.formats[name] = found
        if found.thousands and found.decimal not in text and found.thousands == " ":
            word = example(column, found)
            self.notes.append(f"column {name!r} holds numbers with spaces between thousands: {word!r} is read as "
                              f"{numerals.plain(word, found)}; if they are no numbers, say --text {name}")
        if found.thousands:
            self.formats[name] = found
        if found != NumberFormat() or self.table[name].dtype != np.float64:
            self.table[name] = column.numbers(found)
            self.converted.append(name)

    def as_told(self, name, column):
        """Return the caller's format of a column; raise ValueError if a number contradicts it."""
        agreeing = self.told.agreeing(name, numerals.FORMATS)
        fitting = [each for each in column.formats if each in agreeing]
        if fitting or column.strangers or not column.words:
            return fitting[0] if fitting else None
        wrong = next((word for word in column.words if not any(numerals.is_number(word, each) for each in agreeing)),
                     column.words[0])
        raise ValueError(f"column {name!r} holds {wrong!r} in row {column.row_of(wrong)}, which is no number with "
                         f"{' or '.join(map(str, agreeing))}; mend it, or say otherwise of this column")

    def as_learned(self, name, column):
        """Return the model's format, or another one under which none of the numbers has another value."""
        learned = self.told.learned[name]
        wrong = column.contradiction(learned)
        if wrong is None:
            if len(column.formats) > 1:
                self.as_trained[name] = column
            return learned
        if len(column.formats) == 1 and not contradict(column.words, learned, column.formats[0]):
            found = column.formats[0]
            if found.decimal != learned.decimal and found.decimal in wrong:
                self.notes.append(f"column {name!r} is written with {found} here ({wrong!r} is read as "
                                  f"{numerals.plain(wrong, found)}), and was with {learned} in training")
            return found
        if not self.is_required(name):
            return None
        raise ValueError(f"column {name!r} holds {wrong!r} in row {column.row_of(wrong)}; the model was trained on one with "
                         f"{learned}; mend it, or say how it is written here: {options(name, wrong)}")

    def is_required(self, name):
        return self.told.required is None or name in self.told.required

    def settle(self):
        """Determine open columns from the caller's options for all, the other columns, or custom; refuse the rest."""
        marks, refused, noted = set(self.evidence.values()), [], {}
        witness = {mark: name for name, mark in reversed(self.evidence.items())}
        for name, column in self.open.items():
            told = self.told.agreeing(None, column.formats)
            if self.told.speaks_of(None) and len(told) == 1:
                self.take(name, column, told[0])
            elif len(marks) == 1:
                (mark,) = marks
                found, other = sorted(column.formats, key=lambda each: each.decimal != mark)
                self.take(name, column, found)
                self.settled.add(name)
                why = f", since column {witness[mark]!r} has a decimal {NAMES[mark]}"
                noted.setdefault((found, other, why), {})[name] = column
            elif not marks and NumberFormat() in column.formats and self.separator != ";" and not is_grouped(column.words):
                self.take(name, column, NumberFormat())
                self.settled.add(name)
                noted.setdefault((*column.formats, ", as is usual"), {})[name] = column
            else:
                refused.append(name)
        if refused:
            self.refuse(refused)
        for (found, other, why), columns in noted.items():
            self.note_reading(columns, found, other, why)

    def note_reading(self, columns, found, other, why):
        """Add a note that columns, a dict of NumberText, are read in one of two possible formats."""
        name, *likewise = columns
        word = example(columns[name], found)
        why += f" (likewise {listed(likewise)})" if likewise else ""
        one, two = numerals.plain(word, found), numerals.plain(word, other)
        self.notes.append(f"column {name!r} holds {word!r}, which is read as {one}{why}; if it is {two}, say "
                          f"--decimal {name}={other.decimal}")

    def check_as_trained(self):
        """Refuse columns in the model's format if they also fit the one in which other columns of the model now are.

        If columns that the model does not take speak for that, or their own numbers, such as 12.500 beside 350, add a note.
        """
        there = {name: mark for name, mark in self.evidence.items() if name not in self.as_trained and name not in self.open}
        as_before = {name for name, mark in there.items() if name in self.told.learned
                     and self.told.learned[name].decimal == mark}
        for name, column in self.as_trained.items():
            learned = self.told.learned[name]
            other = next((each for each in column.formats if each.decimal != learned.decimal), None)
            if other is None or not self.is_required(name) or self.told.agreeing(None, [learned, other]) == [learned]:
                continue
            witnesses = [each for each, mark in there.items() if mark == other.decimal and each not in as_before]
            taken, word = [each for each in witnesses if each in self.told.learned], example(column, learned)
            if taken and learned.decimal not in there.values():
                one, two = (f"{numerals.plain(word, each)} with {each.of(word)}" for each in (learned, other))
                raise ValueError(f"column {name!r} holds {word!r}, which is {one}, as in training, or {two}, since column "
                                 f"{taken[0]!r} has a decimal {NAMES[other.decimal]} here; say {options(name, word)}")
            why = f", although column {witnesses[0]!r} has a decimal {NAMES[other.decimal]} here" if witnesses else ""
            if witnesses or (other.thousands == "." and is_grouped(column.words)):
                self.note_reading({name: column}, learned, other, f", as in training{why}")

    def refuse(self, names):
        column = self.open[names[0]]
        word = example(column, column.formats[0])
        first, second = (f"{numerals.plain(word, each)} with {each.of(word)}" for each in column.formats)
        likewise = f" (likewise {listed(names[1:])})" if names[1:] else ""
        raise ValueError(f"column {names[0]!r} holds {word!r}, which is {first} or {second}, and nothing in the file tells "
                         f"which{likewise}; say {options(names[0], word)}")

    def compare(self):
        """Add a note if decimal commas and points are mixed, or differ from the caller's options for all columns."""
        alone = {name: self.evidence[name] for name in self.table.columns if name in self.evidence and self.is_required(name)
                 and not self.told.speaks_of(name) and name not in self.told.learned and name not in self.settled}
        expected = {each.decimal for each in self.told.agreeing(None, numerals.FORMATS)}
        if len(expected) == 1:
            for mark in {*".,"} - expected:
                if names := [name for name in alone if alone[name] == mark]:
                    self.notes.append(f"{listed(names)} can be read with a decimal {NAMES[mark]} alone, and so differs from "
                                      "what was said of all columns")
            return
        groups = [[name for name, mark in alone.items() if mark == each] for each in ".,"]
        if all(groups):
            few, many = sorted(groups, key=len) if len(groups[0]) != len(groups[1]) else groups[::-1]
            self.notes.append(f"columns are written in two ways: a decimal {NAMES[alone[few[0]]]} in {listed(few)}, a "
                              f"decimal {NAMES[alone[many[0]]]} in {listed(many)}; those that hold no numbers can be named "
                              "with --text")

    def as_data(self, notes):
        """Return the formats as plain data, which pandas keeps with the table; `notes` about the file come first."""
        marks, formats = [*{*self.evidence.values()}], {}
        for name, each in self.formats.items():
            if name in self.evidence or name in self.settled:
                formats[name] = [each.decimal, each.thousands]
            elif len(marks) == 1:  # 1'234 alone does not determine the decimal separator, so use that of the other columns
                formats[name] = [marks[0], each.thousands]
        return {"formats": formats, "settled": sorted(self.settled), "notes": [*notes, *self.notes]}

    def __str__(self):
        """Return the unusual formats, in words."""
        commas = [name for name in self.converted if self.formats.get(name, NumberFormat()).decimal == ","]
        parts = []
        if commas:
            parts.append("decimal commas" + f" in {listed(commas)}" * ("." in self.evidence.values()))
        for mark, name in NAMES.items():
            grouped = [each for each in self.converted if self.formats.get(each, NumberFormat()).thousands == mark]
            if grouped:
                parts.append(f"{name}s between thousands in {listed(grouped)}")
        return ", ".join(parts)


def has_commas(series):
    """Return whether some cells of a column of text can only be numbers with decimal commas."""
    some = [] if series.dtype.kind in "biufcmM" else sample(series)
    return all(isinstance(word, str) for word in some) and numerals.formats_of(plain_words(some)) == (COMMA,)


def is_grouped(words):
    """Return whether numbers with a point, such as 12.500, look like thousands: others have none, and zeros are written."""
    return any(word.endswith("0") for word in words if "." in word) and not all("." in word for word in words)


def example(column, found):
    """Return a word that has the separators of a format."""
    return next((word for word in column.words if found.decimal in word or (found.thousands and found.thousands in word)),
                column.words[0])


def contradict(words, one, other):
    """Return whether two formats read a word as different numbers."""
    both = (word for word in words if numerals.is_number(word, one) and numerals.is_number(word, other))
    return any(float(numerals.plain(word, one)) != float(numerals.plain(word, other)) for word in both)


def options(name, word):
    """Return the options that choose a reading."""
    mark = next((mark for mark in ",." if mark in word), None)
    if mark is None:
        return f"--text {name} if it holds no numbers"
    return (f"--thousands {name}={mark} or --decimal {name}={mark} (without {name}= for all columns; in Python "
            f"read_table(…, decimal={{{name!r}: {mark!r}}}); --text {name} if it holds no numbers)")


def listed(names, most=5):
    return ", ".join(map(repr, names[:most])) + ", …" * (len(names) > most)
