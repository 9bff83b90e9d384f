"""Metrics equal scikit-learn's, in fits, evaluations, histories, monitors and populations."""

import csv
import os
import re

import numpy as np
import pytest

import fastnn
from fastnn import (
    LBFGS,
    Adam,
    Callback,
    CSVLogger,
    Dense,
    EarlyStopping,
    Metric,
    ModelCheckpoint,
    Network,
    Population,
    ReduceLROnPlateau,
    sweep,
)
from fastnn.samples.metrics import METRICS

measure = pytest.importorskip("sklearn.metrics")
CASES = int(os.environ.get("FASTNN_TEST_CASES", "40"))


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(case):
    return np.random.default_rng((int(os.environ.get("FASTNN_TEST_SEED", "0")), case))


def values(rng, outputs):
    net = Network([Dense(4, "tanh"), Dense(outputs)], inputs=3, seed=int(rng.integers(99)), dtype=dtype(rng))
    samples = int(rng.integers(2, 60))
    y = rng.normal(size=(samples, outputs)) * rng.uniform(0.1, 50) + rng.normal() * 9
    return net, rng.normal(size=(samples, 3)), y[:, 0] if outputs == 1 else y


def dtype(rng):
    return ("float32", "float64")[rng.integers(2)]


def classes(rng, outputs):
    """Some classes may be missing in y, some in the predictions, and scores may be equal."""
    net = Network([Dense(4, "tanh"), Dense(outputs, "softmax")], inputs=3, seed=int(rng.integers(99)), dtype=dtype(rng))
    samples = int(rng.integers(outputs + 1, 60))
    X = rng.normal(size=(samples, 3)).round(int(rng.integers(3)))
    return net, X, rng.choice(outputs, samples, p=rng.dirichlet(np.ones(outputs)))


def yes_or_no(rng, outputs):
    net = Network([Dense(4, "tanh"), Dense(outputs, "sigmoid")], inputs=3, seed=int(rng.integers(99)), dtype=dtype(rng))
    net.parameters["1.bias"][:] = rng.normal(size=outputs)
    X = rng.normal(size=(int(rng.integers(4, 60)), 3)).round(int(rng.integers(3)))
    y = (rng.random((len(X), outputs)) < rng.random()).astype(int)
    return net, X, y[:, 0] if outputs == 1 else y


OF_VALUES = {"r2": measure.r2_score, "mae": measure.mean_absolute_error, "mse": measure.mean_squared_error,
             "rmse": measure.root_mean_squared_error}


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", OF_VALUES)
def test_of_values(name, outputs):
    for case in range(CASES):
        net, X, y = values(numbers(case), outputs)
        found = net.evaluate(X, y, metrics=[name])[name]
        assert found == pytest.approx(OF_VALUES[name](y, net.predict(X)), rel=1e-4 if net.dtype == "float32" else 1e-12)
        assert isinstance(found, float)


OF_LABELS = {"f1": measure.f1_score, "precision": measure.precision_score, "recall": measure.recall_score,
             "iou": measure.jaccard_score}


@pytest.mark.parametrize(("make", "outputs", "average"), [
    (classes, 2, "binary"), (classes, 3, "macro"), (classes, 7, "macro"), (yes_or_no, 1, "binary"), (yes_or_no, 4, "macro"),
])
@pytest.mark.parametrize("name", OF_LABELS)
def test_of_labels(name, make, outputs, average):
    for case in range(CASES):
        net, X, y = make(numbers(case), outputs)
        expected = OF_LABELS[name](y, net.predict(X), average=average, zero_division=0)
        assert net.evaluate(X, y, metrics=[name])[name] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("make", "outputs"), [(classes, 2), (classes, 5), (yes_or_no, 1)])
def test_mean_iou(make, outputs):
    for case in range(CASES):
        net, X, y = make(numbers(case), outputs)
        expected = measure.jaccard_score(y, net.predict(X), average="macro")
        assert net.evaluate(X, y, metrics=["mean_iou"])["mean_iou"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label")
@pytest.mark.parametrize(("make", "outputs"), [(classes, 2), (classes, 5), (yes_or_no, 1)])
def test_balanced_accuracy(make, outputs):
    for case in range(CASES):
        net, X, y = make(numbers(case), outputs)
        expected = measure.balanced_accuracy_score(y, net.predict(X))
        assert net.evaluate(X, y, metrics=["balanced_accuracy"])["balanced_accuracy"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("make", "outputs"), [(classes, 2), (classes, 5), (yes_or_no, 1), (yes_or_no, 4)])
def test_auc(make, outputs):
    """Return the mean of scikit-learn's areas of those classes that have one."""
    seen = 0
    for case in range(CASES):
        net, X, y = make(numbers(case), outputs)
        probabilities = net.predict_proba(X)
        inside = y if y.ndim == 2 else np.stack([y == k for k in range(max(outputs, 2))], axis=1)
        scores = probabilities if outputs > 1 else np.hstack([1 - probabilities, probabilities])
        inside, scores = (inside[:, 1:], scores[:, 1:]) if inside.shape[1] == 2 else (inside, scores)
        areas = [measure.roc_auc_score(mine, score) for mine, score in zip(inside.T, scores.T, strict=True)
                 if 0 < mine.sum() < len(mine)]
        found = net.evaluate(X, y, metrics=["auc"])["auc"]
        assert found == pytest.approx(np.mean(areas) if areas else np.nan, rel=1e-12, nan_ok=True)
        if make is classes and outputs > 2 and len(areas) == outputs:
            expected = measure.roc_auc_score(y, probabilities.astype(float) / probabilities.sum(1, dtype=float)[:, None],
                                             multi_class="ovr")
            assert found == pytest.approx(expected, rel=1e-5)
            seen += 1
    assert seen or make is not classes or outputs == 2


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k(k):
    for case in range(CASES):
        net, X, y = classes(numbers(case), 5)
        net.parameters["1.bias"][:] = numbers(case).normal(size=5)  # of equal scores scikit-learn takes the last
        found = net.evaluate(X, y, metrics=[f"top_{k}"])
        expected = measure.top_k_accuracy_score(y, net.predict_proba(X), k=k, labels=range(5))
        assert found[f"top_{k}"] == pytest.approx(expected)
        if k == 1:
            assert found["top_1"] == found["accuracy"]


def test_of_equal_scores_the_first_is_the_label():
    net = Network([Dense(3, "softmax")], inputs=1)
    net.parameters["0.weight"][:] = 0
    found = net.evaluate([[1.0]] * 3, [0, 1, 2], metrics=["top_1", "top_2", "auc"])
    assert (found["top_1"], found["top_2"], found["auc"]) == (1 / 3, 2 / 3, 0.5)


def test_where_there_is_no_answer():
    net = Network([Dense(1)], inputs=1)
    assert np.isnan(net.evaluate([[1.0], [2.0]], [3.0, 3.0], metrics=["r2"])["r2"])
    net = Network([Dense(2, "softmax")], inputs=1)
    found = net.evaluate([[1.0], [2.0]], [0, 0], metrics=["auc", "f1"])
    assert np.isnan(found["auc"])
    net.parameters["0.bias"][:] = np.nan
    assert np.isnan(net.evaluate([[1.0], [2.0]], [0, 1], metrics=["f1"])["f1"])


def test_large_targets_lose_nothing_but_what_the_dtype_loses():
    net = Network([Dense(1)], inputs=1, dtype="float64")
    net.parameters["0.weight"][:], net.parameters["0.bias"][:] = 1.0, 1e9
    X = np.arange(100.0)[:, None]
    y = 1e9 + X[:, 0] + np.resize([0.5, -0.5], 100)
    found = net.evaluate(X, y, metrics=["r2", "mae", "rmse"])
    assert (found["mae"], found["rmse"]) == (0.5, 0.5)
    assert found["r2"] == pytest.approx(measure.r2_score(y, net.predict(X)), abs=1e-12)


DATA = numbers(0).normal(size=(90, 3)), numbers(1).integers(3, size=90)
HELD_OUT = {"validation_data": (DATA[0][60:], DATA[1][60:])}


def classifier(seed=0):
    return Network([Dense(9, "tanh"), Dense(3, "softmax")], inputs=3, seed=seed)


def fit(net, *callbacks, metrics=("f1", "top_2"), epochs=4, **options):
    options = HELD_OUT | {"optimizer": Adam(0.05)} | options
    return net.fit(DATA[0][:60], DATA[1][:60], epochs=epochs, metrics=metrics, callbacks=callbacks, **options)


class Evaluates(Callback):
    """Return the results of `evaluate` after each epoch."""

    def __init__(self):
        self.found = []

    def on_epoch_end(self, epoch, logs):
        parts = ((0, 60, ""), (60, 90, "val_"))
        self.found.append({prefix + name: value for begin, end, prefix in parts for name, value in self.network.evaluate(
            DATA[0][begin:end], DATA[1][begin:end], metrics=["f1", "top_2"]).items()})


def test_a_fit_reports_what_evaluate_says_of_the_weights_after_each_epoch():
    evaluates, plain = Evaluates(), classifier()
    net = classifier()
    history = fit(net, evaluates)
    assert [*history] == ["loss", "accuracy", "f1", "top_2", "val_loss", "val_accuracy", "val_f1", "val_top_2"]
    for name in ("f1", "top_2", "val_loss", "val_f1", "val_top_2"):
        assert history[name] == [found[name] for found in evaluates.found]
    assert fit(plain, metrics=())["loss"] == history["loss"]  # it changes no bit of the training
    assert plain.parameters["0.weight"].tobytes() == net.parameters["0.weight"].tobytes()
    assert [*fit(classifier(), validation_data=None)] == ["loss", "accuracy", "f1", "top_2"]


def test_monitors_watch_them_in_the_right_direction():
    net, stopping = classifier(), EarlyStopping("val_f1", patience=3, restore_best=True)
    best = ModelCheckpoint("{epoch}-{val_f1:.3f}", "val_f1", save_best_only=True)
    reduce = ReduceLROnPlateau("f1", patience=1)
    history = fit(net, stopping, best, reduce, CSVLogger("log.csv"), epochs=30)
    assert stopping.best == best.best == max(history["val_f1"])
    assert net.evaluate(*HELD_OUT["validation_data"], metrics=["f1"])["f1"] == stopping.best
    assert Network.load(best.best_path).evaluate(*HELD_OUT["validation_data"], metrics=["f1"])["f1"] == best.best
    with open("log.csv") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", *(name for name in history if name != "learning_rate")]
    assert [float(row[header.index("val_top_2")]) for row in rows] == history["val_top_2"]
    assert EarlyStopping("mae").monitor == "mae"
    values = Network([Dense(1)], inputs=3)
    stopping = EarlyStopping("val_mae", patience=99)
    history = values.fit(DATA[0], DATA[0].sum(1), epochs=9, metrics=["mae"], callbacks=[stopping],
                         validation_data=(DATA[0], DATA[0].sum(1)))
    assert stopping.best == min(history["val_mae"])


def gini(labels, probabilities):
    return 2 * measure.roc_auc_score(labels == 1, probabilities[:, 1]) - 1


def test_functions_of_ones_own():
    net, own = classifier(), Metric("gini", "higher", gini, of="outputs")
    history = fit(net, metrics=[own, measure.cohen_kappa_score])
    X, y = HELD_OUT["validation_data"]
    assert history["val_gini"][-1] == gini(y, net.predict_proba(X))
    assert history["val_cohen_kappa_score"][-1] == measure.cohen_kappa_score(y, net.predict(X))
    stopping = EarlyStopping("val_gini", patience=99)
    assert max(fit(classifier(), stopping, metrics=[own])["val_gini"]) == stopping.best
    with pytest.raises(ValueError, match="'val_cohen_kappa_score', and nothing says which way it is better; give mode="):
        fit(classifier(), EarlyStopping("val_cohen_kappa_score"), metrics=[measure.cohen_kappa_score])
    one_hot = np.eye(3)[DATA[1]]
    assert classifier().evaluate(DATA[0], one_hot, metrics=["f1"]) == classifier().evaluate(*DATA, metrics=["f1"])


def test_a_function_may_spoil_what_it_is_given():
    def spoils(y, predicted):
        y[:], predicted[:] = 0, 0
        return 1.0

    X, y = DATA
    kept = y.copy()
    found = classifier().evaluate(X, y, metrics=[spoils, "f1"])
    assert found["f1"] == classifier().evaluate(X, y, metrics=["f1"])["f1"]
    np.testing.assert_array_equal(y, kept)


BAD = {
    "text": ("f1", "metrics is 'f1'; it must be a list, such as metrics=['f1']"),
    "nothing": (None, "metrics is None; it must be a list"),
    "function": (gini, "must be a list"),
    "unknown": (["f2"], "metrics[0] is 'f2'; it must be one of f1, precision, recall, iou, mean_iou, balanced_accuracy, "
                        "auc, top_2, a"),
    "of values": (["f1", "r2"], "metrics[1] is 'r2', which is no metric of a network that learns 3 probabilities; it may"),
    "too many": (["top_3"], "metrics[0] is 'top_3', and there are 3 classes; k must be from 1 to 2"),
    "none": (["top_0"], "k must be from 1 to 2"),
    "twice": (["f1", "f1"], "metrics has 'f1' twice"),
    "nameless": ([lambda y, predicted: 1.0], "which has no name; give it one with fastnn.Metric(name"),
    "number": ([3], "metrics[0] is 3; it must be one of"),
    "taken name": ([Metric("val_gini", "higher", gini)], "is called 'val_gini', as what a fit reports by itself"),
    "loss": ([Metric("loss", "lower", gini)], "is called 'loss', as what a fit reports by itself"),
    "no function": ([Metric("gini", "higher")], "give it a function of targets and predictions"),
    "no number": ([Metric("gini", "higher", lambda y, predicted: y)], "the metric 'gini' is array("),
    "none at all": ([Metric("gini", "higher", lambda y, predicted: None)], "'gini' is None; its function must return a"),
}


@pytest.mark.parametrize(("metrics", "says"), BAD.values(), ids=BAD)
def test_what_is_no_metric(metrics, says):
    for call in (lambda net: fit(net, metrics=metrics), lambda net: net.evaluate(*DATA, metrics=metrics)):
        with pytest.raises(ValueError, match=re.escape(says)):
            call(classifier())


@pytest.mark.parametrize(("arguments", "says"), [
    ({"name": 3}, "Metric(name=...) is 3"), ({"name": "a", "function": 3}, "Metric(function=...) is 3"),
    ({"name": "a", "better": "max"}, "Metric(better=...) is 'max'; it must be 'higher'"),
    ({"name": "a", "of": "labels"}, "Metric(of=...) is 'labels'"),
])
def test_what_is_no_record(arguments, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        Metric(**arguments)


def test_what_is_reported_anyway_may_be_named():
    assert [*fit(classifier(), metrics=["loss", "accuracy"], validation_data=None)] == ["loss", "accuracy"]


@pytest.mark.parametrize("by", ["memory", "file"])
def test_a_fit_that_goes_on(by):
    whole, net = classifier(), classifier()
    history = fit(whole)
    fit(net, epochs=2)
    if by == "file":
        net.save_checkpoint("run")
        net = Network.load_checkpoint("run")
    assert fit(net, resume=True, optimizer=None) == history


def fit_lbfgs(**options):
    net = classifier()
    return net, net.fit(DATA[0][:60], DATA[1][:60], optimizer=LBFGS(max_iterations=5), metrics=["f1"], **HELD_OUT, **options)


def test_with_lbfgs():
    stopping = EarlyStopping("val_f1", patience=99, restore_best=True)
    net, history = fit_lbfgs(callbacks=[stopping])
    assert [*history] == ["loss", "accuracy", "f1", "val_loss", "val_accuracy", "val_f1"]
    assert net.evaluate(*HELD_OUT["validation_data"], metrics=["f1"])["f1"] == stopping.best == max(history["val_f1"])


def test_members_of_a_population_report_what_they_do_alone():
    metrics = ["f1", Metric("gini", "higher", gini, of="outputs")]
    population, rows = Population([classifier(seed) for seed in range(3)]), np.arange(60)
    stopping = EarlyStopping("val_f1", patience=2, restore_best=True)
    population.fit(*DATA, epochs=[4, 9, 6], optimizer=Adam(0.05), rows=rows, validation_rows=np.arange(60, 90),
                   metrics=metrics, callbacks=[stopping])
    for seed, (epochs, history) in enumerate(zip([4, 9, 6], population.histories, strict=True)):
        net, own = classifier(seed), EarlyStopping("val_f1", patience=2, restore_best=True)
        assert dict(fit(net, own, metrics=metrics, epochs=epochs)) == dict(history)
        assert net.parameters["0.weight"].tobytes() == population[seed].parameters["0.weight"].tobytes()
    assert population.scores("val_gini")[population.ranking("val_gini")[0]] == max(population.scores("val_gini"))
    assert {"f1", "val_gini"} <= set(population.table())


def test_sweeps_and_halving_go_by_them():
    metrics = [Metric("cost", "lower", lambda y, predicted: -np.mean(y == predicted)), "f1"]
    for metric in ("val_cost", "val_f1"):
        result = sweep({"width": [2, 8, 16], "learning_rate": [1e-3, 1e-1]}, *DATA, epochs=4, metrics=metrics, metric=metric)
        assert result.scores[result.ranking[0]] == (min if metric == "val_cost" else max)(result.scores)
        assert {"val_cost", "f1"} <= set(result.table)
    rungs = Population([classifier(seed) for seed in range(4)]).halve(
        *DATA, epochs=4, factor=2, validation_rows=np.arange(30), metrics=metrics, metric="val_f1")
    assert max(rungs) == 3
    with pytest.raises(ValueError, match="is 'val_f2'; a sweep reports loss, accuracy, cost, f1, val_loss, val_accuracy"):
        sweep({"width": [2]}, *DATA, metrics=metrics, metric="val_f2")
    with pytest.raises(ValueError, match=r"nothing says which way it is better; give a fastnn\.Metric"):
        sweep({"width": [2]}, *DATA, metrics=[measure.cohen_kappa_score], metric="val_cohen_kappa_score")


def test_every_metric_is_documented_and_has_a_direction():
    assert all(metric.better for metric in METRICS.values())
    for name in [*METRICS, "top_2"]:
        assert re.search(rf"\b{name}\b", fastnn.samples.metrics.__doc__)


def test_samples_count_alike():
    """As for the accuracy: weights affect the loss only."""
    X, y = DATA
    weighted = classifier().evaluate(X, y, sample_weight=np.arange(90), metrics=["f1"])
    assert weighted["f1"] == classifier().evaluate(X, y, metrics=["f1"])["f1"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_where_a_function_fails_the_fit_goes_on_later(error):
    """For an epoch whose metrics were not computed, alone and in a population."""
    def fails(calls):
        def score(y, predicted):
            calls.append(1)
            if len(calls) == 5:
                raise error("enough")
            return float(np.mean(y == predicted))
        return Metric("score", "higher", score)

    expected = fit(classifier(), metrics=[fails([1] * 99)])
    net, calls = classifier(), []
    with pytest.raises(error, match="enough"):
        fit(net, metrics=[fails(calls)])
    assert len(net.history.epochs) == 2
    assert fit(net, metrics=[fails(calls)], resume=True, optimizer=None) == expected
    population, calls = Population([classifier(), classifier()]), []
    options = {"epochs": 4, "rows": np.arange(60), "validation_rows": np.arange(60, 90)}
    with pytest.raises(error, match="enough"):
        population.fit(*DATA, optimizer=Adam(0.05), metrics=[fails(calls)], **options)
    for history in population.fit(*DATA, metrics=[fails(calls)], resume=True, **options):
        assert dict(history) == dict(expected)
