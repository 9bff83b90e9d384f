"""Weights of rows, in a column of the table: a row of weight 2 counts as two of weight 1, in training and in metrics.

Rows of weight 0 are left out.
"""

import numpy as np

from .columns.cells import as_numbers
from .columns.kinds import NUMBERS
from .target import kind_in


def weights_in(series):
    """Return a column as weights (rows,), float64, or raise ValueError."""
    name = series.name
    if series.notna().any() and kind_in(series[series.notna()]) not in NUMBERS:
        raise ValueError(f"column {name!r} holds text; weights of rows are numbers of at least 0")
    weights = as_numbers(series)
    if missing := int(np.isnan(weights).sum()):
        raise ValueError(f"column {name!r} has no finite number in {missing:,} of {len(weights):,} rows; the weight of each "
                         "row must be known: leave these rows out, or fill them in")
    if (weights < 0).any():
        raise ValueError(f"column {name!r} holds {weights.min():g}; weights of rows are numbers of at least 0")
    if not (weights > 0).any():
        raise ValueError(f"column {name!r} is zero in every row; the weights of some rows must be above zero")
    return weights
