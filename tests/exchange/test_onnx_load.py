"""ONNX files of other programs that are chains of dense layers are read as the same function."""

from pathlib import Path

import numpy as np
import pytest
from onnx_graphs import HEAD, B, W, node, rng, write

import fastnn
from fastnn import Activation, Dense, LayerNorm

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")
import onnx  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

DATA = Path(__file__).parents[1] / "data" / "onnx"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def assert_computes_the_same(path, net, name=None, tolerance=1e-6):
    """Compare the network with onnxruntime on the file."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    kind = {"tensor(float)": np.float32, "tensor(double)": np.float64}[given.type]
    numbers = np.random.default_rng(1)  # the same ones whichever tests come before
    for batch in (1, 9):
        X = numbers.normal(scale=2, size=(batch, *given.shape[1:])).astype(kind)
        [out] = session.run([name] if name else None, {given.name: X})
        if isinstance(out, list):  # a dict of probabilities by class for each sample
            out = np.array([list(row.values()) for row in out])
        expected = net.forward(X.reshape(batch, -1))
        if out.shape[-1] == 2 and net.outputs == 1:
            out = out[:, 1:]
        np.testing.assert_allclose(out.reshape(expected.shape), expected, rtol=tolerance, atol=tolerance)


# Files of other programs


FOREIGN = {
    "pytorch": (["relu", "tanh", "gelu", "elu", "selu", "leaky_relu", "softplus", "silu", "softmax"], None),
    "pytorch_torchscript": (["relu", "tanh", "gelu", "elu", "selu", "leaky_relu", "softplus", "silu", "softmax"], None),
    "keras": (["relu", "elu", "silu", "leaky_relu", "sigmoid"], None),
    "sklearn_classifier": (["relu", "relu", "softmax"], "output_probability"),
    "sklearn_binary": (["tanh", "sigmoid"], "output_probability"),
}


@pytest.mark.parametrize(("name", "activations", "output"), [(name, *rest) for name, rest in FOREIGN.items()], ids=FOREIGN)
def test_foreign_files(name, activations, output):
    path = DATA / f"{name}.onnx"
    net = fastnn.onnx.load(path)
    assert net.inputs == 6
    assert [layer.activation for layer in net.layers] == activations
    assert_computes_the_same(path, net, output)


def test_every_foreign_file_is_tested():
    assert {path.stem for path in DATA.glob("*.onnx")} == set(FOREIGN)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("classes", [2, 3, "multilabel", "regression"])
def test_scikit_learn(classes, activation, path):
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from skl2onnx import to_onnx
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    X = rng.normal(size=(40, 4)).astype("float32")
    y = rng.normal(size=(40, 2)) > 0 if classes == "multilabel" else rng.normal(size=40)
    y = y if isinstance(classes, str) else np.arange(40) % classes
    kind = MLPRegressor if classes == "regression" else MLPClassifier
    model = kind(hidden_layer_sizes=(5, 3), activation=activation, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    path.write_bytes(to_onnx(model, X[:1]).SerializeToString())
    net = fastnn.onnx.load(path)
    if classes == "regression":
        np.testing.assert_allclose(net.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(net.predict(X), model.predict(X))
        probabilities = model.predict_proba(X)[:, 1:] if net.outputs == 1 else model.predict_proba(X)
        np.testing.assert_allclose(net.predict_proba(X), probabilities, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dynamo", [True, False])
def test_pytorch(dynamo, path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if dynamo:
        pytest.importorskip("onnxscript", reason="PyTorch's exporter needs onnxscript, which is not installed")
    nn = torch.nn
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3), nn.GELU(), nn.Linear(3, 2)).eval()
    torch.onnx.export(model, (torch.zeros(2, 4),), path, dynamo=dynamo, verbose=False,
                      **({"external_data": False} if dynamo else {}))
    X = rng.normal(size=(9, 4)).astype("float32")
    net = fastnn.onnx.load(path)
    assert net.layers == (Dense(5, "relu"), Dense(3, "gelu"), Dense(2))
    np.testing.assert_allclose(net.forward(X), model(torch.tensor(X)).detach().numpy(), rtol=1e-5, atol=1e-6)


# One spelling each


SCALE = np.array([0.5, 2.0, -1.0], "float32")
ROOT = np.float32(np.sqrt(2))
SPELLINGS = {
    "Gemm": ([node("Gemm", "x", "w", "b", to="out")], {}, [Dense(3)]),
    "Gemm without bias": ([node("Gemm", "x", "w", to="out")], {}, [Dense(3)]),
    "Gemm with factors": ([node("Gemm", "x", "v", "b", to="out", transB=1, alpha=0.5, beta=3.0)], {}, [Dense(3)]),
    "bias first": ([HEAD[0], node("Add", "b", "m", to="out")], {}, [Dense(3)]),
    "bias subtracted": ([HEAD[0], node("Sub", "m", "b", to="out")], {}, [Dense(3)]),
    "bias of one row": ([HEAD[0], node("Add", "m", "c", to="out")], {"c": B[None]}, [Dense(3)]),
    "bias one number": ([HEAD[0], node("Add", "m", "c", to="out")], {"c": np.float32(2)}, [Dense(3)]),
    "weight transposed in the graph": ([node("Transpose", "v", to="t", perm=[1, 0]), node("MatMul", "x", "t", to="out")],
                                       {}, [Dense(3)]),
    "weight in a Constant": ([node("Constant", to="c", value=numpy_helper.from_array(W)),
                              node("MatMul", "x", "c", to="out")], {}, [Dense(3)]),
    "weight of float16": ([helper.make_node("Cast", ["h"], ["c"], to=TensorProto.FLOAT), node("MatMul", "x", "c", to="out")],
                          {"h": W.astype("float16")}, [Dense(3)]),
    "identities": ([node("Identity", "x", to="i"), helper.make_node("Cast", ["i"], ["j"], to=TensorProto.FLOAT),
                    node("MatMul", "j", "w", to="k"), node("Dropout", "k", to="d"), node("Identity", "d", to="out")],
                   {}, [Dense(3)]),
    "inputs standardized": ([node("Sub", "x", "mean", to="s"), node("Div", "s", "std", to="t"),
                             node("MatMul", "t", "w", to="out")],
                            {"mean": np.arange(4, dtype="f"), "std": np.arange(1, 5, dtype="f")}, [Dense(3)]),
    "inputs scaled by a number": ([node("Div", "x", "c", to="s"), node("MatMul", "s", "w", to="out")],
                                  {"c": np.float32(255)}, [Dense(3)]),
    "inputs from 1": ([node("Sub", "c", "x", to="s"), node("MatMul", "s", "w", to="out")], {"c": np.float32(1)}, [Dense(3)]),
    "output scaled": ([*HEAD, node("Mul", "z", "s", to="out")], {"s": SCALE}, [Dense(3)]),
    "output scaled after an activation": ([*HEAD, node("Tanh", "z", to="a"), node("Mul", "a", "s", to="out")], {"s": SCALE},
                                          [Dense(3, "tanh"), Dense(3)]),
    "output negated": ([*HEAD, node("Sigmoid", "z", to="a"), node("Sub", "c", "a", to="out")], {"c": np.float32(1)},
                       [Dense(3, "sigmoid"), Dense(3)]),
    "two products": ([*HEAD, node("MatMul", "z", "v", to="out")], {}, [Dense(3), Dense(4)]),
    "gelu in five": ([*HEAD, node("Div", "z", "r", to="d"), node("Erf", "d", to="e"), node("Add", "e", "one", to="f"),
                      node("Mul", "z", "f", to="g"), node("Mul", "g", "half", to="out")],
                     {"r": ROOT, "one": np.float32(1), "half": np.float32(0.5)}, [Dense(3, "gelu")]),
    "relu as a maximum": ([*HEAD, node("Max", "z", "c", to="out")], {"c": np.float32(0)}, [Dense(3, "relu")]),
    "relu as a clip": ([*HEAD, node("Clip", "z", "c", to="out")], {"c": np.float32(0)}, [Dense(3, "relu")]),
    "relu up to the largest float32": ([*HEAD, node("Clip", "z", "c", "d", to="out")],
                                       {"c": np.float32(0), "d": np.finfo("f").max}, [Dense(3, "relu")]),
    "relu up to infinity": ([*HEAD, node("Clip", "z", "c", "d", to="out")], {"c": np.float32(0), "d": np.float32(np.inf)},
                            [Dense(3, "relu")]),
    "leaky_relu with a slope a feature": ([*HEAD, node("PRelu", "z", "c", to="out")], {"c": np.full(3, 0.01, "f")},
                                          [Dense(3, "leaky_relu")]),
    "sigmoid as a quotient": ([*HEAD, node("Neg", "z", to="n"), node("Exp", "n", to="e"), node("Add", "e", "c", to="f"),
                               node("Reciprocal", "f", to="out")], {"c": np.float32(1)}, [Dense(3, "sigmoid")]),
    "softplus with a threshold": ([*HEAD, node("Softplus", "z", to="s"), node("Greater", "z", "c", to="g"),
                                   node("Where", "g", "z", "s", to="out")], {"c": np.float32(20)}, [Dense(3, "softplus")]),
    "one output": ([node("MatMul", "x", "v", to="m"), node("Add", "m", "c", to="z"), node("Sigmoid", "z", to="out")],
                   {"v": W[:, :1], "c": B[:1]}, [Dense(1, "sigmoid")]),
    "one output, flat": ([node("MatMul", "x", "v", to="m"), node("Squeeze", "m", "axes", to="flat")],
                         {"v": W[:, :1], "axes": [-1]}, [Dense(1)]),
    "a sum of two": ([HEAD[0], node("Sum", "m", "b", to="out")], {}, [Dense(3)]),
    "layer normalization": ([*HEAD, node("LayerNormalization", "z", "s", "b", to="n", epsilon=1e-3),
                             node("Relu", "n", to="a"), node("MatMul", "a", "v", to="out")], {"s": SCALE},
                            [Dense(3), LayerNorm(1e-3), Activation("relu"), Dense(4)]),
    "layer normalization of the inputs": ([node("LayerNormalization", "x", "c", to="n"), node("MatMul", "n", "w", to="out")],
                                          {"c": np.arange(4, dtype="f")}, [LayerNorm(1e-5), Dense(3)]),
    "layer normalization of the outputs": ([*HEAD, node("Tanh", "z", to="a"),
                                            node("LayerNormalization", "a", "s", to="out", axis=1)], {"s": SCALE},
                                           [Dense(3, "tanh"), LayerNorm(1e-5)]),
    "an activation of the inputs": ([node("Tanh", "x", to="a"), node("MatMul", "a", "w", to="out")], {},
                                    [Activation("tanh"), Dense(3)]),
    "an activation of an activation": ([*HEAD, node("Relu", "z", to="a"), node("Tanh", "a", to="out")], {},
                                       [Dense(3, "relu"), Activation("tanh")]),
    "activations between products": ([*HEAD, node("Tanh", "z", to="a"), node("Softplus", "a", to="c"),
                                      node("Sigmoid", "c", to="d"), node("MatMul", "d", "v", to="out")], {},
                                     [Dense(3, "tanh"), Activation("softplus"), Activation("sigmoid"), Dense(4)]),
    "softmax of an activation": ([*HEAD, node("Relu", "z", to="a"), node("Softmax", "a", to="out")], {},
                                 [Dense(3, "relu"), Activation("softmax")]),
    "an activation of a scaled one": ([*HEAD, node("Relu", "z", to="a"), node("Mul", "a", "c", to="d"),
                                       node("Tanh", "d", to="out")], {"c": np.float32(0.5)},
                                      [Dense(3, "relu"), Dense(3, "tanh")]),
    "relu twice": ([*HEAD, node("Relu", "z", to="a"), node("Relu", "a", to="out")], {}, [Dense(3, "relu")]),
    "nodes that lead nowhere": ([*HEAD, node("Sin", "z", to="sine"), node("Relu", "z", to="out")], {}, [Dense(3, "relu")]),
}


@pytest.mark.parametrize(("nodes", "constants", "layers"), SPELLINGS.values(), ids=SPELLINGS)
def test_spellings(nodes, constants, layers, path):
    write(path, nodes, constants, outputs=nodes[-1].output)
    net = fastnn.onnx.load(path)
    assert net.layers == tuple(layers)
    assert net.dtype == "float32"
    assert_computes_the_same(path, net)


def test_an_output_that_says_no_shape(path):
    write(path, HEAD, {}, outputs=["z"])
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, path)
    assert fastnn.onnx.load(path).layers == (Dense(3),)


def test_float64(path):
    nodes = [node("MatMul", "x", "v", to="z"), node("Tanh", "z", to="out")]
    write(path, nodes, {"v": W.astype("float64")}, kind=TensorProto.DOUBLE)
    net = fastnn.onnx.load(path)
    assert net.dtype == "float64"
    assert_computes_the_same(path, net, tolerance=1e-12)


def test_labels_of_a_classifier_are_left_out(path):
    nodes = [*HEAD, node("Softmax", "z", to="p"), node("ArgMax", "p", to="label", axis=1)]
    write(path, nodes, outputs=["p"])
    expected = fastnn.onnx.load(path)
    write(path, nodes, outputs=["p", "label"])
    both = fastnn.onnx.load(path)
    write(path, nodes, outputs=["label"])
    for net in (both, fastnn.onnx.load(path)):
        assert net.config() == expected.config()
        np.testing.assert_array_equal(net.parameters["0.weight"], W)
