"""A saved network loads as the same network; any other file is refused."""

import json
import os
import stat
from functools import partial

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from fastnn import Dense, ModelFormatError, Network, activations, losses
from fastnn.files import networks as files
from fastnn.formats.safetensors import to_bytes

rng = np.random.default_rng(0)
X = rng.normal(size=(20, 5))

NETWORKS = {
    "one number": lambda: Network([Dense(1)], inputs=5),
    "float64": lambda: Network([Dense(3, "softmax")], inputs=5, dtype="float64"),
    "odd widths": lambda: Network([Dense(1), Dense(17, "relu"), Dense(65, "tanh"), Dense(3, "softmax")], inputs=5),
    "deep": lambda: Network([Dense(2, "tanh")] * 12, inputs=5),  # "10.weight" sorts before "2.weight"
    "every activation": lambda: Network([Dense(4, name) for name in activations], inputs=5, loss="squared_error"),
    "initializers": lambda: Network([Dense(4, initializer="zeros"), Dense(2, initializer="he_normal")], inputs=5),
    **{loss: partial(lambda loss, last: Network([Dense(2, last)], inputs=5, loss=loss), loss,
                     "sigmoid" if record.outputs_of_target == 1 else "identity") for loss, record in losses.items()},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def net():
    return Network([Dense(3, "tanh"), Dense(2, "softmax")], inputs=2)


def rewrite(path, architecture, tensors=None, **metadata):
    """Return a file with a valid checksum around an arbitrary architecture and tensors."""
    text = architecture if isinstance(architecture, str) else json.dumps(architecture)
    tensors = load_file(path) if tensors is None else tensors
    metadata = {"format": files.FORMAT, "network": text} | metadata
    parts = to_bytes(tensors, {name: value for name, value in metadata.items() if value is not None})
    path.write_bytes(b"".join(parts))


class NeverMade(Network):
    """Stand-in for memory that must not be allocated."""

    def __init__(self, *arguments, **options):
        raise AssertionError("a network was made")


def refused(path, kind=Network):
    with pytest.raises(ModelFormatError) as caught:
        kind.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


# The same network


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_and_loaded(name, path):
    net = NETWORKS[name]()
    for view in net.parameters.values():
        view[...] = rng.normal(size=view.shape)
    net.save(path)
    loaded = Network.load(path)
    assert loaded.config() == net.config()
    assert repr(loaded) == repr(net)
    assert list(loaded.parameters) == list(net.parameters)
    np.testing.assert_array_equal(loaded.forward(X), net.forward(X))


def test_a_loaded_network_trains(net, path):
    net.save(path)
    loaded = Network.load(path)
    before = net.forward(X[:, :2])
    loaded.fit(X[:, :2], np.arange(20) % 2)
    assert np.abs(loaded.forward(X[:, :2]) - before).max() > 0
    np.testing.assert_array_equal(Network.load(path).forward(X[:, :2]), before)


def test_special_numbers_survive(net, path):
    net.parameters["0.bias"][:] = [np.nan, -0.0, 1e-45]
    net.save(path)
    assert Network.load(path).parameters["0.bias"].tobytes() == net.parameters["0.bias"].tobytes()


def test_others_can_read_the_file(net, path):
    net.save(path)
    tensors = load_file(path)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {n: v.shape for n, v in net.parameters.items()}
    for name, view in net.parameters.items():
        np.testing.assert_array_equal(tensors[name], view)


@pytest.mark.parametrize("digits", range(16))
def test_tensors_begin_at_multiples_of_their_width(digits):
    arrays = {"few": np.zeros(3, np.int8), "wide": np.zeros(2), "narrow": np.zeros(1, np.float32)}
    head, *tensors = to_bytes(arrays, {"note": "1" * digits})
    assert len(head) % 8 == 0
    assert [len(tensor) for tensor in tensors] == [16, 4, 3]


@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path])
def test_a_path_of_any_kind(net, path, kind):
    net.save(kind(path))
    assert Network.load(kind(path)).config() == net.config()


# Damaged, foreign and hostile files


def test_every_truncation_is_noticed(net, path):
    net.save(path)
    payload = path.read_bytes()
    for size in range(len(payload)):
        path.write_bytes(payload[:size])
        refused(path)
    path.write_bytes(payload + b"\0")
    refused(path)


def test_a_flipped_bit_in_any_byte_is_noticed(path):
    Network([Dense(1)], inputs=1).save(path)
    payload = bytearray(path.read_bytes())
    for place in range(len(payload)):
        for bit in {5, place % 8}:  # bit 5 makes small letters of capital ones, which some readers take alike
            payload[place] ^= 1 << bit
            path.write_bytes(payload)
            refused(path)
            payload[place] ^= 1 << bit
    path.write_bytes(payload)
    Network.load(path)


@pytest.mark.parametrize("payload", [b"", b"\0" * 8, b"\0" * 100, b"\xff" * 100, b"PK\x03\x04 a zip", b"{}", b"x" * 10**5])
def test_foreign_files(path, payload):
    path.write_bytes(payload)
    refused(path)


def test_foreign_safetensors(path):
    save_file({"0.weight": np.zeros((2, 3), "float32")}, path)
    assert "fastnn did not write it" in refused(path)
    save_file({"0.weight": np.zeros((2, 3), "float32")}, path, {"format": "pt"})
    assert "'pt'" in refused(path)


@pytest.mark.parametrize("missing", ["format", "network"])
def test_missing_metadata(net, path, missing):
    net.save(path)
    rewrite(path, net.config(), **{missing: None})
    refused(path)


def test_a_file_without_a_checksum(net, path):
    net.save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    del metadata["sha256"]
    save_file(load_file(path), path, metadata)
    assert "checksum" in refused(path)


def test_a_later_format_is_not_guessed_at(net, path):
    net.save(path)
    rewrite(path, net.config(), format="fastnn-99")
    assert f"'fastnn-99'; this fastnn reads versions 1 to {files.NEWEST}" in refused(path)


def dense(**options):
    return {"layer": "Dense", "out_features": 3, "activation": "tanh", "initializer": None} | options


LAST = dense(out_features=2, activation="softmax")
HOSTILE = {
    "unknown layer": {"layers": [dense(layer="Exec"), LAST]},
    "layer of another kind": {"layers": [dense(layer=["Dense"]), LAST]},
    "layer without a name": {"layers": [{"out_features": 3}, LAST]},
    "unknown option": {"layers": [dense(kernel="x"), LAST]},
    "unknown activation": {"layers": [dense(activation="mine"), LAST]},
    "unknown initializer": {"layers": [dense(initializer="mine"), LAST]},
    "huge layer": {"layers": [dense(out_features=10**15), LAST]},
    "layer beyond 64 bits": {"layers": [dense(out_features=2**65), LAST]},
    "huge inputs": {"inputs": 10**15},
    "negative size": {"layers": [dense(out_features=-3), LAST]},
    "text for a size": {"layers": [dense(out_features="3"), LAST]},
    "float for a size": {"layers": [dense(out_features=3.0), LAST]},
    "one layer more": {"layers": [dense(), LAST, dense(out_features=2)]},
    "one layer less": {"layers": [dense()]},
    "no layers": {"layers": []},
    "layers is a dict": {"layers": {"0": dense()}},
    "layers is text": {"layers": "Dense"},
    "layers is a number": {"layers": 3},
    "layers are numbers": {"layers": [1, 2]},
    "inputs is text": {"inputs": "2"},
    "inputs is None": {"inputs": None},
    "unknown loss": {"loss": "mine"},
    "loss is a list": {"loss": []},
    "loss that does not fit": {"loss": "sigmoid_binary_cross_entropy"},
    "another dtype": {"dtype": "float64"},
    "unknown dtype": {"dtype": "float16"},
    "dtype is a list": {"dtype": ["float32"]},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_hostile_architectures(net, path, change):
    net.save(path)
    rewrite(path, net.config())
    Network.load(path)
    rewrite(path, net.config() | change)
    refused(path)


@pytest.mark.parametrize("change", ["huge layer", "layer beyond 64 bits", "huge inputs", "one layer more"])
def test_memory_is_taken_only_for_what_is_in_the_file(net, path, change):
    net.save(path)
    rewrite(path, net.config() | HOSTILE[change])
    refused(path, NeverMade)


@pytest.mark.parametrize("missing", ["layers", "inputs", "loss", "dtype"])
def test_architectures_with_something_missing(net, path, missing):
    net.save(path)
    rewrite(path, {name: value for name, value in net.config().items() if name != missing})
    refused(path)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "3", '"x"', "{", "NaN", "[" * 50_000, '{"a":' * 30_000, "1" * 10_000],
    ids=["nothing", "null", "list", "number", "text", "cut", "NaN", "deep lists", "deep dicts", "long number"],
)
def test_architectures_that_are_none(net, path, text):
    net.save(path)
    rewrite(path, text)
    refused(path)


@pytest.mark.parametrize(
    "change",
    [{"0.weight": np.zeros((3, 2), "float32")}, {"0.weight": np.zeros((2, 3))}, {"2.weight": np.zeros(1, "float32")},
     {"0.bias": np.zeros((3, 1), "float32")}, {"0.bias": np.zeros(3, "int32")}, {"0.bias": np.zeros(0, "float32")}],
    ids=["shape", "dtype", "one more", "axes", "integers", "empty"],
)
def test_tensors_that_do_not_fit(net, path, change):
    net.save(path)
    rewrite(path, net.config(), load_file(path) | change)
    assert "its tensors are not those of its architecture" in refused(path, NeverMade)


def test_a_tensor_missing(net, path):
    net.save(path)
    tensors = load_file(path)
    del tensors["1.bias"]
    rewrite(path, net.config(), tensors)
    assert "its tensors are not those of its architecture" in refused(path, NeverMade)


def test_paths_to_nothing(net, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        Network.load(tmp_path / "nowhere.safetensors")
    with pytest.raises(FileNotFoundError, match=r"there is no directory .*missing.* make it first"):
        net.save(tmp_path / "missing" / "model.safetensors")
    assert "is a directory" in refused(tmp_path)
    with pytest.raises(OSError, match="directory"):
        net.save(tmp_path)
    assert os.listdir(tmp_path) == []


# Atomic writes


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["disk full", "interrupted"])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_save_leaves_what_was_there(net, path, monkeypatch, step, error):
    def fail(*arguments):
        raise error

    net.save(path)
    before = path.read_bytes()
    net.parameters["0.bias"][:] = 5
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        net.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_nothing_else_is_left(net, path):
    for _ in range(2):
        net.save(path)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="permissions as bits are POSIX's")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_new_file(net, path, umask):
    before = os.umask(umask)
    try:
        net.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    net.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights elsewhere")
def test_a_symbolic_link_stays_one(net, tmp_path, path):
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    net.save(link)
    assert link.is_symlink()
    assert Network.load(path).config() == net.config()
