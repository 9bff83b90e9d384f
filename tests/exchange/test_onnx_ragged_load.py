"""Foreign ONNX files of sequences of any length become networks of sequences with the values of ONNX Runtime."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Activation,
    Concatenate,
    Conv1D,
    Dense,
    Embedding,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1D,
    Sequences,
    SimpleRNN,
)

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")
FLOAT, INT64, INT32 = (getattr(onnx.TensorProto, name) for name in ("FLOAT", "INT64", "INT32"))
UNITS, FEATURES, TOKENS = 4, 3, 11
rng = np.random.default_rng(0)


class Graph:
    """A graph of ONNX operators under construction."""

    def __init__(self):
        self.nodes, self.tensors = [], []

    def __call__(self, kind, *operands, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(onnx.helper.make_node(kind, [*operands], names, **attributes))
        return names[0] if outputs == 1 else names

    def array(self, values, dtype="float32"):
        name = f"a{len(self.tensors)}"
        self.tensors.append(onnx.numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def random(self, *shape):
        return self.array(rng.normal(scale=0.5, size=shape))

    def cells(self, kind, x, features, directions=1, lengths="", zeros="", **attributes):
        gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind] * UNITS
        operands = [self.random(directions, gates, features), self.random(directions, gates, UNITS),
                    self.random(directions, 2 * gates), lengths, *[zeros] * (1 + (kind == "LSTM"))]
        return self(kind, x, *operands, outputs=2, hidden_size=UNITS,
                    direction="bidirectional" if directions == 2 else "forward", **attributes)

    def embedding(self, features=5):
        return self("Gather", self.random(TOKENS, features), "x")

    def zeros(self, x, directions=1):
        """The states before the first step, as torch.onnx writes them."""
        batch = self("Unsqueeze", self("Gather", self("Shape", x), self.array(0, "int64")), self.array([0], "int64"))
        sizes = self("Concat", self.array([directions], "int64"), batch, self.array([UNITS], "int64"), axis=0)
        return self("ConstantOfShape", sizes)

    def linear(self, x, features=UNITS, outputs=2):
        return self("Add", self("MatMul", x, self.random(features, outputs)), self.random(outputs))

    def save(self, path, output, inputs):
        values = [onnx.helper.make_tensor_value_info(name, kind, sizes) for name, (kind, sizes) in inputs.items()]
        y = onnx.helper.make_tensor_value_info(output, FLOAT, None)
        graph = onnx.helper.make_graph(self.nodes, "graph", values, [y], self.tensors)
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, path)


STEPS_FIRST = {"perm": [1, 0, 2]}
SERIES, WORDS = {"x": (FLOAT, ["batch", "steps", FEATURES])}, {"x": (INT64, ["batch", "steps"])}
LENGTHS = {"lengths": (INT32, ["batch"])}


def text(graph):
    x = graph.embedding()
    last = graph.cells("LSTM", graph("Transpose", x, **STEPS_FIRST), 5, zeros=graph.zeros(x))[1]
    return graph.linear(graph("Squeeze", last, graph.array([0], "int64")))


def text_of_both_directions(graph):
    last = graph.cells("GRU", graph("Transpose", graph.embedding(), **STEPS_FIRST), 5, 2, linear_before_reset=1)[1]
    both = [graph("Gather", last, graph.array(number, "int64"), axis=0) for number in (0, -1)]
    return graph("Softmax", graph.linear(graph("Concat", *both, axis=1), 2 * UNITS), axis=-1)


def all_steps(graph, lengths=""):
    """Both directions of a series, of which every step has outputs."""
    y = graph.cells("GRU", graph("Transpose", "x", **STEPS_FIRST), FEATURES, 2, lengths, graph.zeros("x", 2))[0]
    y = graph("Reshape", graph("Transpose", y, perm=[0, 2, 1, 3]), graph.array([0, 0, -1], "int64"))
    return graph.linear(graph("Relu", graph("Transpose", y, **STEPS_FIRST)), 2 * UNITS)


def last_of_steps(graph, lengths=""):
    y = graph("Squeeze", graph.cells("RNN", graph("Transpose", "x", **STEPS_FIRST), FEATURES, 1, lengths)[0],
              graph.array([1], "int64"))
    return graph.linear(graph("Gather", y, graph.array(-1, "int64"), axis=0))


def last_of_lengths(graph):
    last = graph.cells("LSTM", graph("Transpose", "x", **STEPS_FIRST), FEATURES, 1, "lengths")[1]
    return graph.linear(graph("Squeeze", last, graph.array([0], "int64")))


def convolved(graph):
    z = graph("Conv", graph("Transpose", "x", perm=[0, 2, 1]), graph.random(5, FEATURES, 3), graph.random(5), pads=[2, 0])
    return graph.linear(graph("ReduceMean", graph("Tanh", z), axes=[2], keepdims=0), 5)


def convolved_and_recurrent(graph):
    """Axes that are moved twice in a row are moved at once, as exporters write it."""
    z = graph("Relu", graph("Conv", graph("Transpose", "x", perm=[0, 2, 1]), graph.random(5, FEATURES, 3), pads=[1, 1]))
    y = graph("Squeeze", graph.cells("LSTM", graph("Transpose", z, perm=[2, 0, 1]), 5)[0], graph.array([1], "int64"))
    z = graph("MaxPool", graph("Transpose", y, perm=[1, 2, 0]), kernel_shape=[2], strides=[1], pads=[1, 0])
    return graph.linear(graph("ReduceMean", z, axes=[2], keepdims=0))


def squashed(graph):
    return graph.linear(graph("ReduceMax", graph("Tanh", "x"), axes=[1], keepdims=0), FEATURES)


def of_channels(graph):
    z = graph("Conv", "x", graph.random(5, FEATURES, 3), pads=[1, 1])
    return graph.linear(graph("ReduceMean", z, axes=[2], keepdims=0), 5)


def largest_words(graph):
    return graph.linear(graph("ReduceMax", graph.embedding(), axes=[1], keepdims=0), 5)


BIDIRECTIONAL = GRU(UNITS, reset_after=False, return_sequences=True), GRU(
    UNITS, reset_after=False, return_sequences=True, reverse=True), Concatenate()
GRAPHS = {
    "embedding, lstm": (text, WORDS, (Embedding(TOKENS, 5), LSTM(UNITS), Dense(2))),
    "embedding, gru of both directions": (text_of_both_directions, WORDS, (
        Embedding(TOKENS, 5), GRU(UNITS), GRU(UNITS, reverse=True), Concatenate(), Dense(2, "softmax"))),
    "outputs of steps": (all_steps, SERIES, (*BIDIRECTIONAL, Activation("relu"), Dense(2))),
    "outputs of steps, lengths": (lambda graph: all_steps(graph, "lengths"), SERIES | LENGTHS,
                                  (*BIDIRECTIONAL, Activation("relu"), Dense(2))),
    "last step": (last_of_steps, SERIES, (SimpleRNN(UNITS), Dense(2))),
    "last states, lengths": (last_of_lengths, SERIES | LENGTHS, (LSTM(UNITS), Dense(2))),
    "convolution": (convolved, SERIES, (Conv1D(5, 3, padding=(2, 0)), Activation("tanh"), GlobalAveragePool(), Dense(2))),
    "convolution, lstm, pool": (convolved_and_recurrent, SERIES, (
        Conv1D(5, 3, padding=1), Activation("relu"), LSTM(UNITS), MaxPool1D(2), GlobalAveragePool(), Dense(2))),
    "an activation first": (squashed, SERIES, (Activation("tanh"), GlobalMaxPool(), Dense(2))),
    "largest of words": (largest_words, WORDS, (Embedding(TOKENS, 5), GlobalMaxPool(), Dense(2))),
}


def steps(inputs, n):
    return rng.integers(0, TOKENS, n) if inputs["x"][0] == INT64 else rng.normal(size=(n, FEATURES)).astype("float32")


def result(session, X, lengths=None):
    return session.run(None, {"x": X} if lengths is None else {"x": X, "lengths": lengths.astype("int32")})[0]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_becomes_a_network_of_sequences(name, tmp_path):
    make, inputs, layers = GRAPHS[name]
    graph, path = Graph(), tmp_path / "model.onnx"
    graph.save(path, make(graph), inputs)
    net = fastnn.onnx.load(path)
    assert [type(layer) for layer in net.layers] == [type(layer) for layer in layers]
    assert net.shapes[0] == ((None,) if inputs["x"][0] == INT64 else (None, FEATURES))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    sequences = [steps(inputs, n) for n in (1, 6, 3, 1, 4)]
    found = net.forward(sequences)
    if "lengths" in inputs:
        X = Sequences.of_lengths(np.concatenate(sequences), [*map(len, sequences)])
        y = result(session, X.to_padded(), X.lengths)
        expected = [row[:n] if y.ndim > 2 else row for row, n in zip(y, X.lengths, strict=True)]
    else:
        expected = [result(session, each[None])[0] for each in sequences]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_it_is_written_and_read_again(tmp_path):
    graph, path = Graph(), tmp_path / "model.onnx"
    graph.save(path, text(graph), WORDS)
    net = fastnn.onnx.load(path)
    net.to_onnx(path)
    assert fastnn.onnx.load(path).config() == net.config()


def several(graph):
    x = graph.embedding()
    last = graph("Squeeze", graph.cells("GRU", graph("Transpose", x, **STEPS_FIRST), 5)[1], graph.array([0], "int64"))
    return graph.linear(graph("Concat", last, graph("Tanh", graph.linear("table", 2, 3)), axis=1), UNITS + 3)


def test_one_of_several_inputs_is_text(tmp_path):
    graph, path = Graph(), tmp_path / "model.onnx"
    graph.save(path, several(graph), WORDS | {"table": (FLOAT, ["batch", 2])})
    net = fastnn.onnx.load(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    words, table = rng.integers(0, TOKENS, (3, 5)), rng.normal(size=(3, 2)).astype("float32")
    expected, = session.run(None, {"x": words, "table": table})
    np.testing.assert_allclose(net.forward({"x": Sequences.from_padded(words, [5] * 3), "table": table}), expected,
                               rtol=1e-6, atol=1e-6)


def flattened(graph):
    return graph.linear(graph("Reshape", "x", graph.array([0, -1], "int64")), 6 * FEATURES)


def beside(graph):
    tanh = graph("Tanh", graph.linear("x", FEATURES))
    return graph("ReduceMean", graph("Concat", tanh, graph("Relu", tanh), axis=1), axes=[1], keepdims=0)


def strided(graph):
    z = graph("Conv", graph("Transpose", "x", perm=[0, 2, 1]), graph.random(5, FEATURES, 3), strides=[2],
              auto_pad="SAME_UPPER")
    return graph.linear(graph("ReduceMean", z, axes=[2], keepdims=0), 5)


def heedless(graph):
    y = graph("Squeeze", graph.cells("GRU", graph("Transpose", "x", **STEPS_FIRST), FEATURES, 1, "lengths")[0],
              graph.array([1], "int64"))
    return graph.linear(graph("Squeeze", graph.cells("GRU", y, UNITS)[1], graph.array([0], "int64")))


def mean_of_padded(graph):
    y = graph("Squeeze", graph.cells("GRU", graph("Transpose", "x", **STEPS_FIRST), FEATURES, 1, "lengths")[0],
              graph.array([1], "int64"))
    return graph.linear(graph("ReduceMean", graph("Transpose", y, **STEPS_FIRST), axes=[1], keepdims=0))


def fixed(graph):
    seven = graph.array([-1, 7, FEATURES], "int64")
    return graph.linear(graph("Reshape", graph("Tanh", graph.linear("x", FEATURES)), seven))


REFUSED = {
    "a fixed number of steps": (fixed, SERIES, "Reshape.* may fix a number of steps that its input leaves open"),
    "a row of all steps": (flattened, SERIES, "MatMul"),
    "steps behind steps": (beside, SERIES, r"Concatenate\(axis=0\) works on all steps together"),
    "padding by the number of steps": (strided, SERIES, "Conv, pads by the number of steps"),
    "the last step of a padded batch": (lambda graph: last_of_steps(graph, "lengths"), SERIES | LENGTHS,
                                        "picks the last step of a padded batch"),
    "a layer that runs over the padding": (heedless, SERIES | LENGTHS, "does not heed the lengths"),
    "the mean of padded steps": (mean_of_padded, SERIES | LENGTHS, r"GlobalAveragePool\(\) .* does not heed their lengths"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_the_number_of_steps_is_refused(name, tmp_path):
    make, inputs, message = REFUSED[name]
    graph, path = Graph(), tmp_path / "model.onnx"
    graph.save(path, make(graph), inputs)
    with pytest.raises(fastnn.ModelFormatError, match=message):
        fastnn.onnx.load(path)




def test_channels_before_the_steps(tmp_path):
    graph, path = Graph(), tmp_path / "model.onnx"
    graph.save(path, of_channels(graph), {"x": (FLOAT, ["batch", FEATURES, "steps"])})
    net = fastnn.onnx.load(path)
    assert net.shapes[0] == (None, FEATURES)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (1, 5):
        x = rng.normal(size=(n, FEATURES)).astype("float32")
        np.testing.assert_allclose(net.forward([x]), result(session, x.T[None]), rtol=1e-6, atol=1e-6)
