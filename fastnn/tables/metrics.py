"""Metrics of predictions, in the units of the target.

    r2                 1 − Σ (y − ŷ)² / Σ (y − mean(y))²: 1 is perfect, 0 no better than the mean of these rows
    mae, rmse          mean |y − ŷ|, and √ mean (y − ŷ)²
    accuracy           fraction of rows whose most likely class is correct
    balanced_accuracy  mean of that fraction over the classes
    log_loss           mean −log p(class of the row), with p at least 1e-15
"""

import numpy as np

from .target import as_numbers


def regression(y, predicted):
    """Return the metrics of values (rows,), float64; r2 is None if all y are equal."""
    errors, spread = y - predicted, ((y - y.mean()) ** 2).sum()
    return {"r2": float(1 - (errors**2).sum() / spread) if spread else None, "mae": float(abs(errors).mean()),
            "rmse": float(np.sqrt((errors**2).mean()))}


def classification(labels, probabilities):
    """Return the metrics of class numbers (rows,) and probabilities (rows, classes)."""
    right = probabilities.argmax(axis=1) == labels
    counts = np.bincount(labels)
    shares = np.bincount(labels, weights=right)[counts > 0] / counts[counts > 0]
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return {"accuracy": float(right.mean()), "balanced_accuracy": float(shares.mean()),
            "log_loss": float(-np.log(np.maximum(own, 1e-15)).mean())}


def score(target, series, outputs):
    """Return the metrics of outputs (rows, outputs) of a network or another model, for the column of a target."""
    if target.kind == "classification":
        return classification(target.encode(series), outputs)
    return regression(as_numbers(series), target.decode(outputs))
