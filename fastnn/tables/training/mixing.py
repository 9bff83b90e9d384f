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
from functools import partial

import numpy as np

from .likelihoods import LIKELIHOODS, probabilities
from .linear import linear_member

ROWS = 20_000  # rows for the weights of classes
STEPS = 20
PRIOR = 5.0
SMALLEST = 1e-30  # probability in a logarithm


class Mixture:
    """The weight of the networks, and one linear model in the place of the weighted linear members.

    Attributes
    ----------
    weights : dict of str to float
    factor : float, or array (outputs,)
        The weight of the mean of the networks.
    weight, bias : array (features, outputs), array (outputs,), or None
    unseen : list of array (rows, outputs)
        The outputs of the mixture for the rows that each fold held out, as those of a network.
    """

    def __init__(self, weights=None, factor=1.0, weight=None, bias=None, unseen=()):
        self.weights, self.factor, self.weight, self.bias, self.unseen = weights or {}, factor, weight, bias, unseen

    @classmethod
    def of_target(cls, matrix, y, target, folds, unseen, kinds, seed, row_weights=None):
        """Fit linear members and weights for each part of a target, on the outputs `unseen` of networks.

        kinds: {name of a linear member: numbers of the features that it may use}. The outputs that are not probabilities of
        a softmax are mixed as they are.
        """
        if target.activation == "softmax":
            unseen = [np.log(np.maximum(out, SMALLEST)) for out in unseen]
        several = len(target.parts) > 1
        mixtures = [cls.fit(matrix, own, part, folds, [out[:, place] for out in unseen], kinds, seed, row_weights)
                    for part, own, place in zip(target.parts, y if several else [y], target.places, strict=True)]
        mixture = cls.joined(target.parts, mixtures, matrix.shape[1]) if several else mixtures[0]
        if target.activation == "softmax":
            mixture.unseen = [probabilities(out) for out in mixture.unseen]
        return mixture

    @classmethod
    def joined(cls, parts, mixtures, features):
        """Return the Mixture of the outputs of several targets, one after another."""
        count = min(len(each.unseen) for each in mixtures)
        sizes = [part.outputs for part in parts]
        weight = [np.zeros((features, size), np.float32) if each.weight is None else each.weight
                  for each, size in zip(mixtures, sizes, strict=True)]
        bias = [np.zeros(size, np.float32) if each.bias is None else each.bias
                for each, size in zip(mixtures, sizes, strict=True)]
        unseen = [np.concatenate(outs, axis=1) for outs in zip(*(each.unseen[:count] for each in mixtures), strict=True)]
        return cls({part.name: each.weights for part, each in zip(parts, mixtures, strict=True)},
                   np.repeat([each.factor for each in mixtures], sizes).astype(np.float32), np.concatenate(weight, axis=1),
                   np.concatenate(bias), unseen)

    @classmethod
    def fit(cls, matrix, y, target, folds, unseen, kinds, seed, row_weights=None):
        """Fit the linear members, and the weights on the outputs `unseen` of the networks for the rows held out."""
        if target.linear is None:
            return cls(unseen=unseen)
        members = [linear_member(matrix, y, target.linear, folds, features, target.outputs, seed, row_weights)
                   for features in kinds.values()]
        count = min(len(member.unseen) for member in members)
        rows = np.concatenate([held for _, held in folds[:count]])
        networks = [out.astype(np.float64) for out in unseen[:count]]
        outputs = np.stack([np.concatenate(parts[:count]) for parts in (networks, *(each.unseen for each in members))])
        weights = mixing_weights(outputs, y[rows], target.linear, seed, None if row_weights is None else row_weights[rows])
        mixed = np.split(np.tensordot(weights, outputs, 1), np.cumsum([len(out) for out in networks])[:-1])
        weight, bias = (sum(share * getattr(each, name) for share, each in zip(weights[1:], members, strict=True))
                        for name in ("weight", "bias"))
        named = dict(zip(("networks", *kinds), map(float, weights), strict=True))
        return cls(named, float(weights[0]), weight, bias, mixed)


def mixing_weights(outputs, y, kind, seed, row_weights=None):
    """Return the weights (models,) of some models, all at least 0.

    outputs: (models, rows, outputs) of held-out rows, logits for classes. y: (rows,) or (rows, outputs) values, or (rows,)
    those of a likelihood. row_weights: (rows,) with the mean 1.
    """
    if row_weights is None:
        row_weights = np.ones(len(y))
    if kind in LIKELIHOODS:
        if outputs.shape[1] > ROWS:
            drawn = np.random.default_rng(seed).choice(outputs.shape[1], ROWS, replace=False)
            outputs, y, row_weights = outputs[:, drawn], y[drawn], row_weights[drawn]
        if kind == "classification":
            outputs = outputs - outputs.mean(axis=2, keepdims=True)
        fit = partial(fit_likelihood, LIKELIHOODS[kind])
    else:
        row_weights = np.repeat(row_weights, outputs.shape[2])
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


def fit_likelihood(likelihood, outputs, y, first, row_weights):
    """Return (weights, loss over all rows) of outputs (models, rows, outputs), by Newton's method."""
    weights = first.copy()

    def loss_of(weights):
        return float(row_weights @ likelihood.losses(np.tensordot(weights, outputs, 1), y))

    def penalized(weights):
        return loss_of(weights) + PRIOR / 2 * ((weights - first) ** 2).sum()

    loss = penalized(weights)
    for _ in range(STEPS):
        Z = np.tensordot(weights, outputs, 1)
        gradient = (outputs * likelihood.slope(Z, y)).sum(axis=2) @ row_weights + PRIOR * (weights - first)
        hessian = likelihood.curvature(Z, outputs, row_weights) + PRIOR * np.eye(len(weights))
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while (new := penalized(weights - size * step)) > loss and size > 1e-4:
            size /= 2
        if new >= loss - 1e-6:
            break
        weights, loss = weights - size * step, new
    return weights, loss_of(weights)
