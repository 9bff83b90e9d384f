"""A network in other compiled code gives the same bits as the network: outputs, gradients and pullbacks."""

import jit_callers as callers
import layer_cases
import numpy as np
import pytest
from guarded import filled
from jit_nets import WIDTHS, assert_same_gradients, assert_same_outputs, every_case, every_dtype, mixed, samples
from small_nets import LOSSES, OUTPUTS, central_differences, inputs_and_targets

import fastnn
from fastnn import Dense, Dropout, Network, activations
from fastnn.kernels.embedded.memory import STACK_BYTES

rng = np.random.default_rng(0)


@every_dtype
@pytest.mark.parametrize("activation", activations)
def test_outputs(activation, dtype):
    for width in WIDTHS:
        for outputs in (2, 3, 17):
            net = Network([Dense(width, activation), Dense(outputs, activation)], inputs=width, dtype=dtype)
            assert_same_outputs(net, [1, 5, 70])


@every_dtype
def test_outputs_at_any_width(dtype):
    for inputs in WIDTHS:
        for outputs in WIDTHS:
            assert_same_outputs(Network([Dense(outputs, "tanh")], inputs=inputs, dtype=dtype), [1, 3, 65])


@every_dtype
@every_case
def test_outputs_of_every_layer(name, place, dtype):
    assert_same_outputs(layer_cases.network(name, place, dtype=dtype))


@every_dtype
@pytest.mark.parametrize("sizes", [(257, 5), (256, 200, 1), (600, 1), (1100, 130, 2), (3, 300, 70), (40_000, 3),
                                   (2, 40_000)], ids=lambda sizes: "-".join(map(str, sizes)))
def test_outputs_of_large_networks(sizes, dtype):
    """Sums of several chains, and activations too large for the stack."""
    inputs, *widths = sizes
    assert_same_outputs(Network([Dense(width) for width in widths], inputs=inputs, dtype=dtype), [1, 2, 30])


def test_outputs_of_a_network_without_a_row():
    for layers in ([fastnn.Activation("identity")], [Dropout(0.5), fastnn.Activation("identity")]):
        assert_same_outputs(Network(layers, inputs=3))


def test_a_network_without_parameters():
    net = Network([fastnn.Activation("tanh")], inputs=3)
    assert_same_outputs(net)
    assert_same_gradients(net, lambda count: samples(net, count), [1, 5])


def test_no_samples():
    net = mixed()
    callers.forward(net.compiled(), np.empty((0, 5), np.float32), np.empty((0, 3), np.float32))


def test_an_activation_of_ones_own():
    fastnn.register_activation("jit_square", lambda z: z * z, lambda z, a: 2.0 * z)
    net = Network([Dense(5, "jit_square"), Dense(2)], inputs=3)
    assert_same_outputs(net)
    assert_same_gradients(net, lambda count: np.ones((count, 2), np.float32))


@every_dtype
@pytest.mark.parametrize(("activation", "loss"), OUTPUTS)
def test_gradients(activation, loss, dtype):
    net = Network([Dense(17, "tanh"), Dense(3, activation)], inputs=5, loss=loss, dtype=dtype)
    assert_same_gradients(net, lambda count: inputs_and_targets(count, 5, 3, LOSSES[loss])[1].astype(dtype), (1, 5, 300))


@every_dtype
@pytest.mark.parametrize("hidden", activations)
def test_gradients_behind_every_activation(hidden, dtype):
    for width in WIDTHS:
        net = Network([Dense(width, hidden), Dense(width, hidden), Dense(1)], inputs=3, dtype=dtype)
        assert_same_gradients(net, lambda count: rng.normal(size=(count, 1)).astype(dtype), (1, 4, 5, 257))


@every_dtype
@every_case
def test_gradients_of_every_layer(name, place, dtype):
    net = layer_cases.network(name, place, dtype=dtype)
    assert_same_gradients(net, lambda count: np.random.default_rng(3).normal(size=(count, net.outputs)).astype(dtype))


@every_dtype
def test_gradients_with_penalties(dtype):
    net = mixed(dtype)
    assert_same_gradients(net, lambda count: rng.integers(3, size=count))
    large = Network([Dense(90, "relu", l1=1e-3, l2=1e-2), Dense(90, l2=1e-3), Dense(2)], inputs=70, dtype=dtype)
    assert_same_gradients(large, lambda count: np.ones((count, 2), dtype), (1, 300))


@every_dtype
@pytest.mark.parametrize("sizes", [(600, 1), (1100, 130, 2), (3, 300, 70)], ids=lambda sizes: "-".join(map(str, sizes)))
def test_gradients_of_large_networks(sizes, dtype):
    inputs, *widths = sizes
    net = Network([Dense(width) for width in widths], inputs=inputs, dtype=dtype)
    assert_same_gradients(net, lambda count: np.ones((count, net.outputs), dtype))


def test_targets_in_every_form():
    classifier, binary, value = mixed(), Network([Dense(1, "sigmoid")], inputs=5), Network([Dense(1)], inputs=5)
    assert_same_gradients(classifier, lambda count: rng.integers(3, size=count))
    assert_same_gradients(classifier, lambda count: np.eye(3, dtype=np.float32)[rng.integers(3, size=count)])
    assert_same_gradients(binary, lambda count: rng.integers(2, size=count))
    for net in (binary, value):
        assert_same_gradients(net, lambda count: rng.uniform(size=count).astype(np.float32))
        assert_same_gradients(net, lambda count: rng.uniform(size=(count, 1)).astype(np.float32))


@pytest.mark.parametrize("activation", [name for name, record in activations.items() if record.smooth])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_input_gradients_are_differences(activation, count):
    net = Network([Dense(7, activation), Dense(4, activation), Dense(3)], inputs=5, dtype="float64")
    assert_input_gradients(net, count)


@every_case
@pytest.mark.parametrize("count", [1, 5])
def test_input_gradients_of_every_layer_are_differences(name, place, count):
    assert_input_gradients(layer_cases.network(name, place, dtype="float64"), count)


def assert_input_gradients(net, count):
    model, x = net.compiled(), samples(net, count)
    dout, dx = np.random.default_rng(1).normal(size=(count, net.outputs)), filled(x.shape, "float64")
    callers.input_gradients(model, x, dout, dx.array)
    numeric = central_differences(lambda: np.vdot(dout, net.forward(x)), x)
    np.testing.assert_allclose(dx.array, numeric, rtol=1e-6, atol=1e-8)
    assert dx.intact()


@every_dtype
@every_case
def test_pullback_adds_the_gradients_of_the_parameters(name, place, dtype):
    """For the squared error dout is (out − y) / samples."""
    net = layer_cases.network(name, place, dtype=dtype)
    model, tolerance = net.compiled(), 1e-12 if dtype == "float64" else 2e-5
    for count in (1, 5, 300):
        x = samples(net, count)
        y = np.random.default_rng(3).normal(size=(count, net.outputs)).astype(dtype)
        dx, alone, grads = np.empty_like(x), np.empty_like(x), filled(model.parameters.shape, dtype)
        grads.array[...] = 1
        callers.pullback(model, x, (net.forward(x) - y) / count, dx, grads.array)
        callers.input_gradients(model, x, (net.forward(x) - y) / count, alone)
        np.testing.assert_array_equal(dx, alone)
        expected = net.loss_and_gradients(x, y)[1]
        for key, part in fastnn.jit.views(net, grads.array).items():
            np.testing.assert_allclose(part, 1 + expected[key], rtol=tolerance, atol=tolerance * max(1, abs(part).max()))
        assert grads.intact()


def test_vectors_are_pulled_back_like_matrices():
    net = mixed("float64")
    model, x, dout = net.compiled(), samples(net, 1), rng.normal(size=(1, 3))
    dx, grads = np.empty((2, 5)), np.zeros((2, model.parameters.size))
    callers.pullback(model, x, dout, dx[:1], grads[0])
    callers.pullback(model, x[0], dout[0], dx[1], grads[1])
    np.testing.assert_array_equal(dx[0], dx[1])
    np.testing.assert_array_equal(grads[0], grads[1])


def test_the_cases_need_the_heap_and_the_stack():
    """Return both, so that all tests run for both."""
    sizes = [4 * 40_000, 4 * 17]
    assert sizes[0] > STACK_BYTES > sizes[1]
