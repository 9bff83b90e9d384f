"""Data frames as they enter: whatever holds a table becomes a pandas DataFrame of plain columns with names of text.

    names                       text without blanks around it, as a CSV file has them; a name that comes twice is refused
    numbers                     int64, uint64, float32, float64 and the like; NaN is missing
    True and False              bool; objects True, False and None where some are missing
    whole numbers beyond 2**53  objects, int and None, where some are missing: float64 would merge them
    dates and durations         datetime64 and timedelta64, or objects of Python's types
    text and anything else      objects; None is missing

Everything behind this door sees these kinds alone. Neither pandas' extension types, nor Arrow, Sparse or categorical
columns, nor the library that made the frame change what is learned or predicted.
"""

import decimal
import numbers

import numpy as np

from ...checks import shown
from .names import text_name

EXACT = 2**53  # up to here every whole number is a float64
DIGITS = 2**64  # a Decimal beyond is a float64, for its digits may be a million


def pandas():
    """The module pandas, or an error that names the extra to install."""
    try:
        import pandas
    except ImportError:
        raise ImportError('tables need pandas: pip install "fastnn-numba[cli]"') from None
    return pandas


def normalized(where, table, only=None, untouched=()):
    """A pandas DataFrame of plain columns; `table` itself where it is one already.

    where: the name of the argument, for errors. only: the names of the columns that are looked at; others are not in the
    result, and those that are not there are no error. untouched: names of columns that stay of the type that they have,
    such as a target, whose labels are to come back as they were. ValueError if it is no table, or if a name comes twice.
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
    """A table as a pandas DataFrame: itself, or what its Arrow interface gives, as that of polars and pyarrow does."""
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
            pass  # a column alone, for one
    raise ValueError(f"{where} is {shown(table)}; it must be a pandas DataFrame, such as read_table gives, or another table "
                     "with an Arrow interface, such as a polars DataFrame")


def categorical_names(table):
    """The names of the columns of a DataFrame whose type says that they are categories, even where these are numbers."""
    return [text_name(name) for name, dtype in zip(table.columns, table.dtypes, strict=True)
            if isinstance(dtype, pandas().CategoricalDtype) or str(dtype).startswith("dictionary<")]


def normalized_column(series):
    """A series of a plain kind; `series` itself where it is of one already."""
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
    """A series of a plain kind from an array of objects; `series` itself where it holds them and stays as it is."""
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
    """A series of whole numbers, each of them exact."""
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
    """A real number as float, infinite where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def with_none(series, values, absent, convert):
    """A series of objects, None where one is missing; `series` itself where it is that already."""
    own = series.dtype == object and np.may_share_memory(values, series.to_numpy())
    if own and all(value is None for value in values[absent]) and (
            convert is None or all(type(value) is convert for value in values[~absent])):
        return series
    found = np.empty(len(values), object)
    found[~absent] = [convert(value) for value in values[~absent]] if convert else values[~absent]
    return like(series, found)


def like(series, values):
    """A series of other values with the name and the index of this one."""
    return pandas().Series(values, index=series.index, name=series.name, dtype=values.dtype, copy=False)
