"""Recurrent layers as ONNX files: every option in both precisions, read again as the same network."""

import numpy as np
import pytest

import fastnn
from fastnn import GRU, LSTM, Dense, Network, SimpleRNN

pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")

LAYERS = {"relu": SimpleRNN(4, nonlinearity="relu"), "steps": SimpleRNN(4, return_sequences=True, reverse=True),
          "after": GRU(4, return_sequences=True), "before": GRU(4, reset_after=False, reverse=True),
          "cell": LSTM(4, reverse=True), "peepholes": LSTM(4, peepholes=True, return_sequences=True, reverse=True)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_file_computes_the_same_and_is_read_again(name, dtype, tmp_path):
    net = Network([LAYERS[name], *([] if not LAYERS[name].return_sequences else [GRU(3)]), Dense(2)], inputs=(5, 3),
                  dtype=dtype, seed=1)
    rng = np.random.default_rng(0)
    for array in net.parameters.values():
        array[...] += rng.normal(size=array.shape) * 0.3
    net.to_onnx(tmp_path / "net.onnx")
    X = rng.normal(size=(7, 5, 3)).astype(dtype)
    found = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, {"input": X})[0]
    np.testing.assert_allclose(found, net.forward(X), atol=1e-6 if dtype == "float32" else 1e-12)
    again = fastnn.onnx.load(tmp_path / "net.onnx")
    assert again.config() == net.config()
    assert all(np.array_equal(array, net.parameters[key]) for key, array in again.parameters.items())


def test_an_activation_without_an_operator_is_refused_in_float32(tmp_path):
    net = Network([SimpleRNN(4, nonlinearity="gelu")], inputs=(5, 3))
    with pytest.raises(ValueError, match="RNN has the activations tanh, relu, sigmoid"):
        net.to_onnx(tmp_path / "net.onnx")
    Network([SimpleRNN(4, nonlinearity="gelu")], inputs=(5, 3), dtype="float64").to_onnx(tmp_path / "net.onnx")
