"""Checkpoints: which readers accept them, damage, refused contents, and states that cannot be written."""

import json
import os

import numpy as np
import pytest
from nets import classifier
from resumed import again, run
from safetensors import safe_open
from safetensors.numpy import load_file

from fastnn import Adam, Callback, Dense, EarlyStopping, ModelCheckpoint, ModelFormatError, Network
from fastnn.formats.safetensors import to_bytes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


def test_only_a_fit_has_a_checkpoint(path):
    with pytest.raises(ValueError, match="has not been in a fit"):
        classifier().save_checkpoint(path)
    assert not path.exists()


def test_others_can_read_the_tensors(path):
    net = classifier()
    run(net, optimizer=Adam())
    net.save_checkpoint(path)
    tensors = load_file(path)
    assert set(tensors) == {name for each in net.parameters for name in (each, f"optimizer.mean.{each}",
                                                                        f"optimizer.square.{each}")} | {
        f"history.metrics.{name}" for name in net.history} | {"history.learning_rates"}
    np.testing.assert_array_equal(tensors["history.metrics.loss"], net.history["loss"])
    np.testing.assert_array_equal(tensors["1.weight"], net.parameters["1.weight"])


def test_the_two_kinds_of_file_name_each_other(path):
    net = classifier()
    run(net)
    net.save_checkpoint(path)
    with pytest.raises(ModelFormatError, match="load_checkpoint"):
        Network.load(path)
    net.save(path)
    with pytest.raises(ModelFormatError, match=r"read it with Network\.load$"):
        Network.load_checkpoint(path)


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
def test_damage_is_noticed(path, every):
    net = Network([Dense(1)], inputs=1)
    net.fit(np.ones((2, 1)), np.ones(2), optimizer="sgd", callbacks=[EarlyStopping("loss", restore_best=True)])
    net.save_checkpoint(path)
    payload = bytearray(path.read_bytes())
    for place in range(0, len(payload), every):
        payload[place] ^= 1 << place % 8
        path.write_bytes(payload)
        with pytest.raises(ModelFormatError):
            Network.load_checkpoint(path)
        payload[place] ^= 1 << place % 8
    for size in range(0, len(payload), 7 * every):
        path.write_bytes(payload[:size])
        with pytest.raises(ModelFormatError):
            Network.load_checkpoint(path)
    path.write_bytes(payload)
    Network.load_checkpoint(path)


HOSTILE = {
    "no epoch": {"epoch": None},
    "negative epoch": {"epoch": {"number": -1, "random": 0, "totals": [0.0] * 5}},
    "before the data": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, -4.0, 0.0]}},
    "a sample before the data": {"batch_size": 1, "epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, -1.0, 0.0]}},
    "within a batch": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, 3.0, 0.0]}},
    "after the data": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, 24.0, 0.0]}},
    "nowhere": {"epoch": {"number": 2, "random": 0, "totals": [0.0, 0.0, 0.0, float("nan"), 0.0]}},
    "short totals": {"epoch": {"number": 2, "random": 0, "totals": [0.0]}},
    "random beyond 64 bits": {"random": [2**64]},
    "order beyond 64 bits": {"epoch": {"number": 2, "random": 2**64, "totals": [0.0] * 5}},
    "negative order": {"epoch": {"number": 2, "random": -1, "totals": [0.0] * 5}},
    "random of two": {"random": [1, 2]},
    "random of none": {"random": 5},
    "no samples": {"samples": 0},
    "batch of text": {"batch_size": "4"},
    "shuffle of text": {"shuffle": "no"},
    "unknown optimizer": {"optimizer": {"name": "mine", "hyperparameters": {}, "step": 0, "by_name": False}},
    "unknown hyperparameter": {"optimizer": {"name": "adam", "hyperparameters": {"x": 1}, "step": 0, "by_name": False}},
    "negative step": {"optimizer": {"name": "adam", "hyperparameters": {}, "step": -1, "by_name": False}},
    "huge step": {"optimizer": {"name": "adam", "hyperparameters": {}, "step": 2**63, "by_name": False}},
    "slots of another": {"optimizer": {"name": "sgd", "hyperparameters": {}, "step": 0, "by_name": False}},
    "history of a list": {"history": {"metrics": [1.0, 2.0], "learning_rates": []}},
    "ragged history": {"history": {"metrics": {"loss": [0.5]}, "learning_rates": []}},
    "history of text": {"history": {"metrics": {"loss": ["a", "b"]}, "learning_rates": []}},
    "history of another length": {"history": {"metrics": {"loss": {"array": "history.learning_rates"}},
                                              "learning_rates": {"array": "0.bias"}}},
    "history twice of one array": {"history": {"metrics": {"loss": {"array": "history.metrics.loss"},
                                                           "accuracy": {"array": "history.metrics.loss"}},
                                               "learning_rates": {"array": "history.learning_rates"}}},
    "history that is not referred to": {"history": {"metrics": {}, "learning_rates": {"array": "history.learning_rates"}}},
    "totals of text": {"epoch": {"number": 2, "random": 0, "totals": ["0"] * 5}},
    "totals of whole numbers": {"epoch": {"number": 2, "random": 0, "totals": [0] * 5}},
    "seed of text": {"seed": "0"},
    "negative seed": {"seed": -1},
    "schedules in schedules": {"optimizer": {"name": "adam", "step": 0, "by_name": False, "hyperparameters": {
        "learning_rate": json.loads('{"schedule": "WarmUp", "steps": 1, "learning_rate": ' * 20 + "0.1" + "}" * 20)}}},
    "unknown schedule": {"optimizer": {"name": "adam", "step": 0, "by_name": False, "hyperparameters": {
        "learning_rate": {"schedule": "os.system"}}}},
    "an array that is not there": {"callbacks": [["EarlyStopping", {"best_arrays": {"array": "nothing"}}]]},
    "an array of the network": {"callbacks": [["EarlyStopping", {"best_arrays": {"array": "0.weight"}}]]},
    "callbacks of numbers": {"callbacks": [1, 2]},
    "last weights that are not there": {"last": True},
}


def rewrite(path, **changes):
    """Return a checkpoint with a valid checksum around an arbitrary fit."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    metadata["fit"] = json.dumps(json.loads(metadata["fit"]) | changes)
    del metadata["sha256"]
    path.write_bytes(b"".join(to_bytes(load_file(path), metadata)))


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_hostile_fits(changes, path):
    net = classifier()
    run(net, optimizer=Adam(), epochs=2)
    net.save_checkpoint(path)
    rewrite(path)
    assert Network.load_checkpoint(path).history == net.history
    rewrite(path, **changes)
    with pytest.raises(ModelFormatError, match=path.name):
        Network.load_checkpoint(path)


def test_a_failed_save_leaves_what_was_there(path, monkeypatch):
    net = classifier()
    run(net)
    net.save_checkpoint(path)
    before = path.read_bytes()
    run(net)

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        run(net, callbacks=[ModelCheckpoint(path, full=True)])
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_arrays_in_the_state_of_a_callback(path):
    class Keeps(Callback):
        def state(self):
            return {"list": [np.arange(3), {"of": np.ones((2, 2), bool)}], "number": np.float32(0.5), "none": None,
                    "a": {"b": np.array(1.5)}, "a.b": np.array(2.5), "turned": np.arange(6).reshape(2, 3).T}

    net = classifier()
    run(net, callbacks=[Keeps()])
    net, keeps = again(net, path, "file"), Keeps()
    run(net, resume=True, callbacks=[keeps])
    np.testing.assert_equal(keeps.resumed, keeps.state())


@pytest.mark.parametrize("state", [{"of": {"array": "0.weight"}}, {"of": np.array([None])}, {"of": np.array(["text"])},
                                   {"of": "half a \ud800"}, None, [1], {1: 2}, {"of": {1: 2}},
                                   {"of": [object()]}, {"of": 1j}, {"of": {1}}, {"of": np.complex64(1)}, {"\ud800": 1}],
                         ids=["array", "objects", "texts", "half a character", "None", "list", "a number for a key",
                              "a number for a key within", "object", "complex", "set", "complex of NumPy", "half a key"])
def test_a_state_that_could_not_be_read_again_is_not_written(state, path):
    class Keeps(Callback):
        def state(self):
            return state

    net = classifier()
    run(net, callbacks=[Keeps()])
    with pytest.raises(ValueError, match=r"array|(takes|must)"):
        net.save_checkpoint(path)
    assert not path.exists()
