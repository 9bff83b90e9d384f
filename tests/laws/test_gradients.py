"""The gradients of a compiled network are those of its loss, in float64 and float32."""

import math

import numpy as np
import pytest
from nets import network
from small_nets import LOSSES, OUTPUTS, central_differences, inputs_and_targets

import fastnn
from fastnn import activations

SMOOTH = [name for name, record in activations.items() if record.smooth]

every_activation = pytest.mark.parametrize("activation", activations)


@every_activation
def test_gradients_are_central_differences(activation):
    net = network([4, 3, 3], [activation, "softmax"], "cross_entropy")
    x, y = inputs_and_targets(3, 4, 3, LOSSES["cross_entropy"])
    _, gradients = net.loss_and_gradients(x, y)
    for name, view in net.parameters.items():
        numeric = central_differences(lambda: net.loss_and_gradients(x, y)[0], view)
        np.testing.assert_allclose(gradients[name], numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("hidden", SMOOTH)
def test_gradients_of_smooth_networks_are_right_to_seven_digits(hidden):
    for activation, loss in OUTPUTS:
        if activations[activation].smooth and LOSSES[loss].smooth:
            net = network([3, 4, 2], [hidden, activation], loss)
            x, y = inputs_and_targets(5, 3, 2, LOSSES[loss])
            assert fastnn.check_gradients(net, x, y).max_relative_error <= 1e-7, (activation, loss)


def assert_float32_gradients(net, x, y):
    """Within 5e-5 of the gradients in float64, by norm, on the same numbers."""
    single = net.astype("float32")
    net, x, y = single.astype("float64"), x.astype("float32"), y.astype("float32")
    loss, gradients = single.loss_and_gradients(x, y)
    exact_loss, exact = net.loss_and_gradients(x, y)
    difference = math.sqrt(sum(((gradients[name] - exact[name])**2).sum() for name in exact))
    assert difference <= 5e-5 * math.sqrt(sum((array**2).sum() for array in exact.values()))
    assert loss == pytest.approx(exact_loss, rel=5e-5)
    assert {array.dtype.name for array in gradients.values()} == {"float32"}


@every_activation
def test_float32_gradients_of_a_hidden_activation(activation):
    assert_float32_gradients(network([4, 17, 3], [activation, "softmax"], "cross_entropy"),
                             *inputs_and_targets(65, 4, 3, LOSSES["cross_entropy"]))


@pytest.mark.parametrize(("activation", "loss"), OUTPUTS)
def test_float32_gradients_of_an_output_and_loss(activation, loss):
    assert_float32_gradients(network([4, 5, 3], ["tanh", activation], loss), *inputs_and_targets(65, 4, 3, LOSSES[loss]))


def test_the_notes_sigmoid_with_squared_error():
    net = network([1, 1], ["sigmoid"], "squared_error")
    a = 1 / (1 + math.exp(-(net.parameters["0.weight"][0, 0] * 2 + net.parameters["0.bias"][0])))
    loss, gradients = net.loss_and_gradients([[2.0]], [1.0])
    assert loss == pytest.approx((a - 1)**2 / 2)
    assert gradients["0.bias"][0] == pytest.approx((a - 1) * a * (1 - a))


@pytest.mark.parametrize("distance", [3e-5, -3e-5, 2e-6])
def test_a_kink_nearby_is_no_failure(distance):
    """A sample at which relu's input is closer to 0 than the step of the differences."""
    net = fastnn.Network([fastnn.Dense(2, "relu"), fastnn.Dense(1)], inputs=1, dtype="float64")
    net.parameters["0.weight"][:], net.parameters["0.bias"][:] = 1.0, [0.0, 1.0]
    X = np.array([[distance], [0.7]])
    assert fastnn.check_gradients(net, X, [1.0, 0.0]).passed
