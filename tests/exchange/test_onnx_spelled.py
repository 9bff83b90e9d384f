"""Other spellings of ONNX graphs: explicit default attributes, older opsets, layer normalization in parts."""

import numpy as np
import pytest
from onnx_graphs import HEAD, B, W, node, rng, write
from test_onnx_load import SPELLINGS, assert_computes_the_same

import fastnn
from fastnn import Activation, Dense, LayerNorm, ModelFormatError

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
from onnx import TensorProto, helper  # noqa: E402

LEAST_RUN = 7  # the first opset that ONNX Runtime runs


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def load(path, nodes, constants=None, *, opset=20, **options):
    """Return the network of a graph, after comparing it with onnxruntime."""
    write(path, nodes, constants, outputs=nodes[-1].output[:1], **options)
    model = onnx.load(path)
    model.opset_import[0].version = opset
    onnx.save(model, path)
    net = fastnn.onnx.load(path)
    if opset >= LEAST_RUN:
        assert_computes_the_same(path, net, tolerance=5e-5)  # layer normalization of few numbers may cancel
    return net


def refused(path, nodes, constants=None, *, says, **options):
    with pytest.raises(ModelFormatError, match=says):
        load(path, nodes, constants, **options)


# Attributes


def spelled_out(nodes, opset):
    """Return the nodes with all attributes that have a default."""
    made = []
    for each in nodes:
        schema = onnx.defs.get_schema(each.op_type, opset, each.domain)
        copy = onnx.NodeProto.FromString(each.SerializeToString())
        given = {attribute.name for attribute in each.attribute}
        copy.attribute.extend(attribute.default_value for name, attribute in schema.attributes.items()
                              if attribute.default_value.name and name not in given)
        made.append(copy)
    return made


@pytest.mark.parametrize("opset", [20, 21, 22])
@pytest.mark.parametrize("name", SPELLINGS)
def test_defaults_may_be_spelled_out(name, opset, path):
    nodes, constants, layers = SPELLINGS[name]
    assert load(path, spelled_out(nodes, opset), constants, opset=opset).layers == tuple(layers)


STATISTICS = {"g": rng.uniform(0.5, 2, 3).astype("f"), "mean": rng.normal(size=3).astype("f"),
              "variance": rng.uniform(0.5, 2, 3).astype("f")}


def batch_normalization(**attributes):
    return [*HEAD, node("BatchNormalization", "z", "g", "b", "mean", "variance", to="out", **attributes)]


@pytest.mark.parametrize(("opset", "attributes"), [
    *((opset, {}) for opset in range(7, 23)),
    (6, {"is_test": 1}), (6, {"is_test": 1, "spatial": 1}), (6, {"is_test": 1, "spatial": 0, "momentum": 0.5}),
    (7, {"spatial": 1}), (8, {"spatial": 0}), (8, {"spatial": 1, "momentum": 0.9, "epsilon": 1e-5}), (9, {"momentum": 0.1}),
    (14, {"training_mode": 0}), (15, {"training_mode": 0, "momentum": 0.9, "epsilon": 1e-3}), (22, {"epsilon": 0.25}),
], ids=str)
def test_batch_normalization_of_every_opset(opset, attributes, path):
    net = load(path, batch_normalization(**attributes), STATISTICS, opset=opset)
    scale = STATISTICS["g"] / np.sqrt(STATISTICS["variance"] + attributes.get("epsilon", 1e-5))
    np.testing.assert_allclose(net.parameters["0.weight"], W * scale, rtol=1e-6)
    np.testing.assert_allclose(net.parameters["0.bias"], (B - STATISTICS["mean"]) * scale + B, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("opset", "attributes"), [(6, {}), (6, {"is_test": 0}), (14, {"training_mode": 1})], ids=str)
def test_batch_normalization_in_training_is_refused(opset, attributes, path):
    """Before opset 7 this is the meaning of a node without the attribute."""
    refused(path, batch_normalization(**attributes), STATISTICS, opset=opset, says="2, BatchNormalization.* training mode")


@pytest.mark.parametrize(("opset", "operands", "attributes"), [
    (6, (), {"is_test": 1, "ratio": 0.5}), (7, (), {}), (10, (), {"ratio": 0.25}), (12, ("ratio",), {"seed": 3}),
    (13, ("ratio", "no"), {}), (22, ("", "no"), {}),
], ids=str)
def test_dropout_of_every_opset(opset, operands, attributes, path):
    nodes = [*HEAD, node("Dropout", "z", *operands, to="d", **attributes), node("Relu", "d", to="out")]
    assert load(path, nodes, {"ratio": np.float32(0.5), "no": np.array(False)}, opset=opset).layers == (Dense(3, "relu"),)


@pytest.mark.parametrize(("opset", "operands", "attributes"), [
    (6, (), {}), (6, (), {"is_test": 0}), (13, ("ratio", "yes"), {}),
], ids=str)
def test_dropout_in_training_is_refused(opset, operands, attributes, path):
    nodes = [*HEAD, node("Dropout", "z", *operands, to="out", **attributes)]
    refused(path, nodes, {"ratio": np.float32(0.5), "yes": np.array(True)}, opset=opset, says="2, Dropout.* training mode")


@pytest.mark.parametrize(("opset", "attributes"), [
    (6, {"broadcast": 1}), (7, {}), (9, {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}),
    (11, {"alpha": 2.0, "beta": -0.5}), (13, {"alpha": 0.0}), (22, {"beta": 0.0}),
], ids=str)
def test_gemm_of_every_opset(opset, attributes, path):
    net = load(path, [node("Gemm", "x", "w", "b", to="out", **attributes)], opset=opset)
    np.testing.assert_allclose(net.parameters["0.weight"], attributes.get("alpha", 1) * W, rtol=1e-6)
    np.testing.assert_allclose(net.parameters["0.bias"], attributes.get("beta", 1) * B, rtol=1e-6)


@pytest.mark.parametrize(("opset", "attributes"), [(6, {}), (7, {"axis": 1}), (11, {"axis": -1}), (12, {}), (13, {}),
                                                   (13, {"axis": 1}), (22, {"axis": -1})], ids=str)
def test_softmax_of_every_opset(opset, attributes, path):
    nodes = [*HEAD, node("Softmax", "z", to="out", **attributes)]
    assert load(path, nodes, opset=opset).layers == (Dense(3, "softmax"),)


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("axis", [{}, {"axis": 1}, {"axis": -1}], ids=str)
def test_broadcasts_of_opset_6(operator, axis, path):
    scaled = load(path, [*HEAD, node(operator, "z", "g", to="out")], STATISTICS)
    biased = node("Add", "m", "b", to="z", broadcast=1)
    net = load(path, [HEAD[0], biased, node(operator, "z", "g", to="out", broadcast=1, **axis)], STATISTICS, opset=6)
    for name, array in scaled.parameters.items():
        np.testing.assert_array_equal(net.parameters[name], array)
    refused(path, [HEAD[0], node(operator, "m", "g", to="out", broadcast=1, axis=0)], STATISTICS, opset=6, says="axis 0")


@pytest.mark.parametrize("attributes", [{}, {"stash_type": 1}, {"axis": 1},
                                        {"axis": -1, "epsilon": 1e-3, "stash_type": 1}], ids=str)
def test_layer_normalization_spelled_out(attributes, path):
    nodes = [*HEAD, node("LayerNormalization", "z", "g", "b", to="out", **attributes)]
    assert load(path, nodes, STATISTICS).layers == (Dense(3), LayerNorm(attributes.get("epsilon", 1e-5)))


CHANGED = {  # an attribute, or an output, that would change a number
    "gemm": [node("Gemm", "x", "square", to="out", transA=1)],
    "layer normalization over the batch": [node("LayerNormalization", "x", "square", to="out", axis=0)],
    "the smallest": [*HEAD, helper.make_node("TopK", ["z", "one"], ["top", "index"], largest=0)],
    "the largest of each feature": [*HEAD, node("ArgMax", "z", to="label")],
    "the last of the largest": [*HEAD, node("ArgMax", "z", to="label", axis=1, select_last_index=1)],
    "a mask": [*HEAD, helper.make_node("Dropout", ["z"], ["d", "mask"]),
               helper.make_node("Cast", ["mask"], ["f"], to=TensorProto.FLOAT), node("Mul", "d", "f", to="out")],
    "means": [*HEAD, helper.make_node("LayerNormalization", ["z", "b"], ["n", "mean"]), node("Add", "n", "mean", to="out")],
    "the mask alone": [*HEAD, helper.make_node("Dropout", ["z"], ["d", "out"])],
    "a mean of the batch": [*HEAD, node("ReduceMean", "z", "zero", to="out")],
    "a mean of all": [*HEAD, node("ReduceMean", "z", to="out")],
    "a mean without its axis": [*HEAD, node("ReduceMean", "z", "one", to="n", keepdims=0), node("Sub", "z", "n", to="out")],
    "means alone": [*HEAD, node("ReduceMean", "z", "one", to="out")],
    "distances": [*HEAD, node("ReduceMean", "z", "one", to="n"), node("Sub", "z", "n", to="out")],
    "distances from another's": [*HEAD, node("Relu", "z", to="a"), node("ReduceMean", "a", "one", to="n"),
                                 node("Sub", "z", "n", to="out")],
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_would_change_a_number_is_refused(name, path):
    nodes = CHANGED[name]
    write(path, nodes, {"square": np.eye(4, dtype="f"), "one": [1], "zero": [0]}, outputs=nodes[-1].output[-1:])
    with pytest.raises(ModelFormatError, match=r"node [0-9], \w+, cannot be taken"):
        fastnn.onnx.load(path)


# Layer normalization in parts


def in_parts(x="z", *, square="Pow", divided="Div", scaled=True, axes="last"):
    """As PyTorch's exporter wrote it before opset 17, or with other operators of the same meaning."""
    nodes = [node("ReduceMean", x, axes, to="mu"), node("Sub", x, "mu", to="d"),
             node("Pow", "d", "two", to="q") if square == "Pow" else node("Mul", "d", "d", to="q"),
             node("ReduceMean", "q", axes, to="vv"),
             node("Add", *(["vv", "e"] if square == "Pow" else ["e", "vv"]), to="ve")]
    if divided == "Div":
        nodes += [node("Sqrt", "ve", to="s"), node("Div", "d", "s", to="n")]
    elif divided == "Reciprocal":
        nodes += [node("Sqrt", "ve", to="s"), node("Reciprocal", "s", to="i"), node("Mul", "i", "d", to="n")]
    else:
        nodes += [node("Pow", "ve", "power", to="i"), node("Mul", "d", "i", to="n")]
    if not scaled:
        return [*nodes, node("Identity", "n", to="out")]
    return [*nodes, node("Mul", "n", "g", to="ng"), node("Add", "ng", "b", to="out")]


PARTS = {"two": np.float32(2), "e": np.float32(1e-5), "last": [-1], "first": [1], "power": np.float32(-0.5), **STATISTICS}


@pytest.mark.parametrize("square", ["Pow", "Mul"])
@pytest.mark.parametrize("divided", ["Div", "Reciprocal", "Pow"])
@pytest.mark.parametrize("scaled", [True, False])
def test_layer_normalization_in_parts(square, divided, scaled, path):
    nodes = [*HEAD, *in_parts(square=square, divided=divided, scaled=scaled, axes="last" if scaled else "first")]
    net = load(path, nodes, PARTS)
    assert net.layers == (Dense(3), LayerNorm(1e-5))
    if scaled:
        np.testing.assert_array_equal(net.parameters["1.scale"], STATISTICS["g"])
        np.testing.assert_array_equal(net.parameters["1.shift"], B)


def test_layer_normalization_in_parts_of_older_opsets(path):
    nodes = in_parts()
    for each in nodes:
        if each.op_type == "ReduceMean":
            del each.input[1]
            each.attribute.append(helper.make_attribute("axes", [-1]))
    layers = Dense(3), LayerNorm(1e-5), Activation("relu"), Dense(4)
    nodes[-1].output[0] = "y"
    for opset in (9, 13, 16):
        net = load(path, [*HEAD, *nodes, node("Relu", "y", to="a"), node("MatMul", "a", "v", to="out")], PARTS, opset=opset)
        assert net.layers == layers


@pytest.mark.parametrize("change", [
    {"two": np.float32(3)}, {"e": np.zeros(2, "f")}, {"power": np.float32(-1)}, {"e": np.float32(-1)}, {"e": np.float32(0)},
], ids=str)
def test_what_only_looks_like_it_is_refused(change, path):
    nodes = [*HEAD, *in_parts(divided="Pow" if "power" in change else "Div")]
    write(path, nodes, PARTS | change, outputs=["out"])
    with pytest.raises(ModelFormatError, match=r"node [0-9]+, \w+"):
        fastnn.onnx.load(path)


def test_a_normalization_of_a_huge_size_takes_no_memory(path):
    nodes = [*in_parts("x", scaled=False), node("Relu", "out", to="y")]
    write(path, nodes, PARTS, shape=("batch", 2**40), outputs=["y"])
    with pytest.raises(ModelFormatError, match="no weights beside it"):
        fastnn.onnx.load(path)


def test_constants_that_are_cast_like_what_comes_from_the_input(path):
    """As PyTorch's exporter writes numbers in a model of any dtype."""
    nodes = in_parts()
    add = next(each for each in nodes if each.op_type == "Add")
    add.input[1] = "like"
    nodes[4:4] = [node("CastLike", "e", "vv", to="like")]
    nodes = [*HEAD, *nodes[:-1], node("CastLike", "b", "ng", to="shift"), node("Add", "ng", "shift", to="out")]
    assert load(path, nodes, PARTS).layers == (Dense(3), LayerNorm(1e-5))
    double = [node("CastLike", "half", "z", to="h"), node("Mul", "z", "h", to="out")]
    np.testing.assert_allclose(load(path, [*HEAD, *double], {"half": np.float64(0.5)}).parameters["0.weight"], W / 2)
