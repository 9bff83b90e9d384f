"""Metrics of predictions, in the units of the target.

    r2                 1 − Σ (y − ŷ)² / Σ (y − mean(y))²: 1 is perfect, 0 no better than the mean of these rows
    mae, rmse          mean |y − ŷ|, and √ mean (y − ŷ)²
    mape               mean |y − ŷ| / y, where all y are positive
    accuracy           fraction of rows whose predicted class is correct
    balanced_accuracy  mean of that fraction over the classes
    log_loss           mean −log p(class of the row), with p at least 1e-15
    f1                 mean over the classes of 2 · correct / (rows of the class + predictions of it)
    auc                probability that a row of a class has a larger p(class) than a row of another class, half if equal;
                       of more than two classes the mean, each against the others
"""

import numpy as np

from .target import as_numbers


def regression(y, predicted):
    """Return the metrics of values (rows,), float64; r2 is None if all y are equal."""
    errors, spread = y - predicted, ((y - y.mean()) ** 2).sum()
    found = {"r2": float(1 - (errors**2).sum() / spread) if spread else None, "mae": float(abs(errors).mean()),
             "rmse": float(np.sqrt((errors**2).mean()))}
    return found | ({"mape": float((abs(errors) / y).mean())} if y.min() > 0 else {})


def classification(labels, probabilities, chosen=None):
    """Return the metrics of class numbers (rows,) and probabilities (rows, classes); auc is None if all are of one class.

    chosen: (rows,) the predicted classes; default the most probable ones.
    """
    chosen = probabilities.argmax(axis=1) if chosen is None else chosen
    right, classes = chosen == labels, probabilities.shape[1]
    counts, predicted = np.bincount(labels, minlength=classes), np.bincount(chosen, minlength=classes)
    correct = np.bincount(labels, weights=right, minlength=classes)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    there, either = counts > 0, counts + predicted > 0
    areas = [area_under_roc(labels == k, probabilities[:, k]) for k in ((1,) if classes == 2 else np.flatnonzero(there))]
    return {"accuracy": float(right.mean()), "balanced_accuracy": float((correct[there] / counts[there]).mean()),
            "log_loss": float(-np.log(np.maximum(own, 1e-15)).mean()),
            "f1": float((2 * correct[either] / (counts + predicted)[either]).mean()),
            "auc": None if there.sum() < 2 else float(np.mean(areas))}


def area_under_roc(belongs, scores):
    """Return the probability that a row that belongs has the larger score, by the sum of ranks (Mann and Whitney 1947)."""
    if belongs.all() or not belongs.any():
        return np.nan
    places, counts = np.unique(scores, return_inverse=True, return_counts=True)[1:]
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # equal scores have the mean of their ranks
    inside = int(belongs.sum())
    return (ranks[belongs].sum() - inside * (inside + 1) / 2) / (inside * (len(belongs) - inside))


def score(target, series, outputs):
    """Return the metrics of outputs (rows, outputs) of a network or another model, for the column of a target."""
    if target.kind == "classification":
        return classification(target.encode(series), outputs, target.chosen(outputs))
    return regression(as_numbers(series), target.decode(outputs))
