"""scikit-learn's tests of its own networks, applied to the estimators."""

import io

import joblib
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from scipy import sparse
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import scale

from fastnn.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
THREE, TWO = (tuple(a[:200] for a in load_digits(n_class=n, return_X_y=True)) for n in (3, 2))
THREE, TWO = (THREE[0] / 16, THREE[1]), (TWO[0] / 16, TWO[1])
X_REG, Y_REG = make_regression(n_samples=200, n_features=10, bias=20.0, noise=100.0, random_state=7)
Y_REG = scale(Y_REG)

both_estimators = pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
both_digits = pytest.mark.parametrize(("X", "y"), [TWO, THREE], ids=["two", "three"])
every_activation = pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])


def weights(model):
    return [*model.coefs_, *model.intercepts_]


def same_weights(model, other):
    return all(np.array_equal(a, b) for a, b in zip(weights(model), weights(other), strict=True))


# Fitting.


def test_larger_alpha_gives_smaller_weights():
    free, penalized = (NetworkClassifier(10, alpha=alpha, random_state=1).fit(*TWO).coefs_ for alpha in (0, 1))
    assert all(np.abs(a).sum() > np.abs(b).sum() for a, b in zip(free, penalized, strict=True))


@both_digits
@every_activation
def test_lbfgs_classifies(X, y, activation):
    model = NetworkClassifier(50, activation, solver="lbfgs", max_iter=150, random_state=1).fit(X[:150], y[:150])
    assert model.score(X[:150], y[:150]) > 0.95
    assert model.predict(X[150:]).dtype == y.dtype


@every_activation
def test_lbfgs_regresses(activation):
    model = NetworkRegressor(hidden_layer_sizes=50, activation=activation, solver="lbfgs", tol=1e-3, random_state=1)
    assert model.fit(X_REG, Y_REG).score(X_REG, Y_REG) > (0.8 if activation == "identity" else 0.98)


@both_estimators
def test_max_fun_bounds_lbfgs(kind):
    with pytest.warns(ConvergenceWarning, match="max_fun=10"):
        model = kind(solver="lbfgs", max_fun=10, max_iter=150, tol=0.0, random_state=1).fit(*TWO)
    assert model.n_iter_ <= 10


def test_several_outputs():
    X, y = make_regression(n_samples=200, n_targets=5, random_state=11)
    model = NetworkRegressor(hidden_layer_sizes=50, solver="lbfgs", tol=1e-2, random_state=1).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.9


def test_several_labels():
    X, Y = make_multilabel_classification(n_samples=50, random_state=0, return_indicator=True)
    options = {"hidden_layer_sizes": 50, "activation": "logistic", "learning_rate_init": 0.2, "random_state": 0}
    model = NetworkClassifier(solver="lbfgs", max_iter=150, **options).fit(X, Y)
    assert model.score(X, Y) > 0.97
    probabilities = model.predict_proba(X)
    np.testing.assert_array_equal(probabilities > 0.5, Y)
    assert abs(probabilities.sum(axis=1) - 1).max() > 1e-5  # each label is one of its own
    np.testing.assert_array_equal(model.fit(X, sparse.csr_array(Y)).predict_proba(X), probabilities)

    model = NetworkClassifier(solver="sgd", **options)
    for _ in range(100):
        model.partial_fit(X, Y, classes=range(5))
    assert model.score(X, Y) > 0.9
    assert NetworkClassifier(early_stopping=True).fit(X, Y).predict(X).shape == Y.shape


def test_poisson_without_hidden_units_is_the_generalized_linear_model():
    X = np.linspace(0, 1, 100)[:, None]
    y = np.random.default_rng(0).poisson(np.exp(X[:, 0] + 1))
    linear = PoissonRegressor(alpha=0, tol=1e-7).fit(X, y)
    options = {"hidden_layer_sizes": (), "alpha": 0, "solver": "lbfgs", "tol": 1e-7, "random_state": 1}
    np.testing.assert_allclose(NetworkRegressor("poisson", **options).fit(X, y).predict(X), linear.predict(X), rtol=1e-4)
    assert not np.allclose(NetworkRegressor(**options).fit(X, y).predict(X), linear.predict(X), rtol=1e-4)
    with pytest.raises(ValueError, match="0 or more"):
        NetworkRegressor("poisson").fit(X, y - 5)


def test_shuffling_is_reproducible_and_matters():
    def trained(shuffle):
        model = NetworkRegressor(hidden_layer_sizes=2, max_iter=1, batch_size=1, random_state=0, shuffle=shuffle)
        return model.fit(X_REG, Y_REG)

    assert same_weights(trained(True), trained(True))
    assert same_weights(trained(False), trained(False))
    assert not same_weights(trained(True), trained(False))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sparse_is_dense(solver, form):
    X, y = TWO
    model, other = (NetworkClassifier(15, solver=solver, random_state=1, max_iter=20).fit(data, y) for data in (X, form(X)))
    assert same_weights(model, other)
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(form(X)))


def test_text_labels_and_probabilities():
    X, y = THREE
    names = np.array(["one", "two", "three"], dtype=object)[y]
    model = NetworkClassifier(5, random_state=0, early_stopping=True, learning_rate_init=0.01).fit(X, names)
    assert list(model.classes_) == ["one", "three", "two"]
    assert np.isfinite(model.validation_scores_).all()
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)


def test_two_classes_have_two_probabilities():
    X, y = TWO
    probabilities = NetworkClassifier(5, "logistic", random_state=1).fit(X, y).predict_proba(X)
    assert probabilities.shape == (len(X), 2)
    assert roc_auc_score(y, probabilities[:, 1]) == 1.0


@both_estimators
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_X(kind, dtype):
    X, y = THREE[0].astype(dtype), THREE[1]
    model = kind(hidden_layer_sizes=(5, 3), max_iter=5).fit(X, y)
    assert {each.dtype.name for each in weights(model)} == {dtype}
    assert (model.predict_proba(X) if kind is NetworkClassifier else model.predict(X)).dtype == dtype


def test_both_dtypes_agree():
    models = [NetworkRegressor(hidden_layer_sizes=(5, 3), random_state=1, dtype=dtype, tol=1e-3).fit(*TWO)
              for dtype in ("float32", "float64")]
    np.testing.assert_allclose(*(model.predict(TWO[0]) for model in models), rtol=1e-3, atol=1e-3)


# Continuing.


@both_digits
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fits_are_epochs(X, y, solver):
    options = {"solver": solver, "random_state": 1, "shuffle": False, "learning_rate_init": 0.05}
    whole, parts = NetworkClassifier(max_iter=20, tol=0, **options).fit(X, y), NetworkClassifier(**options)
    for _ in range(20):
        parts.partial_fit(X, y, classes=np.unique(y))
    assert same_weights(whole, parts)
    assert whole.loss_curve_ == parts.loss_curve_
    assert whole.t_ == parts.t_ == 20 * len(X)


def test_partial_fit_knows_classes_that_it_has_not_seen():
    model = NetworkClassifier(random_state=0)
    model.partial_fit([[1], [2], [3]], ["a", "b", "c"], classes=["a", "b", "c", "d"])
    assert list(model.partial_fit([[4]], ["d"]).classes_) == ["a", "b", "c", "d"]
    before = vars(model).copy()
    for y, classes in ((["a"], ["a", "e"]), (["e"], None)):
        with pytest.raises(ValueError, match="classes"):
            model.partial_fit([[4]], y, classes=classes)
    assert vars(model) == before


def test_partial_fit_refuses():
    X, y = [[3, 2], [1, 6]], [1, 0]
    for classes in ([2], None):
        model = NetworkClassifier()
        with pytest.raises(ValueError, match="classes"):
            model.partial_fit(X, y, classes=classes)
        assert not hasattr(model, "classes_")
        assert not hasattr(model, "n_features_in_")
    assert not hasattr(NetworkClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(ValueError, match="early_stopping"):
        NetworkClassifier(early_stopping=True).fit(IRIS, SPECIES).partial_fit(IRIS, SPECIES)


@both_estimators
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_pickle_goes_on_to_the_bit(kind, solver):
    model = kind(solver=solver, random_state=3, max_iter=5).fit(IRIS, SPECIES)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    twin = joblib.load(file)
    for each in (model, twin):
        each.partial_fit(IRIS, SPECIES)
    assert same_weights(model, twin)
    assert twin.loss_curve_ == model.loss_curve_


@both_estimators
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_warm_start_has_max_iter_epochs_each_time(kind, solver):
    model = kind(solver=solver, warm_start=True, max_iter=5, n_iter_no_change=np.inf, random_state=0)
    for epochs in (5, 12):
        with pytest.warns(ConvergenceWarning):
            model.set_params(max_iter=epochs).fit(IRIS, SPECIES)
        assert model.n_iter_ == epochs
    assert len(model.loss_curve_) == 17


@both_estimators
def test_warm_start_with_early_stopping(kind):
    model = kind(max_iter=10, random_state=0, warm_start=True, early_stopping=True).fit(IRIS, SPECIES)
    scores = len(model.validation_scores_)
    model.fit(IRIS, SPECIES)
    assert len(model.validation_scores_) == scores + model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_[scores:])


def test_warm_start_refuses_another_network():
    model = NetworkClassifier(2, warm_start=True, max_iter=2).fit(IRIS, SPECIES)
    before = [each.copy() for each in weights(model)]
    with pytest.raises(ValueError, match="classes"):
        model.fit(IRIS, SPECIES + 1)
    with pytest.raises(ValueError, match="warm_start=False"):
        model.set_params(hidden_layer_sizes=3).fit(IRIS, SPECIES)
    assert all(map(np.array_equal, before, weights(model)))
    assert model.predict(IRIS).max() <= 2


# Stopping.


@pytest.mark.parametrize("patience", [2, 5, 10, 50])
def test_stops_after_more_epochs_than_patience_without_improvement(patience):
    model = NetworkClassifier(tol=1e9, max_iter=3000, n_iter_no_change=patience).fit(*TWO)
    assert model.n_iter_ == patience + 2  # the first epoch always improves


def test_endless_patience():
    assert NetworkClassifier(2, tol=1e9, max_iter=300, n_iter_no_change=np.inf).fit(*TWO).n_iter_ == 300


def test_adaptive_rate_falls_before_it_stops():
    model = NetworkClassifier(tol=0.5, max_iter=3000, solver="sgd", learning_rate="adaptive").fit([[3, 2], [1, 6]], [1, 0])
    assert model.n_iter_ < 3000
    assert model._optimizer.learning_rate < 1e-6


@both_estimators
def test_early_stopping(kind):
    model = kind(tol=0.2, max_iter=3000, solver="sgd", early_stopping=True, random_state=0).fit(*TWO)
    assert model.n_iter_ < 3000
    assert model.best_loss_ is None
    assert max(model.validation_scores_) == model.best_validation_score_
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == model.n_iter_
    model.set_params(early_stopping=False).fit(*TWO)
    assert model.validation_scores_ is model.best_validation_score_ is model.validation_loss_curve_ is None
    assert model.best_loss_ == min(model.loss_curve_)


def test_samples_held_out():
    with pytest.raises(ValueError, match="least populated class"):  # drawn class by class
        NetworkClassifier(early_stopping=True).fit([[1, 2], [2, 3], [3, 4], [4, 5]], [0, 0, 0, 1])
    with pytest.raises(ValueError, match="validation_fraction"):
        NetworkRegressor(early_stopping=True).fit(*make_regression(n_samples=2, n_features=5))


def test_equal_weights_are_none():
    options = {"hidden_layer_sizes": 10, "early_stopping": True, "tol": 1e-2, "batch_size": 10, "random_state": 42}
    models = [NetworkRegressor(**options).fit(X_REG, Y_REG, sample_weight=w) for w in (np.ones(len(X_REG)), None)]
    assert same_weights(*models)


# What goes wrong.


def test_divergence_is_an_error():
    X = np.finfo(np.float64).max * np.random.default_rng(0).uniform(size=(10, 2))
    with pytest.raises(ValueError, match="scale the inputs"):
        NetworkRegressor().fit(X, np.arange(10.0))


def test_early_stopping_survives_divergence():
    model = NetworkRegressor(hidden_layer_sizes=100, activation="identity", solver="sgd", learning_rate_init=1, max_iter=20,
                             early_stopping=True, random_state=0)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        model.fit(IRIS, SPECIES)
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.predict(IRIS)).all()


def test_batch_larger_than_the_data_is_all_of_them():
    with pytest.warns(UserWarning, match="batch_size"):
        NetworkClassifier(2, max_iter=1, batch_size=1000).fit(IRIS, SPECIES)


def test_verbose_speaks_of_every_epoch(capsys):
    model = NetworkClassifier(2, solver="sgd", max_iter=2, verbose=10).fit([[3, 2], [1, 6]], [1, 0])
    model.partial_fit([[3, 2], [1, 6]], [1, 0])
    assert capsys.readouterr().out.count("Iteration") == 3
