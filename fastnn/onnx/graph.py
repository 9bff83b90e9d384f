"""An ONNX graph under construction: values are known by name, operators are added by calling the graph.

    z = graph("Gemm", x, graph.tensor("weight", weight), graph.tensor("bias", bias))
    a = graph("Mul", z, graph("Sigmoid", z))
"""

from contextlib import contextmanager

import numpy as np

from .library import library

OPSET = 20  # the first one with Gelu


class Graph:
    """Nodes and tensors of a graph in the making; the methods return the names of values.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of the tensors, and of all numbers that are given as operands.
    exact : bool
        Whether in float64 nothing passes through float32, as numbers do that are attributes of operators. False makes the
        graph as files of before had it.
    """

    def __init__(self, dtype, exact=True):
        self.dtype, self.exact = dtype, exact and dtype == "float64"
        self.nodes, self.tensors = [], {}
        self.prefix = ""

    @contextmanager
    def within(self, prefix):
        """Let all names begin with `prefix` and a dot."""
        before, self.prefix = self.prefix, f"{prefix}."
        try:
            yield
        finally:
            self.prefix = before

    def __call__(self, operator, *operands, **attributes):
        """Add an operator on values (names) and numbers; return the name of its first output.

        `to` of a Cast is the name of a dtype.
        """
        if "to" in attributes:
            attributes["to"] = library().helper.np_dtype_to_tensor_dtype(np.dtype(attributes["to"]))
        names = [operand if isinstance(operand, str) else self.number(operand) for operand in operands]
        output = f"{self.prefix}{operator}_{len(self.nodes)}"
        self.nodes.append(library().helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def tensor(self, name, array, dtype=None):
        """Add a constant array, of the graph's dtype or another, under a name of its own within the prefix."""
        name = f"{self.prefix}{name}"
        self.tensors[name] = np.asarray(array, dtype or self.dtype)
        return name

    def number(self, value):
        """Add a constant of no axes."""
        return self.tensor(f"number_{len(self.tensors)}", value)

    def activation(self, record, z):
        """Add a = g(z) for the record of g."""
        form = record.onnx_float64 if self.dtype == "float64" and record.onnx_float64 else record.onnx
        if form is None:
            raise ValueError(f"activation {record.name!r} has no ONNX form; give one when you register it: "
                             "fastnn.register_activation(..., onnx='Sin') or onnx=lambda graph, z: graph('Mul', z, z)")
        return self(form, z, **record.onnx_attributes) if isinstance(form, str) else form(self, z)

    def model(self, network, output):
        """The whole as a ModelProto, from "input" (batch, *shape) to "output" (batch, outputs)."""
        helper = library().helper
        self.nodes.append(helper.make_node("Identity", [output], ["output"], name="output"))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info("input", kind, ["batch", *network.shapes[0]])],
            [helper.make_tensor_value_info("output", kind, ["batch", network.outputs])],
            [library().numpy_helper.from_array(array, name) for name, array in self.tensors.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets),
                                 producer_name="fastnn")
