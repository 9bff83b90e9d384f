"""Construction of an ONNX graph: values are names, and a call of the graph adds an operator.

    z = graph("Gemm", x, graph.tensor("weight", weight), graph.tensor("bias", bias))
    a = graph("Mul", z, graph("Sigmoid", z))
"""

from contextlib import contextmanager

import numpy as np

from ..layers import is_ragged
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
    axes : tuple of Padded or None
        For each value that it is applied to, the steps of its sequences; None for samples of one shape.
    """

    def __init__(self, dtype, exact=True):
        self.dtype, self.exact = dtype, exact and dtype == "float64"
        self.nodes, self.tensors = [], {}
        self.prefix, self.shape, self.axes = "", (), (None,)
        self.first = {}  # values with the channels first, by the names of those with the channels last
        self.pending = {}  # of the latter those that are not in the graph yet, and how many axes they have
        self.rows = {}  # values (steps of all sequences, …), by the names of the padded ones (batch, steps, …)
        self.folded = {}  # of the latter those that are not in the graph yet: their sizes

    @contextmanager
    def within(self, prefix):
        """Prefix all names with `prefix` and a dot, in a with statement."""
        before, self.prefix = self.prefix, f"{prefix}."
        try:
            yield
        finally:
            self.prefix = before

    def __call__(self, operator, *operands, output=0, **attributes):
        """Add an operator on values (names) and numbers; return the name of its first output.

        output: the number of another output, or a tuple of several, whose names are returned.
        The attribute `to` of Cast is the name of a dtype.
        """
        if "to" in attributes:
            attributes["to"] = library().helper.np_dtype_to_tensor_dtype(np.dtype(attributes["to"]))
        names = [self.written(operand) if isinstance(operand, str) else self.number(operand) for operand in operands]
        name = f"{self.prefix}{operator}_{len(self.nodes)}"
        given = [""] * output + [name] if isinstance(output, int) else [f"{name}_{number}" for number in output]
        self.nodes.append(library().helper.make_node(operator, names, given, name=name, **attributes))
        return name if isinstance(output, int) else given

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

    def by_rows(self, x, shape):
        """The padded value x (batch, steps, *shape) as (batch · steps, *shape)."""
        if x not in self.rows:
            self.rows[x] = self("Reshape", x, self.integers("rows_shape", [-1, *shape]))
        return self.rows[x]

    def by_steps(self, y, axis, shape):
        """The value y (batch · steps, *shape) as (batch, steps, *shape); it is reshaped only if anything asks for that."""
        name = next((padded for padded, rows in self.rows.items() if rows == y), f"{y}_steps")
        if name not in self.rows:
            self.rows[name], self.folded[name] = y, self("Concat", axis.sizes, self.integers("step_shape", shape), axis=0)
        return name

    def written(self, name):
        """The name of a value, whose transpose or shape is added if it is still pending."""
        if name in self.folded:
            operands = [self.written(self.rows[name]), self.folded.pop(name)]
            self.nodes.append(library().helper.make_node("Reshape", operands, [name], name=name))
        if name in self.pending:
            perm = to_last(self.pending.pop(name))
            self.nodes.append(library().helper.make_node("Transpose", [self.first[name]], [name], name=name, perm=perm))
        return name

    def tensor(self, name, array, dtype=None):
        """Add a constant array, of the graph's dtype or another, with a unique name."""
        name = f"{self.prefix}{name}"
        self.tensors[name] = np.asarray(array, dtype or self.dtype)
        return name

    def integers(self, name, values):
        """Add constant whole numbers, with a name that begins so."""
        return self.tensor(f"{name}_{len(self.tensors)}", values, "int64")

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

    def body(self, make, names, ranks):
        """Return a subgraph whose inputs have these names, as an attribute of Scan; it reads the values of this graph too.

        make: adds its operators, given the names of its inputs, and returns the names of its outputs. ranks: the numbers of
        axes of its inputs; the last one holds truth values.
        """
        helper, before = library().helper, self.nodes
        self.nodes = []
        outputs = [self("Identity", each) for each in make(*names)]
        nodes, self.nodes = self.nodes, before
        kinds = [self.kind] * (len(names) - 1) + [library().TensorProto.BOOL]
        return helper.make_graph(
            nodes, f"{self.prefix}body",
            [helper.make_tensor_value_info(name, kind, [None] * rank)
             for name, kind, rank in zip(names, kinds, ranks, strict=True)],
            [helper.make_tensor_value_info(name, self.kind, [None, None]) for name in outputs])

    def scan(self, body, operands, states, backwards):
        """Add a loop over the second axis of the operands behind `states` first states; return all outputs.

        These are the last states, and what the body gives for each step, along the second axis.
        """
        each = len(operands) - states
        return self("Scan", *operands, output=tuple(range(states + 1)), body=body, num_scan_inputs=each,
                    scan_input_axes=[1] * each, scan_output_axes=[1], scan_input_directions=[int(backwards)] * each,
                    scan_output_directions=[int(backwards)])

    @property
    def kind(self):
        """ONNX's number of the dtype."""
        return library().helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))

    def model(self, network, outputs, axes):
        """Return the graph as a ModelProto, from inputs (batch, *shape) to the values `outputs` (batch, *output shape).

        axes: the `Padded` of each tensor of the network, None where samples have one shape. Behind the inputs come the
        lengths that the graph reads, and behind the outputs those of sequences with other lengths than an input.
        """
        helper, inputs = library().helper, self.names_of_inputs(network)
        names = network.graph.outputs if len(outputs) > 1 else ("output",)
        names = [f"{name}_output" if name in inputs else name for name in names]
        for name, output in zip(names, outputs, strict=True):
            self.nodes.append(helper.make_node("Identity", [self.written(output)], [name], name=name))
        tensors, integer = network.wiring.outputs, library().TensorProto.INT64
        ends = [sizes_of(network.shapes[tensor], axes[tensor]) for tensor in tensors]
        more = []
        for name, tensor in zip(names, tensors, strict=True):
            if axes[tensor] is not None and not axes[tensor].of_input and is_ragged(network.shapes[tensor]):
                more.append(f"{name}_lengths")
                self.nodes.append(helper.make_node("Identity", [axes[tensor].lengths], [more[-1]], name=more[-1]))
        lengths = [axis.lengths for axis in axes[:network.wiring.inputs] if axis is not None and axis.is_read]
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info(name, integer if shape == (None,) else self.kind, sizes_of(shape, axis))
             for name, shape, axis in zip(inputs, network.shapes, axes, strict=False)]
            + [helper.make_tensor_value_info(name, integer, ["batch"]) for name in lengths],
            [helper.make_tensor_value_info(name, self.kind, sizes) for name, sizes in zip(names, ends, strict=True)]
            + [helper.make_tensor_value_info(name, integer, ["batch"]) for name in more],
            [library().numpy_helper.from_array(array, name) for name, array in self.tensors.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets),
                                 producer_name="fastnn")


def sizes_of(shape, axis):
    """Return the sizes of a value for samples of a shape, with names for those that are open."""
    return ["batch", *(axis.name if size is None else size for size in shape)]
