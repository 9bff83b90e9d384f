"""The targets of a training: those that are tried, of one column or of several, and what a choice needs to know of them."""

import numpy as np

from ..classes import Classes
from ..target import Values, is_categorical, is_skewed
from ..targets import Counts, Quantiles, Several
from ..targets.ordered import in_order
from ..thresholds import best_threshold
from .codes import targets_of

SHOWN = 4  # classes in a note


def classes_of(series, task, recipe, spelling):
    """Return the classes of a column, in the order of a recipe if they are ordered; None for a task of amounts."""
    if task not in ("classification", "ordered"):
        return None
    classes = Classes.fit(series, spelling)
    if task == "classification":
        return classes
    if recipe.balanced:
        raise ValueError("ordered classes are predicted by their median, which --balanced does not change; leave it out, or "
                         "say --task classification")
    if recipe.order:
        return in_order(classes, recipe.order)
    if is_categorical(series) and series.cat.ordered:
        used = {*series}
        return in_order(classes, [label for label in series.cat.categories if label in used])
    if any(isinstance(label, str) for label in classes.labels):
        some = classes.texts[:5]
        raise ValueError(f"the order of the classes {', '.join(some)} of {series.name!r} is not known; give it from the "
                         f"lowest to the highest, such as --order {','.join(some)}")
    return in_order(classes, classes.labels)


def targets_to_try(table, tasks, classes, rows, recipe):
    """Return the targets to train on, fitted to some rows of a table; the better one is kept. Classes know all rows."""
    if recipe.quantiles and "regression" not in tasks.values():
        raise ValueError("quantiles are those of values; the target has classes or counts: leave --quantiles out, or say "
                         "--task regression")
    if "counts" in tasks.values() and recipe.log_target != "no":
        raise ValueError("counts have the logarithm of their mean learned anyway; leave --log-target out, or say --task "
                         "regression")
    check_threshold(classes, recipe)
    ways = [ways_of(table[name], task, classes[name], rows, recipe) for name, task in tasks.items()]
    if len(ways) == 1:
        return ways[0]
    if recipe.log_target == "auto":
        raise ValueError("log_target is 'auto', which compares two trainings of one target; of several say yes or no")
    return [Several(tuple(own[0] for own in ways))]


def check_threshold(classes, recipe):
    """Refuse a threshold for other than two classes."""
    if recipe.threshold is None:
        return
    counts = [len(each.labels) for each in classes.values() if each is not None and each.kind == "classification"]
    if counts != [2] * len(counts) or not counts:
        found = f"{next(count for count in counts if count != 2):,} classes" if counts else "no classes"
        raise ValueError(f"the threshold is between two classes, but the target has {found}; leave --threshold out"
                         f"{', or say --balanced' if counts else ''}")
    if recipe.balanced:
        raise ValueError("balanced and threshold both decide which class is predicted; give one of them")


def note_on_threshold(target, recipe):
    """Return notes on the thresholds of the parts of a target."""
    chosen = f", the threshold with the largest {recipe.threshold} on the rows held out" * isinstance(recipe.threshold, str)
    return [f"{part.texts[1]!r} is predicted from a probability of {part.threshold:.3g} on{chosen}"
            for part in target.parts if recipe.threshold is not None and part.kind == "classification"]


def never_learned(classes, series, folds):
    """Return a note on classes that a network had no rows of; None if there are none."""
    numbers, count = classes.encode(series), len(classes.labels)
    without = [np.bincount(numbers[learned], minlength=count) == 0 for learned, _ in folds]
    of_networks = np.sum(without, axis=0)
    lost = np.flatnonzero(of_networks)
    if not len(lost):
        return None
    named = [f"{classes.texts[k]!r} ({'all' if of_networks[k] == len(folds) else f'{of_networks[k]} of {len(folds)}'})"
             for k in lost[:SHOWN]] + ["…"] * (len(lost) > SHOWN)
    return (f"classes of {classes.name!r} that are in none of the rows that a network learns from: {', '.join(named)}, the "
            "number of networks in brackets; these networks give them next to no probability")


def ways_of(series, task, classes, rows, recipe):
    """Return the targets to try for one column."""
    if classes is not None:
        return [classes]
    if task == "counts":
        Counts.fit(series)  # no row may be negative
        return [Counts.fit(series.iloc[rows])]
    values = values_to_try(series, rows, recipe.log_target)
    return [Quantiles.of(each, recipe.quantiles) for each in values] if recipe.quantiles else values


def values_to_try(series, training, log_target):
    """Return the targets to train on; the better one is kept."""
    logarithms = {"no": [False], "yes": [True], "auto": [False, True] if is_skewed(series) else [False]}
    if log_target not in logarithms:
        raise ValueError(f"log_target is {log_target!r}; it must be one of {', '.join(map(repr, logarithms))}")
    if True in logarithms[log_target]:
        Values.fit(series, logarithm=True)  # the held-out rows must have logarithms too
    return [Values.fit(series.iloc[training], logarithm) for logarithm in logarithms[log_target]]


def labels_of(table, classes):
    """Return class numbers (rows,) of the first target that has classes, for a stratified split; None if none has."""
    return next((each.encode(table[each.name]) for each in classes.values() if each is not None), None)


def plain_targets(target, table):
    """Return (rows, outputs) numbers that a ridge regression may learn in the place of a target."""
    return np.concatenate([targets_of(part, part.encode(table[part.name])) for part in target.parts], axis=1)


def with_choices(target, table, members, learned, recipe, weights):
    """Return a target with what is chosen after training: the shifts of quantiles, factors or a threshold for classes.

    members: the Members, with outputs for rows that they held out. learned: the rows that are not held out for the test.
    """
    rows, parts = members.validated, []
    held = None if weights is None else weights[rows]
    for part, out in target.by_part(members.unseen):
        series = table[part.name]
        if part.kind == "quantiles":
            part = part.shifted(out, part.encode(series.iloc[rows]), held)
        elif part.kind == "counts":
            part = part.balanced(series.iloc[rows], out, held)
        elif part.kind == "classification" and recipe.balanced:
            part = part.balanced(part.encode(series.iloc[learned]), None if weights is None else weights[learned])
        elif part.kind == "classification" and recipe.threshold is not None:
            p = part.estimates(out)[:, 1]
            part = part.from_threshold(recipe.threshold if isinstance(recipe.threshold, float) else best_threshold(
                recipe.threshold, p, part.encode(series.iloc[rows]) == 1, held))
        parts.append(part)
    return parts[0] if len(parts) == 1 else Several(tuple(parts))
