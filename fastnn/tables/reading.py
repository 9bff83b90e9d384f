"""Tables from files and back: CSV, also compressed, and Parquet."""

import io
import sys
from pathlib import Path

from ..checks import path_name, several, shown
from ..whole_file import write_whole
from . import delimited
from .delimited import let_pass_what_is_not_in_the_file

PARQUET = (".parquet", ".pq")
PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip", ".zst": "zstd"}


def pandas():
    """The module pandas, or an error that names the extra to install."""
    try:
        import pandas
    except ImportError:
        raise ImportError('tables need pandas: pip install "fastnn-numba[cli]"') from None
    return pandas


def data_frame(where, table):
    """`table` if it is a DataFrame."""
    if not isinstance(table, pandas().DataFrame):
        raise ValueError(f"{where} is {shown(table)}; it must be a pandas DataFrame, such as read_table gives")
    return table


def read_table(path, *, text=(), separator=None, encoding=None):
    """Read a table, a sample a row, names of columns in the first line.

    Parameters
    ----------
    path : path-like
        A CSV file, also as .gz, .bz2, .xz, .zip or .zst; .tsv with tabs; .parquet or .pq. "-" reads CSV from the standard
        input.
    text : iterable of str
        Columns to read as text even if all they hold are numbers, so that 007 stays what it is.
    separator : str, optional
        What stands between the cells of a CSV file; default what the first line speaks for: comma, semicolon, tab or bar.
        Where it is no comma, numbers may have decimal commas.
    encoding : str, optional
        How letters are encoded, such as "cp1252"; default UTF-8, or UTF-16 where the file begins with its mark.

    Returns
    -------
    pandas.DataFrame
        In columns of text words such as NA, None and null are there as they are written; among numbers they are missing.

    Raises
    ------
    ValueError
        If it is not such a file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp(), "stones.csv")
    >>> _ = path.write_text("carat;cut\\n0,3;Good\\n0,5;Ideal\\n")
    >>> read_table(path)["carat"].tolist()
    [0.3, 0.5]
    """
    pd, name, text = pandas(), path_name("path", path), several("text", text)
    if separator is not None and (not isinstance(separator, str) or not separator):
        raise ValueError(f"separator is {shown(separator)}; it must be what stands between the cells, such as ';'")
    if Path(name).suffix.lower() in PARQUET:
        table = read_parquet(pd, name)
    else:
        table = delimited.read(pd, name, text=text, separator=separator, encoding=encoding)
    table.columns = [str(column).strip() for column in table.columns]
    return table


def read_parquet(pd, name):
    try:
        table = pd.read_parquet(name)
        for column in table.select_dtypes(exclude=["number", "bool"]):
            table[column].tolist()  # text that is not UTF-8 is else found by whoever looks at it first
        return table
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install pyarrow; or give CSV") from None
    except Exception as error:
        let_pass_what_is_not_in_the_file(error)
        raise ValueError(f"cannot read {name} as Parquet: {error or type(error).__name__}") from None


def write_table(table, path):
    """Write a DataFrame to a CSV or Parquet file, by the ending of its name; "-" is the standard output, as CSV.

    A file is written whole or not at all.
    """
    table, name = data_frame("table", table), path_name("path", path)
    if name == "-":
        table.to_csv(sys.stdout, index=False)
        return
    content = io.BytesIO()
    if Path(name).suffix.lower() in PARQUET:
        try:
            table.to_parquet(content, index=False)
        except ImportError:
            raise ImportError("Parquet files need pyarrow: pip install pyarrow; or write CSV") from None
    else:
        table.to_csv(content, index=False, compression=PACKED.get(Path(name).suffix.lower()))
    write_whole(name, [content.getbuffer()], durable=False)
