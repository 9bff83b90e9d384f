"""Whole numbers that may be names, such as numbers of departments: whether they are read as categories too.

A column is in question if its numbers are whole and repeat, but are more than the bins, which would already give each number
a value of its own. Both readings are compared on the rows held out. A ridge regression of all features, numbers in bins, is
fitted on the other rows, and the mean of its residuals, shrunk toward 0, is learned for each number of the column:

    r̂(c) = Σ residuals of c / (count of c + SHRINK)

If these means explain enough of the residuals of the rows held out, more than by chance, the column is a Code. For classes,
the targets are indicators. A smooth effect of a number leaves nothing for the means to explain: 150 random codes are found,
ages are not.
"""

import numpy as np

from ..columns.cells import as_numbers, without
from .linear import fit_values, most_varied, some

SHRINK = 10.0
LEAST_REPEATS = 3.0  # mean count of a number
LEAST_GAIN = 0.01  # relative to the squared residuals
SURE = 3.0  # standard errors of the gain
ROWS, CLASSES = 20_000, 10  # drawn for the comparison


def codes_among(preprocessing, table, matrix, y, folds, *, most, bins, seed, numbers=()):
    """Return {name: relative gain} of the columns that are to be read as codes too.

    most: the largest number of categories. bins: that of the bins. numbers: names of columns that are numbers for sure.
    """
    parts = [held for _, held in folds] if len(folds) > 1 else [*reversed(folds[0])]
    parts = [some(part, ROWS // len(parts), seed) for part in parts]
    rows = np.concatenate(parts)
    candidates = {}
    for column in preprocessing.columns:
        if column.kind == "number" and column.name not in numbers and not column.truth:
            series = without(table[column.name].iloc[rows], preprocessing.missing_values)
            found = codes_of(as_numbers(series), most, bins)
            if found is not None:
                candidates[column.name] = found
    if not candidates:
        return {}
    place = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    features = most_varied(matrix, rows, np.delete(np.arange(matrix.shape[1]), [*preprocessing.tokens]))
    models, _ = fit_values(matrix, y, parts, features, y.shape[1], len(folds))
    X, y, gains = matrix[np.ix_(rows, features)], y[rows], {name: [] for name in candidates}
    before = []
    for fold, (weight, bias) in enumerate(models):
        residuals, held = y - (X @ weight + bias), place == fold
        before.append((residuals[held] ** 2).sum(axis=1))
        for name, codes in candidates.items():
            counts = np.bincount(codes[~held], minlength=codes.max() + 1)
            sums = np.stack([np.bincount(codes[~held], each[~held], minlength=len(counts)) for each in residuals.T], axis=1)
            left = residuals[held] - (sums / (counts + SHRINK)[:, None])[codes[held]]
            gains[name].append(before[-1] - (left**2).sum(axis=1))
    total, found = np.concatenate(before).sum(), {}
    for name, each in gains.items():
        gain = np.concatenate(each)
        if gain.sum() > LEAST_GAIN * total and gain.sum() > SURE * np.sqrt(len(gain)) * gain.std():
            found[name] = float(gain.sum() / total)
    return found


def codes_of(values, most, bins):
    """Return the number of each value among the different ones, (rows,); None if they are no codes. A missing one is 0."""
    there = ~np.isnan(values)
    different, codes = np.unique(values[there], return_inverse=True)
    if not max(bins, 1) + 1 < len(different) <= min(most, there.sum() / LEAST_REPEATS):
        return None
    if not np.all(different == np.floor(different)):
        return None
    found = np.zeros(len(values), np.intp)
    found[there] = codes + 1
    return found


def targets_of(target, y):
    """Return the targets of a ridge regression (rows, targets): indicators of the most frequent classes, or the values."""
    if target.kind != "classification":
        return np.asarray(y, np.float64).reshape(len(y), -1)
    frequent = np.argsort(-np.bincount(y, minlength=target.outputs), kind="stable")[:CLASSES]
    return (y[:, None] == frequent[:target.outputs - 1 or None]).astype(np.float64)


def note_on(gains):
    """Return a note on columns that are read both ways."""
    names = list(gains)
    some = ", ".join(f"{name!r} ({100 * gain:.2g} %)" for name, gain in gains.items())
    return (f"numbers that are read as codes too, because that explains part of the errors on rows held out: {some}; say "
            f"--numbers {','.join(names)} if they are amounts, --text {','.join(names)} if they are names and nothing else")
