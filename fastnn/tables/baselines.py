"""What a network has to beat: a guess that looks at no column, and a linear model on the same matrix; by scikit-learn."""

import warnings

import numpy as np

from . import metrics
from .target import Values

LOGISTIC_ROWS = 20_000  # a logistic model is fitted to so many training rows at most: more take minutes and change little


def baselines(result):
    """{name: metrics on the test rows} of a training's Result; empty where scikit-learn is not installed.

    A linear model of values has the same choice as the network: the target as it is or, where the network was trained so,
    in logarithms; the better of both on the validation rows counts.
    """
    try:
        from sklearn.dummy import DummyClassifier, DummyRegressor
        from sklearn.linear_model import LinearRegression, LogisticRegression
    except ImportError:
        return {}
    target, column = result.model.target, result.table[result.model.target.name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of unknown text training has told; a logistic model cut short still is a baseline
        X = result.model.preprocessing.transform(result.table)
        if target.kind == "classification":
            y, training = target.encode(column), result.training
            few = training[np.sort(np.random.default_rng(0).permutation(len(training))[:LOGISTIC_ROWS])]
            dummy, logistic = DummyClassifier(strategy="prior"), LogisticRegression(max_iter=100)
            return {
                "most frequent class": score(target, column, result.test, probabilities(dummy, X, y, training, target)),
                "logistic": score(target, column, result.test, probabilities(logistic, X, y, few, target)),
            }
        ways = [Values.fit(column.iloc[result.training])] + [target] * target.logarithm
        plain = ways[0]
        tries = [(way, outputs(LinearRegression(), X, way.encode(column), result.training)) for way in ways]
        return {
            "mean": score(plain, column, result.test, outputs(DummyRegressor(), X, plain.encode(column), result.training)),
            "linear": score(*min(((way, column, result.test, out) for way, out in tries),
                                 key=lambda each: score(*each[:2], result.validation, each[3])["rmse"])),
        }


def outputs(model, X, y, training):
    """(rows, 1) from a regressor fitted to the training rows."""
    return model.fit(X[training], y[training]).predict(X)[:, None]


def probabilities(model, X, y, training, target):
    """(rows, classes) from a classifier fitted to the training rows, 0 for classes that they have none of."""
    model.fit(X[training], y[training])
    found = np.zeros((len(X), target.outputs))
    found[:, model.classes_] = model.predict_proba(X)
    return found


def score(target, column, rows, out):
    """The metrics on some of the rows."""
    return metrics.score(target, column.iloc[rows], out[rows])
