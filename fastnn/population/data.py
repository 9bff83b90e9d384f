"""What members learn from, checked once and shared."""

import dataclasses

import numpy as np

from ..samples.data import Data, check_data


class SharedData:
    """Checked data that members share: prepared once for each dtype and kind of target, weights also for each set of rows.

    validation: (X, y) or (X, y, sample_weight), or None. memory: arrays that training changes, which no data may lie in.
    """

    def __init__(self, X, y, weights, class_weight, validation, memory):
        self.memory = memory
        self.X, self.y, self.weights, self.class_weight = X, y, weights, class_weight
        self.given, self.known = validation, {}
        if validation is not None and (not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3)):
            raise ValueError("validation_data must be a tuple (X, y) or (X, y, sample_weight)")

    def checked(self, network, *given):
        """The Data of what is given, for networks like this one."""
        key = network.dtype, network.objective.head, *map(id, given)
        if key not in self.known:
            self.known[key] = check_data(network, *given).copied_where_shared(*self.memory)
        return self.known[key]

    def training(self, network, rows):
        """What the network is to learn from: all of it, or rows."""
        data = self.checked(network, self.X, self.y, self.weights)
        key = "weights", network.dtype, network.objective.head, id(rows)  # whoever fits keeps the rows alive
        if key not in self.known:
            self.known[key] = self.weights_of(network, data, rows)
        return Data(data.X, data.targets, self.known[key], rows)

    def weights_of(self, network, data, rows):
        """The weights of rows, where they stand among all; as `fit` works them out when it is given the rows alone."""
        head = network.objective.head
        if rows is None:
            return data.weights if self.class_weight is None else head.apply_class_weight(
                self.class_weight, data.targets, data.weights, network.dtype)
        chosen = part(data.weights, rows)
        if chosen is not None and not chosen.any():
            raise ValueError("sample_weight is zero for all of a member's rows; give it others")
        if self.class_weight is None:
            return data.weights
        weights = np.zeros(len(data.X), data.X.dtype)
        weights[rows] = head.apply_class_weight(self.class_weight, data.targets.part(rows), chosen, network.dtype)
        return weights

    def validation(self, network, rows):
        """What the network is evaluated on after each epoch; None for nothing."""
        if rows is not None:
            return dataclasses.replace(self.checked(network, self.X, self.y, self.weights), rows=rows)
        if self.given is None:
            return None
        try:
            return self.checked(network, *self.given)
        except ValueError as error:
            raise ValueError(f"validation_data: {error}") from None

    def fit_to_copies(self, network, rows, validation_rows, **options):
        """`Network.fit`, for L-BFGS, which takes rows as copies."""
        given = self.X, self.y, self.weights
        X, y, weights = (part(values, rows) for values in given)
        validation = self.given
        if validation_rows is not None:
            validation = tuple(part(values, validation_rows) for values in given if values is not None)
        return network.fit(X, y, sample_weight=weights, class_weight=self.class_weight, validation_data=validation,
                           **options)


def part(values, rows):
    return values if values is None or rows is None else np.asarray(values)[rows]
