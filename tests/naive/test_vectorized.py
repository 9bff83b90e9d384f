"""NumPy, the reference of the other implementations, compared with finite differences and the laws of averages."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from small_nets import LOSSES, OUTPUTS, central_differences, inputs_and_targets, outputs_for, random_net

from fastnn import naive, vectorized
from fastnn.kernels.activations import activations
from fastnn.kernels.losses import losses

MODULES = ["fastnn.vectorized", *(f"fastnn.vectorized.{each.name}" for each in pkgutil.iter_modules(vectorized.__path__))]
FUSED = [(name, activation, on_logits) for name, loss in losses.items() for activation, on_logits in loss.on_logits.items()]

every_activation = pytest.mark.parametrize("activation", activations.values(), ids=lambda record: record.name)
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda record: record.name)
every_output = pytest.mark.parametrize(("activation", "loss"), OUTPUTS)
every_fused_pair = pytest.mark.parametrize(("loss", "activation", "on_logits"), FUSED, ids=[name for name, _, _ in FUSED])


def assert_close(gradient, differences):
    assert np.linalg.norm(gradient - differences) <= 1e-7 * max(1.0, np.linalg.norm(differences))


def assert_gradients_right(parameters, names, x, y, loss, weights=None):
    """`backward` compared with central differences of `forward` and the loss."""

    def J():
        return getattr(vectorized, loss)(vectorized.forward(parameters, names, x)[-1][1], y, weights)

    value, gradients = vectorized.backward(parameters, names, x, y, loss, weights)
    assert value == pytest.approx(J(), rel=1e-12)
    for layer, gradient in zip(parameters, gradients, strict=True):
        for array, derivative in zip(layer, gradient, strict=True):
            assert derivative.shape == array.shape
            assert_close(derivative, central_differences(J, array))


@every_output
def test_gradients_of_every_output_and_loss(activation, loss):
    x, y = inputs_and_targets(5, 3, 2, LOSSES[loss])
    assert_gradients_right(random_net([3, 4, 2]), ["tanh", activation], x, y, loss)


@every_activation
def test_gradients_of_every_hidden_activation(activation):
    x, y = inputs_and_targets(7, 3, 3, LOSSES["cross_entropy"])
    assert_gradients_right(random_net([3, 5, 4, 3]), [activation.name, activation.name, "softmax"], x, y, "cross_entropy")


@every_output
def test_gradients_of_weighted_samples(activation, loss):
    x, y = inputs_and_targets(5, 3, 2, LOSSES[loss])
    assert_gradients_right(random_net([3, 2]), [activation], x, y, loss, weights=[0.0, 1.0, 0.3, 2.0, 5.0])


@pytest.mark.parametrize("batch", [1, 3, 17, 65])
def test_gradients_of_the_notes_net(batch):
    """Sigmoid with ½(ŷ − y)²."""
    x, y = inputs_and_targets(batch, 2, 1, LOSSES["binary_cross_entropy"])
    assert_gradients_right(random_net([2, 3, 1]), ["tanh", "sigmoid"], x, y, "squared_error")


@every_loss
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5]])
def test_value_and_gradient_of_a_loss_belong_together(loss, weights):
    a = outputs_for(loss, (3, 4))
    _, y = inputs_and_targets(3, 1, 4, loss)
    value, gradient = getattr(vectorized, loss.name), getattr(vectorized, f"{loss.name}_gradient")
    assert_close(gradient(a, y, weights), central_differences(lambda: value(a, y, weights), a))


@every_loss
def test_a_weight_is_a_number_of_copies(loss):
    a = outputs_for(loss, (3, 2))
    _, y = inputs_and_targets(3, 1, 2, loss)
    value, gradient = getattr(vectorized, loss.name), getattr(vectorized, f"{loss.name}_gradient")
    copies = [0, 1, 1, 2, 2, 2]
    assert value(a, y, [1, 2, 3]) == pytest.approx(value(a[copies], y[copies]), rel=1e-14)
    summed = np.zeros_like(a)
    np.add.at(summed, copies, gradient(a[copies], y[copies]))
    np.testing.assert_allclose(gradient(a, y, [1, 2, 3]), summed, rtol=1e-14)
    np.testing.assert_allclose(gradient(a, y, [0.2] * 3), gradient(a, y), rtol=1e-14)


@every_fused_pair
def test_on_logits_is_the_loss_of_the_activation(loss, activation, on_logits):
    z = np.random.default_rng(5).normal(size=(9, 3))
    a = getattr(vectorized, activation)(z)
    _, y = inputs_and_targets(9, 1, 3, on_logits)
    assert getattr(vectorized, on_logits.name)(z, y) == pytest.approx(getattr(vectorized, loss)(a, y), rel=1e-12)
    da = getattr(vectorized, f"{loss}_gradient")(a, y)
    dz = vectorized.records.pullback(activations[activation], da, z, a)
    np.testing.assert_allclose(getattr(vectorized, f"{on_logits.name}_gradient")(z, y), dz, rtol=1e-12, atol=1e-14)


@every_fused_pair
def test_fused_pairs_stay_finite(loss, activation, on_logits):
    """Where every output has rounded to 0 or 1, on the wrong side."""
    parameters = [(np.array([[1000.0, -1000.0]]), np.zeros(2))]
    value, [(dweight, dbias)] = vectorized.backward(parameters, [activation], [[1.0]], [[0.0, 1.0]], loss)
    smoothed = loss.startswith("smoothed")  # by 0.1: 0.05 of the target of two classes is on the other side
    assert (950 if smoothed else 1000) <= value < np.inf
    z, y = [[1000.0, -1000.0]], [[0.0, 1.0]]
    expected = getattr(naive, f"{on_logits.name}_gradient")(z, y)
    assert expected[0][1] == pytest.approx(-0.95 if smoothed else -1)
    np.testing.assert_allclose(dweight, expected)
    np.testing.assert_allclose(dbias, expected[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_output
def test_dtype_is_kept(activation, loss, dtype):
    parameters = [(weight.astype(dtype), bias.astype(dtype)) for weight, bias in random_net([3, 4, 2])]
    x, y = inputs_and_targets(5, 3, 2, LOSSES[loss])
    layers = vectorized.forward(parameters, [activation, activation], x.astype(dtype))
    value, gradients = vectorized.backward(parameters, [activation, activation], x.astype(dtype), y, loss, np.ones(5))
    assert type(value) is float
    assert {array.dtype.name for layer in [*layers, *gradients] for array in layer} == {dtype}


def test_float32_is_near_float64():
    x, y = inputs_and_targets(17, 5, 3, LOSSES["cross_entropy"])
    double = random_net([5, 8, 3])
    single = [(weight.astype(np.float32), bias.astype(np.float32)) for weight, bias in double]
    _, exact = vectorized.backward(double, ["gelu", "softmax"], x, y, "cross_entropy")
    _, rounded = vectorized.backward(single, ["gelu", "softmax"], x.astype(np.float32), y, "cross_entropy")
    for layer, again in zip(exact, rounded, strict=True):
        for array, near in zip(layer, again, strict=True):
            assert np.linalg.norm(array - near) <= 1e-6 * np.linalg.norm(array)


def test_broadcast_bias():
    z = vectorized.linear_forward(np.zeros((17, 3)), np.zeros((3, 2)), [1.0, 2.0])
    np.testing.assert_array_equal(z, np.tile([1.0, 2.0], (17, 1)))


def test_logistic_regression_separates():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(65, 2))
    y = X @ [2.0, -1.0] > 0.5
    w, b, history = vectorized.logistic_regression(X, y, learning_rate=1.0, epochs=2000)
    assert np.mean((X @ w + b > 0) == y) >= 0.95
    assert history[-1] < 0.1


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
