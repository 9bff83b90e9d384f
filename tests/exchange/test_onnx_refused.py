"""ONNX files that layers here cannot compute are refused with the first node; damaged or hostile files are refused."""

from contextlib import suppress

import numpy as np
import pytest
from onnx_graphs import HEAD, W, node, write

import fastnn
from fastnn import Dense, ModelFormatError, Network

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.onnx"


RELU = node("Relu", "z", to="a")
NEXT = node("MatMul", "h", "v", to="out")
REFUSED = {
    "another activation": ([*HEAD, node("HardSwish", "z", to="h"), NEXT], "node 2, HardSwish, cannot"),
    "another one at the end": ([*HEAD, node("HardSwish", "z", to="out")], "node 2, HardSwish, cannot .* no activation"),
    "another one before one of ours": ([*HEAD, node("HardSwish", "z", to="a"), node("Tanh", "a", to="h"), NEXT],
                                       "node 2, HardSwish, cannot"),
    "another one behind one of ours": ([*HEAD, node("Tanh", "z", to="a"), node("HardSwish", "a", to="h"), NEXT],
                                       "node 3, HardSwish, cannot"),
    "gelu by tanh": ([*HEAD, node("Gelu", "z", to="h", approximate="tanh"), NEXT], "node 2, Gelu, cannot"),
    "relu up to six": ([*HEAD, node("Clip", "z", "zero", "six", to="h"), NEXT], "node 2, Clip, cannot"),
    "relu up to a thousand": ([*HEAD, node("Clip", "z", "zero", "thousand", to="h"), NEXT], "is relu for .* without that"),
    "float16's numbers": ([*HEAD, node("Clip", "z", "least", "most", to="h"), NEXT], "node 2, Clip, .* is identity for"),
    "relu and float16's numbers": ([*HEAD, RELU, node("Clip", "a", "least", "most", to="h"), NEXT], "node 3, Clip, .* for"),
    "tanh beyond a limit": ([*HEAD, node("Tanh", "z", to="t"), node("Less", "z", "least", to="c"),
                             node("Where", "c", "z", "t", to="h"), NEXT], "is tanh for .* not for -"),
    "a least number": ([*HEAD, node("Min", "z", "million", to="out")], "node 2, Min, .* without that limit"),
    "another slope": ([*HEAD, node("LeakyRelu", "z", to="h", alpha=0.2), NEXT], "node 2, LeakyRelu, cannot"),
    "another alpha": ([*HEAD, node("Elu", "z", to="h", alpha=2.0), NEXT], "node 2, Elu, cannot"),
    "a quotient of two branches": ([*HEAD, RELU, node("MatMul", "a", "v", to="y"), node("Div", "x", "y", to="out")],
                                   "node 4, Div, cannot be taken: it joins two branches, .* no layer here computes Div"),
    "a join of two sizes": ([*HEAD, node("Add", "x", "z", to="out")], r"node 2, Add, .* shapes \(4,\) and \(3,\)"),
    "a sum of outer sizes": ([*HEAD, node("Unsqueeze", "z", "one", to="r"), node("Unsqueeze", "z", "two", to="s"),
                              node("Add", "r", "s", to="out")], r"node 4, Add, .* shapes \(1, 3\) and \(3, 1\)"),
    "softmax over the batch": ([*HEAD, node("Softmax", "z", to="h", axis=0), NEXT], "node 2, Softmax, cannot"),
    "convolution": ([node("Conv", "x", "k", to="out")], "node 0, Conv, cannot be taken: it takes samples of shape"),
    "a product of two branches": ([*HEAD, node("MatMul", "z", "z", to="out")], r"node 2, MatMul, .* shapes \(5, 3\)"),
    "the weight on the left": ([node("MatMul", "v", "x", to="out")], "node 0, MatMul"),
    "a weight that does not fit": ([node("MatMul", "x", "v", to="out")], r"node 0, MatMul, .*\(4,\) numbers .* \(3, 4\)"),
    "a bias that does not fit": ([HEAD[0], node("Add", "m", "five", to="out")], r"node 1, Add, .*\(5,\)"),
    "a bias for each row": ([HEAD[0], node("Add", "m", "column", to="out")], "node 1, Add"),
    "turned": ([node("Transpose", "x", to="t"), node("MatMul", "t", "w", to="out")], "node 0, Transpose"),
    "repeated": ([node("Gather", "x", "index", to="g", axis=1), node("MatMul", "g", "w", to="out")], "node 0, Gather"),
    "samples picked": ([node("Gather", "x", "one", to="g"), node("MatMul", "g", "w", to="out")], "node 1, MatMul"),
    "rows joined": ([node("Concat", "x", "x", to="c", axis=0), node("MatMul", "c", "w", to="out")], "node 0, Concat"),
    "another shape": ([node("Reshape", "x", "shape", to="r"), node("MatMul", "r", "w", to="out")], "node 0, Reshape"),
    "a mean over features": ([*HEAD, node("ReduceMean", "z", to="out")], "node 2, ReduceMean"),
    "a constant for an output": ([*HEAD, node("Identity", "w", to="out")], "are not those of layers"),
    "no layers": ([node("Identity", "x", to="out")], "no layers with weights"),
    "an operator of its own": ([node("Dense", "x", to="out", domain="ai.onnx.ml")], "No Op registered for Dense"),
}


@pytest.mark.parametrize(("nodes", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(nodes, message, path):
    write(path, nodes, {"k": np.ones((1, 4, 1), "f"), "zero": np.float32(0), "six": np.float32(6),
                        "thousand": np.float32(1e3), "least": np.float32(-65504), "most": np.float32(65504),
                        "million": np.float32(1e6), "five": np.ones(5, "f"), "column": np.ones((3, 1), "f"),
                        "index": [0, 1, 2, 3, 0, 1, 2, 3], "shape": [-1, 2], "one": [1], "two": [2]})
    refused(path, message)


def refused(path, message):
    with pytest.raises(ModelFormatError, match=message) as caught:
        fastnn.onnx.load(path)
    assert str(path) in str(caught.value)


def test_inputs_that_do_not_fit(path):
    write(path, [node("MatMul", "x", "w", to="m"), node("Add", "m", "y", to="out")], inputs=["x", "y"])
    refused(path, r"node 1, Add, cannot be taken: it joins samples of the shapes \(3,\) and \(4,\)")
    write(path, [node("MatMul", "x", "w", to="out")], inputs=["x", "y"])
    refused(path, "no output depends on its input 'y'")


@pytest.mark.parametrize("shape", [("batch", "features"), ("batch",), ("batch", "steps", "more"), ()])
def test_inputs_of_unknown_size(shape, path):
    write(path, [*HEAD, node("Identity", "z", to="out")], shape=shape)
    refused(path, "does not say how many features")


def test_inputs_of_a_huge_size_take_no_memory(path):
    write(path, [*HEAD, node("Identity", "z", to="out")], shape=("batch", 2**40, 2**20))
    refused(path, "node 0, MatMul")
    write(path, [node("Relu", "x", to="out")], shape=("batch", 2**40))
    refused(path, "no layers with weights")
    write(path, [node("LayerNormalization", "x", "c", to="out")], {"c": np.ones(1, "f")}, shape=("batch", 2**40))
    refused(path, "node 0, LayerNormalization")
    write(path, [node("Mul", "x", "c", to="out")], {"c": np.full(1, 2, "f")}, shape=("batch", 2**40))
    refused(path, "no product beside it")


def test_an_outer_product_of_constants_takes_no_memory(path):
    column, row = np.ones((10**5, 1), "f"), np.ones((1, 10**5), "f")
    nodes = [node("Mul", "column", "row", to="big"), node("MatMul", "x", "big", to="out")]
    write(path, nodes, {"column": column, "row": row})
    refused(path, "node 0, Mul")


# Files that are damaged or refer to other files


@pytest.mark.parametrize("place", ["initializer", "constant"])
def test_other_files_are_never_read(place, path, tmp_path):
    secret = tmp_path / "weights.bin"
    secret.write_bytes(W.tobytes())
    write(path, [*HEAD, node("Identity", "z", to="out")])
    model = onnx.load(path)
    [tensor] = [t for t in model.graph.initializer if t.name == "w"]
    for location in ("weights.bin", "../weights.bin", str(secret)):
        tensor.raw_data = W.tobytes()
        onnx.external_data_helper.set_external_data(tensor, location)
        tensor.ClearField("raw_data")
        if place == "constant":
            held = onnx.ModelProto.FromString(model.SerializeToString())
            tensors = [t for t in held.graph.initializer if t.name != "w"]
            del held.graph.initializer[:]
            held.graph.initializer.extend(tensors)
            held.graph.node.insert(0, node("Constant", to="w", value=tensor))
        else:
            held = model
        path.write_bytes(held.SerializeToString())
        refused(path, "tensor 'w' lies in another file")


@pytest.mark.parametrize("payload", [b"", b"\0" * 50, b"\xff" * 50, b"PK\x03\x04", b"{}", b"x" * 10_000])
def test_files_that_are_none(payload, path):
    path.write_bytes(payload)
    refused(path, "cannot load a network from")


def test_paths_to_nothing(path):
    with pytest.raises(FileNotFoundError, match=r"model\.onnx"):
        fastnn.onnx.load(path)
    with pytest.raises(ModelFormatError, match="is a directory"):
        fastnn.onnx.load(path.parent)


def test_a_truncated_file_is_refused_or_whole_in_what_counts(path):
    Network([Dense(2, "tanh"), Dense(1)], inputs=2).to_onnx(path)
    payload, layers = path.read_bytes(), fastnn.onnx.load(path).layers
    for size in range(len(payload)):
        path.write_bytes(payload[:size])
        with suppress(ModelFormatError):
            assert fastnn.onnx.load(path).layers == layers


def test_a_flipped_bit_is_refused_or_gives_a_network(path):
    write(path, [*HEAD, node("Relu", "z", to="out")])
    payload = bytearray(path.read_bytes())
    for place in range(len(payload)):
        payload[place] ^= 1 << place % 8
        path.write_bytes(payload)
        with suppress(ModelFormatError):
            assert isinstance(fastnn.onnx.load(path), Network)
        payload[place] ^= 1 << place % 8
