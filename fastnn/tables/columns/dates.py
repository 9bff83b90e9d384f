"""Columns of dates and times: the time as a number, and the cycles of the year, the week and the day.

A column has dates if it is of such a type, or if all its texts are written as in ISO 8601, such as 2024-01-31 or
2024-01-31 14:30. Other ways of writing a date are ambiguous (01/02/2024), and stay text with a note. Times with a zone are
those in UTC.
"""

import re

import numpy as np

from .cells import distinct
from .frames import normalized_column, pandas

DATES = ("datetime64", "datetime", "date")
ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
DAY = np.timedelta64(1, "D")
PERIODS = {"year": 365.2425, "week": 7.0, "day": 1.0}  # days; that of the week begins on a Thursday, 1970-01-01


def holds_dates(series):
    """Return whether all cells of a series that are not missing are dates, and there are some."""
    plain = normalized_column(series)
    if plain.dtype.kind == "M":
        return bool(plain.notna().any())
    if plain.dtype != object:
        return False
    if pandas().api.types.infer_dtype(plain, skipna=True) in DATES:
        return True
    values = distinct(plain)[1]
    return bool(values) and all(isinstance(v, str) and ISO.fullmatch(v.strip()) for v in values) and bool(
        np.isfinite(times(values)).all())


def days_of(series):
    """Return the days since 1970-01-01 as a series of float64, NaN where missing; raise ValueError for other cells."""
    codes, values = distinct(series)
    days = times(values)
    if not np.isfinite(days).all():
        wrong = int(np.isnan(days).argmax())
        row = int((codes == wrong).argmax())
        raise ValueError(f"column {series.name!r} is one of dates, but row {row + 1} holds {values[wrong]!r}; write it as "
                         "2024-01-31 or 2024-01-31 14:30, or leave it empty")
    return pandas().Series(np.array([*days, np.nan])[codes], index=series.index, name=series.name)


def times(values):
    """Return the days since 1970-01-01 of a list of dates and texts, NaN for other values."""
    pd = pandas()
    texts = pd.Series([str(v).strip() if isinstance(v, str) else v for v in values], dtype=object)
    known = texts.map(lambda v: bool(ISO.fullmatch(v)) if isinstance(v, str) else hasattr(v, "year")).to_numpy(bool)
    found = np.full(len(values), np.nan)
    if known.any():
        read = pd.to_datetime(texts[known].map(str), format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
        found[known] = (read - pd.Timestamp(0)) / DAY
    return found


def cycles(days, clock):
    """Return the features (rows, 4 or 6): sine and cosine of the place in the year, the week and, with `clock`, the day."""
    periods = list(PERIODS.values())[:3 if clock else 2]
    angles = [2 * np.pi * days / period for period in periods]
    return np.stack([function(angle) for angle in angles for function in (np.sin, np.cos)], axis=1)


def cycle_names(name, clock):
    """Return the names of these features."""
    return [f"{name} {period} {function}" for period in list(PERIODS)[:3 if clock else 2] for function in ("sine", "cosine")]
