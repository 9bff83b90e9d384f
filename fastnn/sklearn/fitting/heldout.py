"""Training samples and held-out samples."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from ...samples.series.sequences import Sequences
from ...samples.several import Inputs


@dataclass
class Samples:
    """X (samples, inputs); y in the network's form; weights (samples,) or None."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None

    def split(self, fraction, generator, stratify):
        """Return (training samples, held-out samples); `stratify`: whether both have the same proportions of classes."""
        # sequences are divided by their numbers: scikit-learn would make a list of them
        by_number = isinstance(self.X, (Sequences, Inputs))
        X = np.arange(len(self.X)) if by_number else self.X
        arrays = [X, self.y] + ([] if self.weights is None else [self.weights])
        pieces = train_test_split(*arrays, test_size=fraction, random_state=generator, stratify=self.y if stratify else None)
        if by_number:
            pieces[:2] = self.X[pieces[0]], self.X[pieces[1]]
        held = len(pieces[1])
        if held < 2:
            raise ValueError(f"The validation set is too small: {held} of the {len(self.X)} samples, and it needs 2; raise "
                             "validation_fraction, or give fit samples of their own (X_val, y_val)")
        weights = [None, None] if self.weights is None else pieces[4:]
        for these, count, name in zip(weights, (len(pieces[0]), held), ("left to learn from", "held out"), strict=True):
            if these is not None and not these.any():
                raise ValueError(f"the {count} samples {name} by early_stopping all have weight 0; give more of them one "
                                 "above 0, or give fit samples of their own (X_val, y_val)")
        return Samples(pieces[0], pieces[2], weights[0]), Samples(pieces[1], pieces[3], weights[1])

    def as_validation_data(self, network):
        """Return the samples in the form of `network.fit`'s validation_data."""
        X = network.shaped(self.X)
        y = network.targets(self.y)
        return (X, y) if self.weights is None else (X, y, self.weights)


def without_names(estimator):
    """Return the same estimator without feature names: held-out samples have lost theirs."""
    twin = object.__new__(type(estimator))
    vars(twin).update({name: value for name, value in vars(estimator).items() if name != "feature_names_in_"})
    return twin
