"""A piecewise-linear encoding of a column of numbers (Gorishniy, Rubachev and Babenko 2022), beside the number itself.

The edges b₀ < b₁ < … < bₘ are quantiles of the training rows. Feature k of a number x is the part of bin k below
x:

    feature k = (x - b₍k₋₁₎) / (b₍k₎ - b₍k₋₁₎), between 0 and 1

A linear function of these features is a piecewise-linear function of x with its bends at the edges, so that the first layer
bends where the data are, whatever their distribution. Beyond the outer edges the features do not change; the standardized
number does. In a column with a long tail (`fastnn.tables.columns.tails`) the outer features go on changing to its limit,
since valid numbers lie beyond those of training.
"""

import itertools

import numpy as np

from ...checks import shown, whole_number
from ...runtime.quiet import quiet
from ..plain import finite

BINS = 16
MOST = 1024  # bins
FEW = 3  # numbers of at most this many different values are not binned
LARGEST = 1e300  # size of an edge
ELEMENTS = 2**28  # of the features of all bins in a matrix: fewer bins for very large tables


def bins(where, value):
    """Return the largest number of bins of a column; 0 for none."""
    return whole_number(where, value, least=0, most=MOST)


def edges(where, values):
    """Return edges from a file as a tuple of ascending numbers."""
    if not isinstance(values, (list, tuple)) or len(values) > MOST + 1:
        raise ValueError(f"{where} is {shown(values)}; it must be a list of at most {MOST + 1} numbers")
    found = tuple(finite(where, value) for value in values)
    unordered = any(low >= high for low, high in itertools.pairwise(found))
    if unordered or len(found) in (1, 2) or max(map(abs, found), default=0) > LARGEST:
        raise ValueError(f"{where} is {shown(values)}; it must hold three numbers or more, each larger than the one before, "
                         f"within {LARGEST:g}")
    return found


def fitting(count, rows, columns):
    """Return the number of bins, at most `count`, for a table of so many rows and columns of numbers; 0 if below 2."""
    count = min(count, ELEMENTS // max(rows * columns, 1))
    return count if count > 1 else 0


def edges_of(values, count):
    """Return the edges of at most `count` bins of the numbers in training (rows,), ascending; () for no bins."""
    different = np.unique(values)
    if not count or len(different) <= FEW:
        return ()
    edges = different if len(different) <= count + 1 else np.unique(np.quantile(values, np.linspace(0, 1, count + 1)))
    return tuple(edges.tolist()) if len(edges) > 2 and np.abs(edges).max() < LARGEST else ()


def names(name, edges):
    """Return the name of each bin."""
    return [f"{name} {low:.6g} to {high:.6g}" for low, high in itertools.pairwise(edges)]


def encode(values, edges, beyond, out):
    """Write the features of numbers (rows,) to out (rows, bins). beyond: whether the outer ones go on beyond the edges."""
    last = len(edges) - 2
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        least, most = -np.inf if beyond and k == 0 else 0.0, np.inf if beyond and k == last else 1.0
        out[:, k] = np.clip(quiet(lambda low=low, high=high: (values - low) / (high - low), over="ignore"), least, most)
