"""Splits of rows that depend on each other: rows of a group, such as one patient's, and rows in the order of time.

A random split puts rows of one group, or neighbors in time, on both sides. The result on the test rows is then better than
it will be for new groups or for the future.

    groups   a group is in one part as a whole: test, validation, or the part of a member
    time     the last rows are for the test, those before them for validation; each member holds out a block of time. Rows of
             the same time are in one part
"""

import numpy as np

from ..columns.cells import as_numbers, distinct
from ..columns.dates import days_of, holds_dates
from ..columns.names import text_name

LEAST = 3  # groups, or different times


class Dependence:
    """The rows of a table that belong together.

    Attributes
    ----------
    column : str
    by : {"group", "time"}
    blocks : array (rows,) of int
        The number of the group of each row, or of its time, in order.
    """

    def __init__(self, by, series):
        self.column, self.by = series.name, by
        if series.isna().any():
            raise ValueError(f"column {series.name!r} is missing in {int(series.isna().sum()):,} of {len(series):,} rows; "
                             f"the {by} of each row must be known: leave these rows out, or fill them in")
        if by == "group":
            self.blocks = distinct(series)[0]
        else:
            values = days_of(series).to_numpy() if holds_dates(series) else as_numbers(series)
            if np.isnan(values).any():
                raise ValueError(f"column {series.name!r} holds infinite numbers; the time of each row must be known")
            self.blocks = np.unique(values, return_inverse=True)[1]
        self.count = int(self.blocks.max()) + 1
        if self.count < LEAST:
            raise ValueError(f"column {series.name!r} has {self.count} different {by}s; a split by {by} needs {LEAST} at "
                             "least")

    def split(self, *, validation, test, seed):
        """Return three arrays of row numbers, ascending: training, validation, test, each with a block at least."""
        counts = np.bincount(self.blocks, minlength=self.count)
        if self.by == "group":
            order = np.random.default_rng(seed).permutation(self.count)
        else:
            order = np.arange(self.count)[::-1]  # the last first
        ends = np.cumsum(counts[order])
        tested = int(np.clip(1 + np.argmin(np.abs(ends - test * len(self.blocks))), 1, self.count - 2))
        held = int(np.clip(1 + np.argmin(np.abs(ends - (test + validation) * len(self.blocks))), tested + 1, self.count - 1))
        place = np.zeros(self.count, np.int64)
        place[order[:tested]], place[order[tested:held]] = 2, 1
        return [np.flatnonzero(place[self.blocks] == part) for part in range(3)]

    def deal(self, training, validation, count, seed):
        """Return (training rows, validation rows) for each of at most `count` members."""
        if count == 1:
            return [(training, validation)]
        rows = np.sort(np.concatenate([training, validation]))
        blocks, own = np.unique(self.blocks[rows], return_inverse=True)
        counts, member = np.bincount(own), np.empty(len(blocks), np.int64)
        count = min(count, len(blocks))
        if self.by == "group":
            sizes = np.zeros(count)
            order = np.random.default_rng(seed).permutation(len(blocks))
            for block in order[np.argsort(-counts[order], kind="stable")]:  # each to the smallest part
                member[block] = np.argmin(sizes)
                sizes[member[block]] += counts[block]
        else:
            middle = np.cumsum(counts) - counts / 2
            parts = (middle * count / counts.sum()).astype(np.int64)
            member = np.unique(parts, return_inverse=True)[1]
        return [(rows[member[own] != k], rows[member[own] == k]) for k in range(member.max() + 1)]


def dependence(table, recipe):
    """Return the Dependence that a recipe asks for, or None."""
    if recipe.group is not None and recipe.time is not None:
        raise ValueError("group and time are both given; a split keeps groups together or the order of time: give one")
    by, name = ("group", recipe.group) if recipe.group is not None else ("time", recipe.time)
    return None if name is None else Dependence(by, table[text_name(name)])
