"""Tables from files and back: CSV, also compressed, and Parquet."""

import errno
import sys
from pathlib import Path

from ..checks import path_name, several, shown

PARQUET = (".parquet", ".pq")


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


def read_table(path, *, text=(), separator=None):
    """Read a table, a sample a row, names of columns in the first line.

    Parameters
    ----------
    path : path-like
        A CSV file, also as .gz, .bz2, .xz, .zip or .zst; .tsv with tabs; .parquet or .pq. "-" reads CSV from the standard
        input.
    text : iterable of str
        Columns to read as text even if all they hold are numbers, so that 007 stays what it is.
    separator : str, optional
        What stands between the cells of a CSV file; default a comma, a tab in .tsv.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ValueError
        If it is not such a file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp(), "stones.csv")
    >>> _ = path.write_text("carat,cut\\n0.3,Good\\n0.5,Ideal\\n")
    >>> read_table(path)["carat"].tolist()
    [0.3, 0.5]
    """
    pd, name, text = pandas(), path_name("path", path), several("text", text)
    if separator is not None and (not isinstance(separator, str) or not separator):
        raise ValueError(f"separator is {shown(separator)}; it must be what stands between the cells, such as ';'")
    if Path(name).suffix.lower() in PARQUET:
        table = read_parquet(pd, name)
    else:
        separator = separator or ("\t" if ".tsv" in Path(name).suffixes else ",")
        try:
            table = pd.read_csv(sys.stdin if name == "-" else name, sep=separator, low_memory=False,
                                dtype=dict.fromkeys(text, str))
        except Exception as error:
            let_pass_what_is_not_in_the_file(error)
            raise ValueError(f"cannot read {name} as a table: {error or type(error).__name__}; give CSV in UTF-8 with names "
                             "of columns in the first line, or Parquet") from None
    table.columns = [str(column) for column in table.columns]
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


def let_pass_what_is_not_in_the_file(error):
    """Raise again what the system or the environment says; the rest is in the file, and has types of many packages.

    Where a file lies about itself some raise an OSError too: one without a number, or of a place that no file has (EINVAL).
    """
    system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
    if system or isinstance(error, (ImportError, FileNotFoundError, PermissionError)):
        raise error


def write_table(table, path):
    """Write a DataFrame to a CSV or Parquet file, by the ending of its name; "-" is the standard output, as CSV."""
    table, name = data_frame("table", table), path_name("path", path)
    if Path(name).suffix.lower() not in PARQUET:
        table.to_csv(sys.stdout if name == "-" else name, index=False)
        return
    try:
        table.to_parquet(name, index=False)
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install pyarrow; or write CSV") from None
