"""Normalization and dropout in loops, in NumPy and compiled give the same results, and so do networks of them."""

import doctest
import re

import numpy as np
import pytest
from guarded import results_of
from layer_cases import unsettled
from small_nets import SIZES, central_differences

import fastnn
from fastnn import (
    SGD,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    Network,
    Reshape,
    check_gradients,
    kernels,
    naive,
    vectorized,
)
from fastnn.cli.compare import FUNCTIONS_OF_LAYERS
from fastnn.compiled import layer_calls

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
FUNCTIONS = FUNCTIONS_OF_LAYERS | {"batch_norm_running": ("mean", "variance", "x", "momentum")}
SHAPES = [(n, 3) for n in SIZES[1:]] + [(2, n) for n in SIZES] + [(65, 65)]

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
every_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture(autouse=True)
def results(monkeypatch):
    yield from results_of(layer_calls, monkeypatch)


def arguments(name, shape, dtype="float64"):
    rng = np.random.default_rng(sum(shape))
    x, da = rng.normal(size=(2, *shape)).astype(dtype)
    scale, shift, mean = rng.normal(size=(3, shape[1])).astype(dtype)
    numbers = {"x": x, "da": da, "scale": scale, "shift": shift, "mean": mean,
               "variance": rng.uniform(0.1, 2, size=shape[1]).astype(dtype), "rate": 0.3, "word": 2**63 + 17,
               "momentum": 0.8}
    return {key: numbers[key] for key in FUNCTIONS[name]}


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


@every_dtype
@every_shape
@every_function
def test_three_rungs(name, shape, dtype):
    given = arguments(name, shape, dtype)
    exact = {key: np.asarray(value, float) if isinstance(value, np.ndarray) else value for key, value in given.items()}
    compiled = as_tuple(getattr(kernels, name)(**given))
    for rung in (naive, vectorized):
        for result, expected in zip(compiled, as_tuple(getattr(rung, name)(**exact)), strict=True):
            assert result.dtype == dtype
            scale = max(1, np.abs(expected).max())
            np.testing.assert_allclose(result, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


@every_dtype
@every_function
def test_threads_change_no_bit(monkeypatch, name, dtype):
    monkeypatch.setattr(layer_calls, "NUMBERS_PER_PART", 1)  # so that even this is cut into parts
    given = arguments(name, (37, 65), dtype)
    alone = as_tuple(getattr(kernels, name)(**given, threads=1))
    for threads in (2, 3, 8):
        for one, other in zip(alone, as_tuple(getattr(kernels, name)(**given, threads=threads)), strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("layer", ["batch_norm", "layer_norm"])
def test_backward_is_the_derivative_of_forward(layer):
    given = arguments(f"{layer}_forward", (5, 3))
    da = np.random.default_rng(1).normal(size=(5, 3))
    gradients = getattr(vectorized, f"{layer}_backward")(da, given["x"], given["scale"])
    for array, gradient in zip(given.values(), gradients, strict=True):
        numeric = central_differences(lambda: (da * getattr(vectorized, f"{layer}_forward")(**given)).sum(), array)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


@every_dtype
@pytest.mark.parametrize("layer", ["batch_norm", "layer_norm"])
def test_numbers_far_from_zero_lose_no_digits_but_their_own(layer, dtype):
    x = 1000 + np.random.default_rng(0).normal(size=(512, 512)).astype(dtype)
    given = {"x": x, "scale": np.ones(512, dtype), "shift": np.zeros(512, dtype)}
    exact = getattr(vectorized, f"{layer}_forward")(**{key: array.astype(float) for key, array in given.items()})
    a = getattr(kernels, f"{layer}_forward")(**given)
    np.testing.assert_allclose(a, exact, atol=5 * 1000 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(1, 3), (3,), (0, 3)], ids=str)
def test_statistics_of_a_batch_need_one(shape):
    for rung in (kernels, naive, vectorized):
        for name in ("batch_norm_forward", "batch_norm_backward", "batch_norm_running"):
            with pytest.raises(ValueError, match=r"x has shape .*at least two samples .*batch_norm_predict"):
                getattr(rung, name)(**arguments(name, (1, 3)) | {"x": np.ones(shape)})


@every_function
@pytest.mark.parametrize("shape", [(3,), (2, 3, 1), (2, 0), (2, 0, 3)], ids=str)
def test_what_is_no_batch_of_rows(name, shape):
    if name.startswith("dropout") and shape == (2, 3, 1):
        pytest.skip("it takes samples of any shape")
    given = arguments(name, (2, 3))
    given |= {key: np.ones(shape) for key in ("x", "da") if key in given}
    given |= {key: np.ones(shape[1:2]) for key in ("scale", "shift", "mean", "variance") if key in given}
    with pytest.raises(ValueError, match=rf"has shape {re.escape(str(shape))}"):
        getattr(kernels, name)(**given)


@pytest.mark.parametrize("shape", [(2, 3, 1), (5, 2, 3, 4), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("name", ["dropout_forward", "dropout_backward"])
def test_dropout_of_any_shape(name, shape):
    """It drops the same numbers as of the same samples in one axis."""
    x, word = np.random.default_rng(1).normal(size=shape), 2**63 + 17
    for rung in (naive, vectorized, kernels):
        function = getattr(rung, name)
        flat = np.asarray(function(x.reshape(len(x), -1), 0.3, word))
        np.testing.assert_array_equal(np.asarray(function(x, 0.3, word)), flat.reshape(shape))
        np.testing.assert_allclose(flat, vectorized.dropout_forward(x.reshape(len(x), -1), 0.3, word), rtol=1e-12)


@every_function
def test_vectors_that_do_not_fit(name):
    given = arguments(name, (2, 3))
    for key in given.keys() & {"scale", "shift", "mean", "variance"}:
        for rung in (kernels, naive, vectorized):
            with pytest.raises(ValueError, match=rf"{key} has shape \(2,\); with x of shape \(2, 3\) it takes \(3,\)"):
                getattr(rung, name)(**given | {key: np.ones(2)})


@pytest.mark.parametrize("name", [name for name, keys in FUNCTIONS.items() if {"x", "da"} <= set(keys)])
def test_gradients_that_do_not_fit(name):
    with pytest.raises(ValueError, match=r"da has shape \(3, 3\)"):
        getattr(kernels, name)(**arguments(name, (2, 3)) | {"da": np.ones((3, 3))})


def test_examples_run():
    assert doctest.testmod(layer_calls).failed == 0


# Networks


@pytest.fixture
def net():
    net = Network([Dense(7), BatchNorm(0.6, 1e-2), Activation("tanh"), Dropout(0.4), LayerNorm(1e-2), Dense(3, "softmax")],
                  inputs=5, dtype="float64")
    return unsettled(net)


X, Y = np.random.default_rng(2).normal(size=(11, 5)), np.eye(3)[np.arange(11) % 3]


def test_prediction(net):
    p, s, v = net.parameters, net.state, vectorized
    h = v.linear_forward(X, p["0.weight"], p["0.bias"])
    h = v.batch_norm_predict(h, p["1.scale"], p["1.shift"], s["1.running_mean"], s["1.running_variance"], 1e-2)
    h = v.layer_norm_forward(v.tanh(h), p["4.scale"], p["4.shift"], 1e-2)
    expected = v.softmax(v.linear_forward(h, p["5.weight"], p["5.bias"]))
    np.testing.assert_allclose(net.forward(X), expected, rtol=1e-12)


def test_training(net):
    p, v, word = net.parameters, vectorized, int(net.vectors.random[1 + 3])
    z = v.linear_forward(X, p["0.weight"], p["0.bias"])
    normalized = v.batch_norm_forward(z, p["1.scale"], p["1.shift"], 1e-2)
    a = v.tanh(normalized)
    dropped = v.dropout_forward(a, 0.4, word)
    h = v.layer_norm_forward(dropped, p["4.scale"], p["4.shift"], 1e-2)
    logits = v.linear_forward(h, p["5.weight"], p["5.bias"])
    expected = {}
    dlogits = v.softmax_cross_entropy_gradient(logits, Y)
    dh, expected["5.weight"], expected["5.bias"] = v.linear_backward(dlogits, h, p["5.weight"])
    ddropped, expected["4.scale"], expected["4.shift"] = v.layer_norm_backward(dh, dropped, p["4.scale"], 1e-2)
    dnormalized = v.dropout_backward(ddropped, 0.4, word) * v.tanh_prime(normalized, a)
    dz, expected["1.scale"], expected["1.shift"] = v.batch_norm_backward(dnormalized, z, p["1.scale"], 1e-2)
    _, expected["0.weight"], expected["0.bias"] = v.linear_backward(dz, X, p["0.weight"])

    loss, gradients = net.loss_and_gradients(X, Y, training=True)
    assert loss == pytest.approx(v.softmax_cross_entropy(logits, Y), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-11, atol=1e-14)

    running = v.batch_norm_running(net.state["1.running_mean"], net.state["1.running_variance"], z, 0.6)
    net.fit(X, Y, batch_size=len(X), shuffle=False, optimizer=SGD(0.1))
    np.testing.assert_allclose(net.state["1.running_mean"], running[0], rtol=1e-12)
    np.testing.assert_allclose(net.state["1.running_variance"], running[1], rtol=1e-12)
    assert int(net.vectors.random[1 + 3]) == (word + 0x9E3779B97F4A7C15) % 2**64


def test_names_are_those_of_the_other_rungs():
    for rung in (kernels, naive, vectorized):
        assert set(FUNCTIONS) <= set(dir(rung))
    assert fastnn.kernels.batch_norm_forward is layer_calls.batch_norm_forward


def test_views_between():
    """Flatten and Reshape have no functions: arrays are reshaped directly."""
    net = unsettled(Network([Dense(12), Reshape((2, 3, 2)), Activation("gelu"), Dropout(0.3), Reshape((4, 3)),
                             Activation("tanh"), Flatten(), LayerNorm(1e-2), Dense(3, "softmax")], inputs=5,
                            dtype="float64"))
    p, word = net.parameters, int(net.vectors.random[1 + 3])
    for rung in (naive, vectorized, kernels):
        h = np.reshape(rung.linear_forward(X, p["0.weight"], p["0.bias"]), (-1, 2, 3, 2))
        h = np.reshape(rung.dropout_forward(rung.gelu(h), 0.3, word), (-1, 4, 3))
        h = rung.layer_norm_forward(np.reshape(rung.tanh(h), (-1, 12)), p["7.scale"], p["7.shift"], 1e-2)
        a = rung.softmax(rung.linear_forward(h, p["8.weight"], p["8.bias"]))
        loss, _ = net.loss_and_gradients(X, Y, training=True)
        assert rung.cross_entropy(a, Y) == pytest.approx(loss, rel=1e-12)
    assert check_gradients(net, X, Y, training=True).passed
    assert check_gradients(net, X, Y).passed
