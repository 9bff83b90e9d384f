"""Foreign graphs that branch: joins, several inputs and outputs, attention; equal to ONNX Runtime, or refused.

Networks of this library, exported and stripped of their architecture, stand for the graphs of other programs.
"""

import numpy as np
import pytest
from onnx_graphs import HEAD, W, node, write
from random_graphs import random_graph

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Activation,
    Attention,
    Average,
    BatchNorm,
    Bidirectional,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Dot,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    Input,
    LastStep,
    Maximum,
    ModelFormatError,
    MultiHeadAttention,
    Network,
    PositionalEncoding,
    PositionEmbedding,
    Shared,
    TransformerDecoder,
    TransformerEncoder,
)

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime")
rng = np.random.default_rng(0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def stripped(net, path):
    """Write a network without its architecture."""
    for view in net.parameters.values():
        view[...] += rng.normal(size=view.shape) * 0.1
    net.to_onnx(path)
    model = onnx.load(path)
    model.ClearField("metadata_props")
    onnx.save(model, path)


def check(path, batch=6, first=(), tolerance=1e-6):
    """Return the network of a file, after comparing it with ONNX Runtime. first: inputs whose channels come first there."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    net, feeds, X = fastnn.onnx.load(path), {}, {}
    for (name, shape), given in zip(net.input_shapes.items(), session.get_inputs(), strict=True):
        x = rng.normal(size=(batch, *given.shape[1:])).astype(net.dtype)
        feeds[given.name], X[name] = x, np.moveaxis(x, 1, -1) if given.name in first else x
        assert X[name].shape[1:] == shape
    found = net.forward(X if len(X) > 1 else X[name])
    expected = session.run(None, feeds)
    for out, true in zip(found.values() if isinstance(found, dict) else [found], expected, strict=True):
        np.testing.assert_allclose(out, true, rtol=0, atol=tolerance * max(1, np.abs(true).max()))
    return net


x, y = Input(6, name="x"), Input(6, name="y")
image, series, source = Input((6, 5, 3), name="image"), Input((5, 8), name="series"), Input((7, 8), name="source")


def a():
    return Dense(5, "relu")(x)


def b():
    return Dense(5, "tanh")(y)


def pixels():
    return Conv2D(4, 3, "relu", padding="same")(image)


def activated_twice():
    z = Dense(5)(x)
    return Activation("relu")(z) * Activation("tanh")(z) + z


def pooled(steps):
    return Dense(2)(GlobalAveragePool()(steps))


def twice():
    shared = Shared(Dense(6, "tanh"))
    return shared(x) * shared(y)


BRANCHING = {
    "add": lambda: ([x, y], Dense(2)(a() + b())),
    "subtract": lambda: ([x, y], Dense(2)(a() - b())),
    "multiply": lambda: ([x, y], Dense(2)(a() * b())),
    "maximum": lambda: ([x, y], Dense(2)(Maximum()(a(), b()))),
    "average": lambda: ([x, y], Dense(2)(Average()(a(), b()))),
    "concatenate": lambda: ([x, y], Dense(2)(Concatenate()(a(), b()))),
    "activated twice": lambda: (x, Dense(2)(activated_twice())),
    "slices": lambda: (x, Dense(2)(a()[1:4]) + Dense(2)(x[3:])),
    "around the input": lambda: (x, Dense(6)(x) + x),
    "two outputs": lambda: ([x, y], {"u": Dense(2)(a() + b()), "v": Dense(3, "sigmoid")(a())}),
    "shared": lambda: ([x, y], Dense(2)(twice())),
    "residual pixels": lambda: (image, Dense(2)(Flatten()(Conv2D(4, 3, padding="same")(pixels()) + pixels()))),
    "channels side by side": lambda: (image, Dense(2)(GlobalMaxPool()(Concatenate()(pixels(), Conv2D(3, 1)(image))))),
    "pixels and features": lambda: (image, Dense(2)(GlobalMaxPool()(pixels())) + Dense(2)(Flatten()(image))),
    "normalized": lambda: (image, Dense(2)(GlobalMaxPool()(Activation("relu")(BatchNorm()(pixels())) + pixels()))),
    "picture and table": lambda: ([image, x], {"kind": Dense(3, "softmax")(Concatenate()(Flatten()(pixels()), a())),
                                               "value": Dense(1)(a())}),
    "encoder": lambda: (series, pooled(TransformerEncoder(2, 9)(series))),
    "encoder, all steps": lambda: (series, Dense(2)(Flatten()(TransformerEncoder(1, 9, "relu", norm_first=False)(series)))),
    "causal": lambda: (series, pooled(TransformerEncoder(4, 9, causal=True)(series))),
    "decoder": lambda: ([series, source], pooled(TransformerDecoder(2, 9)(series, source))),
    "attention": lambda: ([series, source], pooled(Attention()(series, source))),
    "projected": lambda: ([series, source], pooled(Attention()(Conv1D(6, 1)(series), Conv1D(6, 1, "tanh")(source),
                                                               Conv1D(6, 1)(source)))),
    "one query": lambda: ([series, source], Dense(2)(MultiHeadAttention(2)(LastStep()(series), source))),
    "positions": lambda: (series, pooled(TransformerEncoder(2, 9)(PositionalEncoding()(PositionEmbedding(9)(series))))),
    "recurrent": lambda: (series, Dense(2)(LastStep()(GRU(8, return_sequences=True)(series) + series))),
    "both directions": lambda: ([series, x], Dense(2)(Concatenate()(Bidirectional(LSTM(4))(series), a()))),
}


@pytest.mark.parametrize("kind", BRANCHING)
def test_branches(kind, path):
    inputs, outputs = BRANCHING[kind]()
    loss = None if isinstance(outputs, dict) else "squared_error"
    net = Network(inputs=inputs, outputs=outputs, loss=loss)
    stripped(net, path)
    found = check(path)
    assert len(found.layers) <= len(net.layers) + 2


@pytest.mark.parametrize("kind", ["two outputs", "attention", "one query"])
def test_float64(kind, path):
    inputs, outputs = BRANCHING[kind]()
    stripped(Network(inputs=inputs, outputs=outputs, dtype="float64",
                     loss=None if isinstance(outputs, dict) else "squared_error"), path)
    assert check(path, tolerance=1e-12).dtype == "float64"


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, 100))])
def test_random_graphs_are_equal_or_refused(seed, path):
    net = random_graph(seed, "float32")
    stripped(net, path)
    if any(isinstance(layer, Dot) for layer in net.layers):
        with pytest.raises(ModelFormatError, match=r"node \d+, \w+ .*, cannot be taken"):
            fastnn.onnx.load(path)
    else:
        check(path, tolerance=1e-5)


@pytest.mark.parametrize(("name", "first", "shapes"), [
    ("pytorch_resnet", ["in0"], {"in0": (8, 8, 3)}),
    ("pytorch_two_inputs", ["in0"], {"in0": (8, 8, 1), "in1": (6,)}),
    ("pytorch_encoder", (), {"in0": (5, 8)}),
    ("pytorch_encoder_torchscript", (), {"in0": (5, 8)}),
    ("pytorch_attention_torchscript", (), {"in0": (4, 8), "in1": (5, 8)}),
])
@pytest.mark.parametrize("batch", [1, 7])
def test_files_of_pytorch(name, first, shapes, batch, request):
    net = check(request.path.parents[1] / "data" / "onnx_branches" / f"{name}.onnx", batch, first)
    assert list(net.input_shapes.values()) == list(shapes.values())
    kinds = [type(layer).__name__ for layer in net.layers]
    assert ("encoder" in name or "attention" in name) == ("MultiHeadAttention" in kinds)


def test_an_input_read_with_its_channels_first_and_flat(path):
    """What reads it first must not decide for the other: here a product of the flattened image, before a convolution."""
    kernel = rng.normal(size=(3, 2, 3, 3)).astype("f")
    write(path, [node("Flatten", "x", to="f"), node("MatMul", "f", "big", to="m"), node("Conv", "x", "k", to="c"),
                 node("GlobalMaxPool", "c", to="p"), node("Flatten", "p", to="q"), node("Add", "m", "q", to="out")],
          {"k": kernel, "big": rng.normal(size=(40, 3)).astype("f")}, shape=("batch", 2, 4, 5))
    assert check(path, first=["x"]).input_shapes == {"x": (4, 5, 2)}


def interleaved(path, perm, mask=None, heads=2, size=3, steps=4, scale=1.0):
    """Write self-attention whose queries, keys and values are one product, split in an unusual order."""
    qkv = rng.normal(size=(6, 3 * heads * size)).astype("f")
    nodes = [node("MatMul", "x", "qkv", to="m"), node("Reshape", "m", "apart", to="r"),
             node("Transpose", "r", to="t", perm=perm)]
    nodes += [node("Gather", "t", f"number {k}", to=name, axis=0) for k, name in enumerate("QKV")]
    nodes += [node("Transpose", "K", to="Kt", perm=[0, 1, 3, 2]), node("MatMul", "Q", "Kt", to="s"),
              node("Mul", "s", "scale", to="scores")]
    nodes += [node("Add", "scores", "mask", to="masked")] if mask is not None else []
    nodes += [node("Softmax", "scores" if mask is None else "masked", to="p", axis=-1), node("MatMul", "p", "V", to="a"),
              node("Transpose", "a", to="c", perm=[0, 2, 1, 3]), node("Reshape", "c", "joined", to="j"),
              node("MatMul", "j", "last", to="h"), node("Flatten", "h", to="f"), node("MatMul", "f", "end", to="out")]
    apart = [0, steps, heads, 3, size] if perm[0] == 3 else [0, steps, 3, heads, size]
    constants = {"qkv": qkv, "apart": apart, "scale": np.float32(scale), "joined": [0, steps, heads * size],
                 "last": rng.normal(size=(heads * size, 5)).astype("f"), "end": rng.normal(size=(steps * 5, 3)).astype("f"),
                 **{f"number {k}": np.int64(k) for k in range(3)}}
    write(path, nodes, constants | ({} if mask is None else {"mask": mask.astype("f")}), shape=("batch", steps, 6))


LATER = np.triu(np.ones((4, 4)), 1)


@pytest.mark.parametrize("mask", [None, np.zeros((4, 4)), -1e9 * LATER, np.where(LATER > 0, -np.inf, 0)],
                         ids=["none", "zeros", "-1e9", "-inf"])
@pytest.mark.parametrize("perm", [[2, 0, 3, 1, 4], [3, 0, 2, 1, 4]], ids=["by kind", "by head"])
def test_heads_in_any_order(perm, mask, path):
    interleaved(path, perm, mask, scale=0.9)
    found, = [layer for layer in check(path).layers if isinstance(layer, MultiHeadAttention)]
    assert (found.heads, found.key_dim or 3, found.causal) == (2, 3, mask is not None and bool(mask.any()))


@pytest.mark.parametrize(("mask", "message"), [
    (-1e4 * LATER, "node 9, Add, .* adds numbers to the scores"),
    (-1e9 * LATER.T, "node 9, Add, .* hides other steps"),
    (-1e9 * np.eye(4), "node 9, Add, .* hides other steps"),
])
def test_masks_that_no_layer_has(mask, message, path):
    interleaved(path, [2, 0, 3, 1, 4], mask)
    with pytest.raises(ModelFormatError, match=message):
        fastnn.onnx.load(path)


def test_names_that_no_input_here_can_have(path):
    write(path, [node("MatMul", "1/x:0", "w", to="m"), node("MatMul", "y", "w", to="n"), node("Add", "m", "n", to="12"),
                 node("Relu", "12", to="out")], inputs=["1/x:0", "y"], outputs=["12", "out"])
    net = fastnn.onnx.load(path)
    assert list(net.input_shapes) == ["input_1_x_0", "y"]
    assert list(net.output_shapes) == ["output_12", "out"]
    one, other = rng.normal(size=(2, 5, 4)).astype("f")
    np.testing.assert_allclose(net.forward([one, other])["output_12"], one @ W + other @ W, rtol=1e-5, atol=1e-6)


def test_labels_beside_several_outputs_are_left_out(path):
    write(path, [*HEAD, node("Softmax", "z", to="p", axis=-1), node("ArgMax", "p", to="label", axis=-1, keepdims=0),
                 node("MatMul", "z", "v", to="out")], outputs=["label", "p", "out"])
    assert list(fastnn.onnx.load(path).output_shapes) == ["p", "out"]
