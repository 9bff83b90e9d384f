"""Heads: the meaning of the outputs of a network, defined in one class for each kind.

    Values      numbers, one or several
    Normal      a mean and the logarithm of a variance for each of one or several numbers
    OneClass    probabilities of several classes, of which a sample belongs to one
    YesOrNo     an independent probability in each output: one answer, or several that may all be yes

The same meanings hold at each position of a sample if the outputs have several axes: at each pixel of (height, width,
channels), each step of (steps, channels). Positions have a row of outputs each; the last axis has the outputs of one.

A head defines the valid targets, their labels, the predictions from outputs, the reported metrics, and the rows of the table
that compute accuracies and labels. `head_of` chooses it from the last activation, the loss and the number of outputs. To add
a meaning, add a subclass of `Head` and a line of `head_of`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from ..kernels.interpreter.criterion import accuracy_row
from ..kernels.interpreter.labels import above_half, label_row, likeliest
from .arrays import any_array, check_finite, real_array
from .metrics import ACCURACY, LOSS
from .positions import at_positions, position_labels, refuse_shape
from .targets import Targets, check_probabilities, class_labels
from .weights import class_factors, sample_weights

PROBABILITIES = "softmax", "sigmoid"  # activations whose outputs are probabilities


@dataclass(frozen=True)
class Head(ABC):
    """Base class of heads.

    Attributes
    ----------
    outputs : int
        The number of outputs of a sample, or of each of its positions.
    targets : {"values", "classes", "binary"}
        The targets of the loss: any values, probabilities that sum to 1, or numbers from 0 to 1.
    probabilities : bool
        Whether outputs are probabilities: then predictions are labels, int64.
    one_label : bool
        Whether a sample, or each position, has a single label.
    takes_labels : bool
        Whether targets may be integer labels (samples, *positions), one of several classes each.
    positions : tuple of int
        The shape of the positions, such as (height, width); () for outputs with one axis.
    metrics : tuple of Metric
        The metrics reported after an epoch, and by `Network.evaluate`.
    """

    outputs: int
    targets: str
    positions: tuple = ()

    probabilities = True
    one_label = False
    takes_labels = False
    binary = False  # whether one output tells two classes apart
    metrics = LOSS, ACCURACY

    @property
    @abstractmethod
    def kind(self):
        """The kind of metrics: "values", "one class", "one yes or no" or "several yes or no"."""

    @property
    @abstractmethod
    def in_words(self):
        """The outputs of a position in words: "3 values"."""

    @property
    def description(self):
        """The targets in words, for errors: "3 values"."""
        at = f" at each of {' × '.join(map(str, self.positions))} positions" if self.positions else ""
        return self.in_words + at

    @property
    def count(self):
        """The number of positions."""
        return math.prod(self.positions)

    def of_rows(self):
        """Return the same meaning of one row of outputs."""
        return replace(self, positions=())

    @property
    @abstractmethod
    def predicted_shape(self):
        """The shape of the prediction for a sample: () for a single number."""

    @property
    def whole_numbers(self):
        """What integer targets (samples,) are in compiled code: "classes" or "values". None: they are refused."""
        return "values" if self.outputs == 1 and not self.positions else None

    @property
    def classes(self):
        """The number of labels; None without labels."""
        return None

    def predicted_dtype(self, dtype):
        """Return the dtype of predictions, where `dtype` is that of the network."""
        return np.dtype(np.int64 if self.probabilities else dtype)

    # Targets.

    @property
    def taken(self):
        """The number of numbers of a target."""
        return self.outputs

    def columns(self, values):
        """Return the values (samples, *positions, taken) of targets with a column for each output."""
        return values

    def check_targets(self, y, samples, dtype):
        """Return y as the Targets of that many samples, or raise an error with the valid forms."""
        if y is None and self.targets == "none":
            return Targets(None, np.zeros((samples, *self.positions, self.outputs), dtype))
        y = any_array("y", y)
        if y.ndim == 0 or len(y) != samples:
            has = f"{len(y)} rows" if y.ndim else f"no axis (it is {y!r})"
            raise ValueError(f"y has {has}; X has {samples} samples, so y must have {samples} rows")
        rows = samples, *self.positions
        if self.takes_labels and y.shape in (rows, (*rows, 1)):
            labels = y.reshape(rows)
            if self.positions:
                return position_labels(labels, self.outputs)
            return Targets(class_labels(labels, self.outputs), None)
        values = y[..., None] if y.ndim == len(rows) else y
        if values.shape != (*rows, self.taken):
            forms = [f"{rows} integer labels from 0 to {self.outputs - 1}"] if self.takes_labels else []
            forms += [f"{rows}"] if self.taken == 1 else []
            forms.append(f"{(*rows, self.taken)}")
            if hint := shape_hint(self, y):
                raise ValueError(f"y has shape {y.shape}; this network takes {' or '.join(forms)}{hint}")
            refuse_shape(y.shape, forms, self.positions, self.taken)
        values = real_array("y", values, dtype)
        check_finite("y", values)
        if self.targets not in ("values", "none"):
            check_probabilities(values, self.targets, bool(self.positions))
        return Targets(None, self.columns(values))

    def labels(self, targets):
        """Return the labels (samples, *positions) from checked targets, if there is one label for each."""
        raise NotImplementedError(f"{type(self).__name__} has no single label a sample")

    def apply_class_weight(self, class_weight, targets, weights, dtype):
        """Return the weights of samples with these targets, multiplied by those of their classes."""
        if not self.one_label:
            raise ValueError(f"class_weight is for samples of one class each; this network learns {self.description} (use "
                             "sample_weight)")
        labels = self.labels(targets)
        weights = weights if weights is None else at_positions(weights, labels.shape)
        rows = weights if weights is None else weights.reshape(-1)
        factors = class_factors(class_weight, labels.reshape(-1), self.classes, rows).reshape(labels.shape)
        return sample_weights(factors if weights is None else weights * factors, len(labels), dtype, "class_weight",
                              self.positions)

    # Predictions.

    @abstractmethod
    def predictions(self, outputs):
        """Return (predictions, unsound) for outputs (samples, *positions, outputs).

        unsound: the number of the first sample whose outputs are NaN, so that it has no label; −1 if there is none.
        """

    def predictions_of(self, outputs):
        """Return the same for outputs that are Sequences, with predictions at each step."""
        steps, unsound = self.predictions(outputs.steps)
        return outputs.with_steps(steps), unsound if unsound < 0 else outputs.number_at(unsound)

    # Metrics.

    @abstractmethod
    def perfect_predictions(self, targets):
        """Return the predictions that agree with checked targets, in the form of `predictions`."""

    def report(self, loss, accuracy, prefix=""):
        """Return {name: value} of the reported metrics; prefix: "val_" for validation."""
        values = {"loss": loss, "accuracy": accuracy}
        return {prefix + metric.name: values[metric.name] for metric in self.metrics}

    # Rows of the table.

    def accuracy_row(self, dtype, parts, **places):
        """Return the row that counts correct predictions, or None; places: as for the kernel's row."""
        return None

    @property
    def sizes(self):
        """Operands of rows that read outputs."""
        return {"positions": self.count, "out_features": self.outputs}

    def label_row(self, dtype, *, a):
        """Return the row that converts outputs to labels; None if outputs are the predictions."""
        return None


class Values(Head):
    """Numbers, one or several."""

    kind, probabilities, metrics = "values", False, (LOSS,)

    @property
    def in_words(self):
        return f"{self.outputs} values" if self.outputs > 1 else "1 value"

    @property
    def predicted_shape(self):
        # at positions the axis of channels stays, so that a predicted picture has the shape of a picture
        return () if self.outputs == 1 and not self.positions else (*self.positions, self.outputs)

    def predictions(self, outputs):
        return outputs.reshape(-1, *self.predicted_shape), -1

    def perfect_predictions(self, targets):
        return self.predictions(targets.values)[0]


class Normal(Values):
    """Normal distributions, of one or several numbers: their means, which are the predictions, then log variances."""

    whole_numbers = None

    @property
    def taken(self):
        return self.outputs // 2

    @property
    def in_words(self):
        return f"the mean and the variance of {self.taken} value{'s' * (self.taken > 1)}"

    def columns(self, values):
        return np.concatenate([values, np.zeros_like(values)], axis=-1)

    @property
    def predicted_shape(self):
        return () if self.taken == 1 and not self.positions else (*self.positions, self.taken)

    def predictions(self, outputs):
        return outputs[..., :self.taken].reshape(-1, *self.predicted_shape), -1


class OneClass(Head):
    """Probabilities of several classes, of which a sample belongs to one: the most likely is its label."""

    kind, one_label, takes_labels = "one class", True, True

    @property
    def in_words(self):
        return f"{self.outputs} probabilities"

    @property
    def predicted_shape(self):
        return self.positions

    @property
    def whole_numbers(self):
        return None if self.positions else "classes"

    @property
    def classes(self):
        return self.outputs

    def labels(self, targets):
        return targets.values.argmax(axis=-1) if targets.labels is None else targets.labels.astype(np.int64, copy=False)

    def predictions(self, outputs):
        labels = np.empty(outputs.shape[:-1], np.int64)
        unsound = likeliest(outputs.reshape(-1, self.outputs), labels.reshape(-1))
        return labels, unsound // self.count

    def perfect_predictions(self, targets):
        return self.labels(targets)

    def accuracy_row(self, dtype, parts, **places):
        return accuracy_row(dtype, parts, classes=True, weighed=bool(self.positions), **self.sizes, **places)

    def label_row(self, dtype, *, a):
        return label_row(dtype, a=a, above_half=False, **self.sizes)


class YesOrNo(Head):
    """An independent probability in each output: the label is 1 if it is at least 1/2, else 0."""

    classes = 2

    @property
    def kind(self):
        return "one yes or no" if self.outputs == 1 else "several yes or no"

    @property
    def one_label(self):
        return self.outputs == 1

    binary = one_label

    @property
    def in_words(self):
        return "1 probability" if self.outputs == 1 else f"{self.outputs} probabilities, each for itself"

    @property
    def predicted_shape(self):
        return self.positions if self.outputs == 1 else (*self.positions, self.outputs)

    def labels(self, targets):
        return (targets.values[..., 0] >= 0.5).astype(np.int64)

    def predictions(self, outputs):
        labels = np.empty(outputs.shape, np.int64)
        unsound = above_half(outputs.reshape(-1, self.outputs), labels.reshape(-1, self.outputs))
        return labels.reshape(-1, *self.predicted_shape), unsound // self.count

    def perfect_predictions(self, targets):
        return self.predictions(targets.values)[0]

    def accuracy_row(self, dtype, parts, **places):
        return accuracy_row(dtype, parts, classes=False, weighed=bool(self.positions), **self.sizes, **places)

    def label_row(self, dtype, *, a):
        return label_row(dtype, a=a, above_half=True, **self.sizes)


def shape_hint(head, y):
    """Return the repair for targets of samples, for an error about their shape; "" if it is unknown."""
    if head.positions:
        if not head.takes_labels and y.ndim > 2 and y.shape[1:-1] == head.positions and head.outputs != y.shape[-1]:
            return (f"; for targets of {y.shape[-1]} channels, end the network with so many, such as "
                    f"Conv2D({y.shape[-1]}, 3, padding='same')")
        return ""
    if head.outputs > 1 and y.dtype == object and any(isinstance(each, (set, frozenset, list, tuple)) for each in y.flat):
        return "; where a sample may have several labels, give a column of 0 and 1 for each: MultiLabelBinarizer makes them"
    if head.outputs > 1 and head.taken != head.outputs:
        return f"; of {head.outputs} outputs the first {head.taken} are means, the others logarithms of variances"
    if head.outputs > 1 and y.size == len(y) and y.dtype.kind in "iubfUO":
        plain = y.dtype.kind in "iubU" or (y.dtype.kind == "f" and (y == np.floor(y)).all())
        return (f"; where y holds the number of a class, end the network with Dense({head.outputs}, 'softmax'), which takes "
                "labels, and leave out the loss") if plain else "; for one value a sample, end the network with Dense(1)"
    if head.outputs == 1 and y.ndim == 2:
        if head.probabilities and y.shape[1] == 2:
            return "; of the one-hot columns give the second: y[:, 1]"
        return f"; for {y.shape[1]} numbers a sample, end the network with Dense({y.shape[1]})"
    return ""


def head_of(activation, loss, outputs, positions=()):
    """Return the head of a network with this last activation and loss, both records, and so many outputs a position."""
    if not loss.needs_targets:
        return Values(outputs, "none", positions)
    if loss.outputs_of_target == 2:
        return Normal(outputs, loss.targets, positions)
    if activation.name not in PROBABILITIES and loss.targets == "values":
        return Values(outputs, loss.targets, positions)
    if outputs > 1 and loss.targets != "binary":
        return OneClass(outputs, loss.targets, positions)
    return YesOrNo(outputs, loss.targets, positions)
