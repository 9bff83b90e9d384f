"""A fit of an estimator succeeds completely or changes nothing; a fit that continues another is judged on its own."""

import copy
import os
import pickle
import threading
import warnings

import numpy as np
import pytest
from patience import PATIENCE
from raised_at import raised_at

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.utils.validation import check_is_fitted

import fastnn.sklearn
from fastnn import Callback, StepDecay
from fastnn.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(120, 3))
LABELS, VALUES = (X[:, 0] > 0).astype(int), X[:, 0] - X[:, 1] ** 2
ONE_ALONE = np.zeros(120)  # has weight: it is held out, or all others are
ONE_ALONE[50] = 1

both_kinds = pytest.mark.parametrize(("kind", "y"), [(NetworkClassifier, LABELS), (NetworkRegressor, VALUES)],
                                     ids=["classifier", "regressor"])


class Fail(Callback):
    """Raises `error` when the fit calls `hook`, in its second epoch if it is called in each."""

    def __init__(self, hook, error):
        self.hook, self.error = hook, error

    def __getattribute__(self, name):
        hook = object.__getattribute__(self, "__dict__").get("hook")
        if name != hook:
            return object.__getattribute__(self, name)

        def fail(*arguments):
            if arguments[0] in (1, None) or isinstance(arguments[0], dict):
                raise self.error

        return fail


def contents(model):
    """Return a copy of an estimator's state: attributes, the network's arrays, its optimizer, and the objects themselves."""
    network, optimizer = vars(model).get("network_"), vars(model).get("_optimizer")
    held = {name: (id(value), copy.copy(value) if isinstance(value, (list, np.ndarray)) else repr(value))
            for name, value in vars(model).items()}
    if isinstance(model.random_state, np.random.RandomState):
        held["random_state"] = model.random_state.get_state()[1].tobytes(), model.random_state.get_state()[2]
    if network is not None:
        held["network"] = id(network), id(network.fits.last), network.stop_training, id(network.generator)
        vectors = network.vectors
        held["arrays"] = [array.tobytes() for array in (vectors.parameters.flat, vectors.state.flat, vectors.random,
                                                         network.alpha)]
        held["predictions"] = model.predict(X).tobytes()
    if optimizer is not None:
        memory = network.fits.optimizer_state(optimizer)
        held["optimizer"] = id(optimizer), repr(optimizer), memory.step.tobytes(), memory.slots.tobytes()
    return held


def assert_the_same(before, after):
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_equal(after[name], value, err_msg=name)


FAILURES = {  # name: (parameters, arguments of fit, error)
    "weight on one side alone": ({"early_stopping": True}, {"sample_weight": ONE_ALONE}, ValueError),
    "samples held out without targets": ({}, {"X_val": X}, ValueError),
    "weights of samples held out": ({}, {"X_val": X, "y_val": LABELS, "sample_weight_val": -np.ones(120)}, ValueError),
    "two schedules": ({"solver": fastnn.SGD(StepDecay(0.1, 5)), "learning_rate": "adaptive"}, {}, ValueError),
    "divergence": ({"solver": "sgd", "learning_rate_init": 1e200}, {}, ValueError),
    "before the first epoch": ({"callbacks": [Fail("on_train_begin", RuntimeError("stop"))]}, {}, RuntimeError),
    "after the second epoch": ({"callbacks": [Fail("on_epoch_end", RuntimeError("stop"))]}, {}, RuntimeError),
    "at the end": ({"callbacks": [Fail("on_train_end", OSError("full"))]}, {}, OSError),
    "out of memory": ({"callbacks": [Fail("on_epoch_begin", MemoryError())]}, {}, MemoryError),
    "exit": ({"callbacks": [Fail("on_epoch_end", SystemExit(3))]}, {}, SystemExit),
    "the score": ({"early_stopping": True, "scoring": lambda *_: 1 / 0}, {}, ZeroDivisionError),
    "a warning that is an error": ({"tol": 0.0}, {}, ConvergenceWarning),
    "moving rates": ({"solver": "sgd", "learning_rate": "invscaling", "callbacks": [Fail("on_epoch_end", KeyError(1))]}, {},
                     KeyError),
    "not finite": ({}, {"X": np.where(X > 2, np.nan, X)}, ValueError),
    "dropout and normalization": ({"dropout": 0.2, "normalization": "batch",
                                   "callbacks": [Fail("on_epoch_end", RuntimeError("stop"))]}, {}, RuntimeError),
    "lbfgs, interrupted": ({"solver": "lbfgs"}, {}, KeyboardInterrupt),
}


def failing(model, parameters, arguments, y, error):
    """Fit and check that it fails."""
    model.set_params(**parameters)
    arguments = {"X": X, "y": y, **arguments}
    before = contents(model)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        if error is ConvergenceWarning:
            warnings.simplefilter("error")
        if error is KeyboardInterrupt:
            interrupt_lbfgs(patch)
        with pytest.raises(error):
            model.fit(**arguments)
    return before


def interrupt_lbfgs(patch):
    from fastnn.sklearn.fitting.lbfgs import PenalizedLoss

    call, count = PenalizedLoss.__call__, iter(range(100))

    def interrupted(self, parameters):
        result = call(self, parameters)
        if next(count) == 2:
            raise KeyboardInterrupt
        return result

    patch.setattr(PenalizedLoss, "__call__", interrupted)


@both_kinds
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_fit_that_fails_has_not_been(kind, y, name, warm_start):
    parameters, arguments, error = FAILURES[name]
    architecture = {key: parameters[key] for key in ("dropout", "normalization") if key in parameters}
    start = {"learning_rate_init": 0.01, "max_iter": 4, "warm_start": warm_start, "hidden_layer_sizes": 5,
             "random_state": np.random.RandomState(1), **architecture}
    for fits in (1, 2):
        model = kind(**start)
        for _ in range(fits):
            model.fit(X, y)
        if "solver" not in parameters:
            model.partial_fit(X, y)
        before = failing(model, parameters, arguments, y, error)
        assert_the_same(before, contents(model))
        model.set_params(**{key: getattr(kind(), key) for key in parameters if key not in architecture})
        model.set_params(**start).fit(X, y)  # and goes on


@both_kinds
@pytest.mark.parametrize("name", FAILURES)
def test_an_estimator_whose_first_fit_fails_is_not_fitted(kind, y, name):
    parameters, arguments, error = FAILURES[name]
    model = kind(max_iter=4, random_state=0)
    before = failing(model, parameters, arguments, y, error)
    assert_the_same(before, contents(model))
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    with pytest.raises(NotFittedError):
        model.predict(X)


@both_kinds
@pytest.mark.parametrize("error", [RuntimeError("stop"), MemoryError()])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("batch_size", ["auto", 50])
def test_a_part_that_fails_has_not_been(kind, y, error, solver, batch_size):
    class Late(Callback):
        def on_epoch_end(self, epoch, logs):
            raise error

    options = {"classes": [0, 1]} if kind is NetworkClassifier else {}
    model = kind(hidden_layer_sizes=5, solver=solver, learning_rate="invscaling", batch_size=batch_size, random_state=0,
                 callbacks=[Late()])
    for fits in range(3):
        before = contents(model)
        with pytest.raises(type(error)):
            model.partial_fit(X, y, **options)
        assert_the_same(before, contents(model))
        model.set_params(callbacks=None).partial_fit(X, y, **options).set_params(callbacks=[Late()])
        assert len(model.loss_curve_) == fits + 1


def test_a_part_of_one_step_that_diverges_has_not_been():
    model = NetworkRegressor(hidden_layer_sizes=5, solver="sgd", random_state=0, learning_rate_init=0.1).fit(X, VALUES)
    before = contents(model)
    with pytest.raises(ValueError, match="diverged"):
        model.partial_fit(1e200 * X, VALUES)
    assert_the_same(before, contents(model))


class Stop(Callback):
    def on_epoch_end(self, epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt


@both_kinds
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupted_fit_keeps_what_it_has_as_in_scikit_learn(kind, y, early_stopping):
    model = kind(hidden_layer_sizes=5, early_stopping=early_stopping, warm_start=True, max_iter=8, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="interrupted"):
        model.set_params(callbacks=[Stop()]).fit(X, y)
    assert (model.n_iter_, len(model.loss_curve_)) == (3, 11)
    if early_stopping:
        assert model.best_validation_score_ == max(model.validation_scores_[8:])


def in_an_estimator(path):
    return path.startswith(os.path.dirname(fastnn.sklearn.__file__)) and not path.endswith("before.py")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("way", ["fit", "warm", "early stopping", "part", "parts", "lbfgs"])
def test_an_exception_on_any_line_leaves_all_or_nothing(way, error):
    """At whatever line an exception occurs: the estimator is as before, or as the fit has made it so far."""
    start = NetworkClassifier(3, max_iter=2, random_state=0, warm_start=way != "fit")
    start.set_params(batch_size=50 if way == "parts" else 200)
    start.set_params(early_stopping=way == "early stopping", solver="lbfgs" if way == "lbfgs" else "adam").fit(X, LABELS)
    work = (lambda model: model.partial_fit(X, LABELS)) if way.startswith("part") else lambda model: model.fit(X, LABELS)
    whole = pickle.loads(pickle.dumps(start))
    work(whole)
    kept, line, came = 0, 0, True
    while came:
        line += 1 if way.startswith("part") else 7
        model = pickle.loads(pickle.dumps(start))
        before = contents(model)
        came = raised_at(line, lambda: work(model), in_an_estimator, error, [AttributeError])  # noqa: B023
        after = contents(model)
        if after["arrays"] == before["arrays"] and after["t_"] == before["t_"]:
            assert_the_same(before, after)
        else:
            kept += 1
            if error is RuntimeError:  # it came when all was done
                assert way == "part" or model.loss_curve_ == whole.loss_curve_, line
                assert after["arrays"] == contents(whole)["arrays"], line
        work(model)
    assert line > 30
    assert kept >= 1


def test_an_estimator_is_in_one_fit_at_a_time():
    """A second fit is refused at once: restoring its state would undo what the first has learned."""
    begun, ended = threading.Event(), threading.Event()

    class Wait(Callback):
        def on_epoch_end(self, epoch, logs):
            begun.set()
            assert ended.wait(PATIENCE)

    model = NetworkClassifier(3, max_iter=3, random_state=0, callbacks=[Wait()])
    thread = threading.Thread(target=model.fit, args=(X, LABELS))
    thread.start()
    assert begun.wait(PATIENCE)
    before = contents(model)
    for again in (model.fit, model.partial_fit):
        with pytest.raises(RuntimeError, match="in a fit already"):
            again(X, LABELS)
    assert_the_same(before, contents(model))
    twin = copy.deepcopy(model).set_params(callbacks=None)
    ended.set()
    thread.join()
    assert model.n_iter_ == 3
    assert twin.fit(X, LABELS).n_iter_ == 3  # a copy that is taken meanwhile is in no fit


# Continuing with early stopping


@both_kinds
def test_each_fit_has_a_best_of_its_own(kind, y):
    model = kind(hidden_layer_sizes=8, early_stopping=True, warm_start=True, max_iter=6, learning_rate_init=0.01,
                 random_state=0)
    for fit in range(5):
        X_val, y_val = X[fit * 20:fit * 20 + 20], y[fit * 20:fit * 20 + 20]
        start = len(getattr(model, "validation_scores_", ()))
        model.fit(X, y, X_val=X_val, y_val=y_val)
        scores = model.validation_scores_[start:]
        assert len(scores) == model.n_iter_ == 6
        assert model.best_validation_score_ == max(scores) == pytest.approx(model.score(X_val, y_val))


def test_a_fit_that_goes_on_is_epochs_from_where_it_stood():
    """Its weights are those of its best epoch, counted from the weights of the last fit."""
    options = {"hidden_layer_sizes": 6, "solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.3, "shuffle": False,
               "random_state": 0, "warm_start": True, "max_iter": 9}
    held_out = {"X_val": X[:30], "y_val": VALUES[:30]}
    model = NetworkRegressor(**options, early_stopping=True).fit(X[30:], VALUES[30:], **held_out)
    for _ in range(3):
        walker = copy.deepcopy(model).set_params(early_stopping=False)
        best, best_score = None, -np.inf
        for _ in range(9):
            walker.partial_fit(X[30:], VALUES[30:])
            if walker.score(X[:30], VALUES[:30]) >= best_score:
                best, best_score = [w.copy() for w in walker.coefs_], walker.score(X[:30], VALUES[:30])
        before = [w.copy() for w in model.coefs_]
        model.fit(X[30:], VALUES[30:], **held_out)
        assert not all(map(np.array_equal, model.coefs_, before))
        for weight, expected in zip(model.coefs_, best, strict=True):
            np.testing.assert_allclose(weight, expected, rtol=1e-9)


def test_rounds_learn_as_scikit_learns_do():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = (X[:, 0] > 0).astype(int)
    options = {"max_iter": 5, "warm_start": True, "early_stopping": True, "random_state": 0}
    ours, theirs = NetworkClassifier((16,), **options), MLPClassifier((16,), **options)
    for round_ in range(7):
        ours.fit(X, y)
        theirs.fit(X, y)
        if round_ < 2:
            np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-8)
        assert ours.score(X, y) >= theirs.score(X, y) - 0.01


@pytest.mark.parametrize("first", [True, False])
def test_other_labels_are_learned(first):
    """After early stopping, or after a fit without it."""
    model = NetworkClassifier((16,), learning_rate_init=0.01, warm_start=True, early_stopping=first, random_state=0,
                              n_iter_no_change=30)
    model.fit(X, LABELS).set_params(early_stopping=True)
    other = (X[:, 1] > 0).astype(int)
    model.fit(X, other)
    assert model.score(X, other) > 0.85
    model.set_params(early_stopping=False, max_iter=20).fit(X, LABELS)
    assert model.best_loss_ == min(model.loss_curve_[-model.n_iter_:])


def test_samples_without_weight_that_are_held_out_are_named():
    with pytest.raises(ValueError, match=r"12 samples held out by early_stopping all have weight 0; .*X_val"):
        NetworkClassifier(early_stopping=True, random_state=0).fit(X, LABELS, sample_weight=ONE_ALONE)
    model = NetworkClassifier(early_stopping=True, random_state=0, max_iter=3)
    model.fit(X, LABELS, sample_weight=ONE_ALONE, X_val=X, y_val=LABELS)
    assert model.n_iter_ == 3
