"""A target of ordered classes, by a cumulative model: an output for each class but the last.

Output k is the logit of "the rank of the class is larger than k", learned by the binary cross-entropy (Cheng, Wang and
Pollastri 2008). These probabilities are sorted, so that they descend, and their differences are the probabilities of the
classes. The predicted class is the median, the first with a probability of at least 1/2 of it or a lower one: no other has a
smaller mean error in ranks, if the probabilities are right.
"""

from dataclasses import dataclass

import numpy as np

from .. import metrics
from ..classes import Classes
from ..columns.cells import written
from ..single import Head


@dataclass(frozen=True)
class Ordered(Classes):
    """A target of classes in an order, that of `labels`."""

    kind, linear, activation = "ordered", "ordered", "identity"

    @property
    def outputs(self):
        return len(self.labels) - 1

    @property
    def heads(self):
        return (Head(self.outputs, "sigmoid", "binary_cross_entropy"),)

    def learned(self, encoded):
        """Return whether the rank is larger than 0, 1, …: [(rows, classes − 1)]."""
        return [(encoded[:, None] > np.arange(self.outputs)).astype(np.float32)]

    def estimates(self, outputs):
        """Return probabilities (rows, classes), from logits (rows, classes − 1)."""
        larger = -np.sort(-0.5 * (1 + np.tanh(0.5 * np.asarray(outputs, np.float64))), axis=1)
        ends = np.ones((len(larger), 1))
        return np.concatenate([ends, larger], axis=1) - np.concatenate([larger, 0 * ends], axis=1)

    def chosen(self, probabilities):
        """Return the ranks of the predicted classes (rows,): the medians."""
        return (np.cumsum(probabilities, axis=1)[:, :-1] < 0.5).sum(axis=1)

    def judged(self, series, probabilities, weights=None):
        """Return the metrics of probabilities (rows, classes)."""
        return metrics.ordered(self.encode(series), probabilities, self.chosen(probabilities), weights)

    def __str__(self):
        return super().__str__().replace(" classes: ", " ordered classes: ", 1)


def in_order(classes, order):
    """Return Classes as Ordered, with the labels in an order: a list of all labels, or of how they are written."""
    places = {written(label): k for k, label in enumerate(classes.labels)} | {
        text: k for k, text in enumerate(classes.texts)}
    numbers = [places.get(written(label), places.get(label) if isinstance(label, str) else None) for label in order]
    unknown = [label for label, number in zip(order, numbers, strict=True) if number is None]
    lost = [text for k, text in enumerate(classes.texts) if k not in numbers]
    if unknown or lost or len(set(numbers)) < len(numbers):
        wrong = (f"{unknown[0]!r} is no class of {classes.name!r}" if unknown else
                 f"{lost[0]!r} is a class of {classes.name!r} too" if lost else "a class is in it twice")
        raise ValueError(f"order is {','.join(map(str, order))}, but {wrong}; give each class once, from the lowest to the "
                         f"highest: {', '.join(classes.texts)}")
    labels = tuple(classes.labels[k] for k in numbers)
    spelling = classes.spelling and tuple(classes.spelling[k] for k in numbers)
    return Ordered(classes.name, labels, classes.dtype, spelling)
