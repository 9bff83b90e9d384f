"""Shapes in ONNX graphs, as exporters write and compute them: the batch is identified, or the graph is refused."""

import numpy as np
import pytest
from onnx_graphs import HEAD, W, node, rng, write

import fastnn
from fastnn import Dense, ModelFormatError

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")
from onnx import TensorProto, helper  # noqa: E402


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


def flat(x, *shape_and_more, to="r", **attributes):
    return [node("Reshape", x, *shape_and_more, to=to, **attributes), node("MatMul", to, "w", to="out")]


TWO = {"shape": ("batch", 2, 2)}
ONE = {"shape": (1, 2, 2)}
FIXED = {"shape": (3, 2, 2)}  # by an exporter whose example had three samples
RESHAPES = {
    "to the batch": ([-1, 4], {}, TWO), "as it was": ([0, -1], {}, TWO), "both": ([0, 4], {}, TWO),
    "rows of what is left over": ([-1, 4], {"allowzero": 1}, TWO),
    "parted and flattened": ([-1, 2, 2], {}, TWO), "one sample": ([1, 4], {}, ONE), "one row": ([1, -1], {}, ONE),
    "of three": ([3, 4], {}, FIXED), "of three rows": ([3, -1], {}, FIXED), "of as many": ([-1, 4], {}, FIXED),
    "of one that may be many": ([1, 4], {}, TWO), "the same": ([0, 0, 2], {}, TWO), "parted": ([0, 4, 1], {}, TWO),
    "of one, in four axes": ([1, 1, 2, 2], {}, {"shape": (1, 4)}),
}


@pytest.mark.parametrize("name", RESHAPES)
def test_reshapes(name, path):
    shape, attributes, options = RESHAPES[name]
    nodes = flat("x", "shape", **attributes)
    if len(shape) > 2:
        nodes = [nodes[0], node("Flatten", "r", to="f"), node("MatMul", "f", "w", to="out")]
    write(path, nodes, {"shape": shape}, **options)
    net = fastnn.onnx.load(path)
    assert (net.layers, net.inputs) == ((Dense(3),), 4)
    np.testing.assert_array_equal(net.parameters["0.weight"], W)
    fixed = options["shape"][0]
    assert_same_as_file(path, net, batch=fixed if fixed != "batch" else shape[0] if shape[0] > 0 else 5)


def assert_same_as_file(path, net, batch):
    """Compare the network with the file, for the only number of samples that the file accepts."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    X = rng.normal(size=(batch, *given.shape[1:])).astype("f")
    [out] = session.run(None, {given.name: X})
    np.testing.assert_allclose(out, net.forward(X.reshape(batch, -1)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("shape", "attributes", "options"), [
    ([2, 4], {}, ONE), ([4, 1], {}, ONE), ([1, 12], {}, FIXED), ([2, -1], {}, TWO), ([1, -1], {}, TWO), ([4, -1], {}, FIXED),
    ([-1, 2], {}, TWO), ([0, 4], {"allowzero": 1}, TWO), ([-1, 8], {}, TWO), ([-1], {}, TWO), ([4], {}, ONE),
    ([0, 3], {}, TWO), ([-1, 0, 3], {}, TWO),
], ids=str)
def test_reshapes_that_run_samples_together_are_refused(shape, attributes, options, path):
    write(path, flat("x", "shape", **attributes), {"shape": shape}, **options)
    message = r"node 0, Reshape.* (the shape|no numbers)|node 1, MatMul.* steps of"
    with pytest.raises(ModelFormatError, match=message) as caught:
        fastnn.onnx.load(path)
    assert ("dynamic_shapes" in str(caught.value)) == (shape[0] > 0 and "node 0" in str(caught.value))


@pytest.mark.parametrize(("axis", "shape"), [
    (1, ("batch", 2, 2)), (-2, ("batch", 2, 2)), (-1, ("batch", 4)), (2, ("batch", 1, 4)), (0, (1, 2, 2)), (-3, (1, 4, 1)),
    (3, ("batch", 1, 1, 4)),
], ids=str)
def test_flattens(axis, shape, path):
    write(path, [node("Flatten", "x", to="r", axis=axis), node("MatMul", "r", "w", to="out")], shape=shape)
    net = fastnn.onnx.load(path)
    assert net.layers == (Dense(3),)
    assert_same_as_file(path, net, batch=1 if shape[0] == 1 else 5)


@pytest.mark.parametrize(("axis", "shape"), [(0, ("batch", 2, 2)), (2, ("batch", 2, 2)), (-1, ("batch", 2, 2)), (0, (3, 4)),
                                             (2, (1, 4))], ids=str)
def test_flattens_that_run_samples_together_are_refused(axis, shape, path):
    write(path, [node("Flatten", "x", to="r", axis=axis), node("MatMul", "r", "w", to="out")], shape=shape)
    with pytest.raises(ModelFormatError, match=f"node 0, Flatten.* axis {axis}, which runs samples together"):
        fastnn.onnx.load(path)


FIRST = node("Shape", "x", to="all"), node("Gather", "all", "zero", to="n", axis=0)
LAST = node("Flatten", "same", to="f"), node("MatMul", "f", "w", to="out")
SIZES = {  # as exporters compute the shape to flatten to
    "dynamo": [node("Shape", "x", to="n", start=0, end=1), node("Concat", "n", "four", to="shape", axis=0),
               *flat("x", "shape", allowzero=1)],
    "TorchScript": [*FIRST, node("Unsqueeze", "n", "first", to="u"), node("Concat", "u", "left", to="shape", axis=0),
                    *flat("x", "shape")],
    "tf2onnx": [node("Shape", "x", to="all"), helper.make_node("Cast", ["all"], ["c"], to=TensorProto.INT32),
                node("Slice", "c", "first", "one", "first", to="n"), node("Concat", "n", "left32", to="s", axis=0),
                helper.make_node("Cast", ["s"], ["shape"], to=TensorProto.INT64), *flat("x", "shape")],
    "all sizes": [node("Shape", "x", to="shape", start=0), node("Reshape", "x", "shape", to="same"), *LAST],
    "axes of one": [node("Unsqueeze", "x", "one", to="u"), node("Squeeze", "u", "one", to="same"), *LAST],
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_are_computed(name, path):
    write(path, SIZES[name], {"four": [4], "zero": np.array(0), "first": [0], "left": [-1], "one": [1],
                              "left32": np.array([-1], np.int32)}, **TWO)
    net = fastnn.onnx.load(path)
    assert net.layers == (Dense(3),)
    assert_same_as_file(path, net, batch=5)


def test_an_output_of_several_axes_is_refused(path):
    write(path, [*HEAD, node("Reshape", "z", "shape", to="out")], {"shape": [-1, 3, 1, 1]}, outputs=["out"])
    with pytest.raises(ModelFormatError, match=r"output has the shape \(3, 1, 1\)"):
        fastnn.onnx.load(path)
    write(path, [*HEAD, node("Reshape", "z", "shape", to="out")], {"shape": [-1, 3, 1]}, outputs=["out"])
    assert fastnn.onnx.load(path).output_shapes == {"output": (3, 1)}
