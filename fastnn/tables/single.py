"""What all targets of one column have in common.

A target has

    heads                        the losses of training, each on some of the outputs
    encode(series)               numbers (rows,): standardized values, class numbers, ranks, counts over their mean
    learned(encoded)             what each head learns, a list of arrays
    estimates(outputs)           values, quantiles or probabilities, from outputs (rows, outputs) of the network
    decided(estimates)           predictions from these: values, or labels
    judged(series, estimates)    their metrics
    measure                      the metric by which models are compared
    linear                       the kind of its linear members, None for none
    activation                   the last one of the network of a model: softmax or identity
"""

from typing import NamedTuple


class Head(NamedTuple):
    """Outputs of a network in training that belong to one loss: their number, their activation, the name of the loss."""

    outputs: int
    activation: str
    loss: str


class Single:
    """The common part of targets of one column."""

    activation, has_classes, has_intervals = "identity", False, False

    @property
    def parts(self):
        """The targets of single columns: this one."""
        return (self,)

    @property
    def places(self):
        """The outputs of each part, as slices."""
        return [slice(0, self.outputs)]

    def by_part(self, outputs):
        """Return (part, its outputs) pairs."""
        return [(self, outputs)]

    def column(self, table):
        """Return the column of the target in a table."""
        return table[self.name]

    def learned(self, encoded):
        """Return what each head learns, a list of arrays."""
        return [encoded]

    def decided(self, estimates):
        """Return predictions from estimates."""
        return estimates

    def decode(self, outputs):
        """Return predictions from outputs (rows, outputs) of the network."""
        return self.decided(self.estimates(outputs))

    def columns(self, outputs):
        """Return {name: predictions} as the columns of a table, from outputs (rows, outputs)."""
        return self.named(self.decode(outputs))

    def named(self, predictions):
        """Return {name: column} of predictions."""
        return {f"{self.name}_predicted": predictions}

    def score(self, series, outputs, weights=None):
        """Return the metrics of outputs (rows, outputs), for the column of the target: see `fastnn.tables.metrics`."""
        return self.judged(series, self.estimates(outputs), weights)
