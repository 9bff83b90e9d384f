"""Callbacks of a resumed fit continue with their states."""

import os

import pytest
from nets import X, classifier, same
from resumed import StopAfter, again, run

from fastnn import SGD, Adam, CSVLogger, Dense, DivergenceError, EarlyStopping, ModelCheckpoint, Network, ReduceLROnPlateau


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


@pytest.mark.parametrize("by", ["memory", "file"])
@pytest.mark.parametrize("after", [1, 13, 20])
def test_callbacks_go_on_where_they_stood(after, by, path, tmp_path):
    """The best weights, the patience, the learning rate and the log are those of a fit without an interruption."""

    def callbacks(log):
        return [EarlyStopping("val_loss", patience=2, restore_best=True), CSVLogger(tmp_path / log),
                ReduceLROnPlateau("val_loss", factor=0.5, patience=1)]

    whole, net = classifier(), classifier()
    history = run(whole, epochs=30, optimizer=Adam(0.1), callbacks=callbacks("whole.csv"))
    assert 4 < len(history["loss"]) < 30
    run(net, epochs=30, optimizer=Adam(0.1), callbacks=[*callbacks("parts.csv"), StopAfter(after)])
    net = again(net, path, by)
    assert run(net, epochs=30, resume=True, callbacks=callbacks("parts.csv")) == history
    assert same(net, whole)
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert run(net, epochs=30, resume=True, callbacks=callbacks("parts.csv")) == history  # it had stopped, and stays so
    assert same(net, whole)


def test_more_patience_goes_on_from_the_last_weights(path):
    whole, net = classifier(), classifier()
    patient = EarlyStopping("val_loss", patience=9, restore_best=True)
    run(whole, epochs=30, optimizer=Adam(0.1), callbacks=[patient])
    run(net, epochs=30, optimizer=Adam(0.1), callbacks=[EarlyStopping("val_loss", patience=2, restore_best=True)])
    assert len(net.history["loss"]) < len(whole.history["loss"])
    net = again(net, path, "file")
    run(net, epochs=30, resume=True, callbacks=[EarlyStopping("val_loss", patience=9, restore_best=True)])
    assert net.history == whole.history
    assert same(net, whole)


@pytest.mark.parametrize("freq", ["epoch", 1, 4, 7])
def test_what_model_checkpoint_left_is_gone_on_with(freq, tmp_path):
    """As after a crash: only the files of the process are left."""
    whole = classifier()
    stopping = EarlyStopping("loss", patience=50, restore_best=True)
    checkpoints = ModelCheckpoint(os.path.join(tmp_path, "{epoch}-{loss:.3f}.safetensors"), save_freq=freq, full=True)
    history = run(whole, optimizer=Adam(0.05), callbacks=[checkpoints, stopping, CSVLogger(tmp_path / "log.csv")])
    log = (tmp_path / "log.csv").read_bytes()
    left = sorted(tmp_path.glob("*.safetensors"))
    assert len(left) >= 3
    for each in left:
        net = Network.load_checkpoint(each)
        stopping = EarlyStopping("loss", patience=50, restore_best=True)
        assert run(net, resume=True, callbacks=[stopping, CSVLogger(tmp_path / "log.csv")]) == history
        assert same(net, whole)
        assert (tmp_path / "log.csv").read_bytes() == log


def test_after_divergence_with_a_smaller_rate(path):
    net = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.raises(DivergenceError):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3))
    net = again(net, path, "file")
    with pytest.raises(DivergenceError):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, resume=True)
    net.parameters["0.weight"][:] *= 1e-30
    net.parameters["1.weight"][:] *= 1e-30
    net.optimizer.learning_rate = 1e-30
    assert len(net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, resume=True)["loss"]) == 100
