"""Metrics as records: name, direction and function."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ...checks import one_of, shown


@dataclass(frozen=True)
class Metric:
    """A metric: its name, the direction in which it is better, and its function.

    Parameters
    ----------
    name : str
    better : {"higher", "lower", None}
        Without it, whatever looks for the best value needs a `mode`.
    function : callable, optional
        A function of targets and predictions that returns a number. Targets have the form of predictions, which are those of
        `Network.predict`. So functions of scikit-learn can be used directly.
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
        """The factor that makes its values costs, of which the lowest is the best."""
        return -1.0 if self.better == "higher" else 1.0

    def on_validation_data(self):
        """Return the same metric for the validation data."""
        return replace(self, name=f"val_{self.name}")


LOSS, ACCURACY = Metric("loss", "lower"), Metric("accuracy", "higher")
KNOWN = {metric.name: metric for each in (LOSS, ACCURACY) for metric in (each, each.on_validation_data())}


def of_fit(network, validated, chosen=()):
    """Return the metrics that a fit reports; validated: whether it has validation data; chosen: additional metrics."""
    own = (*network.objective.head.metrics, *chosen)
    return own + tuple(metric.on_validation_data() for metric in own if validated)
