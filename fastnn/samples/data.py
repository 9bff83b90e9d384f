"""Checked data: samples, targets and weights, in the form that the programs of a network read."""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels.compiling.objects import address
from .features import features
from .targets import Targets
from .weights import sample_weights


@dataclass
class Data:
    """Samples for training or evaluation.

    Attributes
    ----------
    X : array (samples, *shape)
        Of the network's dtype, or images of uint8, which the gather of a batch converts.
    targets : Targets
    weights : array (samples,) or None
    rows : array of int64 or None
        The numbers of the samples to use, in order; None for all.
    dtype : str
        That of the network.
    """

    X: np.ndarray
    targets: Targets
    weights: np.ndarray | None
    rows: np.ndarray | None = None
    dtype: str = "float32"

    @property
    def samples(self):
        """The number of samples to use."""
        return len(self.X if self.rows is None else self.rows)

    def enter(self, call, order):
        """Write the addresses of the data to the record of a call; order: the numbers of the samples, or None."""
        enter_samples(call, self.X)
        call["targets"], call["labels"] = address(self.targets.values), address(self.targets.labels)
        call["weights"], call["order"], call["samples"] = address(self.weights), address(order), self.samples

    def without_shared_memory(self, *vectors):
        """Return the same data, with copies of arrays that share memory with the vectors, which training changes."""

        def shared(array):
            return array is not None and any(np.may_share_memory(array, vector) for vector in vectors)

        def own(array):
            return array.copy() if shared(array) else array

        values = self.targets.values  # labels are int64, so they cannot share memory with the vectors
        if not any(map(shared, (self.X, values, self.weights))):
            return self
        return replace(self, X=own(self.X), targets=replace(self.targets, values=own(values)), weights=own(self.weights))

    def normalize_weights(self):
        """Return the same data with weights that sum to 1, for gradients that are summed over several batches."""
        weights = np.ones(len(self.X)) if self.weights is None else self.weights.astype(np.float64)
        return replace(self, weights=(weights / weights.sum()).astype(self.dtype), rows=None)


def enter_samples(call, X):
    """Write the address of the samples to the record of a call."""
    as_bytes = X.dtype == np.uint8
    call["X"], call["octets"] = (0, address(X)) if as_bytes else (address(X), 0)


def check_data(network, X, y, weights=None, class_weight=None):
    """Return the Data of a caller's arrays for this network, or raise an error with the required form."""
    head = network.objective.head
    X = features(X, network.shapes[0], network.dtype)
    targets = head.check_targets(y, len(X), network.dtype)
    weights = sample_weights(weights, len(X), network.dtype)
    if class_weight is not None:
        weights = head.apply_class_weight(class_weight, targets, weights, network.dtype)
    return Data(X, targets, weights, dtype=network.dtype)
