"""Checked data of networks with several inputs or outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.interpreter.axes import AS_BYTES, AS_LABELS, AS_NUMBERS, AS_TOKENS, SOURCE
from ..kernels.interpreter.several import OF_POSITIONS, OF_SAMPLES
from .checked_data import Data, largest_batch, mean_steps
from .named import by_name, named_error
from .series.sequences import Sequences
from .weights import weights_of_rows

FORMS = {"uint8": AS_BYTES, "int32": AS_TOKENS}


class Inputs:
    """The samples of several inputs: arrays (samples, *shape) or Sequences, in the order of the inputs."""

    def __init__(self, arrays):
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays[0])

    def __getitem__(self, rows):
        return Inputs([array[rows] for array in self.arrays])

    @property
    def lengths(self):
        """Return the numbers of steps of each input, arrays; None for samples of one shape."""
        return [array.lengths if isinstance(array, Sequences) else None for array in self.arrays]

    @property
    def forms(self):
        """Return the dtype of each input."""
        return tuple(array.dtype.name for array in self.arrays)

    def largest_batches(self, batch, rows=None):
        """Return for each input what `Data.largest_batch` returns."""
        return tuple(None if not isinstance(array, Sequences) else
                     largest_batch(array.lengths if rows is None else array.lengths[rows], batch) for array in self.arrays)


def entries(X, names, shapes):
    """Return what X has for each input; samples without a name or a list around them are those of an only input."""
    by_column = hasattr(X, "columns") and names[0] in X
    by_list = isinstance(X, (list, tuple)) and len(X) == 1 and not is_sample(X[0], shapes[0])
    if len(names) == 1 and not (isinstance(X, Mapping) or by_column or by_list):
        return [X]
    return by_name("X input", X, names)


def is_sample(given, shape):
    """Whether an only entry of a list is a sample of this shape, and not samples."""
    try:
        return np.ndim(given) == len(shape) and shape != (1,)
    except ValueError:  # sequences of several lengths
        return False


@dataclass(frozen=True)
class SeveralTargets:
    """The Targets of each output, in the order of the outputs."""

    each: tuple

    def part(self, rows):
        """Return the targets of some samples, by their numbers."""
        return SeveralTargets(tuple(targets.part(rows) for targets in self.each))


@dataclass
class SeveralData(Data):
    """Samples of a network with several inputs or outputs.

    X: Inputs. targets: Targets, or SeveralTargets of a network with several outputs. weights: a list of the weights of each
    output, arrays (samples,) or (samples, *positions), or None. counts: the number of positions of each output.
    """

    counts: tuple = ()

    @property
    def targets_of_each(self):
        return self.targets.each if isinstance(self.targets, SeveralTargets) else (self.targets,)

    def enter(self, call, order):
        sources = sources_of_inputs(self.X)
        for targets, weights in zip(self.targets_of_each, self.weights, strict=True):
            form, values = (AS_NUMBERS, targets.values) if targets.labels is None else (AS_LABELS, targets.labels)
            form = AS_BYTES if values.dtype == np.uint8 else form
            whose = OF_POSITIONS if weights is not None and weights.ndim > 1 else OF_SAMPLES
            sources += [(address(values), address(targets.offsets), form, 0), (address(weights), 0, whose, 0)]
        self.sources = enter_sources(call, sources)
        call["order"], call["samples"] = address(order), self.samples

    @property
    def lengths(self):
        return None

    @property
    def mean_steps(self):
        return max(map(mean_steps, self.X.arrays))

    def largest_batch(self, batch):
        return self.X.largest_batches(batch, self.rows)

    @property
    def have_common_weights(self):
        """Whether samples have the same weights for all outputs."""
        return all(weights is self.weights[0] for weights in self.weights)

    @property
    def form(self):
        return self.X.forms, self.have_common_weights, tuple((targets.labels is None, weights is None)
                                   for targets, weights in zip(self.targets_of_each, self.weights, strict=True))

    @property
    def each(self):
        """Return the data of each output, with the weights of it alone."""
        return [Data(self.X, targets, weights, self.rows, self.dtype, count)
                for targets, weights, count in zip(self.targets_of_each, self.weights, self.counts, strict=True)]

    def weights_of_steps(self):
        return self.each[0].weights_of_steps()

    @property
    def total_weights(self):
        """Return the sum of the weights of all positions, or steps, of the samples to use, of each output."""
        return [data.total_weight for data in self.each]

    def without_shared_memory(self, *vectors):
        def own(array):
            if array is not None and any(np.may_share_memory(array, vector) for vector in vectors):
                return array.copy()
            return array

        arrays = [array.with_steps(own(array.steps)) if isinstance(array, Sequences) else own(array)
                  for array in self.X.arrays]
        targets = [replace(targets, values=own(targets.values)) for targets in self.targets_of_each]
        return replace(self, X=Inputs(arrays), targets=as_given(targets), weights=[*map(own, self.weights)])

    def normalize_weights(self):
        each = [replace(data, rows=None).normalize_weights().weights for data in self.each]
        return replace(self, weights=each, rows=None)


def is_of_each(weights, names):
    """Whether weights are a dict, or a list of the weights for each output, instead of one number for each sample."""
    return isinstance(weights, Mapping) or (isinstance(weights, (list, tuple)) and len(weights) == len(names)
                                            and all(own is None or np.ndim(own) >= 1 for own in weights))


def as_given(targets):
    """Return the Targets of the only output, or SeveralTargets."""
    return targets[0] if len(targets) == 1 else SeveralTargets(tuple(targets))


def sources_of_inputs(X):
    """Return what the record of each input has."""
    sources = []
    for array in X.arrays:
        values, *where = (array, 0, 0)
        if isinstance(array, Sequences):
            values, *where = array.values, address(array.offsets), array.window
        sources.append((address(values), where[0], FORMS.get(array.dtype.name, AS_NUMBERS), where[1]))
    return sources


def enter_inputs(call, X):
    """Write the records of Inputs to a call; return memory that must live as long as the call."""
    return enter_sources(call, sources_of_inputs(X))


def enter_sources(call, sources):
    """Write the records of sources to a call; return memory that must live as long as the call."""
    memory = np.zeros(len(sources), SOURCE.dtype)
    for number, source in enumerate(sources):
        memory[number] = source
    call["sources"] = address(memory)
    return memory


def targets_by_name(y, names, heads):
    """Return the targets of each output; None for those whose loss needs none, if y lacks them."""
    needed = [name for name, head in zip(names, heads, strict=True) if head.targets != "none"]
    if y is None and not needed:
        return [None] * len(names)
    given = names
    if isinstance(y, (list, tuple)):
        given = names if len(y) == len(names) else needed
    elif hasattr(y, "__contains__") and not isinstance(y, np.ndarray):
        given = [name for name in names if name in needed or name in y]
    found = dict(zip(given, by_name("y output", y, given), strict=True))
    return [found.get(name) for name in names]


def weighted(network, data, class_weight, rows=None):
    """Return data with the weights of samples multiplied by those of their classes; rows: the samples to use, or None.

    The weights of rows are those of a fit on these rows alone.
    """
    data, names, weights = replace(data, rows=rows), network.graph.outputs, []
    given = [class_weight] if len(names) == 1 else (
        [None] * len(names) if class_weight is None else by_name("class_weight output", class_weight, names, None))
    for name, head, own, factor in zip(names, network.heads, data.each, given, strict=True):
        try:
            weights.append(weights_of_rows(head, factor, own, rows))
        except ValueError as error:
            if len(names) == 1:
                raise
            raise named_error(f"y[{name!r}]", error) from None
    return replace(data, weights=weights)
