"""Convolutions and pools of windows over sequences of any length."""

import numpy as np
import pytest

from fastnn import (
    GRU,
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    GlobalAveragePool,
    GlobalMaxPool,
    Input,
    LastStep,
    MaxPool1D,
    Network,
    Residual,
    check_gradients,
)

rng = np.random.default_rng(0)
LENGTHS = [7, 4, 11, 5, 9, 4, 16]
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
Y = np.array([0, 1, 1, 0, 1, 0, 1])
LAYERS = {
    "conv": Conv1D(4, 3, "tanh"),
    "stride": Conv1D(4, 3, stride=2),
    "same": Conv1D(4, 4, padding="same"),
    "same, stride": Conv1D(4, 3, padding="same", stride=3),
    "causal": Conv1D(4, 2, "tanh", padding="causal", dilation=2),
    "padded": Conv1D(2, 3, padding=(2, 1), stride=2),
    "max": MaxPool1D(2),
    "max, same": MaxPool1D(3, stride=1, padding="same"),
    "max, padded": MaxPool1D(3, stride=2, padding=1),
    "mean": AveragePool1D(3),
    "mean, stride": AveragePool1D(2, stride=3),
    "mean, padded": AveragePool1D(3, stride=1, padding=1),
    "mean, padding counts": AveragePool1D(3, stride=2, padding=(1, 2), count_padding=True),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def network(name, inputs=(None, 3), dtype="float64", pool=GlobalAveragePool):
    return Network([Dense(3), LAYERS[name], BatchNorm(), pool(), Dense(2, "softmax")], inputs=inputs, seed=2, dtype=dtype)


def alone(net, step):
    """Return the same network for series of that many steps, with the same parameters and state."""
    layers = [net.layers[0], *net.layers[1:]]
    twin = Network(layers[1:], inputs=(step, 3), dtype=net.dtype)
    for own, others in ((twin.parameters, net.parameters), (twin.state, net.state)):
        for key, view in own.items():
            index, _, kind = key.partition(".")
            view[...] = others[f"{int(index) + 1}.{kind}"]
    return twin


@every_layer
def test_a_sequence_gives_what_a_series_of_its_length_does(name):
    net = network(name)
    net.fit(X, Y, epochs=2, batch_size=3)
    first = Network([net.layers[0]], inputs=3, dtype=net.dtype)
    for key, view in first.parameters.items():
        view[...] = net.parameters[key]
    for one, found in zip(X, net.forward(X), strict=True):
        expected = alone(net, len(one)).forward(first.forward(one)[None])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@every_layer
@pytest.mark.parametrize("pool", [GlobalAveragePool, GlobalMaxPool, LastStep])
def test_gradients_are_those_of_differences(name, pool):
    net = network(name, pool=pool)
    net.fit(X, Y)
    assert check_gradients(net, X, Y, training=True, step=1e-5).max_relative_error < 1e-7


@every_layer
def test_threads_and_neighbors_change_no_bit(name, many_parts):
    found = []
    for threads in (1, 2, 3, 8):
        net = network(name, dtype="float32")
        net.fit(X, Y, epochs=2, batch_size=3, threads=threads)
        found.append([*(array.tobytes() for array in net.vectors.arrays), net.forward(X, threads=threads).tobytes()])
    assert all(each == found[0] for each in found)
    assert np.array_equal(np.concatenate([net.forward([one]) for one in X]), net.forward(X))


@every_layer
def test_outputs_of_steps_are_as_many_as_windows(name):
    net = Network([LAYERS[name], Dense(2, "softmax")], inputs=(None, 3))
    outputs = net.forward(X)
    windows = [Network([LAYERS[name]], inputs=(n, 3), loss="squared_error").shapes[-1][0] for n in LENGTHS]
    assert outputs.lengths.tolist() == windows
    labels = [rng.integers(2, size=n) for n in windows]
    net.fit(X, labels, epochs=2, batch_size=3)
    loss = -np.concatenate([np.log(p[np.arange(len(own)), own]) for p, own in zip(net.forward(X), labels, strict=True)])
    assert net.evaluate(X, labels)["loss"] == pytest.approx(loss.mean(), rel=1e-5)
    if windows != LENGTHS:
        with pytest.raises(ValueError, match=r"y\[\d\] has"):
            net.fit(X, [np.zeros(n, int) for n in LENGTHS])


def test_layers_are_stacked():
    net = Network([Conv1D(4, 3, "relu"), MaxPool1D(2), Conv1D(5, 2, padding="causal"), GRU(3), Dense(2, "softmax")],
                  inputs=(None, 3), dtype="float64")
    net.fit(X, Y)
    assert check_gradients(net, X, Y, step=1e-6).max_relative_error < 1e-6


def test_sequences_too_short_for_the_windows_are_refused():
    net = Network([Conv1D(4, 3), MaxPool1D(2), LastStep(), Dense(2, "softmax")], inputs=(None, 3))
    assert net.least_steps == 4
    net.forward([X[0], X[0][:4]])
    with pytest.raises(ValueError, match=r"X\[1\] has 3 steps; this network takes sequences of 4 steps at least"):
        net.forward([X[0], X[0][:3]])
    steps = Network([Conv1D(2, 3)], inputs=(None, 3))
    assert steps.forward([X[0], X[0][:2], X[0][:0]]).lengths.tolist() == [5, 0, 0]


def test_windows_of_one_axis_are_not_joined_with_steps_of_another():
    x = Input((None, 3))
    with pytest.raises(ValueError, match="different numbers of steps"):
        Conv1D(3, 3, stride=2)(x) + Dense(3)(x)


@pytest.mark.parametrize("layer", [Conv1D(3, 3, groups=3), MaxPool1D(3, dilation=2), AveragePool1D(2, ceil_mode=True)])
def test_what_is_not_built_is_refused_by_name(layer):
    with pytest.raises(ValueError, match="inputs a number of steps"):
        Network([layer, LastStep(), Dense(2)], inputs=(None, 3))


@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding": "causal", "dilation": 2}, {"padding": 1}])
def test_windows_of_each_step_stand_in_a_block_with_a_shortcut(options):
    X = [np.random.default_rng(n).normal(size=(n, 4)) for n in (5, 1, 8)]
    net = Network([Residual(Conv1D(4, 3, "tanh", **options)), LastStep(), Dense(2)], inputs=(None, 4), dtype="float64")
    assert check_gradients(net, X, np.ones((3, 2))).max_relative_error < 1e-7
