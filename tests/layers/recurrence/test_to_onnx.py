"""Recurrent layers as ONNX files: every option in both precisions, read again as the same network."""

import warnings

import numpy as np
import pytest

import fastnn
from fastnn import GRU, LSTM, Dense, Network, SimpleRNN

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")

LAYERS = {"relu": SimpleRNN(4, nonlinearity="relu"), "steps": SimpleRNN(4, return_sequences=True, reverse=True),
          "after": GRU(4, return_sequences=True), "before": GRU(4, reset_after=False, reverse=True),
          "cell": LSTM(4, reverse=True), "peepholes": LSTM(4, peepholes=True, return_sequences=True, reverse=True)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_file_computes_the_same_and_is_read_again(name, dtype, tmp_path):
    net = Network([LAYERS[name], *([] if not LAYERS[name].return_sequences else [GRU(3)]), Dense(2)], inputs=(5, 3),
                  dtype=dtype, seed=1)
    rng = np.random.default_rng(0)
    for array in net.parameters.values():
        array[...] += rng.normal(size=array.shape) * 0.3
    net.to_onnx(tmp_path / "net.onnx")
    X = rng.normal(size=(7, 5, 3)).astype(dtype)
    found = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, {"input": X})[0]
    np.testing.assert_allclose(found, net.forward(X), atol=1e-6 if dtype == "float32" else 1e-12)
    again = fastnn.onnx.load(tmp_path / "net.onnx")
    assert again.config() == net.config()
    assert all(np.array_equal(array, net.parameters[key]) for key, array in again.parameters.items())


def test_an_activation_without_an_operator_is_refused_in_float32(tmp_path):
    net = Network([SimpleRNN(4, nonlinearity="gelu")], inputs=(5, 3))
    with pytest.raises(ValueError, match="RNN has the activations tanh, relu, sigmoid"):
        net.to_onnx(tmp_path / "net.onnx")
    Network([SimpleRNN(4, nonlinearity="gelu")], inputs=(5, 3), dtype="float64").to_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize("name", LAYERS)
def test_the_graph_alone_is_read_as_the_same_layers(name, tmp_path):
    net = Network([LAYERS[name], *([] if not LAYERS[name].return_sequences else [GRU(3)]), Dense(2)], inputs=(5, 3), seed=1)
    rng = np.random.default_rng(0)
    for array in net.parameters.values():
        array[...] += rng.normal(size=array.shape) * 0.3
    net.to_onnx(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    model.ClearField("metadata_props")
    onnx.save(model, tmp_path / "net.onnx")
    alone = fastnn.onnx.load(tmp_path / "net.onnx")
    assert alone.layers == net.layers
    X = rng.normal(size=(7, 5, 3)).astype("float32")
    np.testing.assert_allclose(alone.forward(X), net.forward(X), atol=1e-6)


# ONNX's own tests of the operators have the steps first: a network takes the samples first, so the axes are moved before

loader = pytest.importorskip("onnx.backend.test.loader")


def node_cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in loader.load_model_tests(kind="node"):
            nodes = case.model.graph.node
            if len(nodes) == 1 and nodes[0].op_type in ("RNN", "GRU", "LSTM") and case.data_sets:
                yield case


CASES = {case.name.removeprefix("test_"): case for case in node_cases()}


@pytest.mark.parametrize("name", CASES)
def test_a_case_of_onnx(name, tmp_path):
    inputs, expected = CASES[name].data_sets[0]
    to_array = lambda each: each if isinstance(each, (np.ndarray, np.generic)) else onnx.numpy_helper.to_array(each)
    inputs, expected = list(map(to_array, inputs)), list(map(to_array, expected))
    model = onnx.ModelProto()
    model.CopyFrom(CASES[name].model)
    graph, (node,) = model.graph, model.graph.node
    layout = next((each.i for each in node.attribute if each.name == "layout"), 0)
    for value, array in zip(list(graph.input)[1:], inputs[1:], strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
        graph.input.remove(value)
    places = [place for place in node.output if place]
    which = places.index(node.output[1]) if len(node.output) > 1 and node.output[1] else None
    x = inputs[0]
    if not layout:
        x, taken = x.swapaxes(0, 1), graph.input[0].name
        dims = graph.input[0].type.tensor_type.shape.dim
        dims[0].dim_value, dims[1].dim_value = x.shape[:2]
        graph.node.insert(0, onnx.helper.make_node("Transpose", [taken], ["steps_first"], perm=[1, 0, 2]))
        graph.node[1].input[0] = "steps_first"
    if "bidirectional" in name:  # (directions, batch, units): the directions behind each other
        graph.node.append(onnx.helper.make_node("Transpose", [places[which]], ["units_last"], perm=[1, 0, 2]))
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, -1]), "of_both"))
        graph.node.append(onnx.helper.make_node("Reshape", ["units_last", "of_both"], ["last"]))
        expected[which] = np.concatenate(expected[which], axis=-1)[None]
    else:
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([1 if layout else 0]), "of_directions"))
        graph.node.append(onnx.helper.make_node("Squeeze", [places[which or 0], "of_directions"], ["last"]))
    kind = graph.output[0].type.tensor_type.elem_type
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info("last", kind, None))
    onnx.save(model, tmp_path / "model.onnx")
    net = fastnn.onnx.load(tmp_path / "model.onnx")
    np.testing.assert_allclose(net.forward(x), expected[which].squeeze(1 if layout else 0), rtol=1e-3, atol=1e-7)


def test_no_case_of_onnx_is_refused():
    assert len(CASES) >= 12  # of RNN, GRU and LSTM; all are read


def torch_like(kind, gates, layers, units=4, steps=5, features=3, seed=0):
    """Return (model, X): stacked bidirectional operators as PyTorch exports them, for a batch of 7 with batch_first=True."""
    random, make = np.random.default_rng(seed), onnx.helper.make_node
    nodes, tensors = [make("Transpose", ["x"], ["y0"], perm=[1, 0, 2])], {"joined": np.array([0, 0, -1])}
    for k in range(layers):
        inputs = features if k == 0 else 2 * units
        rows = gates * units
        for name, shape in (("w", (2, rows, inputs)), ("r", (2, rows, units)), ("b", (2, 2 * rows))):
            tensors[f"{name}{k}"] = 0.5 * random.normal(size=shape).astype("float32")
        more = {"linear_before_reset": 1} if kind == "GRU" else {}
        nodes += [make(kind, [f"y{k}", f"w{k}", f"r{k}", f"b{k}"], [f"s{k}"], hidden_size=units, direction="bidirectional",
                       **more),
                  make("Transpose", [f"s{k}"], [f"t{k}"], perm=[0, 2, 1, 3]),
                  make("Reshape", [f"t{k}", "joined"], [f"y{k + 1}"])]
    tensors |= {"weight": random.normal(size=(2 * units * steps, 2)).astype("float32"), "flat": np.array([0, -1])}
    nodes += [make("Transpose", [f"y{layers}"], ["first"], perm=[1, 0, 2]), make("Reshape", ["first", "flat"], ["row"]),
              make("MatMul", ["row", "weight"], ["out"])]
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "stacked", [info("x", 1, ["batch", steps, features])], [info("out", 1, ["batch", 2])],
        [onnx.numpy_helper.from_array(array, name) for name, array in tensors.items()])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    return model, random.normal(size=(7, steps, features)).astype("float32")


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_both_directions_stacked_are_read(kind, gates, layers, tmp_path):
    model, X = torch_like(kind, gates, layers)
    onnx.save(model, tmp_path / "model.onnx")
    expected = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"x": X})[0]
    net = fastnn.onnx.load(tmp_path / "model.onnx")
    assert [layer.reverse for layer in net.layers if hasattr(layer, "reverse")] == [False, True] * layers
    np.testing.assert_allclose(net.forward(X), expected, atol=2e-6)
    net.to_onnx(tmp_path / "ours.onnx")
    np.testing.assert_allclose(fastnn.onnx.load(tmp_path / "ours.onnx").forward(X), net.forward(X), atol=1e-6)


def test_one_step_of_both_directions_is_refused_by_name(tmp_path):
    """The last step of the output is the first that the second direction computed, not its last."""
    model, _ = torch_like("GRU", 3, 1)
    nodes = list(model.graph.node)
    del model.graph.node[2:]
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(-1), "last"))
    model.graph.node.extend([onnx.helper.make_node("Gather", ["s0", "last"], ["out"], axis=0)])
    onnx.save(model, tmp_path / "model.onnx")
    assert len(nodes) > 3
    with pytest.raises(fastnn.ModelFormatError, match=r"node 2, Gather.*take Y_h"):
        fastnn.onnx.load(tmp_path / "model.onnx")
