"""Metrics of predictions, in the units of the target. With weights, all means and sums are weighted.

    r2                 1 − Σ (y − ŷ)² / Σ (y − mean(y))²: 1 is perfect, 0 no better than the mean of these rows
    mae, rmse          mean |y − ŷ|, and √ mean (y − ŷ)²
    mape               mean |y − ŷ| / y, where all y are positive
    accuracy           fraction of rows whose predicted class is correct
    balanced_accuracy  mean of that fraction over the classes
    log_loss           mean −log p(class of the row), with p at least 1e-15
    f1                 mean over the classes of 2 · correct / (rows of the class + predictions of it)
    auc                probability that a row of a class has a larger p(class) than a row of another class, half if equal;
                       of more than two classes the mean, each against the others
    deviance           of counts, 2 · mean (y log(y / ŷ) − y + ŷ), that of the Poisson distribution
    pinball            of quantiles, mean over these of the mean of q (y − ŷ) where y > ŷ, else (1 − q)(ŷ − y)
    below 0.9          fraction of rows that are not above the quantile 0.9
    mae                of ordered classes, mean distance in ranks of the predicted class
    kappa              of ordered classes, 1 − mean squared distance / its mean if predictions were independent of the class
                       (quadratic weighted kappa: Cohen 1968)
"""

import numpy as np


def regression(y, predicted, weights=None):
    """Return the metrics of values (rows,), float64; r2 is None if all y are equal.

    weights: (rows,) of at least 0, with a positive sum; default equal ones.
    """
    errors, spread = y - predicted, mean((y - mean(y, weights)) ** 2, weights)
    squared = mean(errors**2, weights)
    found = {"r2": 1 - squared / spread if spread else None, "mae": mean(abs(errors), weights),
             "rmse": float(np.sqrt(squared))}
    return found | ({"mape": mean(abs(errors) / y, weights)} if y.min() > 0 else {})


def classification(labels, probabilities, chosen=None, weights=None):
    """Return the metrics of class numbers (rows,) and probabilities (rows, classes); auc is None if all are of one class.

    chosen: (rows,) the predicted classes; default the most probable ones. weights: as for `regression`.
    """
    chosen = probabilities.argmax(axis=1) if chosen is None else chosen
    right, classes = chosen == labels, probabilities.shape[1]

    def count(numbers, rows=slice(None)):
        return np.bincount(numbers[rows], None if weights is None else weights[rows], minlength=classes)

    counts, predicted, correct = count(labels), count(chosen), count(labels, right)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    there, either = counts > 0, counts + predicted > 0
    areas = [area_under_roc(labels == k, probabilities[:, k], weights)
             for k in ((1,) if classes == 2 else np.flatnonzero(there))]
    return {"accuracy": mean(right, weights), "balanced_accuracy": float((correct[there] / counts[there]).mean()),
            "log_loss": mean(-np.log(np.maximum(own, 1e-15)), weights),
            "f1": float((2 * correct[either] / (counts + predicted)[either]).mean()),
            "auc": None if there.sum() < 2 else float(np.mean(areas))}


def counts(y, predicted, weights=None):
    """Return the metrics of predicted means (rows,) of counts, all means above 0."""
    logarithms = np.log(np.where(y > 0, y, predicted) / predicted)
    found = regression(y, predicted, weights)
    return {"deviance": 2 * mean(y * logarithms - y + predicted, weights)} | {
        name: found[name] for name in ("mae", "rmse", "r2")}


def quantiles(y, predicted, probabilities, weights=None):
    """Return the metrics of predicted quantiles (rows, quantiles), for the probabilities (quantiles,)."""
    above = y[:, None] - predicted
    losses = np.where(above > 0, above, 0) * probabilities - np.where(above < 0, above, 0) * (1 - np.array(probabilities))
    return {"pinball": mean(losses.mean(axis=1), weights)} | {
        f"below {q:g}": mean(above[:, k] <= 0, weights) for k, q in enumerate(probabilities)}


def ordered(ranks, probabilities, chosen, weights=None):
    """Return the metrics of ranks (rows,) and chosen ranks (rows,); kappa is None if both are constant."""
    found = classification(ranks, probabilities, chosen, weights)
    levels = np.arange(probabilities.shape[1])
    own, other = (np.array([mean(each == level, weights) for level in levels]) for each in (ranks, chosen))
    by_chance = own @ (levels[:, None] - levels) ** 2 @ other
    kappa = 1 - mean((ranks - chosen) ** 2, weights) / float(by_chance) if by_chance else None
    return {"accuracy": found["accuracy"], "mae": mean(np.abs(ranks - chosen), weights), "kappa": kappa,
            "log_loss": found["log_loss"], "balanced_accuracy": found["balanced_accuracy"]}


def mean(values, weights=None):
    """Return the weighted mean of values (rows,), a float."""
    return float(np.mean(values) if weights is None else weights @ values / weights.sum())


def area_under_roc(belongs, scores, weights=None):
    """Return the probability that a row that belongs has the larger score than one that does not, half if equal.

    Both rows are drawn with probabilities proportional to their weights (Mann and Whitney 1947, without weights).
    """
    places = np.unique(scores, return_inverse=True)[1]
    weights = np.ones(len(scores)) if weights is None else weights
    inside, outside = (np.bincount(places, np.where(which, weights, 0.0)) for which in (belongs, ~belongs))
    if not inside.any() or not outside.any():
        return np.nan
    below = np.cumsum(outside) - outside / 2
    return inside @ below / (inside.sum() * outside.sum())


def score(target, series, outputs, weights=None):
    """Return the metrics of outputs (rows, outputs) of a network or another model, for the column of a target."""
    return target.score(series, outputs, weights)
