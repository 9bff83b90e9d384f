"""Cross-validation of `train`: how much the result varies with the rows that are held out.

The rows with a target are dealt into parts. For each part, a model is trained as always on the other rows, all choices of
the preprocessing included, and evaluated on the part. With `Recipe(group=...)` a group is in one part; with
`Recipe(time=...)` a model is trained on the rows before the part only.
"""

import pickle
from dataclasses import replace

import numpy as np

from ...checks import whole_number
from ...checks.caller_warning import collected
from ...population.executors import checked_executor, submit_all, to_bytes
from ...population.recipe import k_folds
from .dependent_rows import dependence
from .training import train


def cross_validate(result, recipe, folds, progress=False, executor=None):
    """Return {metric: list of float}, the metrics of each fold, from the Result of a training with the same recipe.

    Of several targets {target: such a dict}. executor: of concurrent.futures, or a Dask Client, that trains the folds in
    other processes or on other machines, with the same result; each on one thread unless the recipe says otherwise.
    """
    folds, executor = whole_number("folds", folds, least=2), checked_executor("executor", executor)
    table, target = result.table, result.model.target
    names, several = [part.name for part in target.parts], len(target.parts) > 1
    task = {part.name: "regression" if part.kind == "quantiles" else part.kind for part in target.parts}
    tasks = []
    for learned, held in outer_folds(table, target, recipe, folds):
        rest = table.iloc[learned].reset_index(drop=True)
        for part in target.parts:
            if part.has_classes and (lost := {*table[part.name].iloc[held]} - {*rest[part.name]}):
                raise ValueError(f"the class {next(iter(lost))!r} of {part.name!r} is in one of {folds} parts alone, so "
                                 "that no model can learn it from the others; give fewer folds, or more rows of it")
        tasks.append((rest, table.iloc[held]))
    given, own = names if several else names[0], replace(recipe, test=0.0, task=task)
    if executor is None:
        found = [scores_of(given, own, *task, progress) for task in tasks]
    else:
        shared = to_bytes((given, replace(own, threads=recipe.threads or 1)))
        found = [*map(pickle.loads, submit_all(executor, run_fold, shared, map(to_bytes, tasks)))]
    return {name: lists_of([each[name] for each in found]) for name in names} if several else lists_of(found)


def lists_of(found):
    """Return {metric: list} from a list of {metric: value}, for the metrics that all have."""
    return {name: [each[name] for each in found] for name in found[0] if all(name in each for each in found)}


def scores_of(target, recipe, learned, held, progress=False):
    """Return the metrics on held-out rows of a model of other rows."""
    model = collected(train, learned, target, recipe, progress=progress)[0].model
    return collected(model.evaluate, held)[0]


def run_fold(shared, task):
    """Return the result of `scores_of`, from arguments and to a result as bytes, where an executor runs it."""
    return to_bytes(scores_of(*pickle.loads(shared), *pickle.loads(task)))


def outer_folds(table, target, recipe, folds):
    """Return (training rows, rows to evaluate) for each fold."""
    rows = np.arange(len(table))
    if depends := dependence(table, recipe):
        ahead = recipe.time is not None
        parts = [held for _, held in depends.deal(rows, rows[:0], folds + ahead, recipe.seed)]
        if ahead:  # the first block has none before it
            parts.sort(key=lambda part: depends.blocks[part].min())
            return [(np.sort(np.concatenate(parts[:k])), parts[k]) for k in range(1, len(parts))]
        return [(np.setdiff1d(rows, part), part) for part in parts]
    labels = next((part.encode(table[part.name]) for part in target.parts if part.has_classes), None)
    return k_folds(len(table), min(folds, len(table)), recipe.seed, labels=labels)


def summary(scores):
    """Return {metric: (mean, standard deviation)} of the folds, None for a metric that some fold lacks; or by target."""
    if any(isinstance(values, dict) for values in scores.values()):
        return {name: summary(own) for name, own in scores.items()}
    return {name: None if None in values else (float(np.mean(values)), float(np.std(values, ddof=1)))
            for name, values in scores.items()}
