"""The rows of a log, told by what they hold: a spreadsheet or an editor may have saved the file again in between."""

import codecs
import csv
import io
import math
from dataclasses import dataclass, field

ROUNDED = 1e-6  # programs that save a table again keep six digits or more


class NotOurs(ValueError):
    """The file is not the log that it is expected to be; the message says why."""


@dataclass
class Log:
    """A table with a header as a file holds it: names, rows of cells, and how they are written."""

    header: list
    rows: list = field(default_factory=list)
    separator: str = ","
    newline: str = "\n"
    mark: bytes = b""  # of the byte order, which spreadsheets put first
    ended: bool = True  # whether the last line has an end

    @classmethod
    def read(cls, data, separator):
        """The Log in the bytes of a file; NotOurs if there is no table in them, None if there is nothing."""
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            text = data[len(mark):].decode()
            lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if any(row)]
        except (UnicodeDecodeError, csv.Error) as error:
            raise NotOurs(f"it cannot be read as a table ({error})") from None
        if not lines:
            return None
        newline = next((each for each in ("\r\n", "\n", "\r") if each in text), "\n")
        return cls(lines[0], lines[1:], separator, newline, mark, text.endswith(("\n", "\r")))

    def line(self, cells):
        """A row as the bytes of a line."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator=self.newline).writerow(cells)
        return text.getvalue().encode()

    def to_bytes(self):
        return self.mark + b"".join(map(self.line, [self.header, *self.rows]))

    def named(self, values):
        """The cells of a row: values by name, nothing for the columns that they do not name."""
        return [values.get(name, "") for name in self.header]

    def add_columns(self, names):
        """Put columns that are not there yet behind the others, with nothing in the rows so far."""
        missing = [name for name in names if name not in self.header]
        self.rows = [row + [""] * (len(self.header) + len(missing) - len(row)) if missing else row for row in self.rows]
        self.header = self.header + missing

    def cut_back(self, before, first, epochs, known, *, come_again=True):
        """Leave off the rows of epochs that come again, and write those that are gone.

        before: how many rows of earlier fits come first; None if that is not known. first: the epoch of the first row of
        this fit; epochs: how many epochs are done. known: {epoch: {name: value}} of this fit, as far as it is known.
        come_again: whether there may be rows of later epochs. Raises NotOurs.
        """
        if "epoch" not in self.header or len(set(self.header)) < len(self.header):
            raise NotOurs(f"its columns are {', '.join(self.header)[:200]}")
        most = len(self.rows) - 1 if before is None else before
        begins = range(most, -1, -1) if first < epochs else [most]  # earlier ones where rows of other fits are gone
        begin = next((each for each in begins if each < len(self.rows) and self.is_row(each, first, known)), None)
        if begin is None:
            if self.rows and (before is None or len(self.rows) > before or (len(self.rows) < before and first < epochs)):
                raise NotOurs(f"none of its rows is that of epoch {first} of this fit")
            begin = len(self.rows)
        own = self.rows[begin:]
        if first + len(own) > epochs and not come_again:
            raise NotOurs(f"somebody else has written its row {begin + epochs - first + 1}")
        for number in range(len(own)):
            last = number == len(own) - 1
            if not self.is_row(begin + number, first + number, known if first + number < epochs else {}):
                if last and not self.ended:  # a row that was cut off
                    own = own[:-1]
                    break
                raise NotOurs(f"its row {begin + number + 1} is not that of epoch {first + number} of this fit")
        own = own[:max(epochs - first, 0)]
        gone = range(first + len(own), epochs)
        self.rows = self.rows[:begin] + own + [self.named({"epoch": epoch, **known.get(epoch, {})}) for epoch in gone]
        self.ended = True

    def is_row(self, number, epoch, known):
        """Whether a row is that of an epoch, by the values that are known of it."""
        row, values = self.rows[number], known.get(epoch, {})
        if len(row) != len(self.header):
            return False
        cells = dict(zip(self.header, row, strict=True))
        found = {name: cells[name] for name in values if cells.get(name)}
        return same(cells["epoch"], epoch) and bool(found or not values) and all(
            same(cell, values[name]) for name, cell in found.items())


def same(cell, value):
    """Whether a cell says the value, up to rounding."""
    try:
        number = float(cell)
    except ValueError:
        return False
    return number == value or math.isclose(number, value, rel_tol=ROUNDED) or (math.isnan(number) and math.isnan(value))
