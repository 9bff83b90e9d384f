"""The data of the members, checked once and shared."""

import dataclasses

import numpy as np

from ..samples.data import check_data
from ..samples.named import by_name
from ..samples.series.sequences import Sequences
from ..samples.several import entries, is_of_each, weighted
from ..samples.weights import weights_of_rows


class SharedData:
    """Data that the members share. They are checked once for each dtype and kind of target.

    Weights are computed once for each set of rows. validation: (X, y) or (X, y, sample_weight), or None. memory: arrays that
    training changes; data that share memory with them are copied.
    """

    def __init__(self, X, y, weights, class_weight, validation, memory):
        self.memory = memory
        self.X, self.y, self.weights, self.class_weight = X, y, weights, class_weight
        self.given, self.known = validation, {}
        if validation is not None and (not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3)):
            raise ValueError("validation_data must be a tuple (X, y) or (X, y, sample_weight)")

    def checked(self, network, *given):
        """Return the checked Data of X, y and weights, for networks like this one."""
        key = network.dtype, network.objective.head, network.mean, *map(id, given)
        if key not in self.known:
            self.known[key] = check_data(network, *given).without_shared_memory(*self.memory)
        return self.known[key]

    def training(self, network, rows):
        """Return the training Data of the network: all rows, or some."""
        data = self.checked(network, self.X, self.y, self.weights)
        if network.has_several:
            return weighted(network, data, self.class_weight, rows)
        # the id is valid, because the fit holds a reference to rows
        key = "weights", network.dtype, network.objective.head, network.mean, id(rows)
        if key not in self.known:
            self.known[key] = weights_of_rows(network.objective.head, self.class_weight, data, rows)
        return dataclasses.replace(data, weights=self.known[key], rows=rows)

    def validation(self, network, rows):
        """Return the Data on which the network is evaluated after each epoch; None for none."""
        if rows is not None:
            return dataclasses.replace(self.checked(network, self.X, self.y, self.weights), rows=rows)
        if self.given is None:
            return None
        try:
            return self.checked(network, *self.given)
        except ValueError as error:
            raise ValueError(f"validation_data: {error}") from None

    def fit_copies(self, network, rows, validation_rows, **options):
        """Call `Network.fit` with copies of the rows, for L-BFGS."""
        X, y, weights = self.part(network, rows)
        validation = self.given
        if validation_rows is not None:
            validation = tuple(values for values in self.part(network, validation_rows) if values is not None)
        return network.fit(X, y, sample_weight=weights, class_weight=self.class_weight, validation_data=validation,
                           **options)


    def part(self, network, rows):
        """Return (X, y, weights) of some rows, or of all."""
        given = self.X, self.y, self.weights
        if rows is None:
            return given
        if not network.has_several:
            return tuple(part(values, rows) for values in given)
        names, (X, y, weights) = network.graph.outputs, given
        X = [part(values, rows) for values in entries(X, network.graph.inputs, network.shapes)]
        if not network.several_outputs:
            return X, part(y, rows), part(weights, rows)
        y = [part(values, rows) for values in by_name("y output", y, names)]
        if is_of_each(weights, names):
            weights = [part(values, rows) for values in by_name("sample_weight output", weights, names, None)]
        else:
            weights = part(weights, rows)
        return X, y, weights


def part(values, rows):
    if values is None or rows is None:
        return values
    if isinstance(values, Sequences):
        return values[rows]
    return [values[row] for row in rows] if isinstance(values, (list, tuple)) else np.asarray(values)[rows]
