"""Baselines for a network, by scikit-learn: a constant prediction, and a linear model on the same columns.

The linear models are penalized (ridge regression, logistic regression), because rare categories hardly determine their
weights. They use the features of the network without the bins of numbers, with or without the limit on numbers.
"""

import warnings
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from ...checks.caller_warning import collected
from ...runtime.quiet import new_generator
from ..columns.cells import word_counts
from ..columns.kinds import Number
from ..preprocessing import UNLIMITED, Preprocessing, checked_categories
from ..target import Values

LOGISTIC_ROWS = 20_000  # largest number of training rows of a logistic model: more take minutes and change little
NAMES = {"classification": ("most frequent class", "logistic"), "ordered": ("most frequent class", "logistic"),
         "regression": ("mean", "linear"), "quantiles": ("constant", "linear"), "counts": ("mean", "linear")}
GUESSES = {guess for guess, _ in NAMES.values()}
PENALTIES = (0.1, 10.0, 1000.0)  # on the squared weights of a linear model, relative to the squared error of one row
WORSE = 1.01  # ratio of losses from which on they are not a tie


def baselines(result):
    """Return {name: metrics on the test rows} for a training's Result; {} if scikit-learn is not installed.

    The linear model is the one with the best result on the validation rows of the first member: over several penalties,
    numbers limited or not, and, if the network was trained so, the target in logarithms or not. Where each member holds out
    other rows, it is then fitted to all of them. Counts have a linear model of their logarithms, and quantiles one of the
    mean, with the quantiles of its errors. Of several targets {target: such a dict}.
    """
    try:
        import sklearn.dummy
        import sklearn.linear_model  # noqa: F401
    except ImportError:
        return {}
    matrices = [*plain_matrices(result)]
    found = {part.name: of_target(result, part, matrices) for part in result.model.target.parts}
    return found if len(found) > 1 else found[result.model.target.name]


def of_target(result, target, matrices):
    """Return {name: metrics on the test rows} for one target."""
    column, weights = result.table[target.name], result.row_weights
    (training, validation), held_in = result.folds[0], result.training
    guess, models = FITTED[target.kind](target, column, matrices, weights)

    def score(way, estimates, rows):
        return way.judged(column.iloc[rows], estimates[rows], own(weights, rows))

    way, fitted = min(models, key=lambda tried: score(tried[0], tried[1](training), validation)[target.measure])
    tries = zip(NAMES[target.kind], (guess, (way, fitted)), strict=True)
    return {name: score(way, model(held_in), result.test) for name, (way, model) in tries}


def values(target, column, matrices, weights):
    """Return (constant, linear models): (target, function of training rows that returns the estimates of all rows) pairs."""
    from sklearn.dummy import DummyRegressor
    from sklearn.linear_model import Ridge

    def fitted(way, model, X, rows):
        return way.estimates(outputs(model, X, way.encode(column), rows, weights))

    plain = Values.fit(column)
    ways = [plain] + [target] * target.logarithm
    return (plain, partial(fitted, plain, DummyRegressor(), matrices[0])), [
        (way, partial(fitted, way, Ridge(penalty), X)) for X in matrices for way in ways for penalty in PENALTIES]


def quantiles(target, column, matrices, weights):
    """Return the same for Quantiles: those of the rows, and those of the errors of a linear model."""
    from sklearn.dummy import DummyRegressor
    from sklearn.linear_model import Ridge

    def fitted(model, X, rows):
        y = target.encode(column)
        repeated = np.repeat(outputs(model, X, y, rows, weights), target.outputs, axis=1)
        return target.shifted(repeated[rows], y[rows], own(weights, rows)).estimates(repeated)

    return (target, partial(fitted, DummyRegressor(), matrices[0])), [
        (target, partial(fitted, Ridge(penalty), X)) for X in matrices for penalty in PENALTIES]


def counts(target, column, matrices, weights):
    """Return the same for Counts: the mean, and Poisson regressions."""
    from sklearn.dummy import DummyRegressor
    from sklearn.linear_model import PoissonRegressor

    def fitted(new, X, rows):
        with quiet():
            found = outputs(new(len(rows)), X, target.encode(column), rows, weights)
        return target.estimates(np.log(np.maximum(found, np.finfo(float).tiny)))

    return (target, partial(fitted, lambda count: DummyRegressor(), matrices[0])), [
        (target, partial(fitted, lambda count, penalty=penalty: PoissonRegressor(alpha=penalty / count), X))
        for X in matrices for penalty in PENALTIES]


def classes(target, column, matrices, weights):
    """Return the same for Classes and Ordered: their shares, and logistic regressions."""
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression

    y = target.encode(column)
    return (target, lambda rows: probabilities(DummyClassifier(strategy="prior"), matrices[0], y, rows, target, weights)), [
        (target, lambda rows, X=X: probabilities(LogisticRegression(max_iter=100), X, y, some_of(rows), target, weights))
        for X in matrices]


FITTED = {"regression": values, "quantiles": quantiles, "counts": counts, "classification": classes, "ordered": classes}


def some_of(rows):
    """Return the rows for a logistic model, at random if there are very many."""
    return rows[np.sort(new_generator(0).permutation(len(rows))[:LOGISTIC_ROWS])]


def plain_matrices(result):
    """Yield the matrix of the whole table without bins, and the one without the limit on numbers, if they differ."""
    preprocessing = result.model.preprocessing

    def matrix(**changes):
        columns = [replace(plain, edges=(), **changes) if isinstance(plain, Number) else plain
                   for plain in (one_hot(column, result) for column in preprocessing.columns)]
        made = Preprocessing(columns, preprocessing.missing_values)
        return made, collected(made.transform, result.table)[0]  # unknown text was reported in training

    made, X = matrix()
    yield X
    limits = {made.features.index(column.name): column.limit for column in made.columns if isinstance(column, Number)}
    if any(np.abs(X[:, place]).max(initial=0) >= np.float32(limit) for place, limit in limits.items()):
        yield matrix(limit=UNLIMITED)[1]


def one_hot(column, result):
    """Return a column with features for the most frequent categories in the training rows, if they are embedded."""
    if not getattr(column, "embedded", 0):
        return column
    known = set(column.categories)
    counts = word_counts(result.table[column.name].iloc[result.training])
    kept = sorted(known.intersection(counts), key=lambda word: (-counts[word], word))
    changes = {"categories": tuple(sorted(kept[:checked_categories("auto", len(result.table))])), "embedded": 0}
    return replace(column, **changes, **({"other": True} if column.kind == "text" else {}))


def outputs(model, X, y, training, weights=None):
    """Return (rows, 1) from a regressor fitted to the training rows."""
    return model.fit(X[training], y[training], own(weights, training)).predict(X)[:, None]


def probabilities(model, X, y, training, target, weights=None):
    """Return (rows, classes) from a classifier fitted to the training rows, 0 for classes that these lack."""
    with quiet():
        model.fit(X[training], y[training], own(weights, training))
    found = np.zeros((len(X), len(target.labels)))
    found[:, model.classes_] = model.predict_proba(X)
    return found


@contextmanager
def quiet():
    """Suppress the warning of a model that stops before it has converged; scikit-learn has no other way."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def own(weights, rows):
    """Return the weights of some of the rows, None if there are none."""
    return None if weights is None else weights[rows]


def remarks(target, metrics, beside):
    """Return sentences on the targets for which a network is worse on the test rows than one of its baselines."""
    several = len(target.parts) > 1
    found = []
    for part in target.parts:
        sentence = remark(part.measure, *((metrics[part.name], beside.get(part.name, {})) if several else (metrics, beside)))
        found += [f"{part.name}: {sentence}" if several else sentence] * bool(sentence)
    return found


def remark(measure, metrics_of_network, beside):
    """Return a sentence if a network is worse on the test rows than one of its baselines by a measure, else None."""
    own = metrics_of_network[measure]
    better = {name: found[measure] for name, found in beside.items() if own > WORSE * found[measure]}
    if not better:
        return None
    name = min(better, key=better.get)
    what = "a guess that looks at no column" if name in GUESSES else f"the {name} model"
    return (f"on the test rows {what} does better than this network: {measure} {better[name]:.4g} instead of {own:.4g}; "
            "more --weight-decay or fewer --epochs may help, and --layers none trains a linear model")
