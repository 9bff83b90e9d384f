"""Checks of numbers that the CSV parser has read as floats: a point may separate thousands, and a whole number beyond 2⁵³
may have been rounded.
"""

import numpy as np

from .column_text import EXACT, WHOLE, exact, spread

LOOKED_AT = 1000  # rows that are enough to exclude both for most columns


def point_is_decimal(values):
    """Return whether some number cannot have a thousands point: 0.123, 1.25 or 1234.567. `values`: float64, finite."""
    for part in (values[:LOOKED_AT], values[LOOKED_AT:]):
        size = np.abs(part[part != np.floor(part)])
        if len(size) and (size.min() < 1 or size.max() >= 1000):
            return True
        thousandths = size * 1000
        if np.any(np.abs(thousandths - np.rint(thousandths)) > 1e-6):
            return True
    return False


def has_decimals(series):
    """Return whether floats are written with decimals: some are not whole, or none is missing."""
    values = series.dropna().to_numpy()
    return len(values) == len(series) or has_fractions(series)


def has_fractions(series):
    """Return whether some floats are not whole."""
    values = series.dropna().to_numpy()
    return bool(np.any(values != np.floor(values)))


def is_rounded(values):
    """Return whether float64 numbers may be rounded whole numbers."""
    return bool(len(values)) and np.abs(values).max() >= EXACT and bool(np.all(values == np.floor(values)))


def as_written(pd, series):
    """Return a series of text as the whole numbers that it contains; None if it contains something else."""
    codes, words = pd.factorize(series)
    words = [word.strip() for word in words.tolist()]
    return spread(pd, series, exact(pd, words), codes) if words and all(map(WHOLE.fullmatch, words)) else None
