"""A foreign graph walked node by node, from its input to its output, as a chain of layers."""

import math

import numpy as np

from .chain import Signal, Stage, UnknownNode
from .library import library
from .operators import Tail, fold, foldable, operators
from .recognition import PROBE


class Walk:
    """The values of a graph by name, as far as they are known: arrays, signals and tails."""

    def __init__(self, model):
        self.graph, self.opsets = model.graph, model.opset_import
        self.functions = {(function.domain, function.name) for function in model.functions}
        to_array = library().numpy_helper.to_array
        self.values = {tensor.name: to_array(tensor) for tensor in self.graph.initializer}
        self.values[""] = None  # an operand left out
        self.dtype = None  # of the first product's weight
        self.here = ""  # the node that is looked at

    def run(self):
        """The signal that is the network's output."""
        self.values |= dict([self.input()])
        needed = self.needed()
        for index, node in enumerate(self.graph.node):
            if index in needed:
                self.here = f"node {index}, {node.op_type}" + (f" {node.name!r}" if node.name else "")
                try:
                    result = self.result(node)
                except UnknownNode:
                    raise
                except (ValueError, TypeError, LookupError, RuntimeError) as error:  # what odd operands can provoke
                    raise UnknownNode(f"{self.here}, cannot be taken: {error}") from error
                self.values |= dict.fromkeys(node.output, result)
        return self.output()

    def result(self, node):
        operands = [self.values[name] for name in node.input]
        domain = "" if node.domain == "ai.onnx" else node.domain
        if foldable(node, operands):
            return fold(self, node, *operands)
        if (domain, node.op_type) not in operators or (domain, node.op_type) in self.functions:
            raise ValueError("this operator has no counterpart in a chain of layers")
        if self.dtype is None and node.op_type in ("MatMul", "Gemm") and isinstance(operands[1], np.ndarray):
            self.dtype = "float64" if operands[1].dtype == np.float64 else "float32"
        return operators[domain, node.op_type](self, node, *operands)

    def needed(self):
        """The places of the nodes that the outputs depend on."""
        wanted, needed = {value.name for value in self.graph.output}, set()
        for index in reversed(range(len(self.graph.node))):
            node = self.graph.node[index]
            if wanted.intersection(node.output):
                needed.add(index)
                wanted.update(node.input)
        return needed

    def input(self):
        """The graph's input: its name, and its signal."""
        inputs = [value for value in self.graph.input if value.name not in self.values]  # old files list weights here too
        if len(inputs) != 1:
            names = ", ".join(repr(value.name) for value in inputs)
            raise ValueError(f"its graph has {len(inputs)} inputs ({names}); a network here has one")
        dims = inputs[0].type.tensor_type.shape.dim
        sizes = tuple(dim.dim_value for dim in dims[1:])
        if not sizes or not all(size > 0 for size in sizes):
            raise ValueError(f"its input {inputs[0].name!r} does not say how many features a sample has; export it with an "
                             "input of shape (batch, features)")
        self.features = math.prod(sizes)
        stage = Stage(None, self.features, np.float64(1.0), np.float64(0.0))
        return inputs[0].name, Signal(stage, sizes, PROBE)

    def output(self):
        """The one signal that all outputs are made of."""
        values = [self.values[value.name] for value in self.graph.output]
        signals = [value for value in values if isinstance(value, Signal)]
        signals = signals or [value.signal for value in values if isinstance(value, Tail)]
        stages = {id(getattr(value, "signal", value).stage) for value in values if isinstance(value, (Signal, Tail))}
        if not signals or len(stages) != 1 or any(other.values is not signals[0].values for other in signals):
            names = ", ".join(repr(value.name) for value in self.graph.output)
            raise ValueError(f"its outputs ({names}) are not those of one last layer; export the network with one output")
        return signals[0]


def walk(model):
    """([(layer, {name: parameter}), …], number of inputs, dtype) of a graph that is a chain of layers."""
    walked = Walk(model)
    layers = walked.run().layers()
    if not any(parameters for _, parameters in layers):
        raise ValueError("its graph has no layers with weights")
    return layers, walked.features, walked.dtype or "float32"
