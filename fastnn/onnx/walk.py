"""The walk of a foreign graph, node by node from its inputs to its outputs, which builds layers."""

import math

import numpy as np

from ..layers import Pad2D, ZeroPad2D
from ..layers.pooling.base import GlobalPool, Pool
from . import channels, images, joins, recurrence, resizing, shapes  # noqa: F401  (their operators register themselves)
from .any_length import Lengths, Tokens, before_layers, has_open_steps, is_index, is_lengths, open_axis, walk_any_length
from .arrangement import MOVING, Arranged, applied_inside, moved, reshaped
from .attention import Scores, products, scored
from .chain import Entry, Signal, Stage, UnknownNode
from .images import channels_last
from .library import library
from .moments import Moment, combined
from .operators import fold, foldable
from .recognition import PROBE
from .registry import AdditionalOutput, StepsFirst, Tail, operators

WITHOUT_WEIGHTS = GlobalPool, Pad2D, Pool, ZeroPad2D  # layers without weights that may be all of a network
WEIGHTED = "MatMul", "Gemm", "Conv", "ConvTranspose", "RNN", "GRU", "LSTM"  # operators whose weight determines the dtype

FIXED = (". It may fix a number of steps that its input leaves open, as torch.onnx.export(..., dynamo=False) does with "
         "attention; export it with dynamo=True and dynamic_shapes")


class Walk:
    """The values of a graph by name, as far as they are known: arrays, signals and tails.

    Attributes
    ----------
    batch : int or None
        The number of samples to which the graph's inputs are fixed; None for any.
    samples : int
        The number of samples in arrangements of numbers.
    entries : dict
        The inputs of the graph by name.
    decided : dict
        The shapes of samples of inputs that an earlier walk has found, by name.
    steps : int or None
        The number of steps that stands for any.
    lengths : bool
        Whether an input holds the lengths of padded sequences.
    """

    def __init__(self, model, decided=(), steps=None):
        self.graph, self.opsets, self.decided, self.steps = model.graph, model.opset_import, dict(decided), steps
        self.functions = {(function.domain, function.name) for function in model.functions}
        to_array = library().numpy_helper.to_array
        self.values = {tensor.name: to_array(tensor) for tensor in self.graph.initializer}
        self.values[""] = None  # an omitted operand
        self.batch = self.lengths = None
        self.dtype = self.input_dtype = None  # the dtype: of the first product's weight, else of an input
        self.here = ""  # the current node

    def walk_nodes(self):
        """Process the nodes in order; return the signals that are the network's outputs, by name."""
        self.values |= self.inputs()
        needed = self.needed()
        for index, node in enumerate(self.graph.node):
            if index in needed:
                self.here = f"node {index}, {node.op_type}" + (f" {node.name!r}" if node.name else "")
                try:
                    result = self.result(node)
                except UnknownNode:
                    raise
                except (ValueError, TypeError, LookupError, RuntimeError) as error:  # raised for unusual operands
                    fixed = FIXED if self.steps is not None and node.op_type == "Reshape" else ""
                    raise UnknownNode(f"{self.here}, cannot be taken: {error}{fixed}") from error
                self.values |= result
        return self.outputs()

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
        if not domain and (value := before_layers(self, node, operands)) is not None:
            return value
        if any(isinstance(operand, AdditionalOutput) for operand in operands):
            raise ValueError("it takes what another node gives beside its output, such as a mask or a mean")
        if any(isinstance(operand, Moment) for operand in operands) and node.op_type != "ReduceMean":
            return combined(self, node, operands)
        if not domain and any(isinstance(operand, Scores) for operand in operands) and node.op_type != "MatMul":
            return scored(self, node, operands)
        if not domain and node.op_type == "MatMul" and not any(isinstance(operand, np.ndarray) for operand in operands):
            return products(self, node, *operands)
        if (domain, node.op_type) not in {*operators, ("", "Slice"), ("", "Split")} or (domain, node.op_type) in \
                self.functions:
            raise ValueError("this operator has no counterpart among the layers")
        operands = operands if node.op_type == "Shape" else self.ordered(node, operands)
        if operands is None:
            return moved(self, node, [self.values[name] for name in node.input])
        if not isinstance(operands, list):
            return operands
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

    def ordered(self, node, operands):
        """Return the operands with all numbers where a layer gives them; or the value, if that can be had without; or None
        for a node that moves them."""
        if node.op_type in ("Slice", "Split") or (node.op_type in MOVING and isinstance(operands[0], Arranged)):
            return None
        if node.op_type in MOVING and isinstance(operands[0], StepsFirst) and node.op_type != "Transpose":
            return None
        if node.op_type in ("Gather", "ArrayFeatureExtractor") and isinstance(operands[0], Signal) and \
                isinstance(operands[1], np.ndarray) and not is_last_step(node, operands):
            return None
        known = operators[main(node.domain), node.op_type]
        if any(isinstance(operand, Arranged) for operand in operands) or (
                any(isinstance(operand, StepsFirst) for operand in operands) and not known.all_outputs
                and node.op_type not in ("RNN", "GRU", "LSTM", "Transpose")):
            found = applied_inside(self, node, operands)
            if found is not None:
                return found
            return [operand.settled() if isinstance(operand, Arranged) else operand for operand in operands]
        if node.op_type == "Reshape" and isinstance(operands[0], Signal) and isinstance(operands[1], np.ndarray):
            return reshaped(self, node, operands)
        if node.op_type == "Transpose" and isinstance(operands[0], Signal):
            perm = next((list(each.ints) for each in node.attribute if each.name == "perm"), [0])
            if perm[0] != 0 and perm not in ([1, 0, 2], [2, 0, 1]) and len(operands[0].shape) > 1:
                return None
        return operands

    def inputs(self):
        """Return the signals of the graph's inputs by name."""
        inputs = [value for value in self.graph.input if value.name not in self.values]  # old files list weights as inputs
        if not inputs:
            raise ValueError("its graph has no inputs")
        self.entries, signals, fixed, self.lengths = {}, {}, set(), False
        for value in inputs:
            kind, dims = value.type.tensor_type.elem_type, value.type.tensor_type.shape.dim
            fixed.add(dims[0].dim_value or None if dims else None)
            if is_lengths(self.graph, value):
                signals[value.name], self.lengths = Lengths(value.name), True
                continue
            tokens = is_index(self.graph, value)
            own = "float64" if kind == library().TensorProto.DOUBLE else "float32"
            self.input_dtype = self.input_dtype or own
            sizes, axis = [dim.dim_value for dim in dims[1:]], open_axis(dims, tokens)
            if axis is not None:
                sizes[axis] = self.steps
            sizes = tuple(sizes)
            if not sizes or not all(size > 0 for size in sizes):
                raise ValueError(f"its input {value.name!r} does not say how many features a sample has; export it with an "
                                 "input of shape (batch, features)")
            given = self.decided.get(value.name)
            if axis is not None and len(sizes) == 2:  # the open steps come first
                given = sizes[axis], sizes[1 - axis]
            entry = self.entries[value.name] = Entry(value.name, sizes, given, None if axis is None else self.steps, tokens)
            if tokens:
                signals[value.name] = Tokens(entry)
                continue
            features, shape, memory = math.prod(sizes), None, None
            if entry.inputs is not None and len(sizes) > 1:
                shape = entry.inputs
                memory = None if shape == sizes else channels_last(sizes)
            stage = Stage(entry, features, np.float64(1.0), np.float64(0.0), shape)
            signals[value.name] = Signal(stage, sizes, PROBE, memory=memory)
        if len(fixed) > 1:
            raise ValueError("its inputs have different numbers of samples")
        self.batch, = fixed
        sizes = math.prod(math.prod(entry.sizes) for entry in self.entries.values())
        self.samples = self.batch or next(prime for prime in (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41) if sizes % prime or
                                          prime == 41)
        return signals

    def outputs(self):
        """Return the signals of the outputs by name; labels beside probabilities are left out."""
        values = {value.name: self.values[value.name] for value in self.graph.output}
        for value in values.values():
            if isinstance(value, (Moment, AdditionalOutput)):
                raise UnknownNode(f"{value.node}, cannot be taken: what it gives is an output, and no layer's")
        values = {name: value.settled() if isinstance(value, Arranged) else value for name, value in values.items()}
        signals = {name: value for name, value in values.items() if isinstance(value, Signal)}
        tails = {name: value.signal for name, value in values.items() if isinstance(value, Tail)}
        if not signals and len({id(value.stage) for value in tails.values()}) == 1:
            signals, tails = dict([next(iter(tails.items()))]), {}
        distinct = {}
        for name, value in signals.items():
            if not any(same(value, other) for other in distinct.values()):
                distinct[name] = value
        known = all(any(value.stage is other.stage for other in distinct.values()) for value in tails.values())
        if not distinct or not known or (len(signals) + len(tails) < len(values) and len(tails) + len(signals) == 0):
            names = ", ".join(repr(value.name) for value in self.graph.output)
            raise ValueError(f"its outputs ({names}) are not those of layers")
        for value in distinct.values():
            if len(value.shape) > 1 and (value.memory is not None or len(value.shape) > 2):
                raise ValueError(f"its output has the shape {value.shape} for a sample; a network's has one axis")
        return distinct


def is_last_step(node, operands):
    """Whether a Gather picks the last step of series, which `LastStep` does."""
    index, axis = operands[1], next((each.i for each in node.attribute if each.name == "axis"), 0)
    return node.op_type == "Gather" and len(operands[0].shape) == 2 and axis == 1 and index.ndim == 0 and \
        int(index) in (-1, operands[0].shape[0] - 1)


def same(value, other):
    """Whether two signals are one, as the outputs of several names are."""
    return value.stage is other.stage and value.values is other.values and value.shape == other.shape


def main(domain):
    """Return the canonical name of a domain: ONNX's own has two names."""
    return "" if domain == "ai.onnx" else domain


def walk(model):
    """Return (the walk of a graph, its last layers by the names of outputs)."""
    if has_open_steps(model.graph):
        return walk_any_length(lambda steps: walk_with(model, steps), model)
    return walk_with(model)


def walk_with(model, steps=None):
    """Return the same for a number of steps."""
    walked, error = Walk(model, steps=steps), None
    try:
        last = last_layers(walked)
    except (UnknownNode, ValueError) as raised:
        error = raised
    # an input read twice may be taken as it is first, and then with its channels last
    decided = {name: entry.inputs for name, entry in getattr(walked, "entries", {}).items() if len(entry.inputs or ()) > 1}
    readers = [name for node in model.graph.node for name in node.input]
    if any(readers.count(name) > 1 for name in decided):
        walked = Walk(model, decided, steps)
        last, error = last_layers(walked), None
    if error is not None:
        raise error
    return walked, last


def last_layers(walked):
    return {name: value.last_layer() for name, value in walked.walk_nodes().items()}


def takes_features(layer, shape):
    """Return whether a layer takes one axis of features and not samples of this shape."""
    try:
        layer.output_shape(shape)
    except ValueError:
        return True
    return False
