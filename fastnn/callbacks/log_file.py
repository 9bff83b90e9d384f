"""The rows of a log, recognized by their values: a spreadsheet or an editor may have saved the file again in between.

Epochs are counted from 0 in the program, and from 1 in a file; in the files of earlier versions, from 0.
"""

import codecs
import csv
import io
import math
from dataclasses import dataclass, field

ROUNDED = 1e-6  # relative tolerance: programs that save a table again keep at least six digits


class NotThisLog(ValueError):
    """Raised if the file is not the expected log; the message gives the reason."""


@dataclass
class Log:
    """A table with a header: names, rows of cells, and the format of the file."""

    header: list
    rows: list = field(default_factory=list)
    separator: str = ","
    newline: str = "\n"
    mark: bytes = b""  # byte order mark, which spreadsheets write
    ended: bool = True  # whether the last line ends with a newline
    one: int = 1  # the number of the first epoch

    @classmethod
    def read(cls, data, separator, one=1):
        """Return the Log in the bytes of a file, or None if it is empty; raise NotThisLog if it is not a table."""
        mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            text = data[len(mark):].decode()
            lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if any(row)]
        except (UnicodeDecodeError, csv.Error) as error:
            raise NotThisLog(f"it cannot be read as a table ({error})") from None
        if not lines:
            return None
        newline = next((each for each in ("\r\n", "\n", "\r") if each in text), "\n")
        return cls(lines[0], lines[1:], separator, newline, mark, text.endswith(("\n", "\r")), one)

    def line(self, cells):
        """Return a row as the bytes of a line."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator=self.newline).writerow(cells)
        return text.getvalue().encode()

    def to_bytes(self):
        return self.mark + b"".join(map(self.line, [self.header, *self.rows]))

    def row(self, epoch, values):
        """Return the cells of an epoch from values by name; columns without a value are empty."""
        return [{"epoch": epoch + self.one, **values}.get(name, "") for name in self.header]

    def add_columns(self, names):
        """Add missing columns after the others, empty in the existing rows."""
        missing = [name for name in names if name not in self.header]
        self.rows = [row + [""] * (len(self.header) + len(missing) - len(row)) if missing else row for row in self.rows]
        self.header = self.header + missing

    def update_rows(self, before, first, epochs, known, *, repeated=True):
        """Drop the rows of epochs that are repeated, and add missing rows.

        before: number of rows of earlier fits, None if unknown. first: epoch of the first row of this fit. epochs: number of
        epochs done. known: {epoch: {name: value}} of this fit, as far as known. repeated: whether there may be rows of
        later epochs. Raises NotThisLog.
        """
        if "epoch" not in self.header or len(set(self.header)) < len(self.header):
            raise NotThisLog(f"its columns are {', '.join(self.header)[:200]}")
        most = len(self.rows) - 1 if before is None else before
        begins = range(most, -1, -1) if first < epochs else [most]  # smaller numbers if rows of other fits are missing
        begin = next((each for each in begins if each < len(self.rows) and self.is_row(each, first, known)), None)
        if begin is None:
            if self.rows and (before is None or len(self.rows) > before or (len(self.rows) < before and first < epochs)):
                raise NotThisLog(f"none of its rows is that of epoch {first + self.one} of this fit")
            begin = len(self.rows)
        own = self.rows[begin:]
        if first + len(own) > epochs and not repeated:
            raise NotThisLog(f"its row {begin + epochs - first + 1} is not from this fit")
        for number in range(len(own)):
            last = number == len(own) - 1
            if not self.is_row(begin + number, first + number, known if first + number < epochs else {}):
                if last and not self.ended:  # an incomplete row
                    own = own[:-1]
                    break
                raise NotThisLog(f"its row {begin + number + 1} is not that of epoch "
                                 f"{first + number + self.one} of this fit")
        own = own[:max(epochs - first, 0)]
        gone = range(first + len(own), epochs)
        self.rows = self.rows[:begin] + own + [self.row(epoch, known.get(epoch, {})) for epoch in gone]
        self.ended = True

    def is_row(self, number, epoch, known):
        """Return whether a row is that of an epoch, judged by its known values."""
        row, values = self.rows[number], known.get(epoch, {})
        if len(row) != len(self.header):
            return False
        cells = dict(zip(self.header, row, strict=True))
        found = {name: cells[name] for name in values if cells.get(name)}
        return same(cells["epoch"], epoch + self.one) and bool(found or not values) and all(
            same(cell, values[name]) for name, cell in found.items())


def same(cell, value):
    """Return whether a cell equals the value up to rounding."""
    try:
        number = float(cell)
    except ValueError:
        return False
    return number == value or math.isclose(number, value, rel_tol=ROUNDED) or (math.isnan(number) and math.isnan(value))
