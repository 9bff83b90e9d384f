"""A target of classes. Predicted labels have the type that they have in the column.

In a model's file, labels are bool, int, float and str, together with the dtype of the column.

A label is recognized in other spellings, like a category: 1, 1.0 and "1" are the same, and so are True and "true". Different
labels that would be confused, such as 1 and "1", or True and 1, cannot be in one target.
"""

import decimal
import math
import numbers
from dataclasses import dataclass, replace

import numpy as np

from ..checks import one_of, shown
from ..checks.single import checked, or_none
from . import metrics
from .columns.cells import places_of, written
from .columns.frames import EXACT, pandas
from .plain import different_words, positive, word
from .single import Head, Single

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
          "object")
SHOWN = 10  # labels in an error


def checked_labels(where, values):
    """Return labels from a file; raise an error for duplicates."""
    if not isinstance(values, (list, tuple)) or not values:
        raise ValueError(f"{where} is {shown(values)}; it must be a list of labels")
    for label in values:
        if type(label) not in (bool, int, float, str) or (isinstance(label, float) and not math.isfinite(label)):
            raise ValueError(f"{where} holds {shown(label)}; it must hold text, finite numbers, or True and False")
    if len(different(values, where)) != len(values):
        raise ValueError(f"{where} has a label twice")
    return tuple(values)


def one_of_dtypes(where, value):
    """Return the name of a dtype of labels."""
    return one_of(where, value, DTYPES)


def positive_numbers(where, values):
    """Return numbers from a file as a tuple of floats above 0."""
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where} is {shown(values)}; it must be a list of numbers above 0")
    return tuple(positive(where, value) for value in values)


@dataclass(frozen=True)
class Classes(Single):
    """A target of classes, numbered in the order of `labels`.

    Attributes
    ----------
    labels : tuple of bool, int, float or str
        The values of the column, in order.
    dtype : str or None
        The NumPy dtype of predicted labels, that of the column: "object" for text. It is None for models made before labels
        had a dtype: int64 if all labels are int, else object.
    spelling : tuple of str or None
        The labels as written in the training file; None if that is the result of str.
    factors : tuple of float or None
        The predicted class is that with the largest product of probability and factor; None for the most probable one.
    """

    name: str = checked(word)
    labels: tuple = checked(checked_labels)
    dtype: str | None = checked(or_none(one_of_dtypes), default=None, optional=True)
    spelling: tuple | None = checked(or_none(different_words), default=None, optional=True)
    factors: tuple | None = checked(or_none(positive_numbers), default=None, optional=True)
    kind, measure, linear, activation = "classification", "log_loss", "classification", "softmax"
    has_classes = True

    def __post_init__(self):
        if self.factors is not None and len(self.factors) != len(self.labels):
            raise ValueError(f"factors has {len(self.factors)} numbers for {len(self.labels)} labels")
        if self.spelling is not None and len(self.spelling) != len(self.labels):
            raise ValueError(f"spelling has {len(self.spelling)} texts for {len(self.labels)} labels")
        if self.dtype is not None and not holds(self.dtype, self.labels):
            raise ValueError(f"no array of {self.dtype} holds the labels {listed(self.labels)}")

    @classmethod
    def fit(cls, series, spelling=None):
        """Learn the classes from all rows, including those that are not in the training rows.

        spelling: {label, as text: how it is written in the file of the table}, as far as known.
        """
        series = series.dropna()
        labels = different(coded(series)[1], series.name)
        dtype = dtype_for(series, labels)
        labels = tuple(map(float, labels)) if dtype.startswith("float") else labels
        texts = tuple((spelling or {}).get(written(label), str(label)) for label in labels)
        other = texts != tuple(map(str, labels)) and len(set(texts)) == len(texts)
        return cls(series.name, labels, dtype, texts if other else None)

    @property
    def outputs(self):
        return len(self.labels)

    @property
    def heads(self):
        return (Head(self.outputs, "softmax", "cross_entropy"),)

    def encode(self, series):
        """Return class numbers (rows,) int64."""
        if series.isna().any():
            raise ValueError(f"column {series.name!r} has no value in {int(series.isna().sum()):,} of {len(series):,} rows; "
                             "leave these rows out")
        codes, labels = coded(series)
        if (lost := beyond_exact(labels)) and not beyond_exact(self.labels):
            raise ValueError(f"column {series.name!r} holds {lost[0]!r}; float64 holds whole numbers up to 2**53: give it "
                             "as whole numbers or as text")
        place = places_of([written(label) for label in self.labels])
        places = [place(label) for label in labels]
        if None in places:
            raise ValueError(f"column {series.name!r} holds the class {labels[places.index(None)]!r}, which the model does "
                             f"not know; it knows {listed(self.labels)}")
        return np.array(places, np.int64)[codes]

    def estimates(self, outputs):
        """Return probabilities (rows, classes), from outputs of the same shape."""
        return outputs

    def chosen(self, probabilities):
        """Return the numbers of the predicted classes (rows,), from probabilities (rows, classes)."""
        return np.argmax(probabilities if self.factors is None else probabilities * np.array(self.factors), axis=1)

    def balanced(self, numbers, weights=None):
        """Return these classes with the factors 1 / (share of the class), which make up for rare classes.

        If the probabilities are right, no other choice has a larger balanced accuracy. numbers, weights: (rows,), of the
        training rows.
        """
        counts = np.bincount(numbers, weights, minlength=len(self.labels))
        total = counts.sum()
        return replace(self, factors=tuple((total / np.where(counts > 0, counts, total / max(len(numbers), 1))).tolist()))

    def from_threshold(self, threshold):
        """Return these two classes with the factors for which the second is predicted above a probability."""
        return replace(self, factors=(threshold, 1 - threshold))

    @property
    def threshold(self):
        """The probability above which the second of two classes is predicted, if it is not the likelier one; else None."""
        return self.factors[0] / sum(self.factors) if self.factors is not None and len(self.labels) == 2 else None

    def decided(self, probabilities):
        """Return an array of labels (rows,), from probabilities (rows, classes)."""
        before = np.int64 if all(type(label) is int for label in self.labels) else object
        return np.array(self.labels, self.dtype or before)[self.chosen(probabilities)]

    def judged(self, series, probabilities, weights=None):
        """Return the metrics of probabilities (rows, classes) for the column of the target."""
        return metrics.classification(self.encode(series), probabilities, self.chosen(probabilities), weights)

    @property
    def texts(self):
        """Return the labels as text, as written in the training file."""
        return self.spelling or tuple(map(str, self.labels))

    def decided_text(self, probabilities):
        """Return an array of labels (rows,) for a file; labels that str writes as in the training file are not converted."""
        if self.spelling is None:
            return self.decided(probabilities)
        return np.array(self.spelling, object)[self.chosen(probabilities)]

    def __str__(self):
        shown = [*self.texts[:5]] + ["…"] * (len(self.labels) > 5)
        if self.threshold is not None:
            return f"2 classes: {', '.join(shown)} (above a probability of {self.threshold:.4g})"
        return f"{len(self.labels)} classes: {', '.join(shown)}" + ", balanced" * (self.factors is not None)


def coded(series):
    """Return (codes, labels): the different labels of a series without missing values, and the index of each row's label."""
    pd = pandas()
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.remove_unused_categories()
        places, labels = coded(pd.Series(series.cat.categories, name=series.name))
        return places[series.cat.codes.to_numpy()], labels
    held = numpy_dtype(series)
    if held.kind == "f" and held.itemsize < 8:  # the shortest decimal, not the binary value: 0.1, not 0.10000000149011612
        values, codes = np.unique(series.to_numpy(held), return_inverse=True)
        return codes, [float(str(value)) for value in values]
    if series.dtype == object and pd.api.types.infer_dtype(series, skipna=False) != "string":
        places = {}
        codes = [places.setdefault((type(value), value), len(places)) for value in series.tolist()]  # True and 1 are equal
        return np.array(codes), [as_label(value, series.name) for _, value in places]
    codes, values = pd.factorize(series)
    return codes, [as_label(value, series.name) for value in values.tolist()]


def as_label(value, name):
    """Return a value of the column `name` as bool, int, float or str; raise ValueError for other types."""
    value = value.item() if isinstance(value, np.generic) else value
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, (decimal.Decimal, numbers.Real)) and abs(value) < EXACT and float(value) == value:
        return int(value) if value == int(value) else float(value)
    raise ValueError(f"column {name!r} holds {value!r}, a {type(value).__name__}; classes must be text, numbers such as "
                     f"float64 has, or True and False: put text in its place, such as table[{name!r}].astype(str)")


def beyond_exact(labels):
    """Return the labels that are floats too large to represent each whole number."""
    return [label for label in labels if isinstance(label, float) and abs(label) >= EXACT]


def different(labels, name):
    """Return the different labels in order, text after numbers; raise ValueError if two of them would be confused."""
    found = {(kind_of(label), label): label for label in labels}.values()
    kinds = {kind_of(label) for label in found}
    if {"a truth value", "a number"} <= kinds:
        truth = next(label for label in found if isinstance(label, bool))
        raise ValueError(f"column {name!r} holds {truth} among its numbers; write it as a number, or all of them as text")
    texts = {label for label in found if isinstance(label, str)}
    both = next((label for label in found if not isinstance(label, str) and written(label) in texts), None)
    if both is not None:
        raise ValueError(f"column {name!r} holds {both!r} both as {kind_of(both)} and as text; write it in one way, such as "
                         f"table[{name!r}].astype(str)")
    return tuple(sorted(found, key=lambda label: (isinstance(label, str), label)))


def kind_of(label):
    return "a truth value" if isinstance(label, bool) else "text" if isinstance(label, str) else "a number"


def numpy_dtype(series):
    """Return the NumPy dtype of a series, of its categories, or of the storage of an extension type."""
    dtype = series.dtype
    if isinstance(dtype, pandas().CategoricalDtype):
        dtype = dtype.categories.dtype
    dtype = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
    return dtype if isinstance(dtype, np.dtype) else np.dtype(object)


def dtype_for(series, labels):
    """Return the name of the dtype for an array of labels: that of the series, or else one that can represent them."""
    own = numpy_dtype(series).name
    suitable = ["bool", "int64", "uint64", "float64", "object"]
    return next(name for name in [own] * (own in DTYPES[:-1]) + suitable if holds(name, labels))


def holds(name, labels):
    """Return whether an array of that dtype represents the labels exactly; 0.1 in float32 is the nearest float32."""
    kinds, kind = {type(label) for label in labels}, np.dtype(name).kind
    if kind == "O":
        return True
    if kind == "b":
        return kinds == {bool}
    if kind in "iu":
        return kinds == {int} and np.iinfo(name).min <= min(labels) and max(labels) <= np.iinfo(name).max
    if not kinds <= {int, float} or max(map(abs, labels)) > float(np.finfo(name).max):
        return False
    return all(written(float(label)) == written(label) for label in labels)


def listed(labels):
    """Return labels for an error, shortened if there are many."""
    return ", ".join(map(repr, labels[:SHOWN])) + f" and {len(labels) - SHOWN:,} more" * (len(labels) > SHOWN)
