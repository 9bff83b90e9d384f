"""What members learn from, checked once and shared."""

import dataclasses

import numpy as np


class SharedData:
    """Checked data that members share: prepared once for each dtype and kind of target."""

    def __init__(self, X, y, weights, validation):
        self.X, self.y, self.weights = X, y, weights
        self.given, self.known = validation, {}  # of validation; (what, dtype, kind of target): Data
        if validation is not None and (not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3)):
            raise ValueError("validation_data must be a tuple (X, y) or (X, y, sample_weight)")

    def of(self, network, rows=None, source="data"):
        key = source, network.dtype, network._loss.targets
        if key not in self.known:
            given = (self.X, self.y, self.weights) if source == "data" else self.given
            self.known[key] = network._data(*given)
        data = self.known[key]
        return data if rows is None else dataclasses.replace(data, rows=rows)

    def validation(self, network, rows):
        if rows is not None:
            return self.of(network, rows)
        if self.given is None:
            return None
        try:
            return self.of(network, source="validation")
        except ValueError as error:
            raise ValueError(f"validation_data: {error}") from None

    def whole(self, rows, validation_rows):
        """Arguments of `Network.fit`: for L-BFGS, which takes rows as copies."""

        def part(values, rows):
            return values if values is None or rows is None else np.asarray(values)[rows]

        validation = self.given
        if validation_rows is not None:
            given = self.X, self.y, self.weights
            validation = tuple(part(values, validation_rows) for values in given if values is not None)
        return {"X": part(self.X, rows), "y": part(self.y, rows), "sample_weight": part(self.weights, rows),
                "validation_data": validation}
