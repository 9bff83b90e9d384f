"""Files that claim more memory than they should, or are larger than they should be."""

import io
import json
import sys
import tracemalloc

import numpy as np
import pytest
from hostile_files import parts, sealed
from small_files import FILES, MEMORY, NET, PAYLOAD, READER, TEXT, WHOLE, changed, metadata, refused

from fastnn import Adam, Dense, ModelFormatError, Network, from_torch_state_dict, onnx
from fastnn.files import networks as files
from fastnn.formats.safetensors import HEADER


def described(layers, inputs=1, **more):
    network = json.dumps({"layers": layers, "inputs": inputs, "loss": "squared_error", "dtype": "float32"})
    return changed(metadata(network=network, **more))


def in_header(text):
    return TEXT[:-1] + b', "x": ' + text + b"}"


def in_document(text):
    return changed(metadata(network=text))


FULL = HEADER - 2000
LAYERS = 10**12
GREEDY = {
    "a trillion units": described([{"layer": "Dense", "out_features": LAYERS}]),
    "a number of units of 400 digits": described([{"layer": "Dense", "out_features": 10**400}]),
    "a trillion inputs": described([{"layer": "Dense", "out_features": 1}], LAYERS),
    "many layers": described([{"layer": "Dense", "out_features": 1}] * 20_000),
    "a million layers": described([{"layer": "Dense", "out_features": 1}] * 10**6),
    "many layers without parameters": described([{"layer": "Dropout", "rate": 0.5}] * 18_000),
    "many lists": in_header(b"[" + b"[]," * (FULL // 3 - 2) + b"0]"),
    "lists as many as are read": in_header(b"[" + b"[]," * 55_000 + b"0]"),
    "dicts as many as are read": in_header(b"[" + b'{"":0},' * 40_000 + b"0]"),
    "floats as many as are read": in_header(b"[" + b"1.5," * 160_000 + b"0]"),
    "texts as many as are read": in_header(b"[" + b'"\xf0\x9f\x98\x80a",' * 160_000 + b"0]"),
    "keys as many as are read": in_header(b"{" + b",".join(b'"%d":0.5' % k for k in range(80_000)) + b"}"),
    "a long text": in_header(b'"' + b"a" * (FULL - len(TEXT) - 4) + '😀'.encode() + b'"'),
    "lists in the document": in_document("[" + "[]," * 27_000 + "0]"),
    "a long text in the document": in_document('"' + "a" * (FULL - len(TEXT) - 20) + '😀"'),
}


@pytest.mark.parametrize("text", GREEDY.values(), ids=GREEDY)
def test_memory_is_bounded(text):
    """At most the size of the file and 64 MiB, whatever it claims."""
    payload = sealed(text, PAYLOAD)
    tracemalloc.start()
    try:
        refused(payload, READER)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= len(payload) + MEMORY


@pytest.mark.parametrize("optimizer", [None, Adam()], ids=["network", "checkpoint"])
def test_memory_of_a_file_that_is_taken(optimizer, tmp_path):
    """No weights are drawn, and no tensor is in memory twice."""
    net = Network([Dense(2000), Dense(1)], inputs=2000)
    if optimizer:
        net.fit(np.ones((1, 2000)), np.ones(1), optimizer=optimizer)
        net.save_checkpoint(tmp_path / "file")
    else:
        net.save(tmp_path / "file")
    tracemalloc.start()
    try:
        loaded = Network.load_checkpoint(tmp_path / "file") if optimizer else Network.load(tmp_path / "file")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(loaded.parameters["0.weight"], net.parameters["0.weight"])
    assert peak <= (tmp_path / "file").stat().st_size + 2**20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files with holes differ from system to system")
@pytest.mark.parametrize("load", [Network.load, Network.load_checkpoint, from_torch_state_dict, onnx.load])
def test_a_file_of_nothing_but_a_hole(load, tmp_path):
    """A sparse file that is larger than memory."""
    if load is onnx.load:
        pytest.importorskip("onnx", reason="ONNX needs the extra onnx")
    numbers = 2**41
    network = NET.config() | {"inputs": numbers - 1}
    header = {"__metadata__": {"format": "fastnn-1", "network": json.dumps(network)},
              "0.weight": {"dtype": "F32", "shape": [numbers - 1, 1], "data_offsets": [0, 4 * numbers - 4]},
              "0.bias": {"dtype": "F32", "shape": [1], "data_offsets": [4 * numbers - 4, 4 * numbers]}}
    text = json.dumps(header).encode()
    with open(tmp_path / "file", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        try:
            file.truncate(8 + len(text) + 4 * numbers)
        except OSError as error:
            pytest.skip(f"there are no such files here: {error}")
    with pytest.raises(ModelFormatError, match=r"memory|ONNX has at most|format"):
        load(tmp_path / "file")


def test_names_of_features_do_not_multiply():
    """A long name of a column is part of the names of all its features."""
    pytest.importorskip("pandas", reason="tables need the extra cli")
    whole, reader = FILES["table"]
    text, payload = parts(whole)
    header = json.loads(text)
    table = json.loads(header["__metadata__"]["table"])
    table["preprocessing"]["columns"][1] |= {"name": "n" * 400_000, "categories": [str(k) for k in range(20_000)]}
    header["__metadata__"]["table"] = json.dumps(table)
    tracemalloc.start()
    try:
        assert "characters" in refused(sealed(json.dumps(header).encode(), payload), reader)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    """The file is truncated after it was opened."""
    for size in (5, 100, len(WHOLE) - 1):
        with pytest.raises(ModelFormatError):
            files.read_open(io.BytesIO(WHOLE[:size]), len(WHOLE), READER, "cannot load it")
