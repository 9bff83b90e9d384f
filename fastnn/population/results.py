"""Scores of the members, and a table of them."""

import math

import numpy as np

from ..callbacks import EarlyStopping
from ..checks import shown
from ..checks.caller_warning import warn_caller
from ..samples.metrics import ACCURACY, choose, directed, of_fit


def final(history, callbacks, metric):
    """Return a metric of a member's weights after its fit; NaN if there is none.

    They are the weights of its last epoch, or of its best if an `EarlyStopping` has restored those.
    """
    values = history.metrics.get(metric, ())
    for callback in callbacks:
        if isinstance(callback, EarlyStopping) and callback.restore_best and callback.best_epoch is not None:
            return values[callback.best_epoch] if callback.best_epoch < len(values) else math.nan
    return values[-1] if len(values) else math.nan


def costs(scores, metric):
    """Return scores as costs: the lowest is the best, and missing ones come last. metric: its name or record."""
    sign = directed("metric", metric, "auto", "sort the members by `scores` yourself").sign
    return np.where(np.isnan(scores), np.inf, sign * np.asarray(scores))


def ranking_metric(histories, metric):
    """Return the name of the metric to rank members with these histories; None stands for the validation loss."""
    if not histories:
        raise ValueError("this population has not been fitted; call fit first")
    if metric is not None and not isinstance(metric, str):
        raise ValueError(f"metric is {shown(metric)}; it must be the name of one that was recorded, such as 'val_loss'")
    recorded = {name for history in histories for name in history}
    metric = ("val_loss" if "val_loss" in recorded else "loss") if metric is None else metric
    if recorded and metric not in recorded:
        names = ", ".join(sorted(recorded))
        raise ValueError(f"metric {metric!r} was not recorded; recorded were {names}: choose one")
    return metric


def checked_metric(metric, network, validated, chosen, what):
    """Return the name of a metric after checking, before the fits, that they will report it.

    validated: whether they have validation data. chosen: as for `fit(metrics=...)`. what: the subject of the error.
    """
    records = {each.name: each for each in of_fit(network, validated, choose(chosen, network.objective.head))}
    if not isinstance(metric, str) or metric not in records:
        raise ValueError(f"metric is {shown(metric)}; {what} reports {', '.join(records)}: choose one")
    directed("metric", records[metric], "auto", "give a fastnn.Metric(name, 'higher' or 'lower', function)")
    return metric


def warn_of_losses(networks, metric):
    """Warn if members are ranked by losses that are different functions; metric: its name."""
    names = sorted({shown_loss(network) for network in networks})
    if metric.endswith("loss") and len(names) > 1:
        better = f"metric={metric.replace('loss', 'accuracy')!r}" if ACCURACY in networks[0].objective.head.metrics else (
            "an error of your own, such as np.abs(net.predict(X) - y).mean()")
        warn_caller(f"members are judged by {metric}, but their losses are different functions ({', '.join(names)}), one "
                    f"larger than another whatever the network: judge them by {better}")


def shown_loss(network):
    """Return the name of a network's loss; of several outputs, that of each."""
    return network.loss if isinstance(network.loss, str) else ", ".join(
        f"{name}: {loss}" for name, loss in network.loss.items())


MOST_ROWS = 20  # of a table in a notebook


class Table(list):
    """A list of dicts, one for each row, that prints as a table."""

    def __repr__(self):
        if not self:
            return "(no rows)"
        cells = [[*self[0]]] + [[written(row.get(name, "")) for name in self[0]] for row in self]
        widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
        return "\n".join("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells)


def written(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def as_table(rows):
    """Return rows, dicts with the same keys, as a pandas DataFrame if pandas is installed, else as a `Table`."""
    try:
        from pandas import DataFrame
    except ImportError:
        return Table(rows)
    return DataFrame(rows)
