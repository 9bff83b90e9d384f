"""Foreign graphs of sequences of any length: inputs whose number of steps is open, tokens, lengths of padded batches.

The graph is walked with several numbers of steps. If every walk finds the same layers with the same parameters, nothing in
it depends on that number, and the network takes sequences of any length: what the graph computes of one sequence alone, the
network computes of each. If the graph has an input for the lengths of padded sequences, only layers that heed them are
taken.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..layers import (
    Activation,
    Add,
    Average,
    BatchNorm,
    Concatenate,
    Conv1D,
    Dense,
    Embedding,
    LastStep,
    LayerNorm,
    Maximum,
    MultiHeadAttention,
    Multiply,
    Rescale,
    Slice,
    Subtract,
    is_ragged,
)
from ..layers.pooling.base import GlobalPool, Pool
from ..layers.recurrence.recurrent import Recurrent
from .chain import Entry, Layer, Signal, UnknownForm, scaled
from .library import library
from .order import in_order, sources_of
from .recognition import PROBE

STEPS = 211, 212, 213, 214  # walked with: any remainder of a stride up to 4
ALIKE = (Activation, Add, Average, BatchNorm, Conv1D, Dense, Embedding, GlobalPool, LastStep, LayerNorm, Maximum,
         MultiHeadAttention, Multiply, Pool, Recurrent, Rescale, Subtract)  # the same function for any number of steps
PASSED_ON = {"Identity", "Cast", "CastLike"}
PARTS = {"Identity", "Cast", "Expand", "Gather", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}
SMALL = 64  # elements of a constant that is made of its shape


@dataclass(frozen=True, eq=False)
class Tokens:
    """Whole numbers of an input, by which rows of a table are picked."""

    entry: Entry


@dataclass(frozen=True, eq=False)
class Lengths:
    """How many steps each padded sequence has: an input of the graph."""

    name: str


@dataclass(frozen=True, eq=False)
class Filled:
    """An array of one number everywhere, with an axis for the batch."""

    number: float


def names_from(graph, name):
    """Return a name and all names of the same value."""
    found = {name}
    for node in graph.node:
        if node.op_type in PASSED_ON and node.input and node.input[0] in found:
            found.update(node.output)
    return found


def is_index(graph, value):
    """Return whether an input of whole numbers picks rows of a table."""
    kinds = library().TensorProto
    if value.type.tensor_type.elem_type not in (kinds.INT32, kinds.INT64):
        return False
    names = names_from(graph, value.name)
    return any(node.op_type == "Gather" and node.input[1] in names for node in graph.node)


def is_lengths(graph, value):
    """Return whether an input holds the lengths of padded sequences."""
    names = names_from(graph, value.name)
    return len(value.type.tensor_type.shape.dim) == 1 and any(
        node.op_type in ("RNN", "GRU", "LSTM") and len(node.input) > 4 and node.input[4] in names for node in graph.node)


def open_axis(dims, tokens):
    """Return the axis of a sample that has any number of steps, of the dimensions of an input, or None."""
    if tokens:
        return 0 if len(dims) == 2 else None
    places = [place for place, dim in enumerate(dims[1:]) if dim.dim_value <= 0]
    return places[0] if len(places) == 1 and len(dims) > 2 else None


def has_open_steps(graph):
    """Return whether an input of a graph has any number of steps, or holds tokens."""
    weights = {tensor.name for tensor in graph.initializer}
    return any(open_axis(value.type.tensor_type.shape.dim, is_index(graph, value)) is not None
               for value in graph.input if value.name not in weights)


def walk_any_length(walk_with, model):
    """Return (walk, last layers) that hold for any number of steps. walk_with: walks the graph with a number of steps."""
    for node in model.graph.node:
        attributes = {each.name: each for each in node.attribute}
        if attributes.get("auto_pad") is not None and attributes["auto_pad"].s.startswith(b"SAME") and \
                max(attributes["strides"].ints if "strides" in attributes else [1]) > 1:
            raise ValueError(f"its node {node.name!r}, {node.op_type}, pads by the number of steps, which is open; export "
                             "it with a number of steps")
    walks = [walk_with(steps) for steps in STEPS]
    layers, *others = [in_order([*last.values()]) for _, last in walks]
    for other in others:
        if len(other) != len(layers):
            raise ValueError("its layers depend on the number of steps, which is open")
        for one, same in zip(layers, other, strict=True):
            if places(one, layers) != places(same, other) or not alike(one, same):
                raise ValueError(f"its layer {one.spec!r} depends on the number of steps, which is open; export it with a "
                                 "number of steps, or make one row of all steps by a mean, a maximum, the last step or a "
                                 "recurrent layer")
    return walks[0]


def places(layer, layers):
    """Return where the layers that a layer reads stand among all; the name of an entry."""
    numbers = {each: number for number, each in enumerate(layers)}
    return [source.name if isinstance(source, Entry) else numbers[source] for source in sources_of(layer)]


def alike(one, other):
    """Return whether two layers have the same options and parameters."""
    if repr(one.spec) != repr(other.spec) or one.parameters.keys() != other.parameters.keys():
        return False
    pairs = ((one.parameters[name], other.parameters[name]) for name in one.parameters)
    return all(np.array_equal(array, same) for array, same in pairs)


def by_step(spec, parameters, shape):
    """Return a layer as one for sequences of a shape: a convolution of one step is a `Dense` of each."""
    plain = isinstance(spec, Conv1D) and is_ragged(shape) and spec == Conv1D(spec.out_channels, 1, spec.activation)
    if not plain:
        return spec, parameters
    return Dense(spec.out_channels, spec.activation), parameters | {"weight": parameters["weight"][0]}


def check_network(network, walked):
    """Refuse layers that would be another function for sequences than they are for series of one length."""
    for _, layer, reads, _ in network.wiring.steps:
        if not any(is_ragged(network.shapes[tensor]) for tensor in reads):
            continue
        if not (isinstance(layer, ALIKE) or (isinstance(layer, (Concatenate, Slice)) and layer.axis == -1)):
            raise ValueError(f"its layer {layer!r} works on all steps together, whose number is open; export it with a "
                             "number of steps")
        if walked.lengths and layer.works_over_time(network.shapes[reads[0]]) and not isinstance(
                layer, (Recurrent, Embedding)):
            raise ValueError(f"its layer {layer!r} works on padded sequences and does not heed their lengths, which are an "
                             "input of the graph")


def before_layers(walk, node, operands):
    """Return the value of a node that reads tokens or lengths, or makes an array of one number; None for others."""
    first, kind = operands[0] if operands else None, node.op_type
    if any(isinstance(operand, Tokens) for operand in operands):
        if kind in PASSED_ON:
            return first
        if kind == "Gather" and isinstance(first, np.ndarray) and first.ndim == 2 and axis_of(node) == 0:
            return embedded(walk, first, operands[1].entry)
        if kind != "Shape":
            raise UnknownForm("it takes tokens; layers here take them to pick rows of a table (Gather along axis 0)")
    if any(isinstance(operand, Lengths) for operand in operands):
        if kind in PASSED_ON:
            return first
        if kind not in ("RNN", "GRU", "LSTM"):
            raise UnknownForm("it takes the lengths of sequences; only recurrent layers do that here")
    if kind == "ConstantOfShape" and isinstance(first, np.ndarray):
        value = next((library().numpy_helper.to_array(each.t) for each in node.attribute if each.name == "value"),
                     np.zeros(1, np.float32)).reshape(-1)
        known = (first >= 0).all() and math.prod(first.tolist()) <= SMALL
        return np.full(first, value[0], value.dtype) if known else Filled(float(value[0]))
    if kind == "Expand" and isinstance(first, np.ndarray) and first.size and (first == first.flat[0]).all():
        return Filled(float(first.flat[0]))
    if isinstance(first, Filled):
        if kind in PARTS and not any(isinstance(operand, Signal) for operand in operands):
            return (first,) * len(node.output)
        raise UnknownForm("it takes an array of one number, made for the size of the batch; layers here take it as the "
                          "state before the first step only")
    return None


def axis_of(node):
    return next((each.i for each in node.attribute if each.name == "axis"), 0)


def embedded(walk, weight, entry):
    """Return the signal of an `Embedding` of tokens."""
    if walk.dtype is None:
        walk.dtype = "float64" if weight.dtype == np.float64 else "float32"
    (steps,), (tokens, features) = entry.sizes, weight.shape
    layer = entry.once(id(weight), lambda: Layer(entry, Embedding(tokens, features), {"weight": weight}))
    return Signal(scaled(layer, steps * features, shape=(steps, features)), (steps, features), PROBE)
