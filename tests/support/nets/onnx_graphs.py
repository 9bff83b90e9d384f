"""Small ONNX graphs like those of other programs."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

rng = np.random.default_rng(0)
W = rng.normal(size=(4, 3)).astype("float32")
B = rng.normal(size=3).astype("float32")
RANKS = {"flat": (None,)}  # the shapes of outputs that are not (batch, outputs)


def node(operator, *operands, to, domain="", **attributes):
    return helper.make_node(operator, operands, [to], domain=domain, **attributes)


def write(path, nodes, constants=None, *, shape=("batch", 4), outputs=("out",), inputs=("x",), kind=TensorProto.FLOAT):
    """Return a graph of x (batch, 4) and named constants, among them w (4, 3), v (3, 4) and b (3)."""
    arrays = {"w": W, "v": W.T, "b": B} | {name: np.asarray(value) for name, value in (constants or {}).items()}
    graph = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.INT64 if name == "label" else kind, RANKS.get(name, (None, None)))
         for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)


HEAD = [node("MatMul", "x", "w", to="m"), node("Add", "m", "b", to="z")]
