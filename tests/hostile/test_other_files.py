"""A file of the wrong kind is recognized by its first bytes, and the error says what is required."""

import gzip
import io
import json
import pickle

import numpy as np
import pytest

from fastnn import Dense, ModelFormatError, Network, from_torch_state_dict, onnx
from fastnn.formats.signatures import LOOKED_AT, kind_of


def saved(save, *arrays):
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


FILES = {
    "empty": (b"", "empty"),
    "csv": (b"carat,cut,price\n0.2,Good,300\n" * 300, r"a table \(CSV\)"),
    "tab-separated, Windows": (b"\xef\xbb\xbfa\tb\r\n1\t2\r\n", r"a table \(CSV\)"),
    "csv in Latin-1": ("größe;preis\n1;2\n".encode("latin-1"), r"a table \(CSV\)"),
    "csv in UTF-8": (("ß;€\n" * LOOKED_AT).encode(), r"a table \(CSV\)"),
    "json": (json.dumps({"layers": [1] * 30}).encode(), "JSON"),
    "text": (b"import fastnn\n", "text"),
    "pickle": (pickle.dumps(np.ones(9)), "a pickle"),
    "npy": (saved(np.save, np.ones(9)), r"an array of NumPy"),
    "npz": (saved(np.savez, np.ones(9)), "a zip archive, as .*PyTorch"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file, as .h5 of Keras is"),
    "gzip": (gzip.compress(bytes(999)), r"compressed \(gzip\)"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture"),
    "parquet": (b"PAR1" + bytes(99), r"a table \(Parquet\)"),
}
READERS = {"load": Network.load, "load_checkpoint": Network.load_checkpoint, "torch": from_torch_state_dict}


@pytest.mark.parametrize("name", FILES)
def test_it_is_said_what_a_file_seems_to_be(name, tmp_path):
    data, kind = FILES[name]
    path = tmp_path / "model"
    path.write_bytes(data)
    for read in READERS.values():
        with pytest.raises(ModelFormatError, match=f"cannot load .*: it seems to be {kind}.*; it must be a safetensors"):
            read(path)
    pytest.importorskip("onnx", reason="ONNX files need the extra onnx")
    with pytest.raises(ModelFormatError, match=f"cannot load .*: it seems to be {kind}.*; it must be an ONNX file"):
        onnx.load(path)


def test_one_format_for_the_other_names_its_reader(tmp_path):
    pytest.importorskip("onnx", reason="ONNX files need the extra onnx")
    net = Network([Dense(2)], inputs=2)
    net.save(tmp_path / "net.safetensors")
    net.to_onnx(tmp_path / "net.onnx")
    with pytest.raises(ModelFormatError, match=r"to be an ONNX file; .* \(fastnn.onnx.load reads ONNX\)"):
        Network.load(tmp_path / "net.onnx")
    with pytest.raises(ModelFormatError, match=r"to be a safetensors file; .* \(Network.load reads safetensors\)"):
        onnx.load(tmp_path / "net.safetensors")


@pytest.mark.parametrize("data", [bytes(100), b"X", b"\x10" + bytes(99), np.random.default_rng(0).bytes(LOOKED_AT)],
                         ids=["zeros", "a letter", "a length", "noise"])
def test_of_the_rest_nothing_is_guessed(data):
    assert kind_of(data) is None
