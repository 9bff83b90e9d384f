"""How good predictions are, in the units of what is predicted.

    r2                 1 − Σ (y − ŷ)² / Σ (y − mean(y))²: 1 is perfect, 0 no better than the mean of these rows
    mae, rmse          mean |y − ŷ|, and √ mean (y − ŷ)²
    accuracy           the share of rows whose likeliest class is theirs
    balanced_accuracy  the mean over the classes of that share
    log_loss           mean −log p(class of the row), p no less than 1e-15
"""

import numpy as np

from .target import as_numbers


def regression(y, predicted):
    """The metrics of values (rows,), float64; r2 is None where all y are alike."""
    errors, spread = y - predicted, ((y - y.mean()) ** 2).sum()
    return {"r2": float(1 - (errors**2).sum() / spread) if spread else None, "mae": float(abs(errors).mean()),
            "rmse": float(np.sqrt((errors**2).mean()))}


def classification(labels, probabilities):
    """The metrics of class numbers (rows,) and probabilities (rows, classes)."""
    right = probabilities.argmax(axis=1) == labels
    counts = np.bincount(labels)
    shares = np.bincount(labels, weights=right)[counts > 0] / counts[counts > 0]
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return {"accuracy": float(right.mean()), "balanced_accuracy": float(shares.mean()),
            "log_loss": float(-np.log(np.maximum(own, 1e-15)).mean())}


def score(target, series, outputs):
    """The metrics of a network's outputs (rows, outputs), or another model's of that form, on a target's column."""
    if target.kind == "classification":
        return classification(target.encode(series), outputs)
    return regression(as_numbers(series), target.decode(outputs))
