"""Convolution on the two readable rungs: PyTorch's numbers, each other's, and errors. tests/tools/torch_convolutions.py made
the numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastnn import naive, vectorized

STORED = np.load(Path(__file__).parents[1] / "data" / "torch" / "convolutions.npz")
CASES = json.loads(str(STORED["cases"]))
every_rung = pytest.mark.parametrize("rung", [naive, vectorized], ids=["naive", "vectorized"])


def options_of(case):
    return {name: case[name] for name in ("stride", "padding", "dilation", "groups", "output_padding") if name in case}


@every_rung
@pytest.mark.parametrize("number", range(len(CASES)))
def test_numbers_are_those_of_pytorch(rung, number):
    case = CASES[number]
    x, weight, bias, dz = (STORED[f"{number}.{name}"] for name in ("x", "weight", "bias", "dz"))
    z = getattr(rung, f"{case['kind']}_forward")(x, weight, bias, **options_of(case))
    gradients = getattr(rung, f"{case['kind']}_backward")(dz, x, weight, **options_of(case))
    for name, found in zip(("z", "dx", "dweight", "dbias"), (z, *gradients), strict=True):
        np.testing.assert_allclose(found, STORED[f"{number}.{name}"], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize(("size", "kernel", "stride", "dilation"), [
    ((6, 5), (3, 4), (2, 3), (1, 1)), ((4, 7), (2, 3), (3, 1), (1, 2)), ((5, 5), (1, 2), (2, 2), (1, 1)),
])
def test_rungs_agree_on_what_pytorch_does_not_have(kind, size, kernel, stride, dilation):
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(2, *size, 4)), rng.normal(size=(*kernel, 2, 4)), rng.normal(size=4)
    for padding in ("same", ((0, 1), (1, 0))):
        options = {"stride": stride, "dilation": dilation, "padding": padding, "groups": 2}
        z, other = (getattr(rung, f"{kind}_forward")(x, weight, bias, **options) for rung in (vectorized, naive))
        np.testing.assert_allclose(z, other, rtol=1e-12, atol=1e-12)
        dz = rng.normal(size=z.shape)
        found, others = (getattr(rung, f"{kind}_backward")(dz, x, weight, **options) for rung in (vectorized, naive))
        for one, other in zip(found, others, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_same_shapes_of_transposed_convolutions_are_those_of_keras():
    """keras#22876: a kernel of 3, stride 2, of which TensorFlow cuts one pixel off at the end."""
    x, weight = np.array([1.0, 2.0]).reshape(1, 1, 2, 1), np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1)
    z = vectorized.conv_transpose2d_forward(x, weight, [0.0], stride=(1, 2), padding="same")
    assert z.ravel().tolist() == [1, 10, 102, 20]


def test_float32_stays_float32():
    x, weight, bias = np.ones((1, 3, 3, 2), "float32"), np.ones((2, 2, 2, 2), "float32"), np.ones(2, "float32")
    for kind in ("conv2d", "conv_transpose2d"):
        z = getattr(vectorized, f"{kind}_forward")(x, weight, bias)
        assert {z.dtype, *(g.dtype for g in getattr(vectorized, f"{kind}_backward")(z, x, weight))} == {np.dtype("float32")}


@every_rung
@pytest.mark.parametrize(("name", "shapes", "options", "says"), [
    ("conv2d_forward", ((3, 3, 2), (2, 2, 2, 4), (4,)), {}, "must be .batch, height, width, in_channels"),
    ("conv2d_forward", ((1, 3, 3, 2), (2, 2, 3, 4), (4,)), {}, "x has 2 channels"),
    ("conv2d_forward", ((1, 3, 3, 4), (2, 2, 2, 3), (3,)), {"groups": 2}, "groups must divide"),
    ("conv2d_forward", ((1, 3, 3, 2), (2, 2, 2, 4), (3,)), {}, "one for each output channel"),
    ("conv2d_forward", ((1, 3, 3, 2), (4, 2, 2, 4), (4,)), {}, "a 4×2 kernel spans 4 pixels"),
    ("conv2d_forward", ((1, 3, 3, 2), (2, 2, 2, 4), (4,)), {"stride": 0}, "stride is 0"),
    ("conv2d_forward", ((1, 3, 3, 2), (2, 2, 2, 4), (4,)), {"padding": "causal"}, "padding is 'causal'"),
    ("conv2d_backward", ((1, 3, 3, 4), (1, 3, 3, 2), (2, 2, 2, 4)), {}, "dz has shape"),
    ("conv_transpose2d_forward", ((1, 3, 3, 2), (2, 2, 4, 3), (4,)), {}, "x has 2 channels"),
    ("conv_transpose2d_forward", ((1, 3, 3, 2), (2, 2, 4, 2), (4,)), {"output_padding": 1}, "output_padding is 1"),
    ("conv_transpose2d_backward", ((1, 3, 3, 4), (1, 3, 3, 2), (2, 2, 4, 2)), {}, "dz has shape"),
])
def test_what_does_not_fit_is_refused(rung, name, shapes, options, says):
    with pytest.raises(ValueError, match=says):
        getattr(rung, name)(*map(np.ones, shapes), **options)
