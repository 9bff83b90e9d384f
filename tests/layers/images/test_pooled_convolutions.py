"""A convolution that is computed with the max pool behind it: the same numbers as one after the other, in all options."""

import jit_callers as callers
import numpy as np
import pytest

from fastnn import Activation, Conv2D, Dense, Flatten, MaxPool2D, Network
from fastnn.network.layer_outputs import layer_outputs
from fastnn.program.base import Program


def nets(activation):
    """The convolutions and pools of nets: {name: (input shape, layers)}."""
    return {
        "lenet": ((28, 28, 1), [Conv2D(6, 5, activation), MaxPool2D(2), Conv2D(16, 5, activation), MaxPool2D(2)]),
        "odd sizes": ((13, 11, 3), [Conv2D(5, 3, activation, padding="same"), MaxPool2D(2), Conv2D(7, (2, 3), activation,
                                                                                            padding=1), MaxPool2D(2)]),
        "strides": ((19, 22, 2), [Conv2D(4, 3, activation, stride=2, padding=((1, 2), (0, 3))), MaxPool2D(2),
                                  Conv2D(3, (1, 2), activation, dilation=2, padding=1), MaxPool2D(2)]),
        "1x1": ((6, 7, 8), [Conv2D(17, 1, activation), MaxPool2D(2)]),
        "one channel": ((31, 34, 1), [Conv2D(1, 3, activation), MaxPool2D(2), Conv2D(1, (2, 7), activation, padding=(2, 3),
                                                                                   dilation=2), MaxPool2D(2)]),
        "7x7": ((9, 24, 4), [Conv2D(2, 7, activation, padding=3), MaxPool2D(2)]),
    }


def numbers_of(name, activation, dtype="float64", batch=7, threads=1):
    """Return (loss, gradients, outputs) of a net."""
    inputs, layers = nets(activation)[name]
    net = Network([*layers, Flatten(), Dense(3, "softmax")], inputs=inputs, dtype=dtype, seed=1)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(batch, *inputs)).astype(dtype), rng.integers(0, 3, batch)
    loss, gradients = net.loss_and_gradients(X, y, threads=threads)
    return loss, {key: value.copy() for key, value in gradients.items()}, net.forward(X)


@pytest.fixture
def apart(monkeypatch):
    """Return a function that computes as `numbers_of`, the pools after the convolutions."""
    def compute(*arguments, **options):
        with monkeypatch.context() as changed:
            changed.setattr(Program, "lower_two", lambda *given: None)
            return numbers_of(*arguments, **options)

    return compute


@pytest.mark.parametrize(("name", "activation", "dtype"), [
    ("lenet", "relu", "float32"), ("odd sizes", "tanh", "float64"), ("strides", "relu", "float64"),
    ("1x1", "identity", "float32"), ("one channel", "relu", "float64"), ("7x7", "sigmoid", "float64"),
])
def test_it_gives_the_same_numbers_as_one_after_the_other(name, activation, dtype, apart):
    loss, gradients, outputs = numbers_of(name, activation, dtype)
    other_loss, others, same = apart(name, activation, dtype)
    assert loss == other_loss
    np.testing.assert_array_equal(outputs, same)
    tolerance = 1e-12 if dtype == "float64" else 3e-6
    for key, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[key], rtol=0, atol=tolerance * np.abs(others[key]).max(), err_msg=key)


@pytest.mark.parametrize("name", ["lenet", "odd sizes"])
def test_bits_do_not_depend_on_threads_and_neighbours(name, many_parts):
    for batch in (1, 5, 70):
        one, several = (numbers_of(name, "relu", "float32", batch, threads) for threads in (1, 3))
        assert one[0] == several[0]
        for key, gradient in one[1].items():
            assert gradient.tobytes() == several[1][key].tobytes(), key
        assert one[2].tobytes() == several[2].tobytes()
        assert one[2][:1].tobytes() == numbers_of(name, "relu", "float32", 1)[2].tobytes()


def test_the_first_of_equal_maxima_gets_the_gradient():
    net = Network([Conv2D(1, 1), MaxPool2D(2), Flatten(), Dense(1)], inputs=(2, 2, 1), dtype="float64", loss="squared_error")
    net.parameters["0.weight"][:], net.parameters["0.bias"][:], net.parameters["3.weight"][:] = 1.0, 0.0, 1.0
    net.parameters["3.bias"][:] = 0.0
    for values, first in (((4, 4, 4, 4), 0), ((1, 4, 4, 2), 1), ((1, 2, 4, 4), 2), ((-1, -2, -3, 0), 3)):
        X = np.array(values, float).reshape(1, 2, 2, 1)
        # with inputs that tell the pixels apart, the gradient of the weight is that of the pixel
        _, gradients = net.loss_and_gradients(X, [[values[first] - 1.0]])
        np.testing.assert_allclose(gradients["0.bias"], 1.0)
        np.testing.assert_allclose(gradients["0.weight"].ravel(), values[first])


@pytest.mark.parametrize("place", range(4))
def test_nan_passes(place):
    net = Network([Conv2D(3, 1), MaxPool2D(2), Flatten(), Dense(1)], inputs=(2, 2, 1))
    net.parameters["0.weight"][:] = np.inf
    X = np.ones((1, 2, 2, 1), np.float32)
    X.flat[place] = 0
    assert np.isnan(net.forward(X)).all()  # 0 · ∞


def test_the_gradient_goes_to_the_window_of_the_maximum():
    """Each feature has its maximum elsewhere: two taps whose weights are the opposite of each other."""
    net = Network([Conv2D(2, (1, 2), "relu"), MaxPool2D(2), Flatten(), Dense(1)], inputs=(2, 3, 1), dtype="float64",
                  loss="squared_error")
    net.parameters["0.weight"][:] = np.array([[[[1.0, -1.0]], [[0.0, 0.0]]]])
    net.parameters["0.bias"][:] = 5.0
    net.parameters["3.weight"][:] = 1.0
    X = np.array([[[1.0], [2.0], [7.0]], [[-3.0], [0.5], [9.0]]])[None]
    output = net.forward(X).item()  # 5 + 2 of feature 0, 5 + 3 of feature 1
    _, gradients = net.loss_and_gradients(X, [[output - 1.0]])
    np.testing.assert_allclose(gradients["0.weight"].reshape(2, 2), [[2.0, -3.0], [7.0, 0.5]])
    np.testing.assert_allclose(gradients["0.bias"], [1.0, 1.0])


def test_what_else_reads_the_convolution_gets_its_activations():
    net = Network([Conv2D(3, 3), Activation("relu"), MaxPool2D(2), Flatten(), Dense(2)], inputs=(8, 8, 1), seed=0)
    X = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    shapes = [each.shape for each in layer_outputs(net, X)]
    assert shapes[:3] == [(4, 6, 6, 3), (4, 6, 6, 3), (4, 3, 3, 3)]


def test_compiled_functions_give_the_same_bits():
    inputs, layers = nets("relu")["odd sizes"]
    net = Network([*layers, Flatten(), Dense(3, "softmax")], inputs=inputs, seed=1)
    X = np.random.default_rng(0).normal(size=(5, *inputs)).astype(np.float32)
    out = np.empty((5, 3), np.float32)
    callers.forward(net.compiled(), X.reshape(5, -1), out)
    assert out.tobytes() == net.forward(X).tobytes()
