"""NetworkClassifier, a replacement for scikit-learn's MLPClassifier."""

import numpy as np
import scipy.sparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from ..checks.other_arguments import takes_others
from ..runtime.quiet import quiet
from .base import NetworkEstimator, stochastic_only
from .class_weights import class_factors, label_factors, target_factors
from .fitting.scores import accuracy
from .losses import classification_loss
from .parameters import ATTRIBUTES, DESCRIPTION


def same_classes(one, other):
    """Return whether labels are the same: arrays, or lists with an array for each target."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(np.array_equal, one, other))
    return not isinstance(one, list) and not isinstance(other, list) and np.array_equal(one, other)


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    __doc__ = f"""A neural network classifier, with the interface of scikit-learn's MLPClassifier.

    Labels may be numbers or text; a matrix of 0 and 1 (samples, labels) means several labels for each sample. Any other
    matrix has several targets, (samples, targets), each with classes of its own: the hidden layers are common to all,
    `predict` returns such a matrix, `predict_proba` a list with the probabilities of each target. The last activation is one
    sigmoid for two classes, softmax for more and for several targets, and a sigmoid for each of several labels.

    Parameters
    ----------{DESCRIPTION}
    loss : str, default "log_loss"
        Or one of `fastnn.losses`, including your own.
    class_weight : dict, "balanced", list of dict or None
        Multiplies the sample weights of each class; "balanced" gives every class the same total weight. For several labels,
        "balanced" or a list with a dict for each label.

    Attributes
    ----------
    classes_ : array of the labels, in the order of `predict_proba`'s columns; of several targets a list{ATTRIBUTES}

    Examples
    --------
    >>> from fastnn.sklearn import NetworkClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NetworkClassifier(hidden_layer_sizes=(16, 16), activation=["relu", "tanh"], learning_rate_init=0.01,
    ...                           random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> [layer.shape for layer in model.hidden_activations(X)]
    [(150, 16), (150, 16)]
    """

    @takes_others("estimator")
    def __init__(self, hidden_layer_sizes=(100,), activation="relu", *, solver="adam", alpha=0.0001, batch_size="auto",
                 learning_rate="constant", learning_rate_init=0.001, power_t=0.5, max_iter=200, shuffle=True,
                 random_state=None, tol=1e-4, verbose=False, warm_start=False, momentum=0.9, nesterovs_momentum=True,
                 early_stopping=False, validation_fraction=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-8, n_iter_no_change=10,
                 max_fun=15000, loss="log_loss", class_weight=None, dropout=0.0, normalization=None, scoring=None,
                 clip_norm=None, clip_value=None, dtype=None, callbacks=None, n_threads=None, layers=None, input_shape=None,
                 inputs=None):
        self._set_parameters(locals())

    @available_if(stochastic_only)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch on these samples, starting from the current weights.

        classes: all labels, or a list with those of each of several targets; the first call needs them, because its y may
        lack some.
        """
        if self.class_weight == "balanced":
            raise ValueError("class_weight='balanced' would differ from one partial_fit to the next; give a dict, such as "
                             "dict(zip(classes, compute_class_weight('balanced', classes=classes, y=y)))")
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def _begin_parts(self, y, classes):
        nested = classes is not None and len(classes) > 0 and all(np.ndim(own) == 1 for own in classes)
        if hasattr(self, "classes_"):
            known = [*map(np.unique, classes)] if nested else classes is not None and unique_labels(classes)
            if classes is not None and not same_classes(known, self.classes_):
                raise ValueError(f"classes is {classes!r}, not the same as in the call before: {self.classes_!r}")
            return
        multilabel = type_of_target(y).startswith("multilabel")
        several = np.ndim(y) == 2 and np.shape(y)[1] > 1 and not multilabel
        if classes is None or (several and not nested):
            what = f"y has shape {np.shape(y)}, several targets: give a list with all labels of each" if several else (
                "the first partial_fit needs all labels, as in np.unique(y)")
            raise ValueError(f"classes is {'missing' if classes is None else repr(classes)}; {what}")
        if nested:
            self._multilabel, self._targets, self.classes_ = False, len(classes), [*map(np.unique, classes)]
        else:
            self._multilabel, self._targets, self.classes_ = multilabel, 0, unique_labels(classes)

    def _encode(self, y, *, anew):
        multilabel = False
        if anew or not self._is_plain_column(y, len(y)):
            check_classification_targets(y)
            multilabel = type_of_target(y).startswith("multilabel") and (anew or not self._has_targets)
        if y.ndim == 2 and not multilabel:
            if y.shape[1] > 1 or (not anew and self._has_targets):
                return self._encode_targets(y, anew)
            y = column_or_1d(y, warn=True)
        labels = np.arange(y.shape[1]) if multilabel else np.unique(y)
        if anew:
            self._multilabel, self._targets, self.classes_ = multilabel, 0, labels
        elif self._has_targets:
            raise ValueError(f"y has shape {y.shape}; this classifier was fitted to {self._targets} targets a sample")
        self._check_labels(labels, multilabel)
        if multilabel:
            return np.asarray(y.toarray() if scipy.sparse.issparse(y) else y, np.int64)
        return np.searchsorted(self.classes_, y)

    def _encode_targets(self, y, anew):
        """Return the numbers of the classes of several targets, (samples, targets)."""
        if anew:
            self._multilabel, self._targets, self.classes_ = False, y.shape[1], [*map(np.unique, y.T)]
        if y.shape[1] != self._targets:
            raise ValueError(f"y has {y.shape[1]} targets a sample; this classifier was fitted to {self._targets or 'one'}")
        for number, (known, column) in enumerate(zip(self.classes_, y.T, strict=True)):
            if len(known) < 2:
                raise ValueError(f"target {number} has one class, {known[0]!r}; leave it out")
            if len(unknown := np.setdiff1d(column, known)):
                raise ValueError(f"target {number} has classes {unknown}, which are not known from the fit before: {known}")
        return np.stack([np.searchsorted(known, column) for known, column in zip(self.classes_, y.T, strict=True)], axis=1)

    @property
    def _has_targets(self):
        """Whether there are several targets, each with classes of its own."""
        return getattr(self, "_targets", 0) > 0

    def _is_plain_column(self, y, samples):
        return type(y) is np.ndarray and y.shape == (samples,) and y.dtype.kind in "biu"

    def _check_labels(self, labels, multilabel):
        """Refuse labels that differ from those of the last fit."""
        if multilabel != self._multilabel:
            kinds = {True: "several labels a sample", False: "one label a sample"}
            raise ValueError(f"y has {kinds[multilabel]}; this classifier was fitted to {kinds[self._multilabel]}")
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown) or (multilabel and len(labels) != len(self.classes_)):
            raise ValueError(f"y has classes {labels}, among them ones not known from the fit before, whose classes are "
                             f"{self.classes_}")

    def _check_warm_start(self, y):
        several = zip(self.classes_, y.T, strict=True) if self._has_targets else [(self.classes_, y)]
        for number, (known, numbers) in enumerate([] if self._multilabel else several):
            missing = np.setdiff1d(np.arange(len(known)), numbers)
            if len(missing):
                where = f"target {number} of y" if self._has_targets else "y"
                raise ValueError(f"{where} lacks the classes {known[missing]} of the fit before, with which warm_start=True "
                                 "goes on; give samples of every class, or call partial_fit, which takes them in parts")

    def _decode_targets(self, y):
        if self._has_targets:
            return np.stack([known[numbers] for known, numbers in zip(self.classes_, y.T, strict=True)], axis=1)
        return y if self._multilabel else self.classes_[y]

    def _outputs_wanted(self, y):
        if self._has_targets:
            return [*map(len, self.classes_)], "softmax", classification_loss(self.loss, "softmax")
        count = len(self.classes_)
        out_activation = "logistic" if self._multilabel or count <= 2 else "softmax"
        outputs = 1 if not self._multilabel and count <= 2 else count
        return outputs, out_activation, classification_loss(self.loss, out_activation)

    def _one_label_of_two(self, y):
        return not (self._multilabel or self._has_targets) and len(self.classes_) <= 2

    def _weights(self, y, weights):
        if self.class_weight is None:
            return weights
        if self._multilabel:
            factors = label_factors(self.class_weight, y, weights)
        elif self._has_targets:
            factors = target_factors(self.class_weight, self.classes_, y, weights)
        else:
            factors = class_factors(self.class_weight, self.classes_, y, weights)
        return factors if weights is None else weights * factors

    def _label_numbers(self, outputs):
        """Return the numbers of the most likely labels, or 0 and 1 for each of several labels."""
        if self._has_targets:
            return np.stack([own.argmax(axis=1) for own in outputs.values()], axis=1)
        if self._multilabel:
            return (outputs > 0.5).astype(np.int64)
        if len(self.classes_) == 1:
            return np.zeros(len(outputs), np.int64)
        return (outputs[:, 0] > 0.5).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(axis=1)

    def _score(self, y, outputs, weights=None):
        return accuracy(y, self._label_numbers(outputs), weights)

    def predict(self, X):
        """Return the most likely label of each sample (samples,), or a matrix of 0 and 1 (samples, labels).

        Of several targets, a matrix of the most likely label of each (samples, targets).
        """
        return self._decode_targets(self._label_numbers(self._checked_outputs(X)))

    def predict_proba(self, X):
        """Return probabilities (samples, classes), columns as in `classes_`; those of several labels are independent.

        Of several targets, a list with the probabilities of each.
        """
        outputs = self._checked_outputs(X)
        if self._has_targets:
            return [*outputs.values()]
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`, −inf where a probability has rounded to 0."""
        if self._has_targets:
            return [quiet(np.log, own, divide="ignore") for own in self.predict_proba(X)]
        return quiet(np.log, self.predict_proba(X), divide="ignore")

    def score(self, X, y, sample_weight=None):
        """Return the fraction of samples that are predicted right; of several targets, those of which all are."""
        if not self._has_targets:
            return super().score(X, y, sample_weight)
        return accuracy(np.asarray(y), self.predict(X), sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
