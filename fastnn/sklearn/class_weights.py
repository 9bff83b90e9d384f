"""The factors of sample weights from an estimator's `class_weight`.

"balanced" gives every class the same total weight: Σ wᵢ / (classes · Σ wᵢ of the class), over the classes with nonzero
weight. So a sample of weight 2 equals two samples, and one of weight 0 equals none.
"""

import numpy as np
from sklearn.utils import compute_class_weight


def class_factors(given, classes, y, weights):
    """Return the factor of each sample: y (samples,) are class numbers, weights (samples,) or None."""
    if not isinstance(given, str) or given != "balanced":  # checked by scikit-learn, with its messages; y does not matter
        return compute_class_weight(given, classes=classes, y=classes)[y]
    totals = np.bincount(y, weights, minlength=len(classes)).astype(np.float64)
    there = totals > 0
    return (np.where(there, totals.sum(), 0.0) / (there.sum() * np.where(there, totals, 1.0)))[y]


def label_factors(given, y, weights):
    """Return the product of the factors of all labels of a sample, y (samples, labels) of 0 and 1; `given` may be a list."""
    labels = y.shape[1]
    each = [given] * labels if isinstance(given, str) else given
    if not isinstance(each, (list, tuple)) or len(each) != labels:
        raise ValueError(f"class_weight must be 'balanced' or a list of a dict for each of the {labels} labels, such as "
                         f"{[{0: 1, 1: 2}] * labels!r}, where a sample has several")
    factors = [class_factors(one, np.arange(2), column, weights) for one, column in zip(each, y.T, strict=True)]
    return np.prod(factors, axis=0)


def target_factors(given, classes, y, weights):
    """Return the product of the factors of all targets of a sample, y (samples, targets); `given` may be a list."""
    each = [given] * len(classes) if isinstance(given, str) else given
    if not isinstance(each, (list, tuple)) or len(each) != len(classes):
        raise ValueError(f"class_weight must be 'balanced' or a list of a dict for each of the {len(classes)} targets")
    factors = [class_factors(one, known, column, weights) for one, known, column in zip(each, classes, y.T, strict=True)]
    return np.prod(factors, axis=0)
