"""The direction in which a metric is better, for everything that looks for a best value.

The direction is never guessed from a name: "gini" and "r2_adjusted" are better when higher, "inaccuracy" and "mape" when
lower. For a metric without a direction, a monitor needs a `mode`, or the callback that reports it declares it in `reports`.
"""

from collections.abc import Mapping
from dataclasses import replace

from ...checks import several, shown
from .chosen import named
from .record import KNOWN, Metric

MODES = {"min": "lower", "max": "higher"}  # names in the public interface


def reported(where, given):
    """Return the metrics in `Callback.reports`: a list of names, or a mapping of each to "min", "max" or None.

    where: what the error calls it.
    """
    modes = given if isinstance(given, Mapping) else dict.fromkeys(several(where, given))
    for name, mode in modes.items():
        if not isinstance(name, str):
            raise ValueError(f"{where} has {shown(name)}; it must be a list of names, such as ['auc'], or say which way "
                             "each is better, as in {'auc': 'max'}")
        if mode is not None and not (isinstance(mode, str) and mode in MODES):
            raise ValueError(f"{where}[{name!r}] is {shown(mode)}; it must be 'max' if larger values are better, or 'min'")
        if mode is not None and name in KNOWN and KNOWN[name].better != MODES[mode]:
            raise ValueError(f"{where}[{name!r}] is {mode!r}, but {name} is better when {KNOWN[name].better}; "
                             "give the metric another name")
    return tuple(KNOWN.get(name, Metric(name, MODES.get(mode))) for name, mode in modes.items())


def directed(where, metric, mode, repair):
    """Return the Metric with a direction: that of `mode`, "min" or "max"; with "auto" its own.

    metric: a Metric or a name. where, repair: of the error if the direction is unknown.
    """
    metric = of_name(metric) if isinstance(metric, str) else metric
    if mode in MODES:
        return replace(metric, better=MODES[mode])
    if metric.better is None:
        raise ValueError(f"{where} is {metric.name!r}, and nothing says which way it is better; {repair}")
    return metric


def of_name(name):
    """Return the metric of this name, of those of fits and those that can be chosen; without a direction if unknown."""
    return KNOWN.get(name) or replace(named(name.removeprefix("val_")) or Metric(name), name=name)
