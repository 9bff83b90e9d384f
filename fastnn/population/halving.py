"""Successive halving (Jamieson and Talwalkar 2016): all members begin, and after each rung only the best continue."""

import math

import numpy as np

from ..checks import number_in_range
from .results import checked_metric, costs, ranking_metric, warn_of_losses

# options of `Population.fit` that may be lists
PER_MEMBER = "batch_size", "optimizer", "backprop_steps", "rows", "validation_rows"


def rungs(candidates, epochs, factor):
    """Return the fraction of the epochs done after each rung: [1/9, 1/3, 1] for factor 3 and two halvings."""
    most = min(math.log(candidates, factor), math.log(epochs, factor))
    return [factor ** -float(k) for k in range(int(most + 1e-9), -1, -1)]


def halve(population, X, y, *, epochs, factor, metric, groups, options):
    """Train the population in rungs; return the number of rungs of each group.

    epochs: a list, the number of epochs of a member that is in all rungs. groups: the number of the group of each member,
    from 0; the score of a group is the mean over its members. options: those of `Population.fit`, where those of PER_MEMBER
    are lists.
    """
    factor = number_in_range("factor", factor, 1.5)
    if metric is not None:
        chosen = options.get("metrics", ())
        validated = any(options.get(name) is not None for name in ("validation_data", "validation_rows"))
        checked_metric(metric, population.networks[0], validated, chosen, "a fit of this population")
    groups, alive = np.asarray(groups), np.arange(np.max(groups) + 1)
    lasted, shares = np.zeros(len(alive), np.int64), rungs(len(alive), min(epochs), factor)
    for rung, share in enumerate(shares):
        members = np.flatnonzero(np.isin(groups, alive))
        part = population[members]
        part.fit(X, y, epochs=[max(1, round(share * epochs[k])) for k in members], resume=rung > 0,
                 **options_of(members, options, rung))
        population.adopt_results(part, members)
        if rung == 0:
            warn_of_losses(population.networks, ranking_metric(part.histories, metric))
        lasted[alive] += 1
        scores = group_scores(part.scores(metric), groups[members], alive)
        keep = min(np.isfinite(scores).sum(), math.ceil(len(alive) / factor))
        order = np.argsort(costs(scores, part.reported.get(ranking_metric(part.histories, metric), "loss")), kind="stable")
        alive = np.sort(alive[order[:keep]])
        if keep == 0:
            break
    return lasted


def options_of(members, options, rung):
    """Return the options of some of the members in a rung."""
    part = {name: [value[k] for k in members] if name in PER_MEMBER and isinstance(value, list) else value
            for name, value in options.items()}
    if rung > 0:
        part["optimizer"] = None  # each continues with its own optimizer
    if callable(given := options.get("callbacks")):
        part["callbacks"] = lambda number: given(int(members[number]))
    return part


def group_scores(scores, groups, wanted):
    """Return the mean score of each group; NaN if one of its members has none."""
    return np.array([scores[groups == group].mean() for group in wanted])
