"""The same data, parameters and random_state give scikit-learn's results up to rounding."""

import inspect
import os

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

from fastnn.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
WEIGHTS = np.random.default_rng(0).uniform(0.2, 2.0, len(IRIS))

TASKS = {
    "classes": (NetworkClassifier, MLPClassifier, {}, SPECIES),
    "two classes": (NetworkClassifier, MLPClassifier, {}, np.where(SPECIES == 1, "yes", "no")),
    "several labels": (NetworkClassifier, MLPClassifier, {}, np.stack([SPECIES == 1, SPECIES > 0, IRIS[:, 0] > 0], 1) * 1),
    "value": (NetworkRegressor, MLPRegressor, {}, np.sin(IRIS[:, 1] + 2 * IRIS[:, 0])),
    "values": (NetworkRegressor, MLPRegressor, {}, np.sin(IRIS[:, :2])),
    "counts": (NetworkRegressor, MLPRegressor, {"loss": "poisson"}, SPECIES),
}
every_task = pytest.mark.parametrize("task", TASKS)


def both(task, *, sample_weight=None, X=IRIS, **parameters):
    """Return (fastnn's, scikit-learn's), fitted in the same way."""
    ours, theirs, options, y = TASKS[task]
    options = {"random_state": 0, "hidden_layer_sizes": (7, 5), "max_iter": 12, **options, **parameters}
    return [kind(**options).fit(X, y, sample_weight=sample_weight) for kind in (ours, theirs)]


def assert_alike(ours, theirs, tolerance=1e-8, *, loss=True, X=IRIS):
    for name in ("coefs_", "intercepts_"):
        for array, expected in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "best_validation_score_"):
        if getattr(theirs, name, None) is not None:
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name)), name
    for name in ("validation_scores_", *(("loss_", "best_loss_", "loss_curve_") if loss else ())):
        expected = getattr(theirs, name, None)
        if expected is not None:
            np.testing.assert_allclose(getattr(ours, name), expected, rtol=tolerance, err_msg=name)
    for name in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(theirs, name):
            array, expected = getattr(ours, name)(X), getattr(theirs, name)(X)
            assert array.dtype == expected.dtype
            if array.dtype.kind == "f":
                np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance)
            else:
                np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(("ours", "theirs"), [(NetworkClassifier, MLPClassifier), (NetworkRegressor, MLPRegressor)])
def test_takes_the_same_parameters_with_the_same_defaults(ours, theirs):
    mine, wanted = (inspect.signature(kind).parameters for kind in (ours, theirs))
    for name, parameter in wanted.items():
        assert mine[name].default == parameter.default, name
        assert mine[name].kind == parameter.kind, name
    for name in ("fit", "partial_fit"):
        wanted = list(inspect.signature(getattr(theirs(), name)).parameters)
        assert list(inspect.signature(getattr(ours(), name)).parameters)[:len(wanted)] == wanted


@every_task
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_every_solver_and_activation(task, solver, activation):
    epochs = 5 if solver == "lbfgs" else 12  # it multiplies every rounding
    ours, theirs = both(task, solver=solver, activation=activation, learning_rate_init=0.01, alpha=0.1, batch_size=40,
                        max_iter=epochs)
    if task == "values":  # their loss averages over the outputs, and their gradient sums: lbfgs cannot follow it
        if solver != "lbfgs":
            assert_alike(ours, theirs, loss=False)
    else:
        assert_alike(ours, theirs, 1e-5 if solver == "lbfgs" else 1e-8)


@every_task
@pytest.mark.parametrize("parameters", [
    {}, {"shuffle": False}, {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 40, "learning_rate_init": 0.02},
    {"momentum": 0.5, "nesterovs_momentum": False, "solver": "sgd"}, {"momentum": 0, "solver": "sgd"},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2, "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1, "max_iter": 40},
    {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}, {"hidden_layer_sizes": ()}, {"hidden_layer_sizes": 3, "batch_size": 1},
], ids=str)
def test_every_other_parameter(task, parameters):
    if task == "values" and "tol" in parameters:
        pytest.skip("their loss of several outputs is another, and so is what tol means")
    assert_alike(*both(task, **{"batch_size": 40, **parameters}), loss=task != "values")


@every_task
def test_sample_weights(task):
    """Except the curve: scikit-learn averages the losses of batches by number of samples, fastnn by their weights."""
    assert_alike(*both(task, sample_weight=WEIGHTS, batch_size=40), loss=False)


@every_task
def test_going_on(task):
    """With warm_start and with partial_fit."""
    y, parameters = TASKS[task][3], {"solver": "sgd", "learning_rate": "invscaling", "max_iter": 4, "batch_size": 40}
    ours, theirs = both(task, warm_start=True, **parameters)
    assert_alike(ours.fit(IRIS, y), theirs.fit(IRIS, y), loss=task != "values")
    for _ in range(3):
        ours.partial_fit(IRIS, y)
        theirs.partial_fit(IRIS, y)
    assert_alike(ours, theirs, loss=task != "values")


def test_several_labels_from_scratch_in_parts():
    X, y = make_multilabel_classification(n_samples=60, random_state=0)
    ours, theirs = (kind(random_state=0) for kind in (NetworkClassifier, MLPClassifier))
    for start in range(0, 60, 20):
        for model in (ours, theirs):
            model.partial_fit(X[start:start + 20], y[start:start + 20], classes=range(5))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-8)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_float32():
    X = IRIS.astype(np.float32)
    assert_alike(*both("classes", X=X, max_iter=3), X=X, tolerance=1e-4)


def drawn(seed):
    """Return (fastnn's, scikit-learn's, parameters, X, y, sample_weight): a random task and random parameters."""
    draw = np.random.default_rng(seed)
    task = draw.choice(list(TASKS)).item()
    samples, features = int(draw.integers(2, 60)), int(draw.integers(1, 8))
    X = draw.normal(size=(samples, features)) * 10.0 ** draw.integers(-2, 2)
    y = {"classes": draw.integers(0, 3, samples), "two classes": np.array(["no", "yes"])[draw.integers(0, 2, samples)],
         "several labels": draw.integers(0, 2, (samples, 3)), "value": draw.normal(size=samples),
         "values": draw.normal(size=(samples, 2)), "counts": draw.poisson(2, samples)}[task]
    ranges = {
        "activation": ["identity", "logistic", "tanh", "relu"], "solver": ["sgd", "adam", "lbfgs"],
        "alpha": [0.0, 1e-4, 1.0], "batch_size": ["auto", 1, 7, 100], "learning_rate_init": [1e-3, 1e-2],
        "max_iter": [1, 4, 12], "shuffle": [True, False], "tol": [0.0, 1e-4, 0.1], "momentum": [0.0, 0.5, 0.9],
        "nesterovs_momentum": [True, False], "early_stopping": [False, False, True], "validation_fraction": [0.1, 0.3],
        "n_iter_no_change": [1, 3, 10],
        "warm_start": [True, False], "random_state": [0, 1, 2], "hidden_layer_sizes": [(), 3, (5,), [4, 6], (2, 3, 2)],
    }
    parameters = {name: values[draw.integers(len(values))] for name, values in ranges.items()}
    weights = draw.uniform(0.1, 2, samples) if draw.integers(2) else None
    if parameters["early_stopping"]:  # theirs then falls back on weights that the second fit has moved
        parameters["warm_start"] = False
    if parameters["solver"] == "lbfgs":  # where they clip the loss of outputs near 0 and 1, a later search goes elsewhere
        parameters["max_iter"] = min(parameters["max_iter"], 4)
    if task == "values":  # their loss is another, and their L-BFGS does not descend it
        parameters["solver"] = draw.choice(["adam", "sgd"]).item()
    if task == "values" or weights is not None:  # the loss of an epoch is another, and so is what tol means
        parameters |= {"tol": 0.0, "n_iter_no_change": 100}
    if parameters["solver"] == "sgd":  # where scikit-learn takes notice of it
        parameters["learning_rate"] = draw.choice(["constant", "invscaling", "adaptive"]).item()
    ours, theirs, options, _ = TASKS[task]
    return ours, theirs, parameters | options, X, y, weights


def gone_through(kind, parameters, X, y, weights):
    """Return a model after a fit, perhaps again, and once more in part; or the type of the error."""
    model = kind(**parameters)
    part = len(X) if parameters["warm_start"] else len(X) // 2 + 1  # theirs then wants all classes in every part
    try:
        for _ in range(2 if parameters["warm_start"] else 1):
            model.fit(X, y, sample_weight=weights)
        if parameters["solver"] != "lbfgs" and not parameters["early_stopping"]:
            model.partial_fit(X[:part], y[:part])
    except ValueError:
        return ValueError
    return model


def assert_follows(seed):
    ours, theirs, *case = drawn(seed)
    model, expected = (gone_through(kind, *case) for kind in (ours, theirs))
    if model is ValueError or expected is ValueError:
        assert model is expected
        return
    tolerance = 1e-3 if case[0]["solver"] == "lbfgs" else 1e-7  # it multiplies every rounding
    for name in ("coefs_", "intercepts_"):
        for array, other in zip(getattr(model, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(array, other, rtol=tolerance, atol=tolerance)
    assert (model.n_iter_, model.t_) == (expected.n_iter_, expected.t_)


SEED, CASES = (int(os.environ.get(f"FASTNN_FOLLOWS_{name}", default)) for name, default in (("SEED", 0), ("CASES", 400)))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(20))
def test_random_parameters(seed):
    assert_follows(seed)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(SEED, SEED + CASES))
def test_many_random_parameters(seed):
    """FASTNN_FOLLOWS_SEED and FASTNN_FOLLOWS_CASES set the seed and the number of cases."""
    assert_follows(seed)
