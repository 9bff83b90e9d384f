"""Which way a metric is better. Whoever looks for a best asks here, and nowhere else.

What a metric does not say is never guessed from its name: "gini" and "r2_adjusted" are better when higher, "inaccuracy" and
"mape" when lower. A monitor of such a metric is told by its `mode`; a callback that reports one may declare it in `reports`.
"""

from collections.abc import Mapping
from dataclasses import replace

from ...checks import several, shown
from .chosen import named
from .record import KNOWN, Metric

MODES = {"min": "lower", "max": "higher"}  # what users say


def reported(where, given):
    """The metrics that `Callback.reports` names: a list of names, or a mapping of each to "min", "max" or None.

    where: what it is called in an error.
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
    """The Metric with a direction: that of `mode`, "min" or "max"; with "auto" its own.

    metric: a Metric or a name. where, repair: of the error if nobody has said which way it is better.
    """
    metric = of_name(metric) if isinstance(metric, str) else metric
    if mode in MODES:
        return replace(metric, better=MODES[mode])
    if metric.better is None:
        raise ValueError(f"{where} is {metric.name!r}, and nothing says which way it is better; {repair}")
    return metric


def of_name(name):
    """The metric of this name that fits report, or may be asked to; one that says nothing if there is none."""
    return KNOWN.get(name) or replace(named(name.removeprefix("val_")) or Metric(name), name=name)
