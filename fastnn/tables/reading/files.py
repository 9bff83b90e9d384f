"""Reading and writing tables in files: CSV, also compressed, and files whose cells have types, such as Parquet."""

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...checks import an_instance, path_name, several, shown, whole_number
from ...formats.atomic_file import write_whole
from ..columns.frames import pandas
from ..columns.names import text_name
from ..streaming.parquet import pyarrow
from ..streaming.writing import chunks
from . import delimited, typed_files
from .known_formats import Told
from .numerals import DECIMALS, THOUSANDS


def data_frame(where, table):
    """Return `table` if it is a DataFrame, else raise ValueError."""
    if not isinstance(table, pandas().DataFrame):
        raise ValueError(f"{where} is {shown(table)}; it must be a pandas DataFrame, such as read_table gives")
    return table


def read_table(path, *, text=(), separator=None, encoding=None, decimal=None, thousands=None, skip=None, missing_values=(),
               spelling=(), like=None):
    """Read a table with one sample in each row and the names of the columns in the first line.

    Parameters
    ----------
    path : path-like
        A CSV file, optionally compressed (.gz, .bz2, .xz, .zip, .zst); .tsv with tabs; or Parquet (.parquet, .pq), Feather
        (.feather, .arrow), JSON (.json, a list of objects), JSON Lines (.jsonl, .ndjson), or the first sheet of an Excel
        file (.xlsx, .xlsm). "-" reads CSV from the standard input. The other parameters are for CSV.
    text : iterable of str
        Columns to read as text even if they contain only numbers, so that 007 is kept.
    separator : str, optional
        The separator of the cells. Default: the comma, semicolon, tab or bar that gives the rows as many cells as there are
        names.
    encoding : str, optional
        The encoding, such as "cp1252"; default UTF-8, or UTF-16 if the file begins with its byte order mark.
    decimal, thousands : str or dict, optional
        The decimal separator, "." or ",", and the thousands separator: ",", ".", " " or "'". A dict specifies them by
        column. Default: determined for each column from all its rows, by numbers with a single reading, such as 1.234,5, or
        by the other columns.
    skip : int, optional
        The number of lines above the names of the columns. Default: comments, which begin with # or //, titles and a line
        such as ``sep=;`` are skipped.
    missing_values : iterable of str
        Missing numbers in addition to empty cells, such as "-".
    spelling : iterable of str
        Columns whose cells are also kept as written, such as TRUE or 007. ``fastnn predict`` writes the classes of a target
        in this way.
    like : TableModel, optional
        Read the number columns in the formats of this model's training file.

    Returns
    -------
    pandas.DataFrame
        Columns of text contain words such as NA, None and null as they are written; in columns of numbers they are missing.

    Raises
    ------
    ValueError
        If it is not such a file, or if a column of numbers has two readings, as 1,234 has. The error names the options that
        choose one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp(), "stones.csv")
    >>> _ = path.write_text("carat;price\\n0,3;1.200,50\\n0,5;900\\n")
    >>> read_table(path).to_dict("list")
    {'carat': [0.3, 0.5], 'price': [1200.5, 900.0]}
    """
    return read_with_rows(path, text=text, separator=separator, encoding=encoding, decimal=decimal, thousands=thousands,
                          skip=skip, missing_values=missing_values, spelling=spelling, like=like)[0]


def read_with_rows(path, *, text=(), separator=None, encoding=None, decimal=None, thousands=None, skip=None,
                   missing_values=(), spelling=(), like=None):
    """Return (table, rows): the result of `read_table`, and the `Rows` of a text file; None for other files."""
    from ..model import TableModel  # imported here because that module imports this package

    pd, name, text = pandas(), path_name("path", path), several("text", text)
    if separator is not None and (not isinstance(separator, str) or not separator):
        raise ValueError(f"separator is {shown(separator)}; it must be what stands between the cells, such as ';'")
    told = Told(marks_by_column("decimal", decimal, DECIMALS), marks_by_column("thousands", thousands, THOUSANDS[1:]),
                text={*map(text_name, text)}, missing_values=several("missing_values", missing_values),
                spelling={*map(text_name, several("spelling", spelling))})
    skip = None if skip is None else whole_number("skip", skip, least=0)
    if like is not None:
        told.follow(an_instance("like", like, TableModel))
    if kind := typed_files.kind_of(name):
        table, rows = typed_files.read(pd, name, kind), None
    else:
        table, rows = delimited.read(pd, name, told, separator=separator, encoding=encoding, skip=skip)
    table.columns = [str(column).strip() for column in table.columns]
    return table, rows


def marks_by_column(where, value, allowed):
    """Return a separator, or separators by column, as a dict; None stands for all other columns."""
    by_column = dict(value) if isinstance(value, Mapping) else {} if value is None else {None: value}
    for mark in by_column.values():
        if not isinstance(mark, str) or mark not in allowed or not mark:
            raise ValueError(f"{where} is {shown(value)}; it must be {' or '.join(map(repr, allowed))}, or a dict of them "
                             "by column")
    return by_column


def write_table(table, path):
    """Write a DataFrame to a file of a kind that `read_table` reads, by its suffix; "-" is the standard output, as CSV.

    table: also a polars or Arrow table, or an iterator of DataFrames with the same columns, such as that of
    `TableModel.predict_parts`: they are written one after another, each as soon as it is there.

    Files are written atomically.
    """
    if isinstance(table, Iterator):
        write_parts(table, path_name("path", path))
        return
    if hasattr(table, "__arrow_c_stream__") and not isinstance(table, pandas().DataFrame):
        table = from_arrow(table)
    table, name = data_frame("table", table), path_name("path", path)
    if name == "-":
        table.to_csv(sys.stdout, index=False)
        return
    table = table.copy(deep=False)
    table.attrs = typed_files.without_reading(table)
    content = io.BytesIO()
    if kind := typed_files.kind_to_write(name):
        typed_files.write(table, content, kind)
    else:
        packed = typed_files.PACKED.get(Path(name).suffix.lower())
        table.to_csv(content, index=False, sep=written_separator(name), compression=packed)
    write_whole(name, [content.getbuffer()], durable=False)


def from_arrow(table):
    """Return a polars or Arrow table as a DataFrame of NumPy's types, where whole numbers beside missing ones stay whole."""
    arrow, _ = pyarrow()
    table = arrow.table(table)
    for place, field in enumerate(table.schema):
        kind = field.type.value_type if arrow.types.is_dictionary(field.type) else field.type
        if arrow.types.is_string_view(kind):  # of which pandas knows nothing
            table = table.set_column(place, field.name, table.column(place).cast(arrow.string()))
    return table.to_pandas(integer_object_nulls=True)


def written_separator(name):
    """Return what separates the cells in a file of this name."""
    return "\t" if ".tsv" in name.lower() else ","


def write_parts(frames, name):
    """Write data frames to a file, one after another."""
    if name == "-":
        for k, frame in enumerate(frames):
            frame.to_csv(sys.stdout, index=False, header=k == 0)
        return
    kind = typed_files.kind_to_write(name)
    try:
        write_whole(name, chunks(frames, name, kind and kind.name, written_separator(name)), durable=False)
    finally:
        if hasattr(frames, "close"):
            frames.close()
