"""The scores of early stopping: those of `score`, without checks of the arrays.

The checks in scikit-learn's functions take longer than an epoch of a small network.
"""

import numpy as np


def accuracy(y, labels, weights=None):
    """Return the weighted fraction of samples with all labels correct: y, labels (samples,) or (samples, labels)."""
    right = y == labels
    return float(np.average(right.all(axis=1) if right.ndim == 2 else right, weights=weights))


def r2(y, values, weights=None):
    """R² = 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)², ȳ the weighted mean, averaged over the outputs; y, values (samples, outputs).

    If y is constant, it is 1 if all values are correct, else 0.
    """
    w = 1.0 if weights is None else weights[:, None].astype(np.float64)
    left = (w * (y - values) ** 2).sum(axis=0, dtype=np.float64)
    spread = (w * (y - np.average(y, axis=0, weights=weights)) ** 2).sum(axis=0, dtype=np.float64)
    constant = spread == 0
    return float(np.where(constant, left == 0, 1 - left / np.where(constant, 1, spread)).mean())
