"""Heads: the meaning of the outputs of a network, defined in one class for each kind.

    Values      numbers, one or several
    OneClass    probabilities of several classes, of which a sample belongs to one
    YesOrNo     an independent probability in each output: one answer, or several that may all be yes

A head defines the valid targets, their labels, the predictions from outputs, the reported metrics, and the rows of the table
that compute accuracies and labels. `head_of` chooses it from the last activation, the loss and the number of outputs. To add
a meaning, add a subclass of `Head` and a line of `head_of`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from ..kernels.interpreter.criterion import accuracy_row
from ..kernels.interpreter.labels import above_half, label_row, likeliest
from .arrays import any_array, check_finite, real_array
from .metrics import ACCURACY, LOSS
from .targets import Targets, check_probabilities, class_labels
from .weights import class_factors, sample_weights

PROBABILITIES = "softmax", "sigmoid"  # activations whose outputs are probabilities


@dataclass(frozen=True)
class Head(ABC):
    """Base class of heads.

    Attributes
    ----------
    outputs : int
    targets : {"values", "classes", "binary"}
        The targets of the loss: any values, probabilities that sum to 1, or numbers from 0 to 1.
    probabilities : bool
        Whether outputs are probabilities: then predictions are labels, int64.
    one_label : bool
        Whether a sample has a single label.
    takes_labels : bool
        Whether targets may be integer labels (samples,), one of several classes each.
    metrics : tuple of Metric
        The metrics reported after an epoch, and by `Network.evaluate`.
    """

    outputs: int
    targets: str

    probabilities = True
    one_label = False
    takes_labels = False
    metrics = LOSS, ACCURACY

    @property
    @abstractmethod
    def kind(self):
        """The kind of metrics: "values", "one class", "one yes or no" or "several yes or no"."""

    @property
    @abstractmethod
    def description(self):
        """The targets in words, for errors: "3 values"."""

    @property
    @abstractmethod
    def predicted_shape(self):
        """The shape of the prediction for a sample: () for a single number."""

    @property
    def whole_numbers(self):
        """How integer targets (samples,) are used: "classes", "values", or None if they are refused."""
        return "values" if self.outputs == 1 else None

    @property
    def classes(self):
        """The number of labels; None without labels."""
        return None

    def predicted_dtype(self, dtype):
        """Return the dtype of predictions, where `dtype` is that of the network."""
        return np.dtype(np.int64 if self.probabilities else dtype)

    # Targets.

    def check_targets(self, y, samples, dtype):
        """Return y as the Targets of that many samples, or raise an error with the valid forms."""
        y = any_array("y", y)
        if y.ndim == 0 or len(y) != samples:
            has = f"{len(y)} rows" if y.ndim else f"no axis (it is {y!r})"
            raise ValueError(f"y has {has}; X has {samples} samples, so y must have {samples} rows")
        if self.takes_labels and y.shape in ((samples,), (samples, 1)):
            return Targets(class_labels(y.reshape(samples), self.outputs), None)
        values = y[:, None] if y.ndim == 1 else y
        if values.shape != (samples, self.outputs):
            forms = [f"({samples},) integer labels from 0 to {self.outputs - 1}"] if self.takes_labels else []
            forms += [f"({samples},)"] if self.outputs == 1 else []
            forms.append(f"({samples}, {self.outputs})")
            raise ValueError(f"y has shape {y.shape}; this network takes {' or '.join(forms)}")
        values = real_array("y", values, dtype)
        check_finite("y", values)
        if self.targets != "values":
            check_probabilities(values, self.targets)
        return Targets(None, values)

    def labels(self, targets):
        """Return the label of each sample (samples,) from checked targets, if there is one label for each sample."""
        raise NotImplementedError(f"{type(self).__name__} has no single label a sample")

    def apply_class_weight(self, class_weight, targets, weights, dtype):
        """Return the weights of samples with these targets, multiplied by those of their classes."""
        if not self.one_label:
            raise ValueError(f"class_weight is for samples of one class each; this network learns {self.description} (use "
                             "sample_weight)")
        labels = self.labels(targets)
        factors = class_factors(class_weight, labels, self.classes, weights)
        return sample_weights(factors if weights is None else weights * factors, len(labels), dtype, "class_weight")

    # Predictions.

    @abstractmethod
    def predictions(self, outputs):
        """Return (predictions, unsound) for outputs (samples, outputs).

        unsound: the number of the first sample whose outputs are NaN, so that it has no label; −1 if there is none.
        """

    # Metrics.

    @abstractmethod
    def perfect_predictions(self, targets):
        """Return the predictions that agree with checked targets, in the form of `predictions`."""

    def report(self, loss, accuracy, prefix=""):
        """Return {name: value} of the reported metrics; prefix: "val_" for validation."""
        values = {"loss": loss, "accuracy": accuracy}
        return {prefix + metric.name: values[metric.name] for metric in self.metrics}

    # Rows of the table.

    def accuracy_row(self, dtype, **places):
        """Return the row that counts correct predictions, or None; places: as for the kernel's row."""
        return None

    def label_row(self, dtype, **places):
        """Return the row that converts outputs to labels; None if outputs are the predictions."""
        return None


class Values(Head):
    """Numbers, one or several."""

    kind, probabilities, metrics = "values", False, (LOSS,)

    @property
    def description(self):
        return f"{self.outputs} values"

    @property
    def predicted_shape(self):
        return () if self.outputs == 1 else (self.outputs,)

    def predictions(self, outputs):
        return outputs[:, 0] if self.outputs == 1 else outputs, -1

    def perfect_predictions(self, targets):
        return self.predictions(targets.values)[0]


class OneClass(Head):
    """Probabilities of several classes, of which a sample belongs to one: the most likely is its label."""

    kind, one_label, takes_labels, whole_numbers, predicted_shape = "one class", True, True, "classes", ()

    @property
    def description(self):
        return f"{self.outputs} probabilities"

    @property
    def classes(self):
        return self.outputs

    def labels(self, targets):
        return targets.values.argmax(axis=1) if targets.labels is None else targets.labels

    def predictions(self, outputs):
        labels = np.empty(len(outputs), np.int64)
        return labels, likeliest(outputs, labels)

    def perfect_predictions(self, targets):
        return self.labels(targets)

    def accuracy_row(self, dtype, **places):
        return accuracy_row(dtype, classes=True, **places)

    def label_row(self, dtype, **places):
        return label_row(dtype, above_half=False, **places)


class YesOrNo(Head):
    """An independent probability in each output: the label is 1 if it is at least 1/2, else 0."""

    classes = 2

    @property
    def kind(self):
        return "one yes or no" if self.outputs == 1 else "several yes or no"

    @property
    def one_label(self):
        return self.outputs == 1

    @property
    def description(self):
        return "1 probability" if self.outputs == 1 else f"{self.outputs} probabilities, each for itself"

    @property
    def predicted_shape(self):
        return () if self.outputs == 1 else (self.outputs,)

    def labels(self, targets):
        return (targets.values[:, 0] >= 0.5).astype(np.int64)

    def predictions(self, outputs):
        labels = np.empty(outputs.shape, np.int64)
        unsound = above_half(outputs, labels)
        return labels[:, 0] if self.outputs == 1 else labels, unsound

    def perfect_predictions(self, targets):
        return self.predictions(targets.values)[0]

    def accuracy_row(self, dtype, **places):
        return accuracy_row(dtype, classes=False, **places)

    def label_row(self, dtype, **places):
        return label_row(dtype, above_half=True, **places)


def head_of(activation, loss, outputs):
    """Return the head of a network with this last activation and loss, both records."""
    if activation.name not in PROBABILITIES and loss.targets == "values":
        return Values(outputs, loss.targets)
    if outputs > 1 and loss.targets != "binary":
        return OneClass(outputs, loss.targets)
    return YesOrNo(outputs, loss.targets)
