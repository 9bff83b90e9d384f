"""Text files of tables, as they come: what stands between the cells, how letters are encoded, which mark is the decimal one.

What nobody says is found out from the file. The encoding: UTF-8, or UTF-16 where the file begins with its mark. The
separator: of comma, semicolon and tab the commonest in the first line, outside quotation marks; a bar where none of them is.
Decimal commas: where the separator is no comma, and most cells of some column are numbers with one.
"""

import csv
import errno
import io
import re
import sys
import warnings

from .missing_words import with_words

SEPARATORS = ",;\t"
MARKS = {"\xff\xfe": "utf-16", "\xfe\xff": "utf-16", "\xef\xbb\xbf": "utf-8-sig"}  # the first bytes, as Latin-1
NOT_IN_TEXT = "\x1e"  # the control character "record separator": with it between cells, a line is one cell
COMMA_NUMBER = r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*"
ENCODING = ('say how its letters are encoded (--encoding, or encoding="…"): --encoding cp1252 suits most older files of '
            "Western Europe and America")


def read(pd, name, *, text=(), separator=None, encoding=None):
    """A DataFrame from a file of text, perhaps compressed; `attrs["dress"]` says what is unusual about it.

    pd: the module pandas. text: columns to read as text whatever they hold. ValueError if it is no table.
    """
    if separator is not None and len(separator) != 1:
        raise ValueError(f"separator is {separator!r}; it must be one character, such as ';', or \"tab\"")
    shown = "the standard input" if name == "-" else name
    source = standard_input() if name == "-" else lambda: name
    try:
        line, found = first_line(pd, source())
        encoding = encoding or found
        if encoding.startswith("utf-16"):  # the parser met bytes there, not letters
            line = pd.read_csv(source(), encoding=encoding, **AS_LINES).iloc[0, 0]
        separator = separator or separator_of(name, line)
        check_names(line, separator)
        options = {"sep": separator, "encoding": encoding, "low_memory": False, "dtype": dict.fromkeys(text, str),
                   "skipinitialspace": separator != " "}
        table = read_csv(pd, source(), **options)
        decimal = "," if separator != "," and has_decimal_commas(pd, table) else "."
        if decimal == ",":
            table = read_csv(pd, source(), decimal=decimal, **options)
        as_text = options | {"dtype": str, "keep_default_na": False, "na_values": [""]}
        table = with_words(pd, table, lambda names: read_csv(pd, source(), usecols=names, **as_text))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise ValueError(f"cannot read {shown} as a table: it is not written in {name_of(encoding)} (byte 0x{byte:02x}); "
                         f"{ENCODING}") from None
    except LookupError as error:
        raise ValueError(f"cannot read {shown} as a table: {error}; {ENCODING}") from None
    except Exception as error:
        let_pass_what_is_not_in_the_file(error)
        if type(error) is ValueError:
            raise  # it says by itself what is to be done
        raise ValueError(f"cannot read {shown} as a table: {cause(error)}; give CSV with names of columns in the first "
                         "line, or Parquet") from None
    dress = [f"cells apart by {'tabs' if separator == chr(9) else repr(separator)}"] * (separator != ",")
    dress += ["decimal commas"] * (decimal == ",") + [encoding.upper()] * (name_of(encoding) != "UTF-8")
    table.attrs["dress"] = ", ".join(dress)
    return table


def let_pass_what_is_not_in_the_file(error):
    """Raise again what the system or the environment says; the rest is in the file, and has types of many packages.

    Where a file lies about itself some raise an OSError too: one without a number, or of a place that no file has (EINVAL).
    """
    system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
    if system or isinstance(error, (ImportError, FileNotFoundError, PermissionError)):
        raise error


AS_LINES = {"header": None, "nrows": 1, "sep": NOT_IN_TEXT, "quoting": csv.QUOTE_NONE, "dtype": str,
            "keep_default_na": False}


def standard_input():
    """A function that opens the bytes of the standard input, as often as it is called."""
    content = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    return lambda: io.BytesIO(content)


def first_line(pd, source):
    """The first line that is not blank, and the encoding that the file's first bytes speak for."""
    raw = pd.read_csv(source, encoding="latin-1", **AS_LINES).iloc[0, 0]  # Latin-1 takes any byte
    encoding = next((encoding for mark, encoding in MARKS.items() if raw.startswith(mark)), "utf-8")
    return raw.encode("latin-1").decode("utf-8-sig", "replace"), encoding


def separator_of(name, line):
    """What stands between the cells of a file, by its name and its first line."""
    if ".tsv" in name.lower():
        return "\t"
    outside = re.sub(r'"[^"]*"', "", line)
    best = max(SEPARATORS, key=outside.count)
    return best if best in outside else "|" if "|" in outside else ","


def check_names(line, separator):
    """Refuse two columns of one name: it would not be known which is meant."""
    names = [name.strip() for name in next(csv.reader([line], delimiter=separator, skipinitialspace=True), ())]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two columns are named {twice!r}; rename one")


def has_decimal_commas(pd, table):
    """Whether most cells of some column are numbers with a comma."""
    texts = (column.dropna().astype(str) for _, column in table.items() if not pd.api.types.is_numeric_dtype(column))
    return any(len(text) and text.str.fullmatch(COMMA_NUMBER).mean() > 0.5 for text in texts)


def read_csv(pd, source, **options):
    """A DataFrame. Separators at the ends of the rows are let be; ParserError where a row has a cell without a name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Length of header", category=pd.errors.ParserWarning)
        try:
            return pd.read_csv(source, index_col=False, **options)
        except pd.errors.ParserWarning:
            raise pd.errors.ParserError("its rows have more cells than the first line has names") from None


def cause(error):
    """What is wrong, in words of ours where they are clearer."""
    text = str(error).strip() or type(error).__name__
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", text):
        return "line {1} has {2} cells, and the first line {0}".format(*found.groups())
    if "EOF inside string" in text:
        return "a quotation mark is opened and not closed again"
    if "No columns to parse" in text:
        return "it is empty"
    return text.removeprefix("Error tokenizing data. C error: ")


def name_of(encoding):
    """UTF-8 with a mark is UTF-8."""
    return "UTF-8" if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else encoding.upper()
