"""Batch normalization of images: an activation that it applies, and threads that share few channels."""

import numpy as np
import pytest

from fastnn import Activation, Adam, BatchNorm, Conv2D, Dense, Flatten, Network, Reshape
from fastnn.layers import activation as activation_layer
from fastnn.program import TrainingProgram
from fastnn.samples.data import check_data

rng = np.random.default_rng(0)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("shape", [(3, 4, 1), (2, 3, 8), (5, 17), (3, 1, 130)])
def test_an_activation_that_it_applies_gives_the_same_bits(activation, shape):
    X, y = rng.normal(size=(9, *shape)).astype(np.float32), np.arange(9) % 2
    net = Network([BatchNorm(), Activation(activation), Flatten(), Dense(2, "softmax")], inputs=shape, seed=0)
    net.fit(X[1:], y[1:], epochs=2, progress=False)
    normalized = Network([BatchNorm(), Flatten()], inputs=shape)
    for name in normalized.parameters:
        normalized.parameters[name][:] = net.parameters[name]
    for name in normalized.state:
        normalized.state[name][:] = net.state[name]
    alone = Network([Activation(activation), Flatten(), Dense(2, "softmax")], inputs=shape)
    for name in ("weight", "bias"):
        alone.parameters[f"2.{name}"][:] = net.parameters[f"3.{name}"]
    expected = alone.forward(normalized.forward(X[1:]).reshape(-1, *shape))
    assert net.forward(X[1:]).tobytes() == expected.tobytes()
    assert net.forward(X[1:2]).tobytes() == expected[:1].tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "then"), [((3, 4, 1), "identity"), ((2, 3, 8), "tanh"), ((5, 17), "relu"),
                                             ((3, 1, 130), "leaky_relu")])
def test_gradients_through_relu_that_it_applies_are_those_of_two_layers(shape, then, dtype, monkeypatch):
    """then: an activation after relu, which the normalization does not apply too."""
    X, y, found = np.eye(9, dtype=dtype), rng.normal(size=(9, 2)).astype(dtype), []  # so that dweight is dx of each sample
    for alone in (False, True):
        if alone:
            monkeypatch.setattr(activation_layer, "takes_over", lambda *given: False)
        net = Network([Dense(int(np.prod(shape))), Reshape(shape), BatchNorm(), Activation("relu"), Activation(then),
                       Flatten(), Dense(2)], inputs=9, dtype=dtype, seed=0)
        net.parameters["2.scale"][:], net.parameters["2.shift"][:] = -0.5, 0.1
        net.state["2.running_mean"][:] = 0.05
        found.append(net.loss_and_gradients(X, y))
    assert found[0][0] == found[1][0]
    limit = 1e-5 if dtype == "float32" else 1e-13
    for name, expected in found[1][1].items():
        np.testing.assert_allclose(found[0][1][name], expected, rtol=0, atol=limit * np.abs(expected).max())


@pytest.mark.parametrize("channels", [3, 8, 32, 33])
def test_threads_share_few_channels_and_change_no_bit(channels):
    X, y = rng.normal(size=(32, 24, 24, 2)).astype(np.float32), np.arange(32) % 3
    found = []
    for threads in (1, 2, 3):
        net = Network([Conv2D(channels, 5, padding="same"), BatchNorm(), Activation("relu"), Flatten(), Dense(3, "softmax")],
                      inputs=X.shape[1:], seed=0)
        optimizer = Adam()
        program = TrainingProgram(net, check_data(net, X, y), 32, threads, net.fits.optimizer_state(optimizer))
        normalizations = [row for row in program.rows if "of_samples" in row.dtype.names]
        assert max(int(row["forward"]["parts"]) for row in normalizations) == threads
        net.fit(X, y, epochs=2, threads=threads, progress=False)
        found.append([value.tobytes() for value in (*net.parameters.values(), *net.state.values())])
    assert found[0] == found[1] == found[2]
