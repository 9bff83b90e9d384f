"""Successive halving (Jamieson and Talwalkar 2016): all begin, and after each rung the best go on for longer."""

import math

import numpy as np

from ..checks import number_in_range
from .results import checked_metric, costs, judged_by, warn_of_losses

OF_EACH = "batch_size", "optimizer", "rows", "validation_rows"  # options of `Population.fit` that may be lists of one each


def rungs(candidates, epochs, factor):
    """How many epochs are done after each rung, as a share of all of them: [1/9, 1/3, 1] for factor 3 and two halvings."""
    most = min(math.log(candidates, factor), math.log(epochs, factor))
    return [factor ** -float(k) for k in range(int(most + 1e-9), -1, -1)]


def halve(population, X, y, *, epochs, factor, metric, groups, options):
    """Train the population in rungs; returns how many rungs each group was in.

    epochs: a list, what each member trains for if it is in all of them. groups: the number of the group of each member, from
    0; groups are judged by the means of their members' scores. options: of `Population.fit`; those of OF_EACH as
    lists where they are given.
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
        population.take_over(part, members)
        if rung == 0:
            warn_of_losses(population.networks, judged_by(part.histories, metric))
        lasted[alive] += 1
        scores = group_scores(part.scores(metric), groups[members], alive)
        keep = min(np.isfinite(scores).sum(), math.ceil(len(alive) / factor))
        order = np.argsort(costs(scores, part.reported.get(judged_by(part.histories, metric), "loss")), kind="stable")
        alive = np.sort(alive[order[:keep]])
        if keep == 0:
            break
    return lasted


def options_of(members, options, rung):
    """The options of a part of the members in a rung."""
    part = {name: [value[k] for k in members] if name in OF_EACH and isinstance(value, list) else value
            for name, value in options.items()}
    if rung > 0:
        part["optimizer"] = None  # each goes on with the one that it has
    if callable(given := options.get("callbacks")):
        part["callbacks"] = lambda number: given(int(members[number]))
    return part


def group_scores(scores, groups, wanted):
    """The mean score of each group; NaN where a member of it has none."""
    return np.array([scores[groups == group].mean() for group in wanted])
