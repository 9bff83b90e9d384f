"""The split of the rows into training, validation and test rows."""

import math

import numpy as np


def split(labels, rows, *, validation, test, seed):
    """Return three arrays of row numbers, ascending: training, validation, test.

    labels: (rows,) class numbers, for a stratified split, or None. validation, test: fractions of the rows. Each part has at
    least one row; each class has at least one row in training.
    """
    if rows < 10:
        raise ValueError(f"there are {rows} rows with a target; give at least 10, so that some can be held out")
    if validation + test >= 1:
        raise ValueError(f"{validation:g} of the rows for validation and {test:g} for the test leave none to train on; the "
                         "two shares must add up to less than 1")
    generator = np.random.default_rng(seed)
    order = generator.permutation(rows)
    if labels is None:
        labels = np.zeros(rows, np.int64)
    sizes = np.unique(labels, return_counts=True)[1]
    groups = np.split(order[np.argsort(labels[order], kind="stable")], np.cumsum(sizes)[:-1])
    shares = max(validation, 1 / rows), max(test, 1 / rows)  # even a tiny fraction gets a row
    parts = by_position(groups, *shares)
    if len(groups) > 1 and not fair(parts, labels, *shares):
        parts = by_turns(groups, *shares, generator)
    if not all(map(len, parts)):
        among = f" of {len(groups):,} classes" if len(groups) > 1 else ""
        raise ValueError(f"{rows:,} rows{among} are too few for shares of {validation:g} for validation and {test:g} for "
                         f"the test; give more rows{' of each class' if among else ', or other shares'}")
    return [np.sort(part) for part in parts]


def by_position(groups, validation, test):
    """Return the parts, for groups that are large enough to give every part its share.

    Row k of a group of n rows has the position (k + 1/2) / n. The first positions go to the test, the next to validation,
    the rest to training.
    """
    position = np.concatenate([(np.arange(len(group)) + 0.5) / len(group) for group in groups])
    rows, held = np.concatenate(groups), position < test + validation
    return rows[~held], rows[held & (position >= test)], rows[position < test]


def fair(parts, labels, validation, test):
    """Return whether each part has at least half of its share of the rows, and training has some of each class."""
    training, *held = parts
    enough = all(2 * len(part) >= share * len(labels) for part, share in zip(held, (validation, test), strict=True))
    return enough and len(np.unique(labels[training])) == len(np.unique(labels))


def by_turns(groups, validation, test, generator):
    """Return the parts, for groups that are too small for `by_position`: in random order, a group gives a row if one is due.

    For example, with 100 classes of 3 rows, 20 % of the rows for the test and 10 % for validation, 90 classes give one row
    each; 60 of these rows go to the test.
    """
    held, due, due_test = validation + test, 0.0, 0.0
    parts = training, chosen, judged = [], [], []
    for k in generator.permutation(len(groups)):
        group = groups[k]
        due += len(group) * held
        given = min(round(due), math.ceil(len(group) * held - 1e-9), len(group) - 1)
        due, due_test = due - given, due_test + given * test / held
        tested = min(round(due_test), given)
        due_test -= tested
        judged.append(group[:tested])
        chosen.append(group[tested:given])
        training.append(group[given:])
    for part in (judged, chosen):  # tiny fractions get a row too, from a class with more than one
        largest = max(range(len(training)), key=lambda k: len(training[k]))
        if not any(map(len, part)) and len(training[largest]) > 1:
            part.append(training[largest][:1])
            training[largest] = training[largest][1:]
    return [np.concatenate(part) for part in parts]
