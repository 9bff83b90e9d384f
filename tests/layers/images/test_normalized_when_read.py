"""A convolution that normalizes what it reads: the same bits as where relu of the normalization is stored."""

import numpy as np
import pytest

from fastnn import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    MaxPool2D,
    Network,
    check_gradients,
)
from fastnn.kernels.layers.convolution.conv2d import CONVOLUTION
from fastnn.layers.convolution import base
from fastnn.network.layer_outputs import layer_outputs
from fastnn.program import TrainingProgram
from fastnn.runtime.memory import Arena
from fastnn.samples.data import check_data

RELU = BatchNorm(), Activation("relu")
# {name: (input shape, layers that read relu of a normalization, how many of them normalize what they read)}
READERS = {
    "1x1, depthwise": ((9, 5, 3), [Conv2D(24, 1), *RELU, DepthwiseConv2D(3, padding="same"), *RELU, Conv2D(17, 1)], 3),
    "3x3": ((7, 9, 12), [Conv2D(10, 3, "tanh", padding="same"), *RELU, Conv2D(11, 3, stride=2), *RELU, Conv2D(9, 2)], 3),
    "groups, one pixel": ((3, 3, 8), [Conv2D(12, 1, groups=4), *RELU, Conv2D(16, 3), *RELU, Conv2D(20, 1, "relu")], 2),
    "wide depthwise": ((11, 12, 20), [DepthwiseConv2D(5, padding=2, dilation=2), *RELU, DepthwiseConv2D((1, 3))], 2),
    "few channels": ((16, 17, 9), [DepthwiseConv2D(3), *RELU, Conv2D(10, 1), *RELU, Conv2D(2, 3, padding="same")], 2),
    "series": ((30, 6), [Conv1D(9, 4, padding="causal"), *RELU, Conv1D(10, 3, dilation=2)], 2),
    "stored for others": ((8, 8, 9), [Conv2D(9, 1), *RELU, Dropout(0.3), Conv2D(9, 1), BatchNorm(), Activation("tanh"),
                                      Conv2D(9, 1), *RELU, Conv2D(9, (3, 1)), MaxPool2D(2)], 1),
}


def network(name, dtype="float32"):
    inputs, layers, _ = READERS[name]
    net = Network([Conv2D(inputs[-1], 1) if len(inputs) == 3 else Conv1D(inputs[-1], 1), *RELU, *layers, Flatten(),
                   Dense(3, "softmax")], inputs=inputs, dtype=dtype, seed=1)
    rng = np.random.default_rng(2)
    for key, view in net.parameters.items():
        if "scale" in key or "shift" in key:
            view[:] = rng.normal(size=view.shape)
    return net


def data(name, dtype, batch):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *READERS[name][0])).astype(dtype), rng.integers(0, 3, batch)


def program_of(name, batch=7, threads=1):
    net = network(name)
    return TrainingProgram(net, check_data(net, *data(name, "float32", batch)), batch, threads)


def normalizing(program):
    """The rows of convolutions that normalize what they read."""
    return [row for row in program.rows if row.dtype is CONVOLUTION.dtype and row["normalized"] and row["forward"]["kernel"]]


def bits_of(name, batch=7, threads=1):
    """The bits of all gradients, with the statistics of the batch and with running ones; and those of a fit."""
    net, (X, y) = network(name), data(name, "float32", batch)
    found = [each.copy() for training in (True, False)
             for each in net.loss_and_gradients(X, y, threads=threads, training=training)[1].values()]
    net.fit(X, y, epochs=2, batch_size=batch // 2 + 1, threads=threads)
    return [each.tobytes() for each in (*found, *net.parameters.values(), *net.state.values())]


@pytest.fixture
def stored(monkeypatch):
    """Return a function that computes as another one, while relu of normalizations is stored."""
    def compute(function, *arguments, **options):
        with monkeypatch.context() as changed:
            changed.setattr(base, "normalization_of", lambda *given: None)
            return function(*arguments, **options)

    return compute


@pytest.mark.parametrize("name", READERS)
def test_the_bits_are_those_of_what_is_stored(name, stored):
    assert len(normalizing(program_of(name))) == READERS[name][2]
    assert not normalizing(stored(program_of, name))
    assert bits_of(name) == stored(bits_of, name)


@pytest.mark.parametrize("name", ["1x1, depthwise", "3x3"])
def test_no_bit_depends_on_threads(name, many_parts):
    for batch in (1, 2, 11):
        assert bits_of(name, batch=batch, threads=1) == bits_of(name, batch=batch, threads=3)


@pytest.mark.parametrize("name", ["1x1, depthwise", "groups, one pixel", "series"])
def test_every_gradient_is_that_by_differences(name):
    net = network(name, "float64")
    report = check_gradients(net, *data(name, "float64", 3), training=True, step=1e-6, max_checks=1 << 20)
    assert report.passed, report
    assert all(each.checked == each.size for each in report.parameters)


def test_memory_is_that_of_one_array_for_each_layer(stored):
    def numbers(pairs):
        net = Network([Conv2D(9, 1), *RELU] * pairs + [Conv2D(9, 1), Flatten(), Dense(2)], inputs=(24, 24, 3))
        given = check_data(net, np.zeros((8, 24, 24, 3), np.float32), np.zeros((8, 2)))
        return TrainingProgram(net, given, 8, 1).arena.size

    of_a_pair, of_two_arrays = numbers(5) - numbers(4), stored(numbers, 5) - stored(numbers, 4)
    activations = 8 * 24 * 24 * 9
    assert activations <= of_a_pair < 1.2 * activations  # and statistics
    assert of_two_arrays - of_a_pair == activations


def test_what_an_arena_is_left_is_used_again():
    arena = Arena("float32")
    first, last = arena.take(40), arena.take(50)
    arena.leave(last, 50)
    assert arena.take(10) == last
    arena.leave(first, 40)
    assert arena.borrow(41) > last
    assert arena.borrow(40) == first


def test_outputs_of_layers_are_stored_where_they_are_asked_for():
    net, (X, _) = network("1x1, depthwise"), data("1x1, depthwise", "float32", 4)
    outputs = layer_outputs(net, X)
    for number, layer in enumerate(net.layers):
        if layer == Activation("relu"):
            assert outputs[number].tobytes() == np.maximum(outputs[number - 1], 0).tobytes()
            assert outputs[number].any()
