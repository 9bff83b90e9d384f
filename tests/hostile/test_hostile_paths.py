"""Paths that are not files, and what a file must not do: open other files, execute anything, use unregistered names."""

import json
import os
import subprocess
import sys

import pytest
from hostile_files import sealed
from patience import PATIENCE
from small_files import FILES, NET, PAYLOAD, READER, changed, every_file, metadata, read, refused

from fastnn import Network, load_keras, onnx, register_activation


def printed(program, *arguments):
    """Return the output of a program in its own process."""
    run = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True,
                         timeout=PATIENCE)
    assert run.returncode == 0, run.stderr
    return run.stdout


LOADERS = {"network": Network.load, "checkpoint": Network.load_checkpoint, "onnx": onnx.load, "keras": load_keras}
NO_FILES = """
import sys
from fastnn import ModelFormatError, Network, load_keras, onnx
load = {"network": Network.load, "checkpoint": Network.load_checkpoint, "onnx": onnx.load, "keras": load_keras}[sys.argv[1]]
for path in sys.argv[2:]:
    try:
        load(path)
        print("taken", path)
    except ModelFormatError as error:
        assert path in str(error), error
"""


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices with names are POSIX's")
@pytest.mark.parametrize("kind", LOADERS)
def test_directories_pipes_and_devices(kind, tmp_path):
    """None is read, and none blocks."""
    for package in {"onnx": ["onnx"], "keras": ["h5py"]}.get(kind, []):
        pytest.importorskip(package, reason=f"it needs the extra {kind}")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    paths = [tmp_path, tmp_path / "pipe", tmp_path / "link", "/dev/zero", "/dev/null", "/dev/urandom"]
    assert printed(NO_FILES, kind, *paths) == ""


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights elsewhere")
def test_links_to_files_are_followed_and_links_to_nothing_are_not_there(tmp_path):
    NET.save(tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "round").symlink_to("round")
    assert Network.load(tmp_path / "link").config() == NET.config()
    with pytest.raises(OSError, match="round"):
        Network.load(tmp_path / "round")


WATCHED = """
import os, sys
from fastnn import Network
if sys.argv[2] == "table":
    from fastnn.tables import TableModel
load = {"network": Network.load, "checkpoint": Network.load_checkpoint}.get(sys.argv[2]) or TableModel.load
path, seen = sys.argv[1], []
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if watching else None)
watching = True
load(path)
watching = False
harmless = {"object.__getattr__", "object.__setattr__", "builtins.id", "ctypes.cdata"}  # the last two: addresses of arrays
for event, arguments in seen:
    if event != "open" or os.fspath(arguments[0]) != path:
        if event not in harmless:
            print(event, arguments)
assert any(event == "open" for event, _ in seen)
"""


@every_file
def test_loading_does_nothing_else(kind, tmp_path):
    """It only opens the file: no import, no evaluation, no pickle, no process, no other path."""
    (tmp_path / "file").write_bytes(FILES[kind][0])
    assert printed(WATCHED, tmp_path / "file", kind) == ""


@pytest.mark.parametrize("name", ["os.system", "fastnn.files.networks", "builtins.eval", "../own.py", "/etc/passwd"])
@pytest.mark.parametrize("field", ["layer", "activation", "initializer", "loss"])
def test_names_are_looked_up_in_the_registries_alone(name, field):
    layer = {"layer": "Dense", "out_features": 1, "activation": "identity", "initializer": None} | {field: name}
    network = {"layers": [layer], "inputs": 1, "loss": "squared_error", "dtype": "float32"}
    if field == "loss":
        del layer["loss"]
        network["loss"] = name
    refused(sealed(changed(metadata(network=json.dumps(network))), PAYLOAD), READER)


def test_an_activation_of_ones_own_is_found_once_it_is_registered():
    name = "own_of_hostile_files"
    text = changed(metadata(network=json.dumps(NET.config() | {"loss": "squared_error", "layers": [
        {"layer": "Dense", "out_features": 1, "activation": name, "initializer": None}]})))
    assert name in refused(sealed(text, PAYLOAD), READER)
    register_activation(name, lambda z: z * 2.0, lambda z, a: 2.0)
    assert read(sealed(text, PAYLOAD), READER).layers[0].activation == name
