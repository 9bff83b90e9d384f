"""Tables from files and back: CSV, also compressed, and Parquet."""

import sys
from pathlib import Path

from ..checks import path_name, shown

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
    pd, name = pandas(), path_name("path", path)
    if Path(name).suffix.lower() in PARQUET:
        table = read_parquet(pd, name)
    else:
        separator = separator or ("\t" if ".tsv" in Path(name).suffixes else ",")
        try:
            table = pd.read_csv(sys.stdin if name == "-" else name, sep=separator, low_memory=False,
                                dtype=dict.fromkeys(text, str))
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot read {name} as a table: {error}; give CSV in UTF-8 with names of columns in the "
                             "first line, or Parquet") from None
    table.columns = [str(column) for column in table.columns]
    return table


def read_parquet(pd, name):
    try:
        return pd.read_parquet(name)
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install pyarrow; or give CSV") from None
    except OSError:
        raise
    except Exception as error:  # pyarrow's own errors, whose types cannot be named where it is absent
        raise ValueError(f"cannot read {name} as Parquet: {error}") from None


def write_table(table, path):
    """Write a DataFrame to a CSV or Parquet file, by the ending of its name; "-" is the standard output, as CSV."""
    name = path_name("path", path)
    if Path(name).suffix.lower() not in PARQUET:
        table.to_csv(sys.stdout if name == "-" else name, index=False)
        return
    try:
        table.to_parquet(name, index=False)
    except ImportError:
        raise ImportError("Parquet files need pyarrow: pip install pyarrow; or write CSV") from None
