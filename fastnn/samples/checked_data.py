"""Checked data: samples, targets and weights, in the form that the programs of a network read."""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.interpreter.axes import AS_BYTES, AS_LABELS, AS_NUMBERS, AS_TOKENS, SOURCE
from ..kernels.interpreter.steps import SOURCES, TARGETS, WEIGHTS
from ..kernels.interpreter.steps import X as SAMPLES
from .series.sequences import Sequences
from .targets import Targets


@dataclass
class Data:
    """Samples for training or evaluation.

    Attributes
    ----------
    X : array (samples, *shape), or Sequences
        Of the network's dtype, or images of uint8, which the gather of a batch converts, or tokens of int32.
    targets : Targets
    weights : array (samples,) or (samples, *positions), or None
        With targets at steps, (steps,) of all sequences.
    rows : array of int64 or None
        The numbers of the samples to use, in order; None for all.
    dtype : str
        That of the network.
    positions : int
        The number of positions of a sample's outputs, such as the pixels of an image; 1 for outputs with one axis.
    class_names : tuple of str or None
        The names of labels that were given as text.
    """

    X: np.ndarray
    targets: Targets
    weights: np.ndarray | None
    rows: np.ndarray | None = None
    dtype: str = "float32"
    positions: int = 1
    class_names: tuple | None = None
    sources: np.ndarray | None = None  # memory of the last call that these data were entered in

    @property
    def samples(self):
        """The number of samples to use."""
        return len(self.X if self.rows is None else self.rows)

    def enter(self, call, order):
        """Write the addresses of the data to the record of a call; order: the numbers of the samples, or None."""
        self.sources = enter_samples(call, self.X)
        call["order"], call["samples"] = address(order), self.samples
        if self.targets.offsets is not None:
            enter_steps(self.sources, self.targets, self.weights)
            return
        call["targets"], call["labels"] = address(self.targets.values), address(self.targets.labels)
        call["labels_are_bytes"] = self.targets.labels is not None and self.targets.labels.dtype == np.uint8
        call["weights"] = address(self.weights)
        call["weight_at_positions"] = self.weights is not None and self.weights.ndim > 1

    @property
    def total_weight(self):
        """The sum of the weights of all positions of the samples to use."""
        if self.targets.offsets is not None:
            return float(self.weights_of_steps().sum(dtype=np.float64))
        if self.weights is None:
            return self.samples * self.positions
        weights = self.weights if self.rows is None else self.weights[self.rows]
        return weights.sum(dtype=np.float64) * (self.positions if weights.ndim == 1 else 1)

    def weights_of_steps(self):
        """Return the weights (steps,) of the samples to use, where targets are those of steps."""
        steps = self.targets.offsets
        weights = np.ones(steps[-1], self.dtype) if self.weights is None else self.weights
        return weights if self.rows is None else Sequences(weights, steps)[self.rows].steps

    @property
    def lengths(self):
        """The number of steps of each sequence to use; None if samples are of one shape."""
        if not isinstance(self.X, Sequences):
            return None
        return self.X.lengths if self.rows is None else self.X.lengths[self.rows]

    @property
    def mean_steps(self):
        """The mean number of steps of a sequence; 1 if samples are of one shape."""
        return mean_steps(self.X)

    def largest_batch(self, batch):
        """Return (steps of the `batch` longest sequences, steps of the longest); None if samples are of one shape."""
        return None if (lengths := self.lengths) is None else largest_batch(lengths, batch)

    @property
    def form(self):
        """Everything that the rows of a program depend on: what there is, and in which dtype."""
        absent = tuple(part is None for part in (self.targets.labels, self.targets.values, self.weights))
        return absent, self.X.dtype

    def without_shared_memory(self, *vectors):
        """Return the same data, with copies of arrays that share memory with the vectors, which training changes."""

        def shared(array):
            return array is not None and any(np.may_share_memory(array, vector) for vector in vectors)

        def own(array):
            return array.copy() if shared(array) else array

        values = self.targets.values  # labels are whole numbers, so they cannot share memory with the vectors
        steps = self.X.values if isinstance(self.X, Sequences) else self.X
        if not any(map(shared, (steps, values, self.weights))):
            return self
        X = self.X.with_steps(own(self.X.steps)) if isinstance(self.X, Sequences) else own(self.X)
        return replace(self, X=X, targets=replace(self.targets, values=own(values)), weights=own(self.weights))

    def normalize_weights(self):
        """Return the same data with weights that sum to 1, for gradients that are summed over several batches."""
        if self.targets.offsets is not None:
            weights = np.ones(self.targets.offsets[-1]) if self.weights is None else self.weights.astype(np.float64)
            return replace(self, weights=(weights / weights.sum()).astype(self.dtype), rows=None)
        weights = np.ones(len(self.X)) if self.weights is None else self.weights.astype(np.float64)
        total = weights.sum() * (self.positions if weights.ndim == 1 else 1)
        return replace(self, weights=(weights / total).astype(self.dtype), rows=None)


def largest_batch(lengths, batch):
    """Return (steps of the `batch` longest sequences, steps of the longest)."""
    longest = np.partition(lengths, len(lengths) - batch)[len(lengths) - batch:] if batch < len(lengths) else lengths
    return int(longest.sum()), int(longest.max(initial=0))


def enter_samples(call, X):
    """Write the address of the samples to the record of a call; return memory that must live as long as the call."""
    if isinstance(X, Sequences):
        sources = sources_of(X)
        call["sources"], call["X"], call["octets"] = address(sources), 0, 0
        return sources
    as_bytes = X.dtype == np.uint8
    call["X"], call["octets"] = (0, address(X)) if as_bytes else (address(X), 0)


def mean_steps(X):
    """Return the mean number of steps of Sequences, at least 1; 1 for an array."""
    return max(1.0, int(X.lengths.sum()) / max(len(X), 1)) if isinstance(X, Sequences) else 1


def sources_of(sequences):
    """Return the records of what enters from outside, which compiled code reads."""
    sources = np.zeros(SOURCES, SOURCE.dtype)
    form = {"uint8": AS_BYTES, "int32": AS_TOKENS}.get(sequences.dtype.name, AS_NUMBERS)
    sources[SAMPLES] = address(sequences.values), address(sequences.offsets), form, sequences.window
    return sources


def enter_steps(sources, targets, weights):
    """Write the addresses of the targets and weights of steps to the sources of a call."""
    values, form = (targets.values, AS_NUMBERS) if targets.labels is None else (targets.labels, AS_LABELS)
    sources[TARGETS] = address(values), address(targets.offsets), form, 0
    sources[WEIGHTS] = address(weights), 0, AS_NUMBERS, 0
