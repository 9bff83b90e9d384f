"""Features of the estimators beyond scikit-learn's own networks, and their use with other parts of scikit-learn."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.class_weight import compute_class_weight

import fastnn
from fastnn.sklearn import NetworkClassifier, NetworkRegressor
from fastnn.sklearn.fitting.heldout import Samples
from fastnn.sklearn.fitting.lbfgs import PenalizedLoss

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
TRAIN, TEST = train_test_split(np.arange(150), random_state=0)
X_REG, Y_REG = make_regression(n_samples=120, n_features=4, noise=1.0, random_state=0)
Y_REG = scale(Y_REG)

both_estimators = pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])


def weights(model):
    return [*model.coefs_, *model.intercepts_]


def same_weights(model, other):
    return all(np.array_equal(a, b) for a, b in zip(weights(model), weights(other), strict=True))


def needs_layer(name):
    return pytest.mark.skipif(not hasattr(fastnn, name), reason=f"there is no fastnn.{name} yet")


# Architecture.


@pytest.mark.parametrize("activation", fastnn.activations)
def test_every_activation(activation):
    model = NetworkClassifier(6, activation, max_iter=30, random_state=0).fit(IRIS, SPECIES)
    assert model.network_.layers[0].activation == activation
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_an_activation_for_each_layer():
    model = NetworkClassifier((4, 5, 6), ["relu", "logistic", "gelu"], max_iter=1).fit(IRIS, SPECIES)
    assert [layer.activation for layer in model.network_.layers] == ["relu", "sigmoid", "gelu", "softmax"]
    with pytest.raises(ValueError, match="3 hidden layers"):
        model.set_params(activation=["relu", "tanh"]).fit(IRIS, SPECIES)


@pytest.mark.parametrize("sizes", [(), 3, (17, 1, 5)])
def test_hidden_activations_lead_to_the_outputs(sizes):
    model = NetworkRegressor(hidden_layer_sizes=sizes, activation="tanh", max_iter=2).fit(X_REG, Y_REG)
    hidden = [X_REG, *model.hidden_activations(X_REG)]
    assert [each.shape[1] for each in hidden[1:]] == list(np.atleast_1d(sizes))
    for k in range(len(hidden) - 1):
        z = hidden[k] @ model.coefs_[k] + model.intercepts_[k]
        np.testing.assert_allclose(hidden[k + 1], np.tanh(z), rtol=1e-12, atol=1e-14)
    outputs = hidden[-1] @ model.coefs_[-1] + model.intercepts_[-1]
    np.testing.assert_allclose(outputs[:, 0], model.predict(X_REG), rtol=1e-10)


def test_weights_are_live_views():
    model = NetworkRegressor(hidden_layer_sizes=3, max_iter=1).fit(X_REG, Y_REG)
    model.coefs_[-1][:], model.intercepts_[-1][:] = 0, 7
    assert (model.predict(X_REG) == 7).all()


def test_the_network_is_a_network(tmp_path):
    model = NetworkClassifier(5, max_iter=2).fit(IRIS, SPECIES)
    model.network_.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(fastnn.Network.load(tmp_path / "net.safetensors").forward(IRIS), model.predict_proba(IRIS))


@needs_layer("Dropout")
@both_estimators
def test_dropout(kind):
    model = kind(hidden_layer_sizes=(20, 10), dropout=[0.5, 0.0], max_iter=3, random_state=0).fit(IRIS, SPECIES)
    assert [type(layer).__name__ for layer in model.network_.layers] == ["Dense", "Dropout", "Dense", "Dense"]
    assert [each.shape[1] for each in model.hidden_activations(IRIS)] == [20, 10]
    assert len(model.coefs_) == 3


@needs_layer("BatchNorm")
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalization(normalization):
    model = NetworkClassifier((20, 10), normalization=normalization, random_state=0).fit(IRIS, SPECIES)
    assert model.score(IRIS, SPECIES) > 0.9
    assert len(model.coefs_) == 3
    hidden = model.hidden_activations(IRIS)[-1] @ model.coefs_[-1] + model.intercepts_[-1]
    np.testing.assert_array_equal(model.classes_[hidden.argmax(axis=1)], model.predict(IRIS))


# Loss and weights of the samples.


@pytest.mark.parametrize("loss", [name for name, record in fastnn.losses.items()
                                  if record.targets == "values" and record.outputs_of_target == 1 and record.needs_targets])
def test_every_loss_of_values(loss):
    model = NetworkRegressor(loss, max_iter=30, random_state=0).fit(X_REG, abs(Y_REG))
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_a_loss_of_probabilities_is_no_regression():
    with pytest.raises(ValueError, match="values"):
        NetworkRegressor("cross_entropy").fit(X_REG, Y_REG)


def test_a_loss_that_takes_no_targets_is_refused():
    with pytest.raises(ValueError, match="loss 'output' is an output itself, whatever y is; a regressor needs a loss of y"):
        NetworkRegressor("output").fit(X_REG, Y_REG)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "huber"])
@pytest.mark.parametrize("y", [SPECIES, SPECIES == 1], ids=["three", "two"])
def test_other_losses_classify(loss, y):
    assert NetworkClassifier(loss=loss, random_state=0).fit(IRIS, y).score(IRIS, y) > 0.9


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("class_weight", ["balanced", {"setosa": 3.0, "virginica": 0.5}], ids=["balanced", "dict"])
def test_class_weights_are_sample_weights(solver, class_weight):
    X, y = IRIS[20:], NAMES[20:]
    factors = class_weight
    if class_weight == "balanced":
        factors = dict(zip(np.unique(y), compute_class_weight("balanced", classes=np.unique(y), y=y), strict=True))
    options = {"solver": solver, "max_iter": 5, "random_state": 0}
    by_class = NetworkClassifier(class_weight=class_weight, **options).fit(X, y)
    by_sample = NetworkClassifier(**options).fit(X, y, sample_weight=[factors.get(label, 1.0) for label in y])
    assert same_weights(by_class, by_sample)


def test_balanced_needs_all_samples():
    with pytest.raises(ValueError, match="dict"):
        NetworkClassifier(class_weight="balanced").partial_fit(IRIS, SPECIES, classes=[0, 1, 2])


@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 2, len(IRIS))], ids=["alike", "weighted"])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_gradient_of_lbfgs_is_that_of_its_loss(weights, alpha):
    model = NetworkClassifier((5, 4), "tanh", alpha=alpha, max_iter=2, random_state=0).fit(IRIS, SPECIES)
    objective = PenalizedLoss(model.network_, Samples(IRIS, SPECIES, weights), threads=1)
    here = np.concatenate([view.ravel() for view in model.network_.parameters.values()])
    _, gradient = objective(here)
    random = np.random.default_rng(0)
    for _ in range(5):
        direction, step = random.normal(size=here.size), 1e-5
        slope = (objective(here + step * direction)[0] - objective(here - step * direction)[0]) / (2 * step)
        assert slope == pytest.approx(gradient @ direction, rel=1e-6, abs=1e-8)


def test_weights_zero_are_samples_left_out():
    kept = np.arange(150) % 3 > 0
    options = {"shuffle": False, "max_iter": 20, "random_state": 0, "alpha": 1.0}
    model = NetworkClassifier(**options).fit(IRIS, SPECIES, sample_weight=kept)
    other = NetworkClassifier(**options).fit(IRIS[kept], SPECIES[kept])
    np.testing.assert_allclose(model.predict_proba(IRIS), other.predict_proba(IRIS), rtol=1e-9)


# Held-out samples.


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_own_validation_set(solver):
    model = NetworkClassifier(5, solver=solver, max_iter=8, random_state=0)
    model.fit(IRIS[TRAIN], NAMES[TRAIN], X_val=IRIS[TEST], y_val=NAMES[TEST])
    assert same_weights(model, clone(model).fit(IRIS[TRAIN], NAMES[TRAIN]))  # looking on changes nothing
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == len(model.loss_curve_) == model.n_iter_
    assert model.validation_scores_[-1] == model.score(IRIS[TEST], NAMES[TEST])
    assert model.validation_loss_curve_[-1] == pytest.approx(-get_scorer("neg_log_loss")(model, IRIS[TEST], NAMES[TEST]))


@pytest.mark.parametrize("scoring", [None, "loss", "balanced_accuracy", "neg_log_loss", lambda model, X, y: -model.n_iter_])
def test_early_stopping_on_any_score(scoring):
    model = NetworkClassifier(5, early_stopping=True, scoring=scoring, tol=1e-3, learning_rate_init=0.01, random_state=0)
    model.fit(IRIS[TRAIN], NAMES[TRAIN], X_val=IRIS[TEST], y_val=NAMES[TEST])
    assert model.best_validation_score_ == max(model.validation_scores_)
    if scoring == "loss":
        np.testing.assert_array_equal(model.validation_scores_, -np.array(model.validation_loss_curve_))
    elif isinstance(scoring, str):
        assert get_scorer(scoring)(model, IRIS[TEST], NAMES[TEST]) == pytest.approx(model.best_validation_score_)
    elif scoring is not None:
        assert model.n_iter_ == 12  # it only worsens: the weights are those of the first epoch
        assert same_weights(model, clone(model).set_params(early_stopping=False, max_iter=1).fit(IRIS[TRAIN], NAMES[TRAIN]))


def test_validation_set_is_checked_before_anything_changes():
    model = NetworkClassifier(3, max_iter=1).fit(IRIS, SPECIES)
    before = vars(model).copy()
    for X_val, y_val in ((IRIS, None), (IRIS[:, :2], SPECIES), (IRIS, SPECIES + 1)):
        with pytest.raises(ValueError, match=r"X_val|features|classes"):
            model.fit(IRIS, SPECIES, X_val=X_val, y_val=y_val)
    assert vars(model) == before


# Solvers.


@pytest.mark.parametrize("solver", [*fastnn.optimizers, fastnn.AdamW(learning_rate=0.01)], ids=str)
def test_every_optimizer(solver):
    model = NetworkClassifier(solver=solver, max_iter=30, random_state=0).fit(IRIS, SPECIES)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert same_weights(model, clone(model).fit(IRIS, SPECIES))


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize(("schedule", "rates"), [
    ("constant", [0.1, 0.1, 0.1]), ("invscaling", [0.1, 0.1 / 151**0.5, 0.1 / 301**0.5]),
], ids=["constant", "invscaling"])
def test_schedules_of_every_solver(solver, schedule, rates):
    seen = []

    class Note(fastnn.Callback):
        def on_epoch_begin(self, epoch, logs):
            seen.append(model._optimizer.learning_rate)

    model = NetworkClassifier(2, solver=solver, learning_rate=schedule, learning_rate_init=0.1, max_iter=3)
    model.set_params(callbacks=[Note()]).fit(IRIS, SPECIES)
    assert seen == pytest.approx(rates)


def take_schedules():
    try:
        return fastnn.Adam(learning_rate=lambda step: 0.1) is not None
    except ValueError:
        return False


@pytest.mark.skipif(not take_schedules(), reason="optimizers take no schedules yet")
@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop", fastnn.AdamW()], ids=str)
def test_schedules_by_the_step(solver):
    options = {"solver": solver, "batch_size": 40, "max_iter": 3, "random_state": 0}
    falling = NetworkClassifier(learning_rate=lambda step: 0.01 / step, **options).fit(IRIS, SPECIES)
    constant = NetworkClassifier(learning_rate=lambda step: 0.01, **options).fit(IRIS, SPECIES)
    assert falling.loss_curve_[-1] > constant.loss_curve_[-1]


def test_callbacks_see_the_epochs_and_may_stop():
    class Stop(fastnn.Callback):
        def on_epoch_end(self, epoch, logs):
            self.network.stop_training = epoch == 2

    model = NetworkClassifier(2, callbacks=[Stop()]).fit(IRIS, SPECIES)
    assert model.n_iter_ == 3


@pytest.mark.parametrize(("name", "value"), [
    ("callbacks", [fastnn.Callback()]), ("dropout", 0.1), ("normalization", "batch"),
])
def test_lbfgs_refuses_what_needs_epochs(name, value):
    with pytest.raises(ValueError, match=f"lbfgs|{name} needs"):
        NetworkClassifier(solver="lbfgs", **{name: value}).fit(IRIS, SPECIES)


@pytest.mark.parametrize(("name", "limit"), [("clip_norm", 1e-3), ("clip_value", 1e-4)])
def test_clipping(name, limit):
    options = {"solver": "sgd", "momentum": 0, "max_iter": 1, "random_state": 0, "learning_rate_init": 1.0, "alpha": 0.0}
    model = NetworkRegressor(**options, **{name: limit})
    if not hasattr(fastnn.SGD(), name):
        with pytest.raises(ValueError, match=f"{name}.*leave it out"):
            model.fit(X_REG, Y_REG)
        pytest.skip(f"optimizers have no {name} yet")
    start = NetworkRegressor(**{**options, "learning_rate_init": 1e-12}).fit(X_REG, Y_REG)
    step = np.concatenate([(a - b).ravel() for a, b in zip(weights(model.fit(X_REG, Y_REG)), weights(start), strict=True)])
    size = np.linalg.norm(step) if name == "clip_norm" else abs(step).max()
    assert size == pytest.approx(limit, rel=1e-3)


@both_estimators
def test_early_stopping_has_no_effect_on_lbfgs(kind):
    """As in scikit-learn: no samples are held out."""
    X, y = (IRIS, SPECIES) if kind is NetworkClassifier else (X_REG, Y_REG)
    plain, stopping = (kind(solver="lbfgs", early_stopping=early, max_iter=20, random_state=0).fit(X, y)
                       for early in (False, True))
    assert same_weights(plain, stopping)
    assert stopping.loss_curve_ == plain.loss_curve_
    assert stopping.best_loss_ == plain.best_loss_
    assert stopping.validation_scores_ is stopping.best_validation_score_ is None


def test_interruption_keeps_what_was_learned():
    class Interrupt(fastnn.Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        model = NetworkClassifier(2, callbacks=[Interrupt()]).fit(IRIS, SPECIES)
    assert model.n_iter_ == len(model.loss_curve_) == 3


# Precision and threads.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float32", "float64"])
def test_dtype(dtype, given):
    model = NetworkRegressor(dtype=dtype, max_iter=1).fit(X_REG.astype(given), Y_REG)
    assert model.predict(X_REG.astype(given)).dtype == dtype
    assert model.coefs_[0].dtype == dtype


@pytest.mark.usefixtures("many_parts")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_threads_change_no_bit(solver):
    model = NetworkClassifier((33, 17), solver=solver, max_iter=3, random_state=0, alpha=0.1)
    one, two = (clone(model).set_params(n_threads=n).fit(IRIS, SPECIES) for n in (1, 2))
    assert same_weights(one, two)
    assert one.loss_curve_ == two.loss_curve_


# With other parts of scikit-learn.


@pytest.mark.parametrize(("name", "value"), [
    ("hidden_layer_sizes", (3, 0)), ("hidden_layer_sizes", 2.5), ("alpha", -1), ("alpha", "much"), ("batch_size", 0),
    ("learning_rate", "fast"), ("learning_rate_init", 0), ("max_iter", 0), ("shuffle", "yes"), ("momentum", 1.5),
    ("tol", -1),
    ("validation_fraction", 1.0), ("beta_1", 1.0), ("epsilon", 0), ("n_iter_no_change", 0), ("max_fun", 0), ("dropout", 1.0),
    ("normalization", "group"), ("clip_norm", 0), ("dtype", "float16"), ("callbacks", [print]), ("n_threads", 0),
    ("solver", "newton"), ("activation", "step"), ("loss", "none"),
])
@both_estimators
def test_a_wrong_parameter_is_named(kind, name, value):
    model = kind(**{name: value})
    with pytest.raises(ValueError, match=name):
        model.fit(IRIS, SPECIES)
    assert not [each for each in vars(model) if each.endswith("_")]


@both_estimators
def test_names_of_columns(kind):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table, y = pandas.DataFrame(IRIS, columns=list("abcd")), pandas.Series(SPECIES, name="species")
    model = kind(3, early_stopping=True, max_iter=3) if kind is NetworkClassifier else kind(early_stopping=True, max_iter=3)
    scoring = "accuracy" if kind is NetworkClassifier else "r2"
    model.set_params(scoring=scoring, random_state=0).fit(table, y)
    assert list(model.feature_names_in_) == list("abcd")
    np.testing.assert_array_equal(model.predict(table), clone(model).fit(IRIS, SPECIES).predict(IRIS))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(table[list("dcba")])


@both_estimators
def test_clone_takes_the_parameters_alone(kind):
    model = kind(hidden_layer_sizes=(3, 2), activation=["tanh", "elu"], max_iter=2, solver=fastnn.Adam(0.01))
    twin = clone(model.fit(IRIS, SPECIES))
    assert not hasattr(twin, "coefs_")
    assert str(twin) == str(model)


def test_search_in_processes():
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(random_state=0, max_iter=20))
    grid = {"networkclassifier__activation": ["relu", "gelu"], "networkclassifier__alpha": [1e-4, 1e-1]}
    alone, two = (GridSearchCV(pipeline, grid, cv=2, n_jobs=n).fit(IRIS, NAMES) for n in (1, 2))
    np.testing.assert_array_equal(alone.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert two.best_estimator_.score(IRIS, NAMES) > 0.8


def test_cross_validation():
    assert cross_val_score(NetworkRegressor(solver="lbfgs", random_state=0), X_REG, Y_REG, cv=3).min() > 0.9
