"""The meaning of several outputs: a head for each, by name."""

from dataclasses import dataclass

from .metrics import LOSS, Metric
from .series.sequences import Sequences

NOT_ONE = ("this network has several outputs, {}, and {} takes one; make a network of a part: "
           "Network(inputs=x, outputs=one) from the same nodes")


@dataclass(frozen=True)
class SeveralHeads:
    """The heads of several outputs, with the interface of a `Head` where that means something for several.

    Attributes
    ----------
    names : tuple of str
    heads : tuple of Head
    factors : tuple of float
        Of the loss of each output in the loss of the network.
    """

    names: tuple
    heads: tuple
    factors: tuple

    kind, targets, one_label, takes_labels, classes = "several outputs", "several", False, False, None

    @property
    def probabilities(self):
        """Whether all outputs are probabilities."""
        return all(head.probabilities for head in self.heads)

    @property
    def description(self):
        """The targets in words, for errors."""
        return " and ".join(f"{head.description} ({name})" for name, head in zip(self.names, self.heads, strict=True))

    @property
    def outputs(self):
        """The number of outputs of each."""
        return tuple(head.outputs for head in self.heads)

    @property
    def metrics(self):
        """The loss of the network, then what each head reports, with the name of the output in front."""
        return LOSS, *(Metric(f"{name}_{metric.name}", metric.better)
                       for name, head in zip(self.names, self.heads, strict=True) for metric in head.metrics)

    def report(self, loss, each, prefix=""):
        """Return {name: value} of the reported metrics. each: (loss with its factor, accuracy) of each output."""
        values = {f"{prefix}loss": loss}
        for name, head, factor, (own, accuracy) in zip(self.names, self.heads, self.factors, each, strict=True):
            values |= {f"{prefix}{name}_{metric}": value for metric, value in head.report(own / factor, accuracy).items()}
        return values

    def predictions(self, outputs):
        """Return ({name: predictions}, unsound), as `Head.predictions`."""
        made = {name: (head.predictions_of if isinstance(outputs[name], Sequences) else head.predictions)(outputs[name])
                for name, head in zip(self.names, self.heads, strict=True)}
        unsound = [number for _, number in made.values() if number >= 0]
        return {name: predicted for name, (predicted, _) in made.items()}, min(unsound, default=-1)
