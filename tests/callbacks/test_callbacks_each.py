"""Each callback of the package."""

import copy
import csv
import io
import os
import pickle

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

import fastnn
from fastnn import (
    SGD,
    Callback,
    CSVLogger,
    Dense,
    DivergenceError,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    Network,
    ReduceLROnPlateau,
    TerminateOnNaN,
    callbacks,
)


class Pretend(Callback):
    """Replace the values of a metric, for the callbacks after it, by given ones."""

    def __init__(self, **values):
        self.values = values

    def on_epoch_end(self, epoch, logs):
        logs |= {name: values[epoch] for name, values in self.values.items()}


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([5, 4, 4, 4, 1], {"patience": 2}, 4, 1),
        ([5, 4, 4, 4, 1], {"patience": 3}, 5, 4),
        ([5, 4, 4, 4, 1], {}, 3, 1),
        ([5, 4, 4, 4, 1], {"patience": 1}, 3, 1),
        ([5, 4.9, 4.8, 4.7, 1], {"patience": 3, "min_delta": 0.5}, 4, 0),
        ([1, 2, 3, 2, 9], {"mode": "max"}, 4, 2),
        ([float("nan"), 3, 4, 5, 6], {"patience": 2}, 4, 1),
    ],
)
def test_early_stopping(values, options, epochs, best):
    stopping, kept, net = EarlyStopping("loss", restore_best=True, **options), {}, classifier()
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch: net.vectors.parameters.flat.copy()}))
    net.fit(X, LABELS, epochs=5, callbacks=[Pretend(loss=values), stopping, keep])
    assert len(kept) == epochs
    assert (stopping.best, stopping.best_epoch) == (values[best], best)
    assert stopping.stopped_epoch == (epochs - 1 if epochs < 5 else None)
    np.testing.assert_array_equal(net.vectors.parameters.flat, kept[best])


def test_an_accuracy_is_better_when_larger():
    values = [0.1, 0.2, 0.3, 0.3, 0.3]
    stopping = EarlyStopping("val_accuracy", patience=1)
    classifier().fit(X, LABELS, epochs=5, validation_data=(X, LABELS), callbacks=[Pretend(val_accuracy=values), stopping])
    assert stopping.stopped_epoch == 3


def test_a_callback_may_be_used_again():
    stopping = EarlyStopping("loss", patience=1, restore_best=True)
    for net in (classifier(), classifier(seed=1)):
        net.fit(X, LABELS, epochs=3, callbacks=[Pretend(loss=[1, 2, 3]), stopping])
        assert stopping.stopped_epoch == 1
    assert not same(net, classifier())


@pytest.mark.parametrize(
    ("values", "options", "rates"),
    [
        ([3, 2, 2, 2, 2, 2], {"patience": 2}, [1, 1, 1, 1, 0.5, 0.5]),
        ([3, 2, 2, 2, 2, 2], {"patience": 1, "cooldown": 1}, [1, 1, 1, 0.5, 0.5, 0.25]),
        ([3, 2, 2, 2, 2, 2], {"patience": 1, "min_learning_rate": 0.3}, [1, 1, 1, 0.5, 0.3, 0.3]),
        ([3, 2, 2, 2, 2, 2], {"patience": 1, "min_learning_rate": 7}, None),
        ([6, 5, 4, 3, 2, 1], {"patience": 1}, None),
        ([6, 5, 4, 3, 2, 1], {"patience": 1, "mode": "max", "factor": 0.1}, [1, 1, 0.1, 0.01, 0.001, 0.0001]),
    ],
)
def test_reduce_lr_on_plateau(values, options, rates):
    reduce = ReduceLROnPlateau("loss", **{"factor": 0.5, **options})
    history = classifier().fit(X, LABELS, epochs=6, optimizer=SGD(1.0), callbacks=[Pretend(loss=values), reduce])
    assert history.get("learning_rate") == (None if rates is None else pytest.approx(rates))


def test_terminate_on_nan_ends_quietly_with_the_weights_before():
    net = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.raises(DivergenceError):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3))
    other = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.warns(RuntimeWarning, match="in epoch 2, batch 1: the loss is not finite"):
        other.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3), callbacks=[TerminateOnNaN()])
    assert same(net, other)
    with pytest.warns(RuntimeWarning, match="after epoch 1: loss is nan"):
        history = classifier().fit(X, LABELS, epochs=9, callbacks=[Pretend(loss=[1.0, float("nan")]), TerminateOnNaN()])
    assert len(history["loss"]) == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_logger(separator, tmp_path):
    path, net = tmp_path / "log.csv", classifier()
    path.write_text("old")
    options = {"validation_data": (X, LABELS), "epochs": 3}
    history = net.fit(X, LABELS, callbacks=[CSVLogger(path, separator=separator)], **options)
    rows = list(csv.reader(io.StringIO(path.read_text()), delimiter=separator))
    assert rows[0] == ["epoch", *history]
    assert [[float(value) for value in row] for row in rows[1:]] == [
        [epoch + 1, *(values[epoch] for values in history.values())] for epoch in range(3)
    ]
    net.fit(X, LABELS, callbacks=[CSVLogger(path, separator=separator, append=True)], **options)
    assert [row[0] for row in csv.reader(io.StringIO(path.read_text()), delimiter=separator)] == ["epoch", *"123123"]


@pytest.mark.parametrize(("there", "repair"), [
    ("epoch,loss\n0,1.5\n", "another file"), ("epoch;loss;accuracy\n", "another file"), ("something else", "another file"),
    ("epoch,loss,accuracy\n0,1.5,0", "repair it"),
])
def test_rows_are_not_added_to_another_log(there, repair, tmp_path):
    path, net = tmp_path / "log.csv", classifier()
    path.write_text(there)
    with pytest.raises(ValueError, match=repair):
        net.fit(X, LABELS, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text() == there
    assert same(net, classifier())


@pytest.mark.parametrize("make", [
    lambda path: CSVLogger(path / "log.csv"), lambda path: EarlyStopping("loss", restore_best=True),
    lambda path: TerminateOnNaN(), lambda path: ModelCheckpoint(path / "net.safetensors"), lambda path: LambdaCallback(),
    lambda path: ModelCheckpoint(path / "net.safetensors", save_freq=2), lambda path: ReduceLROnPlateau("loss"),
])
def test_a_callback_may_be_copied_and_pickled_in_a_fit_and_after_it(make, tmp_path):
    """Copies and pickles as in scikit-learn's clone and its searches in processes."""
    callback, copies = make(tmp_path), []

    def take(epoch, logs):
        copies.extend([copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))])

    classifier().fit(X, LABELS, epochs=2, callbacks=[callback, LambdaCallback(on_epoch_end=take)])
    take(2, {})
    for each in copies:
        assert len(classifier().fit(X, LABELS, epochs=2, callbacks=[each])["loss"]) == 2


def test_rows_may_be_added_to_an_empty_file(tmp_path):
    path = tmp_path / "log.csv"
    path.touch()
    classifier().fit(X, LABELS, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text().startswith("epoch,loss,accuracy\n1,")


def test_a_row_is_in_the_file_when_its_epoch_is_over(tmp_path):
    path, lines = tmp_path / "log.csv", []
    count = LambdaCallback(on_epoch_end=lambda epoch, logs: lines.append(len(path.read_text().splitlines())))
    classifier().fit(X, LABELS, epochs=3, callbacks=[CSVLogger(path), count])
    assert lines == [2, 3, 4]


def test_model_checkpoint_keeps_the_best(tmp_path):
    path, net, kept = tmp_path / "best.safetensors", classifier(), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(net.vectors.parameters.flat.copy()))
    save = ModelCheckpoint(path, "accuracy", save_best_only=True)
    pretend = Pretend(accuracy=[0.1, 0.5, 0.3, 0.5])
    net.fit(X, LABELS, epochs=4, callbacks=[save, pretend, keep])  # save comes last all the same
    np.testing.assert_array_equal(Network.load(path).vectors.parameters.flat, kept[1])


def test_model_checkpoint_fills_in_names(tmp_path):
    names = {
        ("a-{epoch:02d}-{val_loss:.0f}.safetensors", "epoch"): {"a-01-3.safetensors", "a-02-1.safetensors"},
        ("b-{epoch}-{batch}.safetensors", 4): {"b-1-4.safetensors", "b-2-2.safetensors", "b-2-6.safetensors"},
    }
    for (name, freq), files in names.items():
        save = ModelCheckpoint(os.path.join(tmp_path, name), save_freq=freq)
        classifier().fit(X, LABELS, epochs=2, batch_size=4, validation_data=(X, LABELS),
                         callbacks=[Pretend(val_loss=[3.0, 1.0]), save])
        assert {path.name for path in tmp_path.glob(name[0] + "*")} == files
    with pytest.raises(ValueError, match=r"not a valid template.*the fields are epoch, loss, accuracy"):
        classifier().fit(X, LABELS, callbacks=[ModelCheckpoint("{val_loss}")])


def test_every_callback_is_at_the_top_level():
    assert all(getattr(fastnn, name) is getattr(callbacks, name) for name in callbacks.__all__)
