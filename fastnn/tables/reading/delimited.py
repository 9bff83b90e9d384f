"""Reading text files of tables: the encoding, the beginning of the table, and rows with more cells than names.

The default encoding is UTF-8, or UTF-16 if the file begins with its byte order mark.
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
WIDE = re.compile(r"utf[-_]?(16|32)", re.IGNORECASE)  # encodings in which a line break is more than one byte
ENCODING = ('say how its letters are encoded (--encoding, or encoding="…"): --encoding cp1252 suits most older files of '
            "Western Europe and America")
LINES, CHARACTERS = 200, 2**20  # size of the beginning of the file that determines the layout


def read(pd, name, told, *, separator=None, encoding=None, skip=None):
    """Return (table, rows): a DataFrame from a text file, perhaps compressed, and its `Rows`, which return cells as text.

    `attrs["format_note"]` describes what is unusual about the file, `attrs[READING]` how it was read.
    pd: the module pandas. told: a `Told`. Raises ValueError if the file is not a table.
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
            raise  # the message is already complete
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
    """Raise errors of the system or the environment again; others concern the content, with types of many packages.

    For some invalid files an OSError is raised too: one without a number, or for an invalid position (EINVAL).
    """
    system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
    if system or isinstance(error, (ImportError, FileNotFoundError, PermissionError)):
        raise error


def standard_input():
    """Return a function that opens the bytes of the standard input, any number of times."""
    content = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    return lambda: io.BytesIO(content)


def first_lines(pd, source, encoding):
    """Return the first lines, whether there are more, and the encoding: as given, or from the byte order mark."""
    raw = text_lines(pd, source(), "latin-1", nrows=LINES)  # Latin-1 decodes any byte
    first = raw[0] if raw else ""
    encoding = encoding or next((encoding for mark, encoding in MARKS.items() if first.startswith(mark)), "utf-8")
    if WIDE.match(encoding):  # the lines were split at bytes, not at characters
        lines = text_lines(pd, source(), encoding, nrows=LINES)
    else:
        lines = [line.encode("latin-1").decode(encoding, "replace") for line in raw]
    lines[:1] = [line.removeprefix("\ufeff") for line in lines[:1]]
    count = len(lines)
    while len(lines) > 2 and sum(map(len, lines)) > CHARACTERS:
        del lines[(len(lines) + 1) // 2:]
    return lines, count >= LINES or len(lines) < count, encoding


def check_names(found):
    """Refuse duplicate names of columns, which would be ambiguous."""
    names = [name.strip() for name in found.names]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        no_names = ", unless these are no names: a table has the names of its columns in the first line"
        raise ValueError(f"two columns are named {twice!r}; rename one{no_names * layout.look_like_data(names, found.rows)}")


def restore_whole_numbers(pd, table, raw, text):
    """Restore whole numbers beyond 2⁵³ that were rounded in a column with empty cells."""
    rounded = [name for name, series in table.items()
               if name not in text and series.dtype == np.float64 and is_rounded(series.dropna().to_numpy())]
    for name, series in (raw(rounded).items() if rounded else ()):
        found = as_written(pd, series)
        if found is not None:
            table[name] = found


def cause(error):
    """Return the cause of an error, in clearer words if possible."""
    text = str(error).strip() or type(error).__name__
    if "EOF inside string" in text:
        return "a quotation mark is opened and not closed again"
    if "No columns to parse" in text:
        return "it is empty"
    return text.removeprefix("Error tokenizing data. C error: ")


def name_of(encoding):
    """Return the name of an encoding for users; UTF-8 with a byte order mark is UTF-8."""
    return "UTF-8" if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else encoding.upper()
