"""The walk of a foreign graph, node by node from input to output, which builds a chain of layers."""

import math

import numpy as np

from ..layers import Flatten, Pad2D, ZeroPad2D
from ..layers.pooling.base import GlobalPool, Pool
from . import images, recurrence, shapes  # noqa: F401  (their operators register themselves)
from .chain import Signal, Stage, UnknownNode
from .library import library
from .moments import Moment, combined
from .operators import fold, foldable
from .recognition import PROBE
from .registry import AdditionalOutput, Tail, operators

WITHOUT_WEIGHTS = GlobalPool, Pad2D, Pool, ZeroPad2D  # layers without weights that may be all of a network
WEIGHTED = "MatMul", "Gemm", "Conv", "ConvTranspose", "RNN", "GRU", "LSTM"  # operators whose weight determines the dtype


class Walk:
    """The values of a graph by name, as far as they are known: arrays, signals and tails.

    batch: the number of samples to which the graph's input is fixed; None for any.
    sizes: the shape of a sample of the graph's input. inputs: that of the network's, None until a node decides it.
    """

    def __init__(self, model):
        self.graph, self.opsets = model.graph, model.opset_import
        self.functions = {(function.domain, function.name) for function in model.functions}
        to_array = library().numpy_helper.to_array
        self.values = {tensor.name: to_array(tensor) for tensor in self.graph.initializer}
        self.values[""] = None  # an omitted operand
        self.dtype = self.batch = self.inputs = None  # the dtype is that of the first product's weight, else of the input
        self.here = ""  # the current node

    def walk_nodes(self):
        """Process the nodes in order; return the signal that is the network's output."""
        self.values |= dict([self.input()])
        needed = self.needed()
        for index, node in enumerate(self.graph.node):
            if index in needed:
                self.here = f"node {index}, {node.op_type}" + (f" {node.name!r}" if node.name else "")
                try:
                    result = self.result(node)
                except UnknownNode:
                    raise
                except (ValueError, TypeError, LookupError, RuntimeError) as error:  # raised for unusual operands
                    raise UnknownNode(f"{self.here}, cannot be taken: {error}") from error
                self.values |= result
        return self.output()

    def result(self, node):
        """Return the values of a node's outputs by name."""
        operands = [self.values[name] for name in node.input]
        value, known = self.value(node, operands), operators.get((main(node.domain), node.op_type))
        if isinstance(value, tuple):  # one for each output
            return {name: each for name, each in zip(node.output, value, strict=False) if name}
        beside = value if known is not None and known.all_outputs else AdditionalOutput(self.here)
        return {node.output[0]: value} | dict.fromkeys(filter(None, node.output[1:]), beside)

    def value(self, node, operands):
        domain = main(node.domain)
        if foldable(node, operands):
            return fold(self, node, *operands)
        if any(isinstance(operand, AdditionalOutput) for operand in operands):
            raise ValueError("it takes what another node gives beside its output, such as a mask or a mean")
        if any(isinstance(operand, Moment) for operand in operands) and node.op_type != "ReduceMean":
            return combined(self, node, operands)
        if (domain, node.op_type) not in operators or (domain, node.op_type) in self.functions:
            raise ValueError("this operator has no counterpart in a chain of layers")
        if self.dtype is None and node.op_type in WEIGHTED and isinstance(operands[1], np.ndarray):
            self.dtype = "float64" if operands[1].dtype == np.float64 else "float32"
        return operators[domain, node.op_type](self, node, operands)

    def schema(self, node):
        """Return the ONNX schema of a node's operator, in the version of the graph."""
        domain = main(node.domain)
        version = next(each.version for each in self.opsets if main(each.domain) == domain)
        return library().defs.get_schema(node.op_type, version, domain)

    def needed(self):
        """Return the indices of the nodes that the outputs depend on."""
        wanted, needed = {value.name for value in self.graph.output}, set()
        for index in reversed(range(len(self.graph.node))):
            node = self.graph.node[index]
            if wanted.intersection(node.output):
                needed.add(index)
                wanted.update(node.input)
        return needed

    def input(self):
        """Return the graph's input: its name, and its signal."""
        inputs = [value for value in self.graph.input if value.name not in self.values]  # old files list weights as inputs
        if len(inputs) != 1:
            names = ", ".join(repr(value.name) for value in inputs)
            raise ValueError(f"its graph has {len(inputs)} inputs ({names}); a network here has one")
        kind, dims = inputs[0].type.tensor_type.elem_type, inputs[0].type.tensor_type.shape.dim
        self.batch = dims[0].dim_value or None if dims else None
        self.input_dtype = "float64" if kind == library().TensorProto.DOUBLE else "float32"
        sizes = tuple(dim.dim_value for dim in dims[1:])
        if not sizes or not all(size > 0 for size in sizes):
            raise ValueError(f"its input {inputs[0].name!r} does not say how many features a sample has; export it with an "
                             "input of shape (batch, features)")
        self.sizes, self.features = sizes, math.prod(sizes)
        stage = Stage(None, self.features, np.float64(1.0), np.float64(0.0))
        return inputs[0].name, Signal(stage, sizes, PROBE)

    def output(self):
        """Return the single signal from which all outputs are computed."""
        values = [self.values[value.name] for value in self.graph.output]
        for value in values:
            if isinstance(value, (Moment, AdditionalOutput)):
                raise UnknownNode(f"{value.node}, cannot be taken: what it gives is an output, and no layer's")
        signals = [value for value in values if isinstance(value, Signal)]
        signals = signals or [value.signal for value in values if isinstance(value, Tail)]
        stages = {id(getattr(value, "signal", value).stage) for value in values if isinstance(value, (Signal, Tail))}
        if not signals or len(stages) != 1 or any(other.values is not signals[0].values for other in signals):
            names = ", ".join(repr(value.name) for value in self.graph.output)
            raise ValueError(f"its outputs ({names}) are not those of one last layer; export the network with one output")
        if len(signals[0].shape) > 1:
            raise ValueError(f"its output has the shape {signals[0].shape} for a sample; a network's has one axis")
        return signals[0]


def main(domain):
    """Return the canonical name of a domain: ONNX's own has two names."""
    return "" if domain == "ai.onnx" else domain


def walk(model):
    """Return ([(layer, {name: parameter}), …], inputs, dtype) of a graph that is a chain of layers."""
    walked = Walk(model)
    layers = walked.walk_nodes().layers()
    inputs = walked.inputs or (walked.features,)
    if not layers:
        inputs = walked.inputs or walked.sizes
    elif not any(parameters or isinstance(layer, WITHOUT_WEIGHTS) for layer, parameters in layers):
        raise ValueError("its graph has no layers with weights")
    if len(inputs) > 1 and (not layers or takes_features(layers[0][0], inputs)):
        layers.insert(0, (Flatten(), {}))
    if not layers:
        raise ValueError("its graph has no layers with weights")
    return layers, inputs, walked.dtype or walked.input_dtype


def takes_features(layer, shape):
    """Return whether a layer takes one axis of features and not samples of this shape."""
    try:
        layer.output_shape(shape)
    except ValueError:
        return True
    return False
