"""Linear members: penalized linear models of the features, fitted on the same rows as the networks of a model.

Values are fitted by ridge regression, in closed form: with centered features X and targets y,

    W = (XᵀX + λ)⁻¹ Xᵀy

The matrix of a fold is that of all rows minus that of the rows held out, so that all folds together cost two passes.
Classes are fitted by logistic regression,

    Σ −log softmax(X W + b)[class] + λ/2 ΣW²

and counts and ordered classes likewise (`likelihoods`), by L-BFGS (Liu and Nocedal 1989) that begins with (XᵀX/4 + λ)⁻¹ in
the place of the inverse Hessian. XᵀX/4 bounds that of two classes (Böhning and Lindsay 1988), so that a dozen steps are
enough however the features are correlated.

That is why it is neither the package's `LBFGS` nor scikit-learn's. On six tables of `asv_bench/tables.py chosen` (spam7,
wa_churn, stackoverflow, cells, OJ and olive; four folds with all penalties, one thread) a network of one layer with
`LBFGS` took 1.9 to 7 times the processor time for a loss on held-out rows within 0.002 of the same. With 30 iterations it
took 0.7 to 3.3 times; scikit-learn's lbfgs, at its tolerance, 0.45 to 3 times for a loss up to 0.006 larger, and its
newton-cholesky 0.8 to 17 times.

With weights of rows, each squared error and each −log softmax is multiplied by that of its row.

The penalty λ is the one with the smallest loss on the rows held out: of all folds, or of the first if the table is large and
has classes.
"""

from functools import partial

import numpy as np

from .likelihoods import LIKELIHOODS

PENALTIES, LIKELY = (0.1, 1.0, 10.0, 100.0, 1000.0), (0.5, 3.0, 20.0, 120.0)  # of values, and of likelihoods
FEATURES = 1500  # of more features, the others of the smallest variance have no weight
ROWS, LIKELY_ROWS = 100_000, 20_000  # of more rows, so many are drawn: more change little
WORK = 2e10  # multiplications for a likelihood; beyond it fewer folds are fitted
STEPS, MEMORY = 30, 8
LEAST_SLOPE = 1e-4  # relative to the loss; smaller steps change little
LEAST_DECAY = 1e-3  # of the bias


class LinearMember:
    """A linear model for each fold, and their average.

    Attributes
    ----------
    weight : array (features, outputs)
    bias : array (outputs,)
        Of the average of the folds.
    unseen : list of array (rows of a fold, outputs)
        The outputs for the rows that a fold held out; fewer folds than there are if fitting all would take long.
    penalty : float
    """

    def __init__(self, models, penalty, matrix, folds):
        self.penalty = penalty
        self.unseen = [matrix[held] @ weight + bias for (weight, bias), (_, held) in zip(models, folds, strict=False)]
        self.weight = np.mean([weight for weight, _ in models], axis=0)
        self.bias = np.mean([bias for _, bias in models], axis=0)


def linear_member(matrix, y, kind, folds, features, outputs, seed, row_weights=None):
    """Fit a LinearMember.

    matrix: (rows, all features) float32. y: (rows,) or (rows, outputs) values, or (rows,) those of a likelihood. features:
    the numbers of those that may have a weight. row_weights: (rows,) of at least 0, with the mean 1; default all 1.
    """
    parts = [held for _, held in folds] if len(folds) > 1 else [*reversed(folds[0])]
    parts = [some(part, (LIKELY_ROWS if kind in LIKELIHOODS else ROWS) // len(parts), seed) for part in parts]
    chosen = most_varied(matrix, np.concatenate(parts), features)
    fit = partial(fit_likelihood, LIKELIHOODS[kind]) if kind in LIKELIHOODS else fit_values
    models, penalty = fit(matrix, y, parts, chosen, outputs, len(folds), row_weights)
    whole = []
    for weight, bias in models:
        wide = np.zeros((matrix.shape[1], outputs), np.float32)
        wide[chosen] = weight
        whole.append((wide, bias.astype(np.float32)))
    return LinearMember(whole, penalty, matrix, folds)


def some(rows, most, seed):
    """Return at most `most` of the rows, at random."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def most_varied(matrix, rows, features):
    """Return at most FEATURES of the features that vary in the rows, those with the largest variance."""
    variance = matrix[np.ix_(rows, features)].var(axis=0, dtype=np.float64)
    order = np.argsort(-variance, kind="stable")[:FEATURES]
    return np.sort(np.asarray(features)[order[variance[order] > 0]])


def fit_values(matrix, y, parts, features, outputs, folds, row_weights=None):
    """Return ([(weight, bias) of each fold], penalty) of ridge regression.

    parts: arrays of rows, of which each fold, one of the first `folds`, holds out its own.
    """
    y = np.asarray(y, np.float64).reshape(len(y), outputs)
    rows = np.concatenate(parts)
    mean, level = matrix[np.ix_(rows, features)].mean(axis=0, dtype=np.float64), y[rows].mean(axis=0)
    held = [(matrix[np.ix_(part, features)] - mean, y[part] - level) for part in parts]
    shares = [np.ones(len(part)) if row_weights is None else row_weights[part] for part in parts]
    weighted = [X if row_weights is None else X * w[:, None] for (X, _), w in zip(held, shares, strict=True)]
    squares = [(own.T @ X, own.T @ Y, own.sum(axis=0), w @ Y, w.sum())
               for own, (X, Y), w in zip(weighted, held, shares, strict=True)]
    total = [sum(each) for each in zip(*squares, strict=True)]
    losses, models = np.zeros(len(PENALTIES)), []
    for (X, Y), w, own in zip(held[:folds], shares, squares, strict=False):
        XX, XY, x, z, count = (whole - part for whole, part in zip(total, own, strict=True))
        XX, XY = XX - np.outer(x, x) / count, XY - np.outer(x, z) / count
        fold = []
        for penalty in PENALTIES:
            weight = np.linalg.solve(XX + penalty * np.eye(len(XX)), XY)
            fold.append((weight, (z - x @ weight) / count))
        losses += [(w @ (X @ weight + bias - Y) ** 2).sum() for weight, bias in fold]
        models.append(fold)
    best = int(np.argmin(losses))
    return [(weight, bias + level - mean @ weight) for weight, bias in (fold[best] for fold in models)], PENALTIES[best]


def fit_likelihood(likelihood, matrix, y, parts, features, outputs, folds, row_weights=None):
    """Return ([(weight, bias) of each fold], penalty) of a Likelihood, for parts and folds as in `fit_values`."""
    rows, place = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    mean = matrix[np.ix_(rows, features)].mean(axis=0, dtype=np.float64)
    whole = np.concatenate([matrix[np.ix_(rows, features)] - mean, np.ones((len(rows), 1))], axis=1)
    w = np.ones(len(rows)) if row_weights is None else row_weights[rows]
    square, y = likelihood.typical * (whole * w[:, None]).T @ whole, y[rows]  # of the features alone: all folds may use it
    learned = [place != fold for fold in range(folds)]

    def fit(rows, penalty, W):
        decay = np.append(np.full(len(features), penalty), LEAST_DECAY)[:, None]
        if penalty not in inverses:
            inverses[penalty] = np.linalg.inv(square + np.diag(decay[:, 0]))
        return minimum(likelihood, whole[rows], y[rows], w[rows], decay, inverses[penalty], W)

    penalties, inverses = sorted(LIKELY, reverse=True), {}
    each = 4.0 * STEPS * len(rows) * whole.shape[1] * outputs
    count = min(max(2, int(WORK / each)), folds)
    tried = count if len(penalties) * count * each < WORK else 1  # folds on which all penalties are tried
    losses, models = np.zeros(len(penalties)), []
    for fold in range(tried):
        W = np.zeros((whole.shape[1], outputs))
        models.append([W := fit(learned[fold], penalty, W) for penalty in penalties])  # each begins where the last ended
        held = place == fold
        losses += [w[held] @ likelihood.losses(whole[held] @ W, y[held]) for W in models[-1]]
    best = int(np.argmin(losses))
    models = [fold[best] for fold in models]
    models += [fit(rows, penalties[best], np.zeros_like(W)) for rows in learned[tried:count]]
    return [(W[:-1], W[-1] - mean @ W[:-1]) for W in models], penalties[best]


def minimum(likelihood, X, y, row_weights, decay, inverse, W):
    """Return the weights (features, outputs) of the smallest loss, from a first guess W."""
    steps = []

    def penalized(Z, W):
        return float(row_weights @ likelihood.losses(Z, y)) + float((decay * W**2).sum()) / 2

    Z = X @ W
    loss, before = penalized(Z, W), None
    for _ in range(STEPS):
        gradient = X.T @ (likelihood.slope(Z, y) * row_weights[:, None]) + decay * W
        if before is not None and (curvature := (before[0] * (gradient - before[1])).sum()) > 0:
            steps = [*steps[1 - MEMORY:], (before[0], gradient - before[1], curvature)]
        direction = -quasi_newton(gradient, steps, inverse)
        slope = (gradient * direction).sum()
        if slope > -LEAST_SLOPE * max(loss, 1e-9 * len(y)):
            break
        change, size = X @ direction, 1.0
        while (new := penalized(Z + size * change, W + size * direction)) > loss + 1e-4 * size * slope:
            size /= 2
            if size < 1e-6:
                return W
        before = size * direction, gradient
        W, Z, loss = W + size * direction, Z + size * change, new
    return W


def quasi_newton(gradient, steps, inverse):
    """Return an approximation of the inverse Hessian times the gradient (Nocedal and Wright 2006, algorithm 7.4)."""
    q, shares = gradient.copy(), []
    for change, difference, curvature in reversed(steps):
        shares.append((change * q).sum() / curvature)
        q -= shares[-1] * difference
    q = inverse @ q
    if steps:
        _, difference, curvature = steps[-1]
        q *= curvature / (difference * (inverse @ difference)).sum()
    for (change, difference, curvature), share in zip(steps, reversed(shares), strict=True):
        q += (share - (difference * q).sum() / curvature) * change
    return q
