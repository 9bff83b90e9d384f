"""Windows that ONNX or its runtime counts differently or refuses: their files compute the same and are read again."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    AveragePool1D,
    AveragePool2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    GlobalAveragePool,
    MaxPool1D,
    MaxPool2D,
    Network,
)

pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")

# with ceil_mode, a window that would begin in the padding is left out; which ONNX's inference of shapes counts
CASES = {
    "left out along one axis": ((28, 2, 3), MaxPool2D(2, padding=((0, 1), (1, 0)), ceil_mode=True)),
    "left out along an axis, incomplete along the other": (
        (8, 6, 3), AveragePool2D((1, 3), stride=(2, 2), padding=((0, 1), (0, 0)), ceil_mode=True, count_padding=True)),
    "incomplete behind padding that counts": (
        (7, 6, 3), AveragePool2D(3, stride=(2, 3), padding=1, ceil_mode=True, count_padding=True)),
    "dilated": ((35, 4), MaxPool1D(2, stride=3, padding=1, dilation=2, ceil_mode=True)),
    "as much padding as kernel, not reached": ((16, 4), MaxPool1D(1, padding=(0, 1), ceil_mode=True)),
    "as much padding as kernel, floor": ((15, 4), AveragePool1D(1, stride=2, padding=(0, 1))),
    "output padding of the stride": ((5, 4, 3), ConvTranspose2D(4, 2, "tanh", dilation=3, output_padding=(1, 2))),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("end", [Flatten, GlobalAveragePool])
@pytest.mark.parametrize("name", CASES)
def test_files_compute_the_same_and_are_read_again(name, end, dtype, tmp_path):
    shape, layer = CASES[name]
    net, path = Network([layer, end(), Dense(3)], inputs=shape, dtype=dtype), tmp_path / "model.onnx"
    net.to_onnx(path)
    X = np.random.default_rng(0).normal(size=(3, *shape)).astype(dtype)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    limit = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(session.run(None, {"input": X})[0], net.forward(X), rtol=limit, atol=limit)
    np.testing.assert_allclose(fastnn.onnx.load(path).forward(X), net.forward(X), rtol=limit, atol=limit)
