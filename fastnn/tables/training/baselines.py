"""What a network has to beat: a guess that looks at no column, and a linear model on the same columns; by scikit-learn.

The linear models are penalized (ridge regression, logistic regression), for rare categories hardly determine their weights.
They have the columns as the network has them, and with numbers beyond the limit as they are.
"""

import warnings
from dataclasses import replace

import numpy as np

from .. import metrics
from ..preprocessing import UNLIMITED, Preprocessing
from ..target import Values

LOGISTIC_ROWS = 20_000  # a logistic model is fitted to so many training rows at most: more take minutes and change little
NAMES = {"classification": (("most frequent class", "logistic"), "log_loss"), "regression": (("mean", "linear"), "rmse")}
PENALTIES = (0.1, 10.0, 1000.0)  # on the squared weights of a linear model, relative to the squared error of one row
WORSE = 1.01  # from here on a loss is no tie


def baselines(result):
    """{name: metrics on the test rows} of a training's Result; empty where scikit-learn is not installed.

    Of the linear models the one counts that does best on the validation rows: of several penalties, with numbers within the
    limit or not, and, where the network was trained so, with the target in logarithms or not.
    """
    try:
        from sklearn.dummy import DummyClassifier, DummyRegressor
        from sklearn.linear_model import LogisticRegression, Ridge
    except ImportError:
        return {}
    target, column = result.model.target, result.table[result.model.target.name]
    tries, training = [], result.training
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unknown text training has told; a logistic model cut short still is a baseline
        for X in with_and_without_limit(result):
            if target.kind == "classification":
                y = target.encode(column)
                few = training[np.sort(np.random.default_rng(0).permutation(len(training))[:LOGISTIC_ROWS])]
                tries.append((target, probabilities(LogisticRegression(max_iter=100), X, y, few, target)))
                guess = target, probabilities(DummyClassifier(strategy="prior"), X, y, training, target)
            else:
                ways = [Values.fit(column.iloc[training])] + [target] * target.logarithm
                tries += [(way, outputs(Ridge(penalty), X, way.encode(column), training))
                          for way in ways for penalty in PENALTIES]
                guess = ways[0], outputs(DummyRegressor(), X, ways[0].encode(column), training)
    names, measure = NAMES[target.kind]
    best = min(tries, key=lambda tried: score(tried, column, result.validation)[measure])
    return {name: score(tried, column, result.test) for name, tried in zip(names, (guess, best), strict=True)}


def with_and_without_limit(result):
    """The matrix of the whole table, and the one with numbers beyond the limit as they are, if there are any."""
    preprocessing = result.model.preprocessing
    X = preprocessing.transform(result.table)
    yield X
    numbers = [column for column in preprocessing.columns if column.kind == "number"]
    limits = {preprocessing.features.index(column.name): column.limit for column in numbers}
    if any(np.abs(X[:, place]).max(initial=0) >= np.float32(limit) for place, limit in limits.items()):
        free = [replace(column, limit=UNLIMITED) if column.kind == "number" else column for column in preprocessing.columns]
        yield Preprocessing(free, preprocessing.missing_values).transform(result.table)


def outputs(model, X, y, training):
    """(rows, 1) from a regressor fitted to the training rows."""
    return model.fit(X[training], y[training]).predict(X)[:, None]


def probabilities(model, X, y, training, target):
    """(rows, classes) from a classifier fitted to the training rows, 0 for classes that they have none of."""
    model.fit(X[training], y[training])
    found = np.zeros((len(X), target.outputs))
    found[:, model.classes_] = model.predict_proba(X)
    return found


def score(tried, column, rows):
    """The metrics of a target and outputs for it on some of the rows."""
    target, out = tried
    return metrics.score(target, column.iloc[rows], out[rows])


def remark(metrics_of_network, beside):
    """A sentence where a network does worse on the test rows than one of its baselines, else None."""
    measure = next(measure for _, measure in NAMES.values() if measure in metrics_of_network)
    own = metrics_of_network[measure]
    better = {name: found[measure] for name, found in beside.items() if own > WORSE * found[measure]}
    if not better:
        return None
    name = min(better, key=better.get)
    what = "a guess that looks at no column" if name in ("mean", "most frequent class") else f"the {name} model"
    return (f"on the test rows {what} does better than this network: {measure} {better[name]:.4g} instead of {own:.4g}; "
            "more --weight-decay or fewer --epochs may help, and --layers none trains a linear model")
