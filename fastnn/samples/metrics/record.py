"""Metrics as records: what each is called, which way it is better, and how it is worked out."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ...checks import one_of, shown


@dataclass(frozen=True)
class Metric:
    """A metric: its name, which way it is better, and how it is worked out.

    Parameters
    ----------
    name : str
    better : {"higher", "lower", None}
        Without it, whoever looks for the best is to be told by a `mode`.
    function : callable, optional
        Of the targets and the predictions; returns a number. Targets are what perfect predictions would be, and predictions
        are those of `Network.predict`. So functions of scikit-learn can be taken as they are.
    of : {"predictions", "outputs"}
        Whether the function takes the network's outputs (samples, outputs), such as probabilities, instead of predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Metric, Network
    >>> def brier(labels, probabilities):
    ...     return np.mean((probabilities[:, 0] - labels) ** 2)
    >>> X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    >>> net = Network([Dense(1, "sigmoid")], inputs=1)
    >>> metric = Metric("brier", "lower", brier, of="outputs")
    >>> history = net.fit(X, y, epochs=50, optimizer="sgd", metrics=[metric, "auc"])
    >>> history["brier"][0] > history["brier"][-1], history["auc"][-1]
    (True, 1.0)
    """

    name: str
    better: str | None = None
    function: Callable | None = None
    of: str = "predictions"

    def __post_init__(self):
        if not isinstance(self.name, str):
            raise ValueError(f"Metric(name=...) is {shown(self.name)}; it must be a name, such as 'gini'")
        if self.better is not None:
            one_of("Metric(better=...)", self.better, ("higher", "lower"))
        if self.function is not None and not callable(self.function):
            raise ValueError(f"Metric(function=...) is {shown(self.function)}; it must be a function")
        one_of("Metric(of=...)", self.of, ("predictions", "outputs"))

    @property
    def sign(self):
        """What makes of its values costs, of which the lowest is the best."""
        return -1.0 if self.better == "higher" else 1.0

    def on_validation_data(self):
        """The same metric of the validation data."""
        return replace(self, name=f"val_{self.name}")


LOSS, ACCURACY = Metric("loss", "lower"), Metric("accuracy", "higher")
KNOWN = {metric.name: metric for each in (LOSS, ACCURACY) for metric in (each, each.on_validation_data())}


def of_fit(network, validated, chosen=()):
    """The metrics that a fit of the network reports; validated: whether it has validation data; chosen: beside its own."""
    own = (*network.objective.head.metrics, *chosen)
    return own + tuple(metric.on_validation_data() for metric in own if validated)
