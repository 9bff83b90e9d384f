"""ONNX files of every layer compute the same as the network, and are loaded as the same network."""

import inspect
import os
from pathlib import Path

import numpy as np
import pytest
from layer_cases import TOKENS, placed

import fastnn
from fastnn import Dense, Network, activations
from fastnn.layers import layers

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")

OWN = Path(__file__).parents[1] / "data" / "onnx_own"
rng = np.random.default_rng(0)
BATCHES = [1, 7]
# arguments that a layer requires or gets in addition, by name
ARGUMENTS = {"positions": 40, "out_features": 5, "kernel_size": 2, "groups": 1, "scale": 0.5, "deviation": 0.1,
             "pixels": 1, "height": 2, "width": 1, "rate": 0.3, "shape": (-1,), "out_channels": 4, "multiplier": 3,
             "heads": 1}
LAYERS = [(layer, name) for layer, cls in layers.items() if layer not in TOKENS
          for name in (activations if "activation" in inspect.signature(cls).parameters else ["tanh"])]

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_layer = pytest.mark.parametrize(("layer", "activation"), LAYERS, ids=[f"{layer}-{name}" for layer, name in LAYERS])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def example(layer, activation):
    """Return a layer of a type by name, with the activation if it takes one."""
    parameters = inspect.signature(layers[layer]).parameters
    arguments = ARGUMENTS | {"activation": activation}
    return layers[layer](**{name: arguments[name] for name, p in parameters.items()
                            if p.default is p.empty or name in ("activation", "multiplier")})


def network(layer, activation, dtype):
    """Return networks with the layer between others and, if possible, at the end, with trained-like parameters and state."""
    each = example(layer, activation)
    last = 3 if len(placed(layer, 3)) == 1 else 12
    net = Network([Dense(17 if last == 3 else 36, "tanh"), *placed(layer, 17 if last == 3 else 36, layer=each), Dense(last),
                   *(placed(layer, last, layer=each) if each.can_be_last else [])], inputs=6, dtype=dtype,
                  loss="squared_error")
    numbers = np.random.default_rng(1)
    for view in (*net.parameters.values(), *net.state.values()):
        view += numbers.uniform(0, 0.4, size=view.shape)  # a variance may be among them
    return net


def run(path, X):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": X})[0]


def difference(net, path, batch):
    """Return the largest difference between the network and its file in onnxruntime, relative for outputs above 1."""
    X = np.random.default_rng(batch).normal(scale=3, size=(batch, net.inputs)).astype(net.dtype)
    expected, out = net.forward(X), run(path, X)
    assert (out.shape, out.dtype) == (expected.shape, expected.dtype)
    return (np.abs(out - expected) / np.maximum(1, np.abs(expected))).max()


def same(net, other):
    """Return whether two networks are the same to the bit."""
    arrays, others = ({**each.parameters, **each.state} for each in (net, other))
    return net.config() == other.config() and list(arrays) == list(others) and all(
        arrays[name].tobytes() == others[name].tobytes() for name in arrays)


@every_dtype
@every_layer
def test_computes_the_same(layer, activation, dtype, path, record_property):
    net = network(layer, activation, dtype)
    net.to_onnx(path)
    onnx.checker.check_model(path, full_check=True)
    largest = max(difference(net, path, batch) for batch in BATCHES)
    record_property("largest difference", float(largest))
    # a normalization over three features amplifies rounding errors of both; so do sums of many large terms
    magnified = layer in ("LayerNorm", "GroupNorm", "MultiHeadAttention") or "Conv" in layer
    assert largest < (5e-6 if magnified and dtype == "float32" else 1e-6)


@every_dtype
@pytest.mark.parametrize("activation", activations)
def test_activations_far_from_zero(activation, dtype, path):
    """The activation alone, for numbers from −100 to 100."""
    net = Network([Dense(2, activation)], inputs=2, dtype=dtype, loss="squared_error")
    net.parameters["0.weight"][:] = np.eye(2)
    net.to_onnx(path)
    z = np.concatenate([np.linspace(-12, 12, 4801), np.linspace(-100, 100, 200)]).astype(dtype)
    X = np.stack([z, np.roll(z, 7)], axis=1)
    expected = net.forward(X)
    assert (np.abs(run(path, X) - expected) / np.maximum(1, np.abs(expected))).max() < 1e-6


@every_layer
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e3])
def test_nothing_passes_through_float32_in_float64(layer, activation, size, path):
    """Attributes of operators are float32, so epsilon and slope are not attributes, and erf is fastnn's own."""
    net = network(layer, activation, "float64")
    net.to_onnx(path)
    X = rng.normal(scale=size, size=(9, net.inputs))
    expected = net.forward(X)
    assert np.abs(run(path, X) - expected).max() <= 1e-12 * max(1e-3, np.abs(expected).max())


@pytest.mark.parametrize("epsilon", [1e-5, 1e-3, 0.1, 1e-12])
@pytest.mark.parametrize("kind", [fastnn.LayerNorm, fastnn.BatchNorm])
def test_an_epsilon_is_whole_in_float64(kind, epsilon, path):
    """For numbers so small that epsilon matters."""
    X = rng.normal(size=(50, 4)) * np.sqrt(epsilon)
    net = Network([kind(epsilon=epsilon), Dense(3)], inputs=4, dtype="float64")
    if kind is fastnn.BatchNorm:
        net.fit(X, np.zeros((50, 3)), epochs=30)
    net.to_onnx(path)
    np.testing.assert_allclose(run(path, X), net.forward(X), rtol=1e-11, atol=1e-13)
    assert same(fastnn.onnx.load(path), net)
    change(path, lambda model: model.ClearField("metadata_props"))
    alone = fastnn.onnx.load(path)
    np.testing.assert_allclose(alone.forward(X), net.forward(X), rtol=1e-11, atol=1e-13)
    if kind is fastnn.LayerNorm:
        assert alone.layers == net.layers
        assert same(alone, net)


@pytest.mark.parametrize("layer", [layer for layer in layers if layer != "Activation" and layer not in TOKENS])
@every_dtype
def test_the_graph_alone_computes_the_same(layer, dtype, path):
    """Without the architecture in the metadata, the graph is read like a foreign one; batch normalization is folded."""
    net = network(layer, "gelu", dtype)
    net.to_onnx(path)
    change(path, lambda model: model.ClearField("metadata_props"))
    # written in parts, as no others do
    if layer in ("GroupNorm", "UpSample2D") or (layer.startswith("AveragePool") and dtype == "float64"):
        with pytest.raises(fastnn.ModelFormatError, match=r"ReduceMean|MatMul|Tile|its outputs"):
            fastnn.onnx.load(path)
        return
    if layer in ("SimpleRNN", "GRU", "LSTM") and dtype == "float64":  # written step by step, likewise
        with pytest.raises(fastnn.ModelFormatError, match=r"node \d+, (MatMul|Mul|Add)"):
            fastnn.onnx.load(path)
        return
    if layer in ("Dot", "AttentionPool"):  # no layer is recognized in their operators
        with pytest.raises(fastnn.ModelFormatError, match="build the network of layers here"):
            fastnn.onnx.load(path)
        return
    if "Conv" in layer and dtype == "float64":  # written as many products, which no reader takes together again
        with pytest.raises(fastnn.ModelFormatError, match=r"Slice|Pad|Reshape|Gather|Unsqueeze"):
            fastnn.onnx.load(path)
        return
    alone = fastnn.onnx.load(path)
    X = rng.normal(size=(9, net.inputs)).astype(dtype)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(alone.forward(X), net.forward(X), rtol=tolerance, atol=tolerance)
    if layer in ("Dense", "LayerNorm"):
        assert alone.layers == net.layers


def test_files_of_before_are_the_same_networks():
    """Files in float64 from versions in which epsilon and erf were float32 are recognized by their graph."""
    net = fastnn.onnx.load(OWN / "float64.onnx")
    assert net.layers == (fastnn.LayerNorm(1e-3), Dense(3, "gelu"), fastnn.BatchNorm(momentum=0.5), Dense(2, "softmax"))
    assert (net.dtype, net.loss) == ("float64", "squared_error")
    X = np.random.default_rng(0).normal(size=(9, 4))
    np.testing.assert_allclose(net.forward(X), run(OWN / "float64.onnx", X), rtol=1e-6)


@every_dtype
@every_layer
def test_read_again_it_is_the_same_network(layer, activation, dtype, path):
    net = network(layer, activation, dtype)
    net.to_onnx(path)
    assert same(fastnn.onnx.load(path), net)


@every_dtype
@pytest.mark.parametrize("activation", activations)
def test_the_graph_alone_says_what_it_is(activation, dtype, path):
    """Without the architecture in the metadata, the reader of foreign files finds the same layers."""
    net = network("Dense", activation, dtype)
    net.to_onnx(path)
    change(path, lambda model: model.ClearField("metadata_props"))
    loaded = fastnn.onnx.load(path)
    assert loaded.layers == net.layers
    assert loaded.dtype == dtype
    for name, view in net.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], view)


@pytest.mark.parametrize("sizes", [[1, 1], [1, 3, 1], [17, 65, 3]])
def test_widths(sizes, path):
    net = Network([Dense(n, "relu") for n in sizes[1:]], inputs=sizes[0])
    fastnn.onnx.export(net, path)
    assert max(difference(net, path, batch) for batch in BATCHES) < 1e-6
    for _ in range(2):
        assert fastnn.onnx.load(path).layers == net.layers
        change(path, lambda model: model.ClearField("metadata_props"))


def test_losses_and_initializers_come_back(path):
    net = Network([Dense(4, "relu", initializer="zeros"), Dense(1)], inputs=3, loss="huber", seed=5)
    net.to_onnx(path)
    assert same(fastnn.onnx.load(path), net)


def test_more_layers_than_fingers(path):
    net = Network([Dense(2, "tanh")] * 12, inputs=5)
    net.to_onnx(path)
    assert same(fastnn.onnx.load(path), net)


def change(path, edit):
    model = onnx.load(path)
    edit(model)
    onnx.save(model, path)


# A file that was changed after writing


def test_the_graph_is_believed_before_the_metadata(path):
    net = Network([Dense(4, "relu"), Dense(2)], inputs=3)
    net.to_onnx(path)

    def edit(model):
        [relu] = [node for node in model.graph.node if node.op_type == "Relu"]
        relu.op_type = "Tanh"

    change(path, edit)
    assert fastnn.onnx.load(path).layers == (Dense(4, "tanh"), Dense(2))


HUGE = 10**12


@pytest.mark.parametrize("text", [
    "", "{}", "[" * 10_000, '{"layers": 3, "inputs": 2}', f'{{"layers": [], "inputs": {HUGE}}}',
    f'{{"layers": [{{"layer": "Dense", "out_features": {HUGE}}}], "inputs": {HUGE}}}',
], ids=["nothing", "empty", "deep", "number", "no layers", "huge"])
def test_metadata_that_is_none_of_ours(text, path):
    net = Network([Dense(4, "relu"), Dense(2)], inputs=3)
    net.to_onnx(path)
    change(path, lambda model: onnx.helper.set_model_props(model, {"fastnn": text}))
    assert same(fastnn.onnx.load(path), net)


# User-defined activations


@pytest.fixture
def own():
    return lambda name, **options: fastnn.register_activation(name, lambda z: z * z, lambda z, a: 2.0 * z, **options)


def test_an_activation_without_a_form_is_refused(own, path):
    own("square")
    net = Network([Dense(4, "square"), Dense(1)], inputs=3)
    with pytest.raises(ValueError, match=r"activation 'square' has no ONNX form; .*register_activation\(\.\.\., onnx="):
        net.to_onnx(path)
    assert os.listdir(path.parent) == []


@every_dtype
@pytest.mark.parametrize("form", [lambda graph, z: graph("Mul", z, z), lambda graph, z: graph("Pow", z, 2.0)])
def test_an_activation_with_a_form(own, form, dtype, path):
    own("square", onnx=form)
    net = Network([Dense(4, "square"), Dense(1)], inputs=3, dtype=dtype)
    net.to_onnx(path)
    assert max(difference(net, path, batch) for batch in BATCHES) < 1e-6
    assert same(fastnn.onnx.load(path), net)
    X = np.linspace(-2, 2, 12, dtype=dtype).reshape(4, 3)
    outputs = net.forward(X)
    del activations.records["square"]
    if form(lambda operator, *operands: operator, "z") == "Mul":  # a product of a value with itself is a layer
        np.testing.assert_allclose(fastnn.onnx.load(path).forward(X), outputs, rtol=1e-6, atol=1e-6)
        return
    with pytest.raises(fastnn.ModelFormatError, match=r"node 1, \w+ .*, cannot be taken: .* no activation that fastnn has"):
        fastnn.onnx.load(path)


def test_an_activation_by_the_name_of_an_operator(own, path):
    fastnn.register_activation("magnitude", lambda z: abs(z), lambda z, a: 1.0 if z > 0.0 else -1.0, onnx="Abs")
    net = Network([Dense(4, "magnitude"), Dense(1)], inputs=3)
    net.to_onnx(path)
    assert max(difference(net, path, batch) for batch in BATCHES) < 1e-6


# Atomic writes


def test_an_operator_that_does_not_exist_is_refused(own, path):
    own("square", onnx="Square")
    with pytest.raises(onnx.checker.ValidationError, match="Square"):
        Network([Dense(1, "square")], inputs=1).to_onnx(path)
    assert os.listdir(path.parent) == []


def test_a_directory_that_is_not_there(path):
    with pytest.raises(FileNotFoundError, match="make it first"):
        Network([Dense(1)], inputs=1).to_onnx(path.parent / "missing" / "model.onnx")
