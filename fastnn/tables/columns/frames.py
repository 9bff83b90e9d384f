"""Conversion of data frames to pandas DataFrames with columns of plain types and text names.

    names                       text without blanks around it, as in a CSV file; duplicate names are refused
    numbers                     int64, uint64, float32, float64 and others; NaN is missing
    True and False              bool; objects True, False and None if some are missing
    whole numbers beyond 2**53  objects, int and None, if some are missing, because float64 would merge them
    dates and durations         datetime64 and timedelta64, or objects of Python's types
    text and anything else      objects; None is missing

All other modules see only these types. So pandas' extension types, Arrow, Sparse or categorical columns, and the library of
the data frame do not change the result.
"""

import decimal
import numbers
import os

import numpy as np

from ...checks import shown
from .names import text_name

EXACT = 2**53  # float64 represents every whole number up to here
DIGITS = 2**64  # a larger Decimal becomes a float64, because it may have a million digits


def pandas():
    """Return the module pandas, or raise an error that names the extra to install."""
    try:
        import pandas
    except ImportError:
        raise ImportError('tables need pandas: pip install "fastnn-numba[cli]"') from None
    return pandas


def normalized(where, table, only=None, untouched=()):
    """Return a pandas DataFrame of plain columns; `table` itself if it is one already.

    where: the name of the argument, for errors. only: the names of the columns to convert; the result has no others, and
    missing ones are no error. untouched: names of columns that keep their type, such as a target, whose labels are predicted
    in their type. Raises ValueError if it is not a table, or if a name is duplicate.
    """
    table = as_pandas(where, table)
    names = [text_name(name) for name in table.columns]
    places = [k for k, name in enumerate(names) if only is None or name in only]
    chosen = [names[k] for k in places]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"two columns are named {next(name for name in chosen if chosen.count(name) > 1)!r}; rename one")
    columns = [table.iloc[:, k] for k in places]
    plain = [column if name in untouched else normalized_column(column)
             for name, column in zip(chosen, columns, strict=True)]
    if len(chosen) == len(names) and all(new is old for new, old in zip(plain, columns, strict=True)) and all(
            type(old) is str and old == new for old, new in zip(table.columns, names, strict=True)):
        return table
    found = pandas().DataFrame(dict(zip(chosen, plain, strict=True)), index=table.index, copy=False)
    found.attrs = table.attrs
    return found


def as_pandas(where, table):
    """Return a table as a pandas DataFrame, through its Arrow interface if it is a polars or pyarrow table."""
    pd = pandas()
    if isinstance(table, pd.DataFrame):
        return table
    if not isinstance(table, type) and hasattr(table, "__arrow_c_stream__"):
        try:
            import pyarrow
        except ImportError:
            raise ImportError(f"{where} is a {type(table).__name__}, which is read by pyarrow: pip install pyarrow; or give "
                              "a pandas DataFrame") from None
        try:
            return pyarrow.table(table).to_pandas(types_mapper=pd.ArrowDtype)
        except (TypeError, ValueError, pyarrow.ArrowException):
            pass  # for example, a single column
    if isinstance(table, (str, os.PathLike)):
        raise ValueError(f"{where} is {shown(table)}, a path; give its table: fastnn.tables.read_table({str(table)!r})")
    raise ValueError(f"{where} is {shown(table)}; it must be a pandas DataFrame, such as read_table gives, or another table "
                     "with an Arrow interface, such as a polars DataFrame")


def categorical_names(table):
    """Return the names of the columns of a DataFrame with a categorical type, even if the categories are numbers."""
    return [text_name(name) for name, dtype in zip(table.columns, table.dtypes, strict=True)
            if isinstance(dtype, pandas().CategoricalDtype) or str(dtype).startswith("dictionary<")]


def normalized_column(series):
    """Return a series of a plain type; `series` itself if it has one already."""
    pd, dtype = pandas(), series.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return from_objects(series, series.to_numpy())
        if dtype.kind == "f" and dtype.itemsize not in (4, 8):
            return series.astype(np.float64)
        return series if dtype.isnative else series.astype(dtype.newbyteorder("="))
    if isinstance(dtype, pd.SparseDtype):
        return normalized_column(series.sparse.to_dense())
    if isinstance(dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert(None)
    if isinstance(dtype, pd.CategoricalDtype):
        categories = np.append(series.cat.categories.astype(object).to_numpy(), None)
        return from_objects(series, categories[series.cat.codes.to_numpy()])
    if isinstance(getattr(dtype, "numpy_dtype", None), np.dtype) and dtype.kind in "biuf":
        if not series.hasnans:
            return normalized_column(series.astype(dtype.numpy_dtype))
        if dtype.kind == "f":
            return like(series, series.to_numpy(np.float64, na_value=np.nan))
    values = np.empty(len(series), object)
    values[:] = series.tolist()
    return from_objects(series, values)


def from_objects(series, values):
    """Return a series of a plain type from an array of objects; `series` itself if it does not change."""
    pd, absent = pandas(), pandas().isna(values)
    present = values[~absent]
    kind = pd.api.types.infer_dtype(present, skipna=False)
    if kind == "empty":
        return like(series, np.full(len(values), np.nan))
    if kind == "mixed" and all(isinstance(v, (numbers.Real, decimal.Decimal)) for v in present) and not any(
            isinstance(v, (bool, np.bool_)) for v in present):
        kind = "decimal"
    if kind == "boolean":
        return with_none(series, values, absent, bool) if absent.any() else like(series, values.astype(bool))
    if kind == "integer" or (kind == "decimal" and all(abs(v) < DIGITS and v == int(v) for v in present)):
        return from_whole(series, values, absent)
    if kind in ("floating", "mixed-integer-float", "decimal"):
        found = np.full(len(values), np.nan)
        found[~absent] = [as_float(value) for value in present]
        return like(series, found)
    return with_none(series, values, absent, str if kind == "interval" else None)


def from_whole(series, values, absent):
    """Return a series of whole numbers, all exact."""
    if not absent.any():
        for dtype in (np.int64, np.uint64):
            try:
                return like(series, np.array([int(value) for value in values], dtype))
            except OverflowError:
                continue
    elif all(-EXACT <= value <= EXACT for value in values[~absent]):
        return like(series, np.where(absent, np.nan, values).astype(np.float64))
    return with_none(series, values, absent, int)


def as_float(value):
    """Return a real number as float, infinite if it is too large."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def with_none(series, values, absent, convert):
    """Return a series of objects with None for missing values; `series` itself if it does not change."""
    own = series.dtype == object and np.may_share_memory(values, series.to_numpy())
    if own and all(value is None for value in values[absent]) and (
            convert is None or all(type(value) is convert for value in values[~absent])):
        return series
    found = np.empty(len(values), object)
    found[~absent] = [convert(value) for value in values[~absent]] if convert else values[~absent]
    return like(series, found)


def like(series, values):
    """Return a series of other values with the name and the index of this one."""
    return pandas().Series(values, index=series.index, name=series.name, dtype=values.dtype, copy=False)
