"""Sweeps: configurations from a space, their networks, folds, halving, table and picture."""

import itertools

import numpy as np
import pytest

import fastnn
from fastnn import SGD, Adam, Dense, EarlyStopping, Network, k_folds, plot, sweep
from fastnn.population.space import configurations

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 2))
LABELS, VALUES = (X[:, 0] * X[:, 1] > 0).astype(int), X @ [1.0, 2.0]


def test_lists_make_all_combinations():
    found = configurations({"a": [1, 2], "b": ["x"], "c": range(3), "d": None}, None, 0)
    assert len(found) == 6
    assert found[0] == {"a": 1, "b": "x", "c": 0, "d": None}
    assert len({tuple(each.values()) for each in found}) == 6


def test_draws_lie_in_their_ranges_and_depend_on_the_seed_alone():
    space = {"rate": (1e-4, 1e-1, "log"), "width": (3, 5), "wide": (1, 1000, "log"), "share": (0.0, 0.5), "kind": ["a", "b"]}
    found = configurations(space, 400, 3)
    assert found == configurations(space, 400, 3)
    assert found != configurations(space, 400, 4)
    rates = np.array([each["rate"] for each in found])
    assert rates.min() >= 1e-4
    assert rates.max() <= 1e-1
    assert 0.4 < (rates < 10**-2.5).mean() < 0.6  # the middle of the logarithms
    assert {each["width"] for each in found} == {3, 4, 5}
    assert all(type(each["wide"]) is int and 1 <= each["wide"] <= 1000 for each in found)
    assert 0.35 < np.mean([each["wide"] < 32 for each in found]) < 0.65
    assert {each["kind"] for each in found} == {"a", "b"}


def test_distributions_of_scipy():
    stats = pytest.importorskip("scipy.stats", reason="distributions need SciPy")
    space = {"learning_rate": stats.loguniform(1e-3, 1e-1), "width": stats.randint(4, 9)}
    found = configurations(space, 50, 0)
    assert found == configurations(space, 50, 0)
    assert {each["width"] for each in found} <= set(range(4, 9))
    assert all(type(each["width"]) is int and type(each["learning_rate"]) is float for each in found)
    assert len(sweep(space, X, LABELS, samples=3, epochs=1)) == 3


@pytest.mark.parametrize(("space", "options", "message"), [
    ({}, {}, "give a dict"),
    ([1], {}, "give a dict"),
    ({"width": []}, {}, "is empty"),
    ({"width": (4, 8)}, {}, "give samples=100"),
    ({"width": (8, 4)}, {"samples": 2}, "the second must be larger"),
    ({"l2": (0, 1, "log")}, {"samples": 2}, "both above zero"),
    ({"l2": (1, 2, "square")}, {"samples": 2}, "must be 'linear' or 'log'"),
    ({"hidden": (8, 8, 8)}, {"samples": 2}, "must be 'linear' or 'log'"),
    ({"hidden": (8, 8, 8, 8)}, {"samples": 2}, r"as in \[\(8, 8, 8, 8\)\]"),
    ({"widht": [4]}, {}, "'widht', which is no hyperparameter of a sweep .did you mean 'width'.*there are hidden, width"),
    ({"hidden": [(4, 4)], "width": [3]}, {}, "hidden.*and width"),
    ({"optimizer": ["adan"]}, {}, "unknown optimizer 'adan'"),
    ({"optimizer": [3]}, {}, "optimizer is 3"),
    ({"momentum": [0.9], "optimizer": ["adam"]}, {}, "'momentum'"),
    ({"width": [4]}, {"samples": 0}, "samples is 0"),
    ({"width": [4]}, {"seed": "first"}, "seed is 'first'"),
    ({"width": [4]}, {"build": 3}, "build is 3; it must be a function"),
    ({"width": [4]}, {"folds": 1}, "folds is 1"),
    ({"width": [4]}, {"folds": 121}, "there are 120 samples"),
    ({"width": [4]}, {"folds": 2, "validation_data": (X, LABELS)}, "both given"),
    ({"width": [4]}, {"validation_split": 0.001}, "leaves 120 to train on and 0 to validate on"),
    ({"width": [4]}, {"task": "class"}, "must be 'classification', 'regression' or None"),
    ({"width": [4]}, {"halving": 1}, "halving is 1"),
    ({"width": [4]}, {"metric": "val_los"}, "metric is 'val_los'; a sweep reports loss, accuracy, val_loss"),
    ({"width": [4]}, {"build": lambda width: width}, "build returned 4"),
])
def test_what_makes_no_sweep(space, options, message):
    with pytest.raises(ValueError, match=message):
        sweep(space, X, LABELS, epochs=1, **options)


def test_whole_numbers_that_may_be_values():
    with pytest.raises(ValueError, match="task='regression' for values"):
        sweep({"width": [4]}, X, np.arange(120) * 10, epochs=1)
    assert sweep({"width": [4]}, X, np.arange(120) * 10, task="regression", epochs=1).best.outputs == 1
    with pytest.raises(ValueError, match="give integer labels"):
        sweep({"width": [4]}, X, VALUES, task="classification", epochs=1)


def test_networks_are_what_the_configuration_says():
    space = {"depth": [2], "width": [5], "activation": ["tanh"], "dropout": [0.1], "batch_norm": [True], "l2": [0.01],
             "seed": [3], "dtype": ["float64"], "learning_rate": [0.02], "momentum": [0.5], "batch_size": [7], "epochs": [2]}
    result = sweep(space, X, LABELS, optimizer=SGD(0.1, momentum=0.9, nesterov=True))
    net = result.best
    assert [type(layer).__name__ for layer in net.layers] == ["Dense", "BatchNorm", "Dropout"] * 2 + ["Dense"]
    assert net.layers[0] == Dense(5, "tanh", l2=0.01)
    assert (net.dtype, net.seed, net.outputs) == ("float64", 3, 2)
    assert (net.optimizer.learning_rate, net.optimizer.momentum, net.optimizer.nesterov) == (0.02, 0.5, True)
    assert (net.fits.last.batch_size, len(net.history.epochs)) == (7, 2)
    hidden = sweep({"hidden": [(4, 3), ()]}, X, VALUES, epochs=1)
    assert [len(net.layers) for net in hidden.population] == [3, 1]


def test_members_are_the_networks_that_fit_gives_alone():
    space = {"width": [3, 9], "learning_rate": [0.01, 0.1]}
    result = sweep(space, X, LABELS, epochs=5, folds=3, seed=2)
    assert len(result.population) == 12
    for number, net in enumerate(result.population):
        configuration = result.configurations[number // 3]
        train, held_out = k_folds(len(X), 3, seed=2)[number % 3]
        alone = Network([Dense(configuration["width"], "relu"), Dense(2, "softmax")], inputs=2)
        history = alone.fit(X[train], LABELS[train], epochs=5, optimizer=Adam(configuration["learning_rate"]),
                            validation_data=(X[held_out], LABELS[held_out]))
        assert alone.vectors.parameters.flat.tobytes() == net.vectors.parameters.flat.tobytes()
        assert dict(history) == dict(result.population.histories[number])
    means = [np.mean([h["val_loss"][-1] for h in result.population.histories[k:k + 3]]) for k in range(0, 12, 3)]
    assert result.scores.tolist() == means
    assert result.best_configuration == result.configurations[int(np.argmin(means))]
    table = result.table
    assert list(table["val_loss"]) == sorted(means)
    assert "val_loss std" in table
    assert "configurations" in repr(result)


def test_the_table_keeps_hyperparameters_apart_from_results():
    space = {"loss": ["squared_error", "huber"], "epochs": [3, 9]}
    with pytest.warns(UserWarning, match=r"\(huber, squared_error\)"):
        table = sweep(space, X, VALUES, callbacks=[EarlyStopping(min_delta=9.0)]).table
    assert sorted(table["loss function"]) == ["huber"] * 2 + ["squared_error"] * 2
    assert sorted(table["epochs given"]) == [3, 3, 9, 9]
    assert list(table["epochs"]) == [2] * 4
    assert all(isinstance(loss, float) for loss in table["loss"])


@pytest.mark.parametrize("seed", [None, 0, 5])
@pytest.mark.parametrize(("samples", "folds"), [(120, 5), (31, 4), (7, 7), (10, 3)])
def test_folds_that_hold_labels_alike(samples, folds, seed):
    labels = np.array(["often", "seldom", "never"])[np.random.default_rng(1).choice(3, samples, p=[0.7, 0.25, 0.05])]
    parts = k_folds(samples, folds, seed, labels=labels)
    assert sorted(np.concatenate([held_out for _, held_out in parts])) == [*range(samples)]
    assert np.ptp([len(held_out) for _, held_out in parts]) <= 1
    for label in set(labels):
        assert np.ptp([(labels[held_out] == label).sum() for _, held_out in parts]) <= 1
    assert all(sorted([*train, *held_out]) == [*range(samples)] for train, held_out in parts)
    with pytest.raises(ValueError, match="one label a row"):
        k_folds(samples, folds, labels=labels[1:])


def test_your_own_networks():
    def build(depth, kind):
        return Network([*(Dense(4, kind) for _ in range(depth)), Dense(1)], inputs=2)

    result = sweep({"depth": [1, 2], "kind": ["relu", "tanh"], "learning_rate": 0.01}, X, VALUES, build=build, epochs=2,
                   validation_data=(X[:20], VALUES[:20]))
    assert [len(net.layers) for net in result.population] == [2, 2, 3, 3]
    assert all(net.optimizer.learning_rate == 0.01 for net in result.population)


def test_halving_spends_its_epochs_on_the_best():
    result = sweep({"learning_rate": (1e-6, 1e-1, "log")}, X, LABELS, samples=18, epochs=9, halving=3)
    epochs = [len(history.epochs) for history in result.population.histories]
    assert sorted(epochs) == [1] * 12 + [3] * 4 + [9] * 2
    best = int(result.ranking[0])
    assert epochs[best] == 9
    assert list(result.table["epochs"]) == sorted(epochs, reverse=True)


def test_halving_with_early_stopping():
    result = sweep({"learning_rate": [0.1, 0.01, 0.001]}, X, LABELS, epochs=9, halving=3,
                   callbacks=[EarlyStopping(patience=2, restore_best=True)])
    assert result.rungs.tolist().count(2) == 1


def test_what_diverges_comes_last():
    with pytest.warns(RuntimeWarning, match="1 of 2 members diverged"):
        result = sweep({"learning_rate": [1e9, 1e-3]}, X, VALUES, optimizer="sgd", epochs=60, batch_size=4)
    assert np.isnan(result.scores).tolist() == [True, False]
    assert list(result.table["diverged"]) == [False, True]
    assert result.best_configuration == {"learning_rate": 1e-3}


def test_where_all_diverge():
    with pytest.warns(RuntimeWarning, match="2 of 2 members diverged"):
        result = sweep({"learning_rate": [1e30, 1e31]}, X, VALUES, optimizer="sgd", epochs=60)
    assert np.isnan(result.scores).all()
    assert len(result.table) == 2
    with pytest.raises(ValueError, match="no member has a score"):
        result.population.best("loss")


@pytest.mark.filterwarnings("error")
def test_the_picture_can_be_read(tmp_path):
    """Scales as in the space; labels that do not overlap."""
    pytest.importorskip("matplotlib")
    space = {"width": (2, 64, "log"), "dropout": (0.0, 0.5), "learning_rate": (1e-5, 1.0, "log"),
             "optimizer": [SGD(0.1, momentum=0.9), SGD(0.1, nesterov=True, momentum=0.5), SGD(0.2)]}
    drawn = configurations(space, 60, 0)
    panels = plot.sweep_panels(drawn, np.linspace(0.1, 0.5, 60), "loss")
    panels[0].figure.savefig(tmp_path / "sweep.png")
    assert [panel.get_xscale() for panel in panels] == ["log", "linear", "log", "linear"]
    for panel in panels:
        inside = [label.get_window_extent() for label in panel.get_xticklabels(which="both")
                  if label.get_text() and panel.get_window_extent().x0 <= label.get_window_extent().x0]
        inside.sort(key=lambda box: box.x0)
        if panel.get_xlabel() != "optimizer":  # those are turned
            assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(inside)), panel.get_xlabel()


@pytest.mark.filterwarnings("error")
def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    space = {"width": [2, 4], "activation": ["relu", "tanh"], "learning_rate": (1e-4, 1.0, "log"), "depth": 1}
    result = sweep(space, X, LABELS, samples=20, epochs=2, metric="val_accuracy")
    panels = result.plot()
    assert [panel.get_xlabel() for panel in panels] == ["width", "activation", "learning_rate"]
    assert [panel.get_xscale() for panel in panels] == ["linear", "linear", "log"]
    panels[0].figure.savefig(tmp_path / "sweep.png")
    with pytest.raises(ValueError, match="columns is 0"):
        result.plot(columns=0)
    with pytest.raises(ValueError, match="give one score a value"):
        plot.score_by([1, 2], [1.0])
    assert fastnn.Sweep is type(result)
