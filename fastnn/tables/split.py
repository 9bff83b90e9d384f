"""Which rows to train on, which to choose by, and which to be judged by."""

import numpy as np


def split(labels, rows, *, validation, test, seed):
    """Three arrays of row numbers, ascending: training, validation, test.

    labels: (rows,) class numbers, of which every part then has its share, or None. validation, test: shares of the rows.
    Each part has a row at least; of a class with a single row, training has it.
    """
    if rows < 10:
        raise ValueError(f"there are {rows} rows with a target; give at least 10, so that some can be held out")
    order = np.random.default_rng(seed).permutation(rows)
    groups = [order] if labels is None else [order[labels[order] == label] for label in np.unique(labels)]
    # row k of a group of n goes by (k + 1/2) / n: what comes first into the test, then validation, the rest into training
    position = np.concatenate([(np.arange(len(group)) + 0.5) / len(group) for group in groups])
    shuffled = np.concatenate(groups)
    least = 1 / rows  # a share so small still gets the first row of the largest group
    test, validation = max(test, least), max(validation, least)
    parts = position >= test + validation, (position >= test) & (position < test + validation), position < test
    chosen = [np.sort(shuffled[part]) for part in parts]
    if not all(map(len, chosen)):
        raise ValueError(f"{rows} rows are too few for shares of {validation:g} for validation and {test:g} for the test; "
                         "give more rows, or larger shares")
    return chosen
