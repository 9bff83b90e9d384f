"""Numbers in text: which text is a number, and its value, for different separators.

    1,234.5    a decimal point, commas between thousands
    1.234,5    a decimal comma, points between thousands
    1 234,5    a decimal comma, spaces between thousands
    1,234      1234 or 1.234: both readings are possible

A group of thousands has three digits, and the first group does not begin with 0. So 0,123 and 12,34 have a decimal comma,
and 1,234,567 has commas between thousands. Text with an exponent has no groups.
"""

import functools
import re
from dataclasses import dataclass

NAMES = {".": "point", ",": "comma", " ": "space", "'": "apostrophe"}
# typographic characters: no-break, thin and narrow spaces, the raised comma, the minus sign
PLAIN = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "’": "'", "−": "-"})


@dataclass(frozen=True)
class NumberFormat:
    """The separators of numbers.

    Attributes
    ----------
    decimal : {".", ","}
    thousands : {"", ",", ".", " ", "'"}
        "" for none.
    """

    decimal: str = "."
    thousands: str = ""

    def __post_init__(self):
        if self.decimal not in DECIMALS or self.thousands not in THOUSANDS or self.decimal == self.thousands:
            raise ValueError(f"there are no numbers with {self.decimal!r} before decimals and {self.thousands!r} between "
                             "thousands")

    def __str__(self):
        return self.of(self.decimal + self.thousands)

    def of(self, word):
        """Return the separators that a number has, in words."""
        marks = {self.decimal: "a decimal {}", self.thousands: "{}s between thousands"}
        return " and ".join(said.format(NAMES[mark]) for mark, said in marks.items() if mark and mark in word)


DECIMALS, THOUSANDS = (".", ","), ("", ",", ".", " ", "'")
FORMATS = [NumberFormat(decimal, thousands) for decimal in DECIMALS for thousands in THOUSANDS if thousands != decimal]


@functools.cache
def pattern(number_format):
    """Return a regular expression for the numbers of a format with blanks around them."""
    decimal, thousands = re.escape(number_format.decimal), re.escape(number_format.thousands)
    decimals = rf"{decimal}[0-9]{'*' if number_format.decimal == '.' else '+'}"  # "1." is a number, "1," may be a list
    simple = rf"(?:[0-9]+(?:{decimals})?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    grouped = rf"[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+(?:{decimals})?"
    return rf"[ \t]*[+-]?(?:{grouped + '|' if thousands else ''}{simple})[ \t]*"


ANY = "|".join(map(pattern, FORMATS))


@functools.cache
def lines_of(number_format):
    """Return the method `fullmatch` of a regular expression for lines that are numbers of a format."""
    return re.compile(rf"(?:{pattern(number_format)}\n)*+").fullmatch  # possessive: no backtracking


@functools.cache
def matcher(number_format=None):
    """Return the method `fullmatch` of a format, by default of all formats together."""
    return re.compile(ANY if number_format is None else pattern(number_format)).fullmatch


def is_number(word, number_format=None):
    """Return whether a text is a number of a format, by default of any format."""
    return matcher(number_format)(word if word.isascii() else word.translate(PLAIN)) is not None


def formats_of(words):
    """Return the formats under which all texts are numbers: () for none, two if the numbers have two readings.

    Of formats that differ only in unused separators, only the first is returned.
    """
    lines, fitting = "\n".join([*words, ""]), []
    if lines.count("\n") > len(words):
        return ()
    marks = {mark for mark in NAMES if mark in lines}
    for each in FORMATS:
        explained = marks <= {each.decimal, each.thousands} and each.thousands in marks | {""}
        if explained and all(each.thousands != other.thousands for other in fitting) and lines_of(each)(lines):
            fitting.append(each)
    return tuple(fitting)


def plain(word, number_format):
    """Return a number in Python's notation, with the same digits: "1.234,50" is "1234.50"."""
    word = word.translate(PLAIN).strip()
    return word.replace(number_format.thousands, "").replace(number_format.decimal, ".")
