"""The weights with which the networks and the linear members are added up (stacking: Wolpert 1992, Breiman 1996).

    output = v·(mean of the networks) + Σ wₖ·(linear member k)        with v and all wₖ at least 0

They have the smallest loss on the rows that were held out, whose outputs come from members that were not trained on them:
the squared error for values, the log loss for classes, whose outputs here are logits. Where a linear model is all that the
table supports, it gets most of the weight; where the networks know better, none. The sum is not fixed: for classes it is the
temperature that calibrates the probabilities (Guo et al. 2017).

A small penalty, PRIOR/2 times the squared distance of the weights from (1, 0, …) beside the negative log-likelihood, matters
where there are few rows, or where classes are told apart without an error, which would make the weights infinite. There are
few weights, so that each set of positive ones is tried.
"""

import itertools

import numpy as np

from .linear import linear_member, log_losses, probabilities

ROWS = 20_000  # rows for the weights of classes
STEPS = 20
PRIOR = 5.0
SMALLEST = 1e-30  # probability in a logarithm


class Mixture:
    """The weight of the networks, and one linear model in the place of the weighted linear members.

    Attributes
    ----------
    weights : dict of str to float
    factor : float
        The weight of the mean of the networks.
    weight, bias : array (features, outputs), array (outputs,), or None
    unseen : list of array (rows, outputs)
        The outputs of the mixture for the rows that each fold held out, as those of a network.
    """

    def __init__(self, weights=None, factor=1.0, weight=None, bias=None, unseen=()):
        self.weights, self.factor, self.weight, self.bias, self.unseen = weights or {}, factor, weight, bias, unseen

    @classmethod
    def fit(cls, matrix, y, target, folds, unseen, binned, seed, row_weights=None):
        """Fit the linear members, and the weights on the outputs `unseen` of the networks for the rows held out."""
        classes = target.kind == "classification"
        places = np.arange(matrix.shape[1])
        kinds = {"linear": places if binned is None else places[~binned]}
        if binned is not None and binned.any():
            kinds["linear in bins"] = places
        members = [linear_member(matrix, y, target.kind, folds, features, target.outputs, seed, row_weights)
                   for features in kinds.values()]
        count = min(len(member.unseen) for member in members)
        rows = np.concatenate([held for _, held in folds[:count]])
        networks = [out.astype(np.float64) for out in unseen[:count]]
        if classes:
            networks = [np.log(np.maximum(out, SMALLEST)) for out in networks]
        outputs = np.stack([np.concatenate(parts[:count]) for parts in (networks, *(each.unseen for each in members))])
        weights = mixing_weights(outputs, y[rows] if classes else y[rows].reshape(len(rows), -1), target.kind, seed,
                                 None if row_weights is None else row_weights[rows])
        mixed = np.tensordot(weights, outputs, 1)
        mixed = np.split(probabilities(mixed) if classes else mixed, np.cumsum([len(out) for out in networks])[:-1])
        weight, bias = (sum(share * getattr(each, name) for share, each in zip(weights[1:], members, strict=True))
                        for name in ("weight", "bias"))
        named = dict(zip(("networks", *kinds), map(float, weights), strict=True))
        return cls(named, float(weights[0]), weight, bias, mixed)


def mixing_weights(outputs, y, kind, seed, row_weights=None):
    """Return the weights (models,) of some models, all at least 0.

    outputs: (models, rows, outputs) of held-out rows, logits for classes. y: values (rows, outputs), or class numbers.
    row_weights: (rows,) with the mean 1.
    """
    if row_weights is None:
        row_weights = np.ones(len(y))
    if kind == "classification":
        if outputs.shape[1] > ROWS:
            drawn = np.random.default_rng(seed).choice(outputs.shape[1], ROWS, replace=False)
            outputs, y, row_weights = outputs[:, drawn], y[drawn], row_weights[drawn]
        outputs, fit = outputs - outputs.mean(axis=2, keepdims=True), fit_logits
    else:
        row_weights = np.repeat(row_weights, y.shape[1])
        outputs, y = outputs.reshape(len(outputs), -1), y.reshape(-1)
        unit = np.sqrt(np.average((outputs[0] - y) ** 2, weights=row_weights)) or 1.0  # of the networks' errors
        outputs, y, fit = outputs / unit, y / unit, fit_squares
    first, tries = np.eye(len(outputs))[0], []
    for size in range(1, len(outputs) + 1):
        for chosen in map(list, itertools.combinations(range(len(outputs)), size)):
            weights = np.zeros(len(outputs))
            weights[chosen], loss = fit(outputs[chosen], y, first[chosen], row_weights)
            if (weights[chosen] > 0).all() and np.isfinite(loss):
                tries.append((loss + PRIOR / 2 * ((weights - first) ** 2).sum(), weights))
    return min(tries, key=lambda each: each[0])[1] if tries else first


def fit_squares(outputs, y, first, row_weights):
    """Return (weights, half the squared error) of outputs (models, values)."""
    own = outputs * row_weights
    weights = np.linalg.solve(own @ outputs.T + PRIOR * np.eye(len(outputs)), own @ y + PRIOR * first)
    return weights, (row_weights * (weights @ outputs - y) ** 2).sum() / 2


def fit_logits(outputs, labels, first, row_weights):
    """Return (weights, log loss over all rows) of outputs (models, rows, classes), by Newton's method."""
    weights, rows = first.copy(), np.arange(len(labels))

    def loss_of(weights):
        return float(row_weights @ log_losses(np.tensordot(weights, outputs, 1), labels))

    def penalized(weights):
        return loss_of(weights) + PRIOR / 2 * ((weights - first) ** 2).sum()

    loss = penalized(weights)
    for _ in range(STEPS):
        P = probabilities(np.tensordot(weights, outputs, 1))
        means = (outputs * P).sum(axis=2)  # (models, rows)
        gradient = (means - outputs[:, rows, labels]) @ row_weights + PRIOR * (weights - first)
        hessian = np.einsum("irk,jrk,rk->ij", outputs, outputs, P * row_weights[:, None])
        hessian += PRIOR * np.eye(len(weights)) - (means * row_weights) @ means.T
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while (new := penalized(weights - size * step)) > loss and size > 1e-4:
            size /= 2
        if new >= loss - 1e-6:
            break
        weights, loss = weights - size * step, new
    return weights, loss_of(weights)
