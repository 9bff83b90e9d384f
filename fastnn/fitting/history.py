"""The history of a fit: metrics of each epoch."""

import math
from collections.abc import Mapping

from ..checks import shown, whole_number
from ..checks.other_attributes import answers
from ..checks.other_names import known_name
from ..formats import html


@answers
class History(dict):
    """A dict of metrics to their values, a float for each epoch: NaN for epochs in which the metric was not recorded.

    `pandas.DataFrame(history)` makes a table of it.

    "loss", and for classifiers "accuracy", are averages over the epoch, while the weights change. With validation data,
    "val_loss" and "val_accuracy" are computed with the weights at the end of the epoch. "learning_rate" is that of the last
    step of the epoch, if the learning rate changed during the fit.

    Examples
    --------
    >>> from fastnn import History
    >>> history = History()
    >>> history.append({"loss": 0.5})
    >>> history.append({"loss": 0.25})
    >>> history["loss"], len(history.epochs)
    ([0.5, 0.25], 2)
    """

    def __init__(self, metrics=(), learning_rates=()):
        metrics = {} if isinstance(metrics, tuple) and not metrics else metrics
        super().__init__(by_name("metrics", metrics))
        self.learning_rates = floats("learning_rates", learning_rates)  # of every epoch; a metric only if they differ

    def __setstate__(self, state):
        self.update(state.pop("metrics", {}))  # of pickles of earlier versions
        vars(self).update(state)

    @property
    def metrics(self):
        """The history itself: metrics by name."""
        return self

    def append(self, values, learning_rate=None):
        """Append the values of an epoch, and the learning rate of its last step if the optimizer has one."""
        given = {name: [value] for name, value in values.items()} if isinstance(values, Mapping) else values
        self.extend(given, [] if learning_rate is None else [learning_rate])

    def extend(self, values, learning_rates=()):
        """Append several epochs: {name: values}, and the learning rate of each if the optimizer has one."""
        values, rates = by_name("values", values), floats("learning_rates", learning_rates)
        recorded = [name for name in self if name != "learning_rate"]
        if recorded != [*values]:  # the first epoch, or a resumed fit that reports other metrics
            before, epochs = len(self.epochs), max(map(len, values.values()), default=0)
            for name in values:
                self.setdefault(name, [math.nan] * before)
            values = {name: [math.nan] * epochs for name in recorded} | values
        for name, added in values.items():
            self[name].extend(added)
        self.learning_rates.extend(rates)
        if "learning_rate" in self:
            self["learning_rate"].extend(rates)
        elif any(rate != self.learning_rates[0] for rate in rates):
            self["learning_rate"] = list(self.learning_rates)

    def first(self, epochs):
        """Return a copy of the first epochs."""
        epochs, history = whole_number("epochs", epochs, least=0), History()
        history.update({name: values[:epochs] for name, values in self.items()})
        history.learning_rates = self.learning_rates[:epochs]
        return history

    @property
    def epochs(self):
        """The numbers of the epochs, from 0."""
        return range(max(map(len, self.values()), default=0))

    def __missing__(self, name):
        raise KeyError(f"{name!r} was not recorded; recorded were {', '.join(self) or 'no epochs'}{self._repair(name)}")

    def _repair(self, name):
        if not isinstance(name, str):
            return ""
        known = known_name("metric", name.removeprefix("val_"), self)
        known = f"val_{known}" if known and name.startswith("val_") else known
        if known in self and known != name:
            return f": did you mean {known!r}?"
        return "; give fit validation_data or validation_split" if name.startswith("val_") else ""

    def __getattr__(self, name):
        advice = f"; a history is a mapping: history[{name!r}]" if name in self else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{advice}", name=name, obj=self)

    def __repr__(self):
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.items())
        return f"<History of {len(self.epochs)} epochs{': ' + last if last else ''}>"

    def _repr_html_(self):
        return html.history_html(self)


def by_name(where, metrics):
    """Return {name: values as a list of floats}."""
    if not isinstance(metrics, Mapping) or not all(isinstance(name, str) for name in metrics):
        raise ValueError(f"{where} is {shown(metrics)}; it must be a mapping of names to lists of numbers, one for each "
                         "epoch")
    return {name: floats(f"{where}[{name!r}]", values) for name, values in metrics.items()}


def floats(where, values):
    """Return numbers as a list of floats."""
    try:
        return list(map(float, None if isinstance(values, (str, bytes)) else values))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where} is {shown(values)}; it must be a list of numbers, one for each epoch") from None
