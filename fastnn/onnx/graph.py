"""Construction of an ONNX graph: values are names, and a call of the graph adds an operator.

    z = graph("Gemm", x, graph.tensor("weight", weight), graph.tensor("bias", bias))
    a = graph("Mul", z, graph("Sigmoid", z))
"""

from contextlib import contextmanager

import numpy as np

from .channel_order import to_first, to_last
from .library import library

OPSET = 20  # the first one with Gelu


class Graph:
    """An ONNX graph under construction; the methods return the names of values.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        The dtype of the tensors, and of numbers that are operands.
    exact : bool
        Whether float64 values never pass through float32, as attributes of operators do. False makes the same graph as
        earlier versions.

    Attributes
    ----------
    shape : tuple of int
        That of a sample of the value that a layer is applied to, set while its operators are added.
    """

    def __init__(self, dtype, exact=True):
        self.dtype, self.exact = dtype, exact and dtype == "float64"
        self.nodes, self.tensors = [], {}
        self.prefix, self.shape = "", ()
        self.first = {}  # values with the channels first, by the names of those with the channels last
        self.pending = {}  # of the latter those that are not in the graph yet, and how many axes they have

    @contextmanager
    def within(self, prefix):
        """Prefix all names with `prefix` and a dot, in a with statement."""
        before, self.prefix = self.prefix, f"{prefix}."
        try:
            yield
        finally:
            self.prefix = before

    def __call__(self, operator, *operands, **attributes):
        """Add an operator on values (names) and numbers; return the name of its first output.

        The attribute `to` of Cast is the name of a dtype.
        """
        if "to" in attributes:
            attributes["to"] = library().helper.np_dtype_to_tensor_dtype(np.dtype(attributes["to"]))
        names = [self.written(operand) if isinstance(operand, str) else self.number(operand) for operand in operands]
        output = f"{self.prefix}{operator}_{len(self.nodes)}"
        self.nodes.append(library().helper.make_node(operator, names, [output], name=output, **attributes))
        return output

    def channels_first(self, x):
        """The value x (batch, …, channels) as (batch, channels, …); `shape` is that of its samples."""
        if x not in self.first:
            self.first[x] = self("Transpose", x, perm=to_first(len(self.shape) + 1))
        return self.first[x]

    def channels_last(self, y, rank=None):
        """The value y (batch, channels, …) as (batch, …, channels); it is transposed only if anything asks for that."""
        name = f"{y}_channels_last"
        self.first[name], self.pending[name] = y, rank or len(self.shape) + 1
        return name

    def written(self, name):
        """The name of a value, whose transpose is added if it is still pending."""
        if name in self.pending:
            perm = to_last(self.pending.pop(name))
            self.nodes.append(library().helper.make_node("Transpose", [self.first[name]], [name], name=name, perm=perm))
        return name

    def tensor(self, name, array, dtype=None):
        """Add a constant array, of the graph's dtype or another, with a unique name."""
        name = f"{self.prefix}{name}"
        self.tensors[name] = np.asarray(array, dtype or self.dtype)
        return name

    def number(self, value):
        """Add a scalar constant."""
        return self.tensor(f"number_{len(self.tensors)}", value)

    def activation(self, record, z):
        """Add a = g(z) for the record of g."""
        form = record.onnx_float64 if self.dtype == "float64" and record.onnx_float64 else record.onnx
        if form is None:
            raise ValueError(f"activation {record.name!r} has no ONNX form; give one when you register it: "
                             "fastnn.register_activation(..., onnx='Sin') or onnx=lambda graph, z: graph('Mul', z, z)")
        if z in self.pending and not record.rowwise:
            rank = self.pending[z]
            return self.channels_last(self.activation(record, self.first[z]), rank)
        return self(form, z, **record.onnx_attributes) if isinstance(form, str) else form(self, z)

    @staticmethod
    def names_of_inputs(network):
        """Return the names of the inputs: "input" of a single one, else their own."""
        return network.graph.inputs if len(network.graph.inputs) > 1 else ("input",)

    def model(self, network, outputs):
        """Return the graph as a ModelProto, from inputs (batch, *shape) to the values `outputs` (batch, *output shape)."""
        helper, inputs = library().helper, self.names_of_inputs(network)
        names = network.graph.outputs if len(outputs) > 1 else ("output",)
        names = [f"{name}_output" if name in inputs else name for name in names]
        for name, output in zip(names, outputs, strict=True):
            self.nodes.append(helper.make_node("Identity", [self.written(output)], [name], name=name))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        ends = [network.shapes[tensor] for tensor in network.wiring.outputs]
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info(name, kind, ["batch", *shape])
             for name, shape in zip(inputs, network.shapes, strict=False)],
            [helper.make_tensor_value_info(name, kind, ["batch", *shape]) for name, shape in zip(names, ends, strict=True)],
            [library().numpy_helper.from_array(array, name) for name, array in self.tensors.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets),
                                 producer_name="fastnn")
