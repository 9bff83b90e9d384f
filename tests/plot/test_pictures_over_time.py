"""The pictures of sequences have the numbers that they are said to have."""

import numpy as np
import pytest

from fastnn import GRU, LSTM, Bidirectional, Conv1D, Dense, Embedding, Flatten, Input, LastStep, Network, SimpleRNN, plot
from fastnn.vectorized import gru_forward

pytest.importorskip("matplotlib")

x = np.random.default_rng(0).normal(size=(30, 3)).astype("float32")


def drawn(ax):
    return ax.images[0].get_array().T


def test_states_are_those_after_each_step():
    net = Network([Bidirectional(GRU(5)), Dense(2, "softmax")], inputs=(None, 3), seed=1)
    for number, reverse in ((0, False), (1, True)):
        states = drawn(plot.hidden_states(net, x, number))
        given = [net.parameters[f"{number}.{name}"] for name in ("weight", "recurrent_weight", "bias", "recurrent_bias")]
        expected = gru_forward(x, [0, 30], *given, return_sequences=True, reverse=reverse)
        np.testing.assert_allclose(states, expected, atol=1e-6)
    assert np.array_equal(drawn(plot.hidden_states(net, x)), drawn(plot.hidden_states(net, x, 0)))


def test_states_of_tokens_of_stacked_layers_and_of_graphs():
    net = Network([Embedding(9, 4), GRU(5, return_sequences=True), LSTM(6), Dense(2, "softmax")], inputs=(None,), seed=1)
    tokens, stream = [1, 4, 4, 8], net.stream()
    pictures = {key: drawn(plot.hidden_states(net, tokens, number)) for number, key in ((1, "1.h"), (2, "2.h"))}
    for t, token in enumerate(tokens):
        stream.step(token)
        for key, states in pictures.items():
            assert np.array_equal(states[t], stream.state[key])
    series = Input((None, 3))
    graph = Network(inputs=series, outputs=Dense(1)(LastStep()(Conv1D(4, 3)(series))))
    assert drawn(plot.hidden_states(graph, x, 0)).shape == (28, 4)


@pytest.mark.parametrize("layer", [SimpleRNN(4), Bidirectional(GRU(4)), LSTM(4)])
def test_gradients_are_those_of_differences(layer):
    net = Network([layer, Dense(3, "softmax")], inputs=(None, 3), dtype="float64", seed=2)
    line, = plot.gradient_over_time(net, x, label=1).lines
    scores = Network([layer, Dense(3)], inputs=(None, 3), dtype="float64")
    for own, given in zip(scores.parameters.values(), net.parameters.values(), strict=True):
        own[...] = given
    for t in (0, 13, 29):
        moved = np.repeat(x[None].astype(np.float64), 6, axis=0)
        moved[[0, 1, 2], t, [0, 1, 2]] += 1e-6
        moved[[3, 4, 5], t, [0, 1, 2]] -= 1e-6
        z = scores.forward([*moved])[:, 1]
        assert line.get_ydata()[t] == pytest.approx(np.linalg.norm(z[:3] - z[3:]) / 2e-6, rel=1e-5, abs=1e-9)


def test_networks_of_one_length_and_long_labels():
    net = Network([GRU(4), Dense(1)], inputs=(30, 3))
    assert len(plot.gradient_over_time(net, x).lines[0].get_ydata()) == 30
    ax = plot.hidden_states(net, x, steps=[f"word {t}" for t in range(30)])
    assert ax.get_xticklabels()[3].get_text() == "word 3"


@pytest.mark.parametrize(("layers", "inputs", "call", "words"), [
    ([Dense(2), LastStep()], (None, 3), lambda net: plot.hidden_states(net, x), "no recurrent layer; give layer="),
    ([GRU(4), Dense(2)], (None, 3), lambda net: plot.hidden_states(net, x, 1), "without steps"),
    ([Flatten(), Dense(2)], (30, 3), lambda net: plot.hidden_states(net, x, 0), "without steps"),
    ([GRU(4), Dense(2)], (None, 3), lambda net: plot.hidden_states(net, [x, x]), "give one"),
    ([Embedding(9, 2), GRU(4)], (None,), lambda net: plot.gradient_over_time(net, [1, 2]), "tokens, which have no gradient"),
    ([Dense(2)], 3, lambda net: plot.gradient_over_time(net, x[0]), "this picture is of sequences"),
    ([GRU(4, return_sequences=True)], (None, 3), lambda net: plot.gradient_over_time(net, x), "each"),
])
def test_what_has_no_such_picture_is_refused(layers, inputs, call, words):
    with pytest.raises(ValueError, match=words):
        call(Network(layers, inputs=inputs))
