"""Text files of tables, as they come: how letters are encoded, where the table begins, and rows of more cells than names.

The encoding is UTF-8, or UTF-16 where the file begins with its mark, unless it is told.
"""

import errno
import io
import re
import sys

import numpy as np

from ..columns.missing_words import with_words
from ..columns.names import check_there
from . import layout
from .column_formats import Deciding
from .delimited_rows import Rows, text_lines
from .float_columns import as_written, is_rounded
from .known_formats import READING
from .spelling import spelling_of

MARKS = {"\xff\xfe": "utf-16", "\xfe\xff": "utf-16", "\xef\xbb\xbf": "utf-8-sig"}  # the first bytes, as Latin-1
WIDE = re.compile(r"utf[-_]?(16|32)", re.IGNORECASE)  # encodings whose lines are no lines of bytes
ENCODING = ('say how its letters are encoded (--encoding, or encoding="…"): --encoding cp1252 suits most older files of '
            "Western Europe and America")
LINES, CHARACTERS = 200, 2**20  # that the layout is found from


def read(pd, name, told, *, separator=None, encoding=None, skip=None):
    """(table, rows): a DataFrame from a file of text, perhaps compressed, and its `Rows`, which give the cells as text.

    `attrs["format_note"]` says what is unusual about it, `attrs[READING]` how it was read.
    pd: the module pandas. told: a `Told`. ValueError if it is no table.
    """
    if separator is not None and len(separator) != 1:
        raise ValueError(f"separator is {separator!r}; it must be one character, such as ';', or \"tab\"")
    shown = "the standard input" if name == "-" else name
    source = standard_input() if name == "-" else lambda: name
    try:
        lines, cut, encoding = first_lines(pd, source, encoding)
        tabs = "\t" if ".tsv" in name.lower() else None
        found = layout.find(lines, separator=separator or tabs, skip=skip, cut=cut)
        check_names(found)
        rows = Rows(pd, source, found, lines, encoding)
        table = rows.read(dtype=dict.fromkeys([each for each in found.names if each.strip() in told.text], str))
        for each in {*told.decimal, *told.thousands} - {None}:
            check_there(each, list(table.columns))
        deciding = Deciding(pd, table, rows.raw, told, found.separator)
        restore_whole_numbers(pd, table, rows.raw, told.text)
        table = with_words(pd, table, lambda names: rows.raw(names, keep_default_na=False, na_values=[""]))
        spelling = {name: spelling_of(table[name], lambda name=name: rows.raw([name])[name])
                    for name in told.spelling if name in table}
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(f"cannot read {shown} as a table: it is not written in {name_of(encoding)} (byte 0x{byte:02x}); "
                         f"{ENCODING}") from None
    except Exception as error:
        let_pass_what_is_not_in_the_file(error)
        if type(error) is ValueError:
            raise  # it says by itself what is to be done
        if type(error) is LookupError:
            raise ValueError(f"cannot read {shown} as a table: {error}; {ENCODING}") from None
        raise ValueError(f"cannot read {shown} as a table: {cause(error)}; give CSV with names of columns in the first "
                         "line, or Parquet") from None
    between = {"\t": "tabs", layout.BLANKS: "blanks"}.get(found.separator, repr(found.separator))
    format_note = [f"cells apart by {between}"] * (found.separator != "," and not found.is_one_column)
    format_note += [str(deciding)] * bool(str(deciding)) + [encoding.upper()] * (name_of(encoding) != "UTF-8")
    table.attrs["format_note"] = ", ".join(format_note)
    table.attrs[READING] = deciding.as_data(found.notes) | {"spelling": spelling}
    return table, rows


def let_pass_what_is_not_in_the_file(error):
    """Raise again what the system or the environment says; the rest is in the file, and has types of many packages.

    Where a file lies about itself some raise an OSError too: one without a number, or of a place that no file has (EINVAL).
    """
    system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
    if system or isinstance(error, (ImportError, FileNotFoundError, PermissionError)):
        raise error


def standard_input():
    """A function that opens the bytes of the standard input, as often as it is called."""
    content = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    return lambda: io.BytesIO(content)


def first_lines(pd, source, encoding):
    """The first lines, whether there are more, and the encoding: as it is told, or as the file's first bytes have it."""
    raw = text_lines(pd, source(), "latin-1", nrows=LINES)  # Latin-1 takes any byte
    first = raw[0] if raw else ""
    encoding = encoding or next((encoding for mark, encoding in MARKS.items() if first.startswith(mark)), "utf-8")
    if WIDE.match(encoding):  # the parser met bytes there, not letters
        lines = text_lines(pd, source(), encoding, nrows=LINES)
    else:
        lines = [line.encode("latin-1").decode(encoding, "replace") for line in raw]
    lines[:1] = [line.removeprefix("\ufeff") for line in lines[:1]]
    count = len(lines)
    while len(lines) > 2 and sum(map(len, lines)) > CHARACTERS:
        del lines[(len(lines) + 1) // 2:]
    return lines, count >= LINES or len(lines) < count, encoding


def check_names(found):
    """Refuse two columns of one name: it would not be known which is meant."""
    names = [name.strip() for name in found.names]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        no_names = ", unless these are no names: a table has the names of its columns in the first line"
        raise ValueError(f"two columns are named {twice!r}; rename one{no_names * layout.look_like_data(names, found.rows)}")


def restore_whole_numbers(pd, table, raw, text):
    """Give whole numbers beyond 2⁵³ back that a column with empty cells has lost."""
    rounded = [name for name, series in table.items()
               if name not in text and series.dtype == np.float64 and is_rounded(series.dropna().to_numpy())]
    for name, series in (raw(rounded).items() if rounded else ()):
        found = as_written(pd, series)
        if found is not None:
            table[name] = found


def cause(error):
    """What is wrong, in words of ours where they are clearer."""
    text = str(error).strip() or type(error).__name__
    if "EOF inside string" in text:
        return "a quotation mark is opened and not closed again"
    if "No columns to parse" in text:
        return "it is empty"
    return text.removeprefix("Error tokenizing data. C error: ")


def name_of(encoding):
    """UTF-8 with a mark is UTF-8."""
    return "UTF-8" if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else encoding.upper()
