"""Metrics that a callback adds to the logs: callbacks after it in the list can monitor them like those of the fit."""

import csv

import numpy as np
import pytest
from nets import LABELS, X, classifier

from fastnn import SGD, Callback, CSVLogger, EarlyStopping, ModelCheckpoint, Network, ReduceLROnPlateau

VALUES = [0.5, 0.7, 0.6, 0.65, 0.1]


class Reports(Callback):
    """Reports the next of some values in each epoch."""

    reports = ("recall",)

    def __init__(self, values=VALUES):
        self.values = values

    def on_epoch_end(self, epoch, logs):
        if self.values[epoch] is not None:
            logs["recall"] = self.values[epoch]


def run(*callbacks, epochs=5):
    net = classifier()
    net.fit(X, LABELS, epochs=epochs, optimizer=SGD(0.1), callbacks=callbacks, progress=False)
    return net


def test_early_stopping_watches_it():
    stopping = EarlyStopping("recall", mode="max", patience=2)
    net = run(Reports(), stopping)
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (0.7, 1, 3)
    assert set(net.history) == {"loss", "accuracy"}


def test_the_rate_follows_it():
    net = run(Reports(), ReduceLROnPlateau("recall", mode="max", patience=1, factor=0.5))
    np.testing.assert_allclose(net.history["learning_rate"], [0.1, 0.1, 0.1, 0.05, 0.025])


def test_the_best_by_it_is_kept_wherever_the_checkpoint_stands(tmp_path):
    path = tmp_path / "best.safetensors"
    run(ModelCheckpoint(path, "recall", save_best_only=True, mode="max"), Reports())
    np.testing.assert_array_equal(Network.load(path).forward(X), run(epochs=2).forward(X))


def test_it_is_logged(tmp_path):
    path = tmp_path / "log.csv"
    run(Reports(map_to(np.float32, VALUES)), CSVLogger(path))
    header, *rows = csv.reader(path.read_text().splitlines())
    assert header == ["epoch", "loss", "accuracy", "recall"]
    np.testing.assert_allclose([float(row[3]) for row in rows], VALUES, rtol=1e-6)


def map_to(kind, values):
    return [kind(value) for value in values]


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau, lambda name: ModelCheckpoint(
    "x", name, save_best_only=True)])
def test_what_nobody_reports_before_it_is_refused_at_the_beginning(make):
    says = r"this fit reports loss, accuracy: give .*or put a callback before it that has it among its `reports`"
    with pytest.raises(ValueError, match=says):
        run(make("recall"))
    if make is not ModelCheckpoint and not make("recall").runs_last:
        with pytest.raises(ValueError, match=says):
            run(make("recall"), Reports())


@pytest.mark.parametrize("value", [None, "0.5", 1j, [0.5]])
@pytest.mark.parametrize("make", [lambda path: EarlyStopping("recall", mode="max"), CSVLogger], ids=["monitor", "log"])
def test_what_is_reported_must_be_a_number(make, value, tmp_path):
    with pytest.raises(ValueError, match=r"logs\['recall'\] is .*; the callback that reports it must put a number there"):
        run(Reports([0.5, value]), make(tmp_path / "log.csv"))


def test_nan_is_a_number_and_never_better():
    stopping = EarlyStopping("recall", mode="max", patience=9)
    run(Reports([np.nan, 0.5, np.nan, 0.4, np.nan]), stopping)
    assert (stopping.best, stopping.best_epoch) == (0.5, 1)


def test_reports_is_a_list_of_names():
    reports = Reports()
    reports.reports = "recall"
    with pytest.raises(ValueError, match=r"Reports.reports is 'recall'; it must be a list"):
        run(reports)


@pytest.mark.parametrize("every", [0, -1, None, 1.5, np.nan, "2", [1]], ids=repr)
def test_how_often_hooks_of_batches_come_is_a_whole_number(every):
    class Often(Callback):
        every_batches = every

        def on_train_batch_end(self, batch, logs): ...

    net = classifier()
    with pytest.raises(ValueError, match=r"Often.every_batches is .*; it must be a whole number of at least 1"):
        net.fit(X, LABELS, callbacks=[Often()])
    assert net.history is None
