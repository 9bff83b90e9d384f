"""Baselines for a network, by scikit-learn: a constant prediction, and a linear model on the same columns.

The linear models are penalized (ridge regression, logistic regression), because rare categories hardly determine their
weights. They use the features of the network without the bins of numbers, with or without the limit on numbers.
"""

import warnings
from dataclasses import replace

import numpy as np

from ...checks.caller_warning import collected
from ...runtime.quiet import new_generator
from .. import metrics
from ..columns.kinds import Number
from ..preprocessing import UNLIMITED, Preprocessing
from ..target import Values

LOGISTIC_ROWS = 20_000  # largest number of training rows of a logistic model: more take minutes and change little
NAMES = {"classification": (("most frequent class", "logistic"), "log_loss"), "regression": (("mean", "linear"), "rmse")}
PENALTIES = (0.1, 10.0, 1000.0)  # on the squared weights of a linear model, relative to the squared error of one row
WORSE = 1.01  # ratio of losses from which on they are not a tie


def baselines(result):
    """Return {name: metrics on the test rows} for a training's Result; {} if scikit-learn is not installed.

    The linear model is the one with the best result on the validation rows of the first member: over several penalties,
    numbers limited or not, and, if the network was trained so, the target in logarithms or not. Where each member holds out
    other rows, it is then fitted to all of them.
    """
    try:
        from sklearn.dummy import DummyClassifier, DummyRegressor
        from sklearn.linear_model import LogisticRegression, Ridge
    except ImportError:
        return {}
    target, column = result.model.target, result.table[result.model.target.name]
    tries, (training, validation), held_in = [], result.folds[0], result.training
    y, weights = target.encode(column), result.row_weights
    for X in plain_matrices(result):
        if target.kind == "classification":
            tries.append((target, lambda rows, X=X: probabilities(LogisticRegression(max_iter=100), X, y, some_of(rows),
                                                                  target, weights)))
            guess = target, probabilities(DummyClassifier(strategy="prior"), X, y, held_in, target, weights)
        else:
            ways = [Values.fit(column.iloc[held_in])] + [target] * target.logarithm
            tries += [(way, lambda rows, X=X, way=way, penalty=penalty: outputs(Ridge(penalty), X, way.encode(column), rows,
                                                                               weights))
                      for way in ways for penalty in PENALTIES]
            guess = ways[0], outputs(DummyRegressor(), X, ways[0].encode(column), held_in, weights)
    names, measure = NAMES[target.kind]
    way, fitted = min(tries, key=lambda tried: score(tried[0], tried[1](training), column, validation, weights)[measure])
    return {name: score(*tried, column, result.test, weights)
            for name, tried in zip(names, (guess, (way, fitted(held_in))), strict=True)}


def some_of(rows):
    """Return the rows for a logistic model, at random if there are very many."""
    return rows[np.sort(new_generator(0).permutation(len(rows))[:LOGISTIC_ROWS])]


def plain_matrices(result):
    """Yield the matrix of the whole table without bins, and the one without the limit on numbers, if they differ."""
    preprocessing = result.model.preprocessing

    def matrix(**changes):
        columns = [replace(column, edges=(), **changes) if isinstance(column, Number) else column
                   for column in preprocessing.columns]
        made = Preprocessing(columns, preprocessing.missing_values)
        return made, collected(made.transform, result.table)[0]  # unknown text was reported in training

    made, X = matrix()
    yield X
    limits = {made.features.index(column.name): column.limit for column in made.columns if isinstance(column, Number)}
    if any(np.abs(X[:, place]).max(initial=0) >= np.float32(limit) for place, limit in limits.items()):
        yield matrix(limit=UNLIMITED)[1]


def outputs(model, X, y, training, weights=None):
    """Return (rows, 1) from a regressor fitted to the training rows."""
    return model.fit(X[training], y[training], own(weights, training)).predict(X)[:, None]


def probabilities(model, X, y, training, target, weights=None):
    """Return (rows, classes) from a classifier fitted to the training rows, 0 for classes that these lack."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():  # scikit-learn has no other way to suppress it
        warnings.simplefilter("ignore", ConvergenceWarning)  # it may stop early
        model.fit(X[training], y[training], own(weights, training))
    found = np.zeros((len(X), target.outputs))
    found[:, model.classes_] = model.predict_proba(X)
    return found


def own(weights, rows):
    """Return the weights of some of the rows, None if there are none."""
    return None if weights is None else weights[rows]


def score(target, out, column, rows, weights=None):
    """Return the metrics of outputs on some of the rows, for the column of a target."""
    return metrics.score(target, column.iloc[rows], out[rows], own(weights, rows))


def remark(metrics_of_network, beside):
    """Return a sentence if a network is worse on the test rows than one of its baselines, else None."""
    measure = next(measure for _, measure in NAMES.values() if measure in metrics_of_network)
    own = metrics_of_network[measure]
    better = {name: found[measure] for name, found in beside.items() if own > WORSE * found[measure]}
    if not better:
        return None
    name = min(better, key=better.get)
    what = "a guess that looks at no column" if name in ("mean", "most frequent class") else f"the {name} model"
    return (f"on the test rows {what} does better than this network: {measure} {better[name]:.4g} instead of {own:.4g}; "
            "more --weight-decay or fewer --epochs may help, and --layers none trains a linear model")
