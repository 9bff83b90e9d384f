"""Metrics as records: what each is called, and which way it is better. Whoever looks for a best asks here, and nowhere else.

    better    "lower" or "higher"; None where nobody has said

What a metric does not say is never guessed from its name: "auc" and "r2" are better when higher, "inaccuracy" and "mae" when
lower. A monitor of such a metric is told by its `mode`; a callback that reports one may declare it in `Callback.reports`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .checks import several, shown

MODES = {"min": "lower", "max": "higher"}  # what users say


@dataclass(frozen=True)
class Metric:
    """A number that a fit or a callback reports each epoch."""

    name: str
    better: str | None = None

    @property
    def sign(self):
        """What makes of its values costs, of which the lowest is the best."""
        return -1.0 if self.better == "higher" else 1.0

    def on_validation_data(self):
        """The same metric of the validation data."""
        return replace(self, name=f"val_{self.name}")


LOSS, ACCURACY = Metric("loss", "lower"), Metric("accuracy", "higher")
KNOWN = {metric.name: metric for each in (LOSS, ACCURACY) for metric in (each, each.on_validation_data())}


def of_fit(network, validated):
    """The metrics that a fit of the network reports; validated: whether it has validation data."""
    own = network.objective.head.metrics
    return own + tuple(metric.on_validation_data() for metric in own if validated)


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
    metric = KNOWN.get(metric, Metric(metric)) if isinstance(metric, str) else metric
    if mode in MODES:
        return replace(metric, better=MODES[mode])
    if metric.better is None:
        raise ValueError(f"{where} is {metric.name!r}, and nothing says which way it is better; {repair}")
    return metric
