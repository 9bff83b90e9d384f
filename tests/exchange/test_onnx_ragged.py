"""ONNX files of networks for sequences of any length compute the same, and are loaded as the same network."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Activation,
    Attention,
    AttentionPool,
    AveragePool1D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    Input,
    LastStep,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
    MultiHeadAttention,
    Network,
    Normalize,
    PositionalEncoding,
    PositionEmbedding,
    Sequences,
    SimpleRNN,
    TransformerEncoder,
)

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")

STEPS = {"return_sequences": True}
BACK = {"reverse": True}
CELLS = {
    "rnn": lambda **options: SimpleRNN(5, nonlinearity="relu", **options),
    "rnn, an activation that the operator lacks": lambda **options: SimpleRNN(5, nonlinearity="softplus", **options),
    "gru": lambda **options: GRU(4, **options),
    "gru, reset before": lambda **options: GRU(4, reset_after=False, **options),
    "gru, learned state": lambda **options: GRU(4, learned_state=True, **options),
    "lstm": lambda **options: LSTM(4, **options),
    "lstm, peepholes": lambda **options: LSTM(4, peepholes=True, **options),
    "lstm, cells": lambda **options: LSTM(4, return_cells=True, learned_state=True, **options),
}
DIRECTIONS = {"last": {}, "steps": STEPS, "last, back": BACK, "steps, back": BACK | STEPS}
FEATURES, TOKENS, IMAGES = (None, 3), (None,), (None, 6, 6, 1)
CHAINS = {
    "bidirectional twice": (FEATURES, [Bidirectional(GRU(3, **STEPS)), Bidirectional(LSTM(3), "sum"), Dense(2, "softmax")]),
    "last step": (FEATURES, [Dense(6, "tanh"), LastStep(), Dense(2)]),
    "mean": (FEATURES, [Dense(6, "tanh"), Dropout(0.3), GlobalAveragePool()]),
    "largest": (FEATURES, [GRU(6, **STEPS), GlobalMaxPool(), Dense(2)]),
    "learned mean": (FEATURES, [Dense(6), AttentionPool()]),
    "attention": (FEATURES, [Attention(), Dense(2)]),
    "additive attention": (FEATURES, [Attention("additive", causal=True), LastStep()]),
    "heads, encoded positions": (FEATURES, [Dense(6), PositionalEncoding(), MultiHeadAttention(2), LastStep()]),
    "causal heads, learned positions": (FEATURES, [Dense(6), PositionEmbedding(40), MultiHeadAttention(2, causal=True)]),
    "transformer": (FEATURES, [TransformerEncoder(1, 8), GlobalAveragePool()]),
    "causal convolution": (FEATURES, [Conv1D(4, 3, "tanh", padding="causal", dilation=2), GlobalAveragePool()]),
    "same convolution": (FEATURES, [Conv1D(4, 3, "relu", padding="same"), GRU(3)]),
    "convolution with a stride": (FEATURES, [Conv1D(4, 3, padding=(1, 2), stride=2), LSTM(3, **BACK, **STEPS)]),
    "largest of windows": (FEATURES, [MaxPool1D(2, stride=1, padding="same"), MaxPool1D(3, stride=2, padding=1)]),
    "mean of windows": (FEATURES, [AveragePool1D(3, padding=1), AveragePool1D(2, padding="same"), Dense(2)]),
    "mean of windows and padding": (FEATURES, [AveragePool1D(3, stride=1, padding=1, count_padding=True), Dense(2)]),
    "normalized": (FEATURES, [Normalize(), GRU(4, **STEPS), BatchNorm(), LayerNorm(), Dense(4, "gelu"), GroupNorm(1)]),
    "softmax of steps": (FEATURES, [GRU(4, **STEPS), Activation("softmax")]),
    "text": (TOKENS, [Embedding(6, 4), Bidirectional(LSTM(3)), Dense(2, "softmax")]),
    "tokens": (TOKENS, [Embedding(6, 4)]),
    "films": (IMAGES, [Conv2D(2, 3, "tanh"), MaxPool2D(2), Flatten(), GRU(3)]),
}
CELL_CASES = [(cell, direction) for cell in CELLS for direction in DIRECTIONS]
rng = np.random.default_rng(0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def network(layers, inputs, dtype):
    """Return a network with parameters and state as after training."""
    return trained(Network(layers, inputs, dtype=dtype, loss="squared_error"))


def trained(net):
    numbers = np.random.default_rng(3)
    for view in (*net.parameters.values(), *net.state.values()):
        view += numbers.uniform(0, 0.4, size=view.shape)
    return net


def sequences(shape, lengths, dtype):
    steps = rng.integers(0, 6, sum(lengths)) if shape == TOKENS else rng.normal(size=(sum(lengths), *shape[1:]))
    return Sequences.of_lengths(steps if shape == TOKENS else steps.astype(dtype), lengths)


def padded(X):
    """Return sequences as an array for ONNX Runtime; the padding of numbers is NaN, so that none of it goes unnoticed."""
    tokens = X.dtype.kind in "iu"
    return X.to_padded(0 if tokens else np.nan).astype(np.int64 if tokens else X.dtype)


def run(path, given):
    """Return the outputs of a file by name, given arrays and sequences by the names of its inputs."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    read = {each.name for each in session.get_inputs()}
    feeds = {name: padded(X) if isinstance(X, Sequences) else X for name, X in given.items()}
    for name, X in given.items():
        for lengths in {"lengths", f"{name}_lengths"} & read if isinstance(X, Sequences) else ():
            feeds[lengths] = X.lengths
    return dict(zip([each.name for each in session.get_outputs()], session.run(None, feeds), strict=True))


def difference(expected, out, lengths=None):
    """Return the largest difference, relative for outputs above 1."""
    if isinstance(expected, Sequences):
        lengths = expected.lengths if lengths is None else lengths
        np.testing.assert_array_equal(lengths, expected.lengths)
        out, expected = np.concatenate([row[:n] for row, n in zip(out, lengths, strict=True)]), expected.steps
    assert (out.shape, out.dtype) == (expected.shape, expected.dtype)
    return (np.abs(out - expected) / np.maximum(1, np.abs(expected))).max()


def check_round_trip(net, path):
    net.to_onnx(path)
    same = fastnn.onnx.load(path)
    assert same.config() == net.config()
    for name, array in {**net.parameters, **net.state}.items():
        assert {**same.parameters, **same.state}[name].tobytes() == array.tobytes()


def check(net, path, lengths):
    check_round_trip(net, path)
    X = sequences(net.shapes[0], lengths, net.dtype)
    out = run(path, {"input": X})
    assert difference(net.forward(X), out["output"], out.get("output_lengths")) < (1e-6 if net.dtype == "float32" else 1e-13)


def dtypes_in_turn(cases):
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), dtype, marks=() if (i + j) % 2 == 0 else
                         pytest.mark.long) for i, case in enumerate(cases) for j, dtype in enumerate(("float32", "float64"))]


@pytest.mark.parametrize(("cell", "direction", "dtype"), dtypes_in_turn(CELL_CASES))
def test_recurrent_layers_see_no_padding(cell, direction, dtype, path):
    check(network([CELLS[cell](**DIRECTIONS[direction])], FEATURES, dtype), path, [1, 7, 3, 1, 0, 5])


@pytest.mark.parametrize("cell", CELLS)
def test_a_file_in_both_dtypes(cell, path):
    for dtype in ("float32", "float64"):
        check(network([CELLS[cell](reverse=True)], FEATURES, dtype), path, [2, 0, 1])


@pytest.mark.parametrize(("name", "dtype"), dtypes_in_turn(CHAINS))
def test_chains(name, dtype, path):
    inputs, layers = CHAINS[name]
    check(network(layers, inputs, dtype), path, [1, 7, 3, 1, 5])


def test_lengths_are_an_input_only_where_a_layer_looks_at_several_steps(path):
    for layers, inputs in ([Dense(4, "tanh"), Dense(2)], ["input"]), ([Dense(4), GRU(2)], ["input", "lengths"]):
        network(layers, FEATURES, "float32").to_onnx(path)
        assert [each.name for each in onnx.load(path).graph.input] == inputs


def test_graphs_of_several_inputs_and_outputs(path):
    text, table, series = Input((None,), name="text"), Input((4,), name="table"), Input((None, 3), name="series")
    states = Bidirectional(GRU(3, **STEPS))(Embedding(6, 5)(text))
    seen = Attention()(Dense(6)(table), states)
    given = LSTM(6, **STEPS)(Dense(5, "tanh")(series), initial_state=(seen, LastStep()(states)))
    net = trained(Network(inputs=[text, table, series], outputs={
        "each": Dense(2, "softmax")(given), "word": Dense(3)(states), "all": GRU(3, reverse=True)(given)}))
    check_round_trip(net, path)
    X = {"text": sequences(TOKENS, [4, 1, 6], "float32"), "table": rng.normal(size=(3, 4)).astype("float32"),
         "series": sequences(FEATURES, [1, 3, 2], "float32")}
    out = run(path, X)
    read = [each.name for each in onnx.load(path).graph.input]
    assert read == ["text", "table", "series", "text_lengths", "series_lengths"]
    for name, expected in net.forward(X).items():
        assert difference(expected, out[name]) < 1e-6


def test_one_of_several_inputs_has_steps(path):
    table, series = Input((4,), name="table"), Input((None, 3), name="series")
    net = trained(Network(inputs=[table, series], outputs=Dense(2, "softmax")(GRU(5)(
        series, initial_state=Dense(5, "tanh")(table)))))
    check_round_trip(net, path)
    X = {"table": rng.normal(size=(4, 4)).astype("float32"), "series": sequences(FEATURES, [1, 5, 0, 2], "float32")}
    assert difference(net.forward(X), run(path, X)["output"]) < 1e-6


@pytest.mark.parametrize("layer", [MaxPool1D(3, stride=2, padding="same"), Conv1D(2, 4, stride=3, padding="same")])
def test_what_has_no_form_is_refused_by_name(layer, path):
    with pytest.raises(ValueError, match=type(layer).__name__ + ".*begins at another step"):
        network([layer, GRU(3)], FEATURES, "float32").to_onnx(path)
    assert not path.exists()


def test_a_layer_that_does_not_say_how_sequences_are_written_is_refused(path):
    class Own(LastStep):
        def onnx_over_time(self, graph, x, parameters):
            return super(LastStep, self).onnx_over_time(graph, x, parameters)

    net = network([Dense(3), Own()], FEATURES, "float32")
    with pytest.raises(ValueError, match=r"Own\(\) has no ONNX form for sequences of any length"):
        net.to_onnx(path)
