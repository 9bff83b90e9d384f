"""What a fit recorded, epoch by epoch."""

from collections.abc import Mapping

from . import html


class History(Mapping):
    """A mapping of the name of a metric to its values, a float each epoch.

    Names: "loss", and for classifiers "accuracy", both gathered while the weights moved through the epoch; with validation
    data "val_loss" and "val_accuracy", of the weights at its end.

    Examples
    --------
    >>> from fastnn import History
    >>> history = History()
    >>> history.append({"loss": 0.5})
    >>> history.append({"loss": 0.25})
    >>> history["loss"], len(history.epochs)
    ([0.5, 0.25], 2)
    """

    def __init__(self):
        self.metrics = {}

    def append(self, values):
        """Add an epoch's values."""
        for name, value in values.items():
            self.metrics.setdefault(name, []).append(float(value))

    @property
    def epochs(self):
        """The numbers of the epochs, from 0."""
        return range(max(map(len, self.metrics.values()), default=0))

    def __getitem__(self, name):
        if name not in self.metrics:
            raise KeyError(f"{name!r} was not recorded; recorded were {', '.join(self.metrics) or 'no epochs'}")
        return self.metrics[name]

    def __iter__(self):
        return iter(self.metrics)

    def __len__(self):
        return len(self.metrics)

    def __repr__(self):
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.metrics.items())
        return f"<History of {len(self.epochs)} epochs{': ' + last if last else ''}>"

    def _repr_html_(self):
        return html.history_html(self)
