"""Gradients share memory as soon as nothing needs the earlier ones, and some activations overwrite what they read.

Neither changes any bit of a fit.
"""

import numpy as np
import pytest
from layer_cases import CASES, X, all_bits, network, targets
from random_graphs import data, random_graph

from fastnn import (
    Activation,
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool2D,
    Network,
    activations,
)
from fastnn.layers import activation
from fastnn.network.layer_outputs import layer_outputs
from fastnn.program import TrainingProgram
from fastnn.runtime.memory import Arena
from fastnn.samples.data import check_data


@pytest.fixture
def apart(monkeypatch):
    """Return a function after which every tensor and gradient has memory of its own."""
    in_place = [record for record in activations.values() if not record.needs_z]
    assert {record.name for record in in_place} >= {"relu", "tanh", "sigmoid"}

    def separate():
        monkeypatch.setattr(Arena, "borrow", Arena.take)
        monkeypatch.setattr(Arena, "give_back", lambda arena, start: None)
        monkeypatch.setattr(activation, "takes_over", lambda *_: False)
        for record in in_place:
            object.__setattr__(record, "needs_z", True)

    yield separate
    for record in in_place:
        object.__setattr__(record, "needs_z", False)


def check(made, X, y, apart, threads=2):
    """Compare a fit of the network that `made` returns with the same one in separate memory."""
    found, arenas = [], []
    for _ in range(2):
        net = made()
        history = net.fit(X, y, batch_size=33, epochs=2, optimizer=Adam(0.01), threads=threads)
        given = check_data(net, X, y)
        arenas.append(TrainingProgram(net, given, 33, threads).arena.size)
        found.append((all_bits(net), dict(history), net.forward(X).tobytes()))
        apart()
    assert found[0] == found[1]
    assert arenas[0] <= arenas[1]
    return arenas


@pytest.mark.parametrize(("name", "place"), [case for case in CASES if case[1] == "between"])
def test_no_bit_depends_on_it_for_any_layer(name, place, apart, many_parts):
    net = network(name, place, dtype="float32")
    check(lambda: network(name, place, dtype="float32"), X, targets(net), apart)


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 60))])
def test_no_bit_depends_on_it_for_a_random_graph(seed, apart, many_parts):
    check(lambda: random_graph(seed, "float32"), *data(70), apart)


NETS = {
    "normalized": lambda: [Conv2D(8, 3, stride=2, padding="same"), BatchNorm(), Activation("relu"), Dropout(0.2),
                           DepthwiseConv2D(3, padding="same"), BatchNorm(), Activation("relu"), Conv2D(24, 1), BatchNorm(),
                           Activation("tanh"), GlobalAveragePool()],
    "pooled": lambda: [Conv2D(6, 5, "relu"), MaxPool2D(3, stride=2), Conv2D(16, 3, "sigmoid"), Flatten(), Dense(30, "relu")],
    "computed with its pool": lambda: [Conv2D(6, 4), MaxPool2D(2), Conv2D(16, 3, "sigmoid"), Flatten(), Dense(30, "relu")],
}


@pytest.mark.parametrize("name", NETS)
def test_no_bit_depends_on_it_for_images(name, apart, many_parts):
    images = np.random.default_rng(0).normal(size=(70, 11, 13, 2)).astype("float32")

    def made():
        return Network([*NETS[name](), Dense(3, "softmax")], inputs=(11, 13, 2), seed=1)

    check(made, images, np.arange(70) % 3, apart)


@pytest.mark.parametrize("name", [name for name, record in activations.items() if not record.needs_z])
def test_the_derivative_needs_no_z(name):
    record = activations[name]
    for z in (-np.inf, -30.0, -1.5, -1e-300, -0.0, 0.0, 1e-300, 0.3, 2.0, 30.0, np.inf, np.nan):
        a = record.value(z)
        assert repr(record.prime(a, a)) == repr(record.prime(z, a)), z


def test_a_deep_chain_takes_two_gradients():
    """Of 8 layers: their outputs, which the backward pass reads, and two gradients in turn."""
    layers, shape, batch = 8, (10, 10, 4), 16
    net = Network([Conv2D(4, 3, "relu", padding="same")] * layers + [Flatten(), Dense(2)], inputs=shape)
    given = check_data(net, np.zeros((batch, *shape), np.float32), np.zeros((batch, 2)))
    images = TrainingProgram(net, given, batch, 1).arena.size / (batch * np.prod(shape))
    assert 1 + layers + 2 <= images < 1 + layers + 2 + 2  # besides the batch; and scratch, partial gradients


def test_outputs_of_layers_are_not_overwritten():
    """A normalization before relu keeps its own output where that is asked for."""
    images = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype("float32")
    whole = Network([Conv2D(4, 3), BatchNorm(), Activation("relu"), Flatten(), Dense(3, "softmax")], inputs=(6, 6, 2))
    part = Network([Conv2D(4, 3), BatchNorm(), Flatten()], inputs=(6, 6, 2), loss="squared_error")
    for name, view in part.parameters.items():
        view[...] = whole.parameters[name]
    found = layer_outputs(whole, images)
    assert found[1].reshape(5, -1).tobytes() == part.forward(images).tobytes()
    assert found[2].tobytes() == np.maximum(found[1], 0).tobytes()
