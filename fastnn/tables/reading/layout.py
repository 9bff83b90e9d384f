"""The layout of a table in a text file, found from its first lines: where it begins, and the separator of its cells.

The separator is the one that gives the rows as many cells as there are names. Above the names there may be a line such as
`sep=;`, which specifies it; comments, which begin with # or //; and titles, which have fewer cells than the names.
"""

import csv
import itertools
import re
from dataclasses import dataclass, field

from ..columns.missing_words import MISSING_WORDS
from . import numerals

SEPARATORS = ",;\t|"
BLANKS = r"\s+"  # a separator: any number of blanks
NOT_IN_TEXT = "\x1e"  # the control character "record separator": as a separator, it makes a line one cell
SEP_LINE = re.compile(r'\s*"?sep=(?P<separator>[^"])"?\s*', re.IGNORECASE)
COMMENT = re.compile(r"\s*(?:#|//)")
DATUM = re.compile(r"[-+−(.,$€£]*[0-9][-0-9.,:/'’ TZ%$€£)eE+]*")  # a number, a date, an amount: rarely a name
PROSE = re.compile(r"\S\s+\S")
MOST_ABOVE = 20  # largest number of rows above the names
CONTRAST = 0.8  # smallest fraction of the cells below a name that are data
SHOWN = 40  # characters of a line in a note


class NoTable(Exception):
    """Raised with the reason why a file is not a table."""


@dataclass
class Layout:
    """The layout of a table in its file.

    Attributes
    ----------
    separator : str
    skip : int
        The number of lines above the names.
    names : list of str
        As they are written.
    rows : list of list of str
        The cells of the first rows.
    above : list of (int, str)
        Comments and titles above the names: the number of the line, from 1, and its text.
    notes : list of str
    """

    separator: str
    skip: int
    names: list
    rows: list
    above: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def share(self):
        """The fraction of the rows with as many cells as there are names, ignoring empty cells at the end."""
        count = len(self.names)
        fitting = [len(row) == count or (len(row) > count and not any(row[count:])) for row in self.rows]
        return sum(fitting) / len(fitting) if fitting else 1.0

    @property
    def numbers(self):
        """The fraction of the cells that are numbers."""
        cells = [numerals.is_number(cell) for row in self.rows[:50] for cell in row[:50]]
        return sum(cells) / len(cells) if cells else 0.0

    @property
    def is_one_column(self):
        return len(self.names) == 1


def find(lines, *, separator=None, skip=None, cut=False):
    """Return the Layout of a table, from the first lines of its file.

    separator, skip: as far as known. cut: whether more lines follow, so that the last one may be incomplete.
    """
    begin = next((k for k, line in enumerate(lines) if line.strip()), 0) if skip is None else skip
    said = SEP_LINE.fullmatch(lines[begin]) if skip is None and lines else None
    if said:
        separator, begin = separator or said["separator"], begin + 1
    if not any(line.strip() for line in lines[begin:]):
        raise NoTable("it is empty")
    told = skip is not None
    if separator:
        found = under(lines, separator, begin, told, cut)
    else:
        found = best([under(lines, mark, begin, told, cut) for mark in SEPARATORS])
        found = found or blanks(lines, begin) or under(lines, NOT_IN_TEXT, begin, told, cut)
    found.notes = notes(found)
    return found


def best(candidates):
    """Return the layout that fits best; None if no separator makes columns of the lines."""
    several = [each for each in candidates if not each.is_one_column]
    if not several:
        wide = max(candidates, key=lambda each: max(map(len, each.rows), default=0))
        return wide if max(map(len, wide.rows), default=0) > 1 else None  # rows with more cells than names: refused later
    found = max(several, key=lambda each: (each.share, not each.above, each.numbers, len(each.names)))
    in_names_alone = found.rows and found.share < 0.5 and sum(len(row) == 1 for row in found.rows) >= 0.5 * len(found.rows)
    return None if in_names_alone else found


def under(lines, separator, begin, told, cut):
    """Return the Layout for a separator. `told`: the names are in the first line from `begin`, whatever it looks like."""
    first, comments = begin, []
    while not told and first < len(lines) and (not lines[first].strip() or COMMENT.match(lines[first])):
        comments += [first] * bool(lines[first].strip())
        first += 1
    rows = records(lines, separator, first)
    if cut and len(rows) > 2:
        rows.pop()
    if comments:
        comment = records(lines[:comments[-1] + 1], separator, comments[-1])[0]
        if not rows or comment_is_names(comment[1], rows):
            return layout(lines, separator, begin, [comment, *rows])
    return layout(lines, separator, begin, rows[0 if told else names_among(rows):])


def layout(lines, separator, begin, rows):
    """Return the Layout of rows of which the first contains the names."""
    (skip, names), *below = rows
    above = [(k + 1, lines[k].strip()) for k in range(begin, skip) if lines[k].strip()]
    return Layout(separator, skip, names, [stripped(row) for _, row in below], above)


def stripped(cells):
    return [cell.strip() for cell in cells]


def records(lines, separator, first=0):
    """Return (number of its first line, cells) of each row that is not blank."""
    found, before = [], first
    reader = csv.reader((line + "\n" for line in lines[first:]), delimiter=separator, skipinitialspace=separator != " ")
    try:
        for cells in reader:
            if len(cells) > 1 or (cells and cells[0].strip()):
                found.append((before, cells))
            before = first + reader.line_num
    except csv.Error:  # a cell is too long
        pass
    return found or [(k, line.split(separator)) for k, line in enumerate(lines) if k >= first and line.strip()][:1]


def names_among(rows):
    """Return the index of the row of names: the first, unless shorter rows precede one that differs from those below it."""
    rows = [(line, stripped(cells)) for line, cells in rows]
    for k, (line, cells) in enumerate(rows[:MOST_ABOVE]):
        if k == 0 or k + 1 == len(rows) or not could_be_names(cells):
            continue
        above, below = [sum(map(bool, row)) for _, row in rows[:k]], [row for _, row in rows[k + 1:]]
        if max(above) <= max(1, len(cells) // 2) and stands_apart(cells, below):
            return k
        lone = all(len(row) == 1 for _, row in rows[:k])
        apart = line - rows[k - 1][0] > 1 or all(PROSE.search(row[0]) for _, row in rows[:k])
        if lone and apart and all(len(row) == len(cells) for row in below):
            return k
    return 0


def could_be_names(cells):
    """Return whether cells may be names. The first may be empty, above names of rows, and so may those at the end."""
    names = cells[:max((k + 1 for k, cell in enumerate(cells) if cell), default=0)]
    return len(names) > 1 and any(names[:-1]) and all(names[1:]) and len({*names}) == len(names) and not any(
        map(DATUM.fullmatch, names))


def stands_apart(cells, below):
    """Return whether some cell is not data but the cells below it are."""
    for k, cell in enumerate(cells):
        column = [row[k] for row in below if k < len(row) and row[k]]
        if column and not DATUM.fullmatch(cell) and sum(map(bool, map(DATUM.fullmatch, column))) >= CONTRAST * len(column):
            return True
    return False


def comment_is_names(comment, rows):
    """Return whether a line that begins with # contains the names, as in `#id,carat,price`; the row below has data."""
    cells, below = stripped(comment), [stripped(row) for _, row in rows]
    if len(cells) != max(map(len, below)) or not all(cells) or any(map(DATUM.fullmatch, cells)):
        return False
    if stands_apart(below[0], below[1:]):
        return False
    return any(map(DATUM.fullmatch, below[0])) or (len(cells) > 1 and cells[0][1:2].isalpha())


def blanks(lines, begin):
    """Return the Layout of numbers in columns separated by blanks; None if there is anything else."""
    rows = [(k, line.split()) for k, line in enumerate(lines) if k >= begin and line.strip() and not COMMENT.match(line)]
    count = len(rows[0][1]) if len(rows) > 2 else 0
    if count < 2 or any(len(row) != count for _, row in rows):
        return None
    data = [row for _, row in rows[1:]]
    if not all(numerals.is_number(cell) or cell in MISSING_WORDS for row in data for cell in row):
        return None
    if all(numerals.is_number(" ".join(row)) for row in data):  # 1 234
        return None
    if all(map(numerals.is_number, rows[0][1])):
        raise NoTable(f"it has {count} columns of numbers without names")
    if not could_be_names(rows[0][1]):
        return None
    return layout(lines, BLANKS, begin, rows)


def notes(found):
    """Return notes for the user about where the table was found."""
    said = []
    if found.above:
        numbers = [number for number, _ in found.above]
        which = f"line {numbers[0]} is" if len(numbers) == 1 else f"lines {numbers[0]} to {numbers[-1]} are"
        text = found.above[0][1]
        text = text if len(text) <= SHOWN else text[:SHOWN - 1] + "…"
        said.append(f"{which} skipped, above the names of the columns: {text!r}{', …' * (len(numbers) > 1)}; if the names "
                    f"are there, say --skip {numbers[0] - 1}")
    if look_like_data(found.names, found.rows):
        some = ", ".join(map(repr, found.names[:4])) + ", …" * (len(found.names) > 4)
        said.append(f"the names of the columns look like data: {some}; the first line of a table must have its names")
    return said


def look_like_data(names, rows):
    """Return whether the names look like the numbers below them and are not consecutive, like 0, 1, 2 or 2019, 2020."""
    number = numerals.matcher(numerals.NumberFormat())
    places = [k for k, name in enumerate(names) if number(name)]
    found = [float(names[k]) for k in places]
    if not found or (all(after - before == 1 for before, after in itertools.pairwise(found)) and len(found) > 1):
        return False
    below = [[float(row[k]) for row in rows if k < len(row) and number(row[k])] for k in places]
    return all(column and min(column) <= name <= max(column) for name, column in zip(found, below, strict=True))
