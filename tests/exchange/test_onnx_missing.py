"""Without the package onnx everything else works, and functions that need it raise an error that says how to install it."""

import sys

import pytest

import fastnn


@pytest.mark.parametrize("use", [lambda path: fastnn.Network([fastnn.Dense(1)], inputs=1).to_onnx(path),
                                 lambda path: fastnn.onnx.load(path)], ids=["export", "load"])
def test_onnx_missing(use, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "fastnn-numba\[onnx\]"'):
        use(path)
    assert path.read_bytes() == b""
