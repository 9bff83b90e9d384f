"""The direction in which a metric is better: it is specified, and never guessed from its name."""

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import Callback, Dense, EarlyStopping, ModelCheckpoint, Network, Population, ReduceLROnPlateau, sweep
from fastnn.samples import metrics

RISING = [0.5, 0.6, 0.7, 0.8, 0.9]
# metrics that a rule by the name, "accuracy" is better when higher, would get wrong
NAMES = ["auc", "val_auc", "f1", "r2", "precision", "recall", "acc", "val_acc", "Accuracy", "score", "neg_log_loss",
         "inaccuracy", "balanced_accuracy", "mae", "LOSS", "loss_ratio"]
MONITORS = {"stopping": lambda name, **options: EarlyStopping(name, patience=2, restore_best=True, **options),
            "rate": lambda name, **options: ReduceLROnPlateau(name, patience=2, **options),
            "checkpoint": lambda name, **options: ModelCheckpoint("x.safetensors", name, save_best_only=True, **options)}


def reporting(reports, values=RISING):
    """A callback that reports these values under the only name in `reports`."""
    class Reports(Callback):
        def on_epoch_end(self, epoch, logs):
            logs |= dict.fromkeys(reports, values[epoch])

    callback = Reports()
    callback.reports = reports
    return callback


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", MONITORS.values(), ids=MONITORS)
@pytest.mark.parametrize("name", NAMES)
def test_a_monitor_of_what_does_not_say_it_must_be_told_before_the_first_epoch(name, make):
    net = classifier()
    with pytest.raises(ValueError, match=rf"is '{name}', and nothing says which way it is better; give mode='max' if larger "
                                         rf"values are better, or mode='min'; .* reports = {{'{name}': 'max'}}"):
        net.fit(X, LABELS, epochs=5, callbacks=[reporting((name,)), make(name)])
    assert same(net, classifier())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("told", ["by mode", "by the callback that reports it"])
def test_what_is_told_is_done(name, told):
    for mode, best in ("max", RISING[-1]), ("min", RISING[0]):
        reports, options = ((name,), {"mode": mode}) if told == "by mode" else ({name: mode}, {})
        stopping = MONITORS["stopping"](name, **options)
        history = classifier().fit(X, LABELS, epochs=5, callbacks=[reporting(reports), stopping])
        assert (len(history.epochs), stopping.best) == (5 if mode == "max" else 3, best)


def test_a_mode_overrules_what_was_declared():
    stopping = EarlyStopping("auc", patience=2, mode="min")
    classifier().fit(X, LABELS, epochs=5, callbacks=[reporting({"auc": "max"}), stopping])
    assert (stopping.best, stopping.stopped_epoch) == (RISING[0], 2)


@pytest.mark.parametrize(("name", "best"), [("loss", 0.5), ("val_loss", 0.5), ("accuracy", 0.9), ("val_accuracy", 0.9)])
def test_the_metrics_of_a_fit_say_it_themselves(name, best):
    stopping = EarlyStopping(name, patience=9)
    classifier().fit(X, LABELS, epochs=5, validation_data=(X, LABELS), callbacks=[reporting((name,)), stopping])
    assert stopping.best == best


def test_the_direction_is_known_to_the_fit_alone():
    """A direction that a monitor got in one fit is not used in the next."""
    stopping = EarlyStopping("auc", patience=9)
    for reports, best in ({"auc": "max"}, 0.9), ({"auc": "min"}, 0.5):
        classifier().fit(X, LABELS, epochs=5, callbacks=[reporting(reports), stopping])
        assert stopping.best == best
    with pytest.raises(ValueError, match="nothing says which way"):
        classifier().fit(X, LABELS, epochs=5, callbacks=[reporting(["auc"]), stopping])


@pytest.mark.parametrize(("reports", "says"), [
    ({"auc": "up"}, r"Reports.reports\['auc'\] is 'up'; it must be 'max' if larger values are better, or 'min'"),
    ({"auc": True}, r"Reports.reports\['auc'\] is True; it must be 'max'"),
    ({"auc": ["max"]}, r"Reports.reports\['auc'\] is \['max'\]; it must be 'max'"),
    ({"loss": "max"}, r"Reports.reports\['loss'\] is 'max', but loss is better when lower; give the metric another name"),
    ((5,), r"Reports.reports has 5; it must be a list of names, such as \['auc'\]"),
    ({5: "max"}, "Reports.reports has 5; it must be a list of names"),
])
def test_reports_that_say_nothing_clear(reports, says):
    with pytest.raises(ValueError, match=says):
        classifier().fit(X, LABELS, callbacks=[reporting(reports), EarlyStopping("loss")])


def test_two_callbacks_that_disagree():
    said = reporting({"auc": "max"}), reporting(("auc",)), reporting({"auc": "min"})
    with pytest.raises(ValueError, match="says that auc is better when lower, a callback before it that it is when higher"):
        classifier().fit(X, LABELS, callbacks=[*said, EarlyStopping("auc")])
    stopping = EarlyStopping("auc", patience=9)
    classifier().fit(X, LABELS, epochs=5, callbacks=[said[1], said[0], stopping])  # the first says nothing
    assert stopping.best == 0.9


def test_members_of_a_population_are_told_alike():
    population = Population([classifier(seed) for seed in range(2)])
    with pytest.raises(ValueError, match=r"member 0: .*nothing says which way it is better"):
        population.fit(X, LABELS, epochs=5, callbacks=[reporting(("auc",)), EarlyStopping("auc", patience=2)])
    population.fit(X, LABELS, epochs=5, callbacks=[reporting({"auc": "max"}), EarlyStopping("auc", patience=2)])
    assert [callbacks[1].best for callbacks in population.callbacks] == [0.9, 0.9]


@pytest.mark.parametrize("metric", ["loss", "accuracy", "val_loss", "val_accuracy"])
def test_members_are_ranked_by_what_the_metric_says(metric):
    population = Population([classifier(seed) for seed in range(4)])
    population.fit(X, LABELS, epochs=[1, 9, 3, 20], validation_data=(X, LABELS))
    scores = population.scores(metric)
    wanted = scores.max() if "accuracy" in metric else scores.min()
    assert scores[population.ranking(metric)[0]] == wanted
    assert population.best(metric) is population[int(population.ranking(metric)[0])]


def test_members_are_not_ranked_by_what_says_nothing():
    population = Population([classifier(seed) for seed in range(2)])
    population.fit(X, LABELS, epochs=4, callbacks=[ReduceLROnPlateau("loss", patience=1, min_delta=9.0)])
    assert len(population.scores("learning_rate")) == 2
    for call in population.ranking, population.best:
        with pytest.raises(ValueError, match="metric is 'learning_rate', and nothing says which way it is better"):
            call("learning_rate")


@pytest.mark.parametrize("metric", ["auc", "val_acc", "val_loss", "learning_rate"])
def test_halving_refuses_before_it_trains(metric):
    population = Population([classifier(seed) for seed in range(4)])
    with pytest.raises(ValueError, match=rf"metric is '{metric}'; a fit of this population reports loss, accuracy"):
        population.halve(X, LABELS, epochs=9, metric=metric)
    assert all(net.history is None for net in population)


def test_a_sweep_by_each_metric():
    for metric in ("val_accuracy", "val_loss"):
        result = sweep({"learning_rate": [1e-4, 1e-2, 1e-1]}, X, LABELS, epochs=5, metric=metric)
        wanted = result.scores.max() if metric == "val_accuracy" else result.scores.min()
        assert result.scores[result.ranking[0]] == wanted


@pytest.mark.parametrize(("options", "best"), [
    ({"metric": "val_loss"}, [0.2]), ({"metric": "val_accuracy"}, [0.9]), ({"metric": "gini", "mode": "max"}, [0.9]),
    ({"metric": "val_auc"}, [0.9]), ({"metric": "top_3"}, [0.9]), ({"metric": "rmse"}, [0.2]), ({"mode": "max"}, [0.9]),
    ({"metric": "loss", "mode": "max"}, [0.9]), ({}, []),
])
def test_the_star_of_a_picture(options, best):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot").use("Agg")
    from fastnn import plot

    ax = plot.score_by([1, 2, 3, 4], [0.5, 0.2, np.nan, 0.9], **options)
    assert [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "*"] == best


@pytest.mark.parametrize("metric", ["gini", "score", "acc", "val_gini", ""])
def test_a_picture_of_what_says_nothing(metric):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot").use("Agg")
    from fastnn import plot

    with pytest.raises(ValueError, match=rf"metric is '{metric}', and nothing says which way it is better; give mode='max'"):
        plot.score_by([1, 2], [0.5, 0.2], metric=metric)
    with pytest.raises(ValueError, match="nothing says which way it is better"):
        plot.sweep_panels([{"width": 1}, {"width": 2}], [0.5, 0.2], metric)


def test_every_metric_of_a_fit_has_a_record_with_a_direction():
    for net, y in (classifier(), LABELS), (Network([Dense(1)], inputs=4), X[:, 0]):
        history = net.fit(X, y, validation_data=(X, y))
        records = metrics.of_fit(net, validated=True)
        assert {record.name for record in records} == set(history) == set(net.evaluate(X, y)) | {
            f"val_{name}" for name in net.evaluate(X, y)}
        assert all(record.better in ("lower", "higher") for record in records)
