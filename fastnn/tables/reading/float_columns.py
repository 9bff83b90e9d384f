"""Numbers that the parser of CSV has taken for floats, where the text says more: a point may stand between thousands, and a
whole number beyond 2⁵³ may have been rounded to another one.
"""

import numpy as np

from .column_text import EXACT, WHOLE, exact, spread

LOOKED_AT = 1000  # rows that show most columns to be neither


def point_is_decimal(values):
    """Whether some number cannot have a point between thousands: 0.123, 1.25 or 1234.567. `values`: float64, finite."""
    for part in (values[:LOOKED_AT], values[LOOKED_AT:]):
        size = np.abs(part[part != np.floor(part)])
        if len(size) and (size.min() < 1 or size.max() >= 1000):
            return True
        thousandths = size * 1000
        if np.any(np.abs(thousandths - np.rint(thousandths)) > 1e-6):
            return True
    return False


def is_rounded(values):
    """Whether float64 numbers may be whole ones that another one has been rounded to."""
    return bool(len(values)) and np.abs(values).max() >= EXACT and bool(np.all(values == np.floor(values)))


def as_written(pd, series):
    """A series of text as the whole numbers that it holds; None if it holds something else."""
    codes, words = pd.factorize(series)
    words = [word.strip() for word in words.tolist()]
    return spread(pd, series, exact(pd, words), codes) if words and all(map(WHOLE.fullmatch, words)) else None
