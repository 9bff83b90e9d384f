"""Common uses of scikit-learn's networks, applied to the estimators."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

import scipy.sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale
from sklearn.utils import compute_sample_weight

import fastnn
from fastnn import CSVLogger, EarlyStopping
from fastnn.checks.caller_warning import warn_caller
from fastnn.sklearn import NetworkClassifier, NetworkRegressor
from fastnn.sklearn.class_weights import class_factors, label_factors
from fastnn.sklearn.data import dense
from fastnn.sklearn.fitting.scores import accuracy, r2

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
WIDTHS = IRIS[:, 3] + IRIS[:, 0] ** 2
both_estimators = pytest.mark.parametrize(("kind", "y"), [(NetworkClassifier, SPECIES), (NetworkRegressor, WIDTHS)])


def fitted(kind, y, **parameters):
    return kind(**{"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0, **parameters}).fit(IRIS, y)


# Weights from elsewhere, such as the average of several networks.


@both_estimators
def test_weights_may_be_assigned(kind, y):
    model, other = fitted(kind, y), fitted(kind, y, random_state=1)
    model.coefs_, model.intercepts_ = other.coefs_, [bias.tolist() for bias in other.intercepts_]
    assert all(map(np.array_equal, model.coefs_, other.coefs_))
    np.testing.assert_array_equal(model.network_.forward(IRIS), other.network_.forward(IRIS))
    other.coefs_[0][:] = 0  # copied, not shared
    assert model.coefs_[0].all()


@both_estimators
def test_one_layers_weights_may_be_assigned(kind, y):
    model = fitted(kind, y)
    model.coefs_[-1] = np.zeros_like(model.coefs_[-1])
    model.intercepts_[-1:] = [np.zeros_like(model.intercepts_[-1])]
    assert len(np.unique(model.network_.forward(IRIS))) == 1


@pytest.mark.parametrize("coefs", [
    [np.zeros((4, 4))], [np.zeros((4, 4)), np.zeros((3, 4))], [np.zeros((4, 4)), np.full((4, 3), np.nan)], 3, None, "ab",
], ids=["one too few", "turned", "not finite", "number", "none", "text"])
def test_weights_that_do_not_fit_are_refused_and_change_nothing(coefs):
    model = fitted(NetworkClassifier, SPECIES)
    before = [weight.copy() for weight in model.coefs_]
    with pytest.raises(ValueError, match="coefs_"):
        model.coefs_ = coefs
    assert all(map(np.array_equal, model.coefs_, before))


def test_there_are_no_weights_before_fit():
    model = NetworkClassifier()
    assert not hasattr(model, "coefs_")
    with pytest.raises(AttributeError, match="coefs_"):
        model.coefs_  # noqa: B018
    with pytest.raises(AttributeError, match="fit it first"):
        model.intercepts_ = []


# Data.


@both_estimators
def test_one_weight_for_all_samples(kind, y):
    model, other = (kind(max_iter=3, random_state=0).fit(IRIS, y, weight) for weight in (2.0, np.full(150, 2.0)))
    assert all(map(np.array_equal, model.coefs_, other.coefs_))
    with pytest.raises(ValueError, match="sample_weight"):
        kind().fit(IRIS, y, -1.0)


@both_estimators
def test_polars_frames(kind, y):
    polars = pytest.importorskip("polars", reason="needs polars")
    names = list("pqrs")
    X, column = polars.DataFrame(dict(zip(names, IRIS.T, strict=True))), polars.Series("y", y)
    model = kind(max_iter=3, random_state=0).fit(X, column)
    np.testing.assert_array_equal(model.predict(X), kind(max_iter=3, random_state=0).fit(IRIS, y).predict(IRIS))
    assert list(model.feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X.select(names[::-1]))
    for times in (polars.datetime_range, polars.date_range):
        days = times(polars.date(2020, 1, 1), polars.date(2020, 5, 29), eager=True)
        with pytest.raises(ValueError, match="X has dtype Date"):
            kind().fit(polars.DataFrame({"day": days}), column)


def test_sparse_samples_that_are_too_many_to_be_dense_are_named():
    X = scipy.sparse.csr_array((1024, 2**45))
    with pytest.raises(MemoryError, match="some rows at a time"):
        dense(X)


# Continuing.


def test_warm_start_needs_the_same_classes():
    """A missing class would be unlearned silently; partial_fit is for samples in parts."""
    model = fitted(NetworkClassifier, SPECIES, warm_start=True)
    before = [weight.copy() for weight in model.coefs_]
    with pytest.raises(ValueError, match=r"classes \[2\].*partial_fit"):
        model.fit(IRIS[:100], SPECIES[:100])
    assert all(map(np.array_equal, model.coefs_, before))
    model.partial_fit(IRIS[:100], SPECIES[:100])
    model.fit(IRIS, SPECIES, X_val=IRIS[:100], y_val=SPECIES[:100])


# Parameters.


@both_estimators
@pytest.mark.parametrize("nesterovs_momentum", [True, False])
def test_momentum_of_one(kind, y, nesterovs_momentum):
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    peer = {NetworkClassifier: MLPClassifier, NetworkRegressor: MLPRegressor}[kind]
    parameters = {"solver": "sgd", "momentum": 1.0, "nesterovs_momentum": nesterovs_momentum, "learning_rate_init": 1e-3}
    ours, theirs = fitted(kind, y, **parameters), fitted(peer, y, **parameters)
    for weight, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-9)


# Warnings.


@pytest.mark.parametrize(("parameters", "category"), [
    ({"max_iter": 2}, ConvergenceWarning), ({"max_iter": 2, "solver": "lbfgs"}, ConvergenceWarning),
    ({"batch_size": 500, "tol": 1e3}, UserWarning),
    ({"early_stopping": True, "solver": "sgd", "learning_rate_init": 1e200}, ConvergenceWarning),
], ids=str)
def test_warnings_name_the_line_that_called(parameters, category):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        NetworkRegressor(**parameters).fit(IRIS, WIDTHS)
    assert {(warning.category, warning.filename) for warning in caught} == {(category, __file__)}


# Speed: a loop over single rows must not spend its time on checks.


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_are_scikit_learns(weighted, outputs, dtype):
    rng = np.random.default_rng(outputs)
    weights = rng.uniform(0, 2, 50).astype(dtype) if weighted else None
    y, values = rng.normal(size=(50, outputs)), rng.normal(size=(50, outputs)).astype(dtype)
    for truth in (y, np.ones_like(y), np.hstack([y[:, 1:], np.ones((50, 1))])):
        for guess in (values, truth, truth + 1, truth.mean(axis=0) * np.ones_like(truth)):
            assert r2(truth, guess, weights) == pytest.approx(r2_score(truth, guess, sample_weight=weights), rel=1e-12)
    for labels in (rng.integers(0, 2, (2, 50)), rng.integers(0, 2, (2, 50, outputs + 1))):
        assert accuracy(*labels, weights) == accuracy_score(*labels, sample_weight=weights)


@both_estimators
@pytest.mark.parametrize("wrong", [
    lambda X: X[:, :3], lambda X: X[0], lambda X: X[:0], lambda X: X[None], lambda X: np.where(X > 2, np.nan, X),
    lambda X: np.where(X > 2, np.inf, X), lambda X: np.full(X.shape, "a"), lambda X: X * 1j,
])
def test_an_array_that_is_wrong_gets_the_words_of_scikit_learn(kind, y, wrong):
    from sklearn.neural_network import MLPClassifier

    ours, theirs, X = fitted(kind, y), fitted(MLPClassifier, SPECIES), wrong(IRIS)
    said = []
    for model in (ours, theirs):
        with pytest.raises((ValueError, TypeError)) as error:
            model.predict(X)
        said.append(str(error.value).replace(type(model).__name__, ""))
    assert said[0] == said[1] or wrong(IRIS).dtype.kind in "Uc"
    with pytest.raises((ValueError, TypeError)):
        ours.partial_fit(X, y[:len(X)])


@both_estimators
def test_other_forms_of_the_same_samples_are_the_same(kind, y):
    """Whether an array can skip the checks or not."""
    forms = [np.asfortranarray(IRIS), np.repeat(IRIS, 2, axis=0)[::2], IRIS.tolist(), IRIS.astype(object)]
    model = fitted(kind, y).partial_fit(IRIS, y)
    for X in forms:
        np.testing.assert_array_equal(model.predict(X), model.predict(IRIS))
        other = fitted(kind, y).partial_fit(X, y.tolist())
        assert all(map(np.array_equal, other.coefs_, model.coefs_))


# Early stopping.


@both_estimators
@pytest.mark.parametrize("scoring", ["nope", 3, ["accuracy"], ""], ids=str)
def test_a_scoring_that_is_none_is_refused_before_training(kind, y, scoring):
    model = kind(scoring=scoring)
    with pytest.raises(ValueError, match=r"scoring is .*get_scorer_names"):
        model.fit(IRIS, y)
    assert not hasattr(model, "network_")


@both_estimators
def test_scores_that_are_no_numbers_are_told(kind, y):
    model = kind(hidden_layer_sizes=4, early_stopping=True, scoring=lambda *_: np.nan)
    with pytest.warns(ConvergenceWarning, match="before the fit"):
        model.fit(IRIS, y)


@both_estimators
@pytest.mark.parametrize("callback", [lambda path: CSVLogger(path / "log.csv"), lambda path: EarlyStopping("loss")])
def test_an_estimator_with_callbacks_may_be_cloned_and_searched_after_a_fit(kind, y, callback, tmp_path):
    model = fitted(kind, y, callbacks=[callback(tmp_path)])
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict(IRIS), model.predict(IRIS))
    scores = cross_val_score(clone(model), IRIS, y, cv=2, error_score="raise")
    np.testing.assert_array_equal(scores, cross_val_score(model, IRIS, y, cv=2, error_score="raise"))


# Weights of classes.


MANY = np.stack([SPECIES == 1, IRIS[:, 0] > 0], axis=1).astype(int)


@pytest.mark.parametrize(("class_weight", "y"), [
    ("balanced", SPECIES), ("balanced", np.array(["no", "yes"])[MANY[:, 0]]), ({0: 3.0, 2: 0.5}, SPECIES),
    ("balanced", MANY), ([{0: 1, 1: 5}, {1: 2}], MANY),
], ids=["balanced", "text", "dict", "labels", "list"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_weight_is_how_often_a_sample_is_there(class_weight, y, solver):
    times = np.random.default_rng(0).integers(0, 4, 150)
    times[SPECIES == 2] *= np.arange(50) % 3 == 0  # so that the classes differ
    again = np.repeat(np.arange(150), times)
    model = NetworkClassifier(4, class_weight=class_weight, solver=solver, random_state=0, max_iter=5, shuffle=False,
                              batch_size=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        probabilities = [clone(model).fit(*fit).predict_proba(IRIS) for fit in (
            (IRIS, y, times), (IRIS[again], y[again]), (IRIS[times > 0], y[times > 0], times[times > 0]))]
    for each in probabilities[1:]:
        np.testing.assert_allclose(each, probabilities[0], rtol=1e-6)


def test_balanced_weights_are_scikit_learns():
    for y in (SPECIES[:120], MANY):
        factors = class_factors("balanced", np.arange(3), y, None) if y.ndim == 1 else label_factors("balanced", y, None)
        np.testing.assert_allclose(factors, compute_sample_weight("balanced", y), rtol=1e-12)


def test_a_part_may_lack_the_classes_that_have_a_weight():
    """For samples in parts it is not known in advance which classes are rare."""
    model = NetworkClassifier(4, class_weight={"rare": 10.0}, random_state=0)
    for _ in range(2):
        model.partial_fit(IRIS[:50], np.full(50, "usual"), classes=["rare", "usual"])
    assert model.t_ == 100
    for wrong, y in (({"rare": 1.0, "rera": 2.0}, np.full(50, "usual")), ("even", np.full(50, "usual"))):
        with pytest.raises(ValueError, match="class"):
            clone(model).set_params(class_weight=wrong).partial_fit(IRIS[:50], y, classes=["rare", "usual", "odd"])
    with pytest.raises(ValueError, match="2 labels"):
        NetworkClassifier(class_weight={0: 1}).fit(IRIS, MANY)


def test_a_script_beside_the_package_is_a_caller():
    beside = str(Path(fastnn.__file__).parent) + "_script.py"
    with pytest.warns(UserWarning, match="look") as caught:
        exec(compile("warn_caller('look')", beside, "exec"), {"warn_caller": warn_caller})
    assert caught[0].filename == beside


@pytest.mark.parametrize("estimator", [NetworkClassifier, NetworkRegressor])
@pytest.mark.parametrize(("options", "said"), [
    ({"epochs": 5}, "max_iter"), ({"lr": 0.1}, "learning_rate_init"), ({"seed": 0}, "random_state"),
    ({"nonsense": 1}, "its arguments are hidden_layer_sizes|its arguments are loss"),
])
def test_names_of_the_network_are_answered_with_those_of_scikit_learn(estimator, options, said):
    with pytest.raises(TypeError, match=f"has no argument '{next(iter(options))}'; .*({said})"):
        estimator(**options)
