"""Operators that join values of several layers: sums, products, largest values, means, and values side by side.

Both values become outputs of layers of one shape, whose numbers are in one order: images with the channels last, series
(steps, features), or single axes of features.
"""

import numpy as np

from ..layers import Add, Average, Concatenate, Maximum, Multiply, Subtract
from .chain import Layer, Signal, UnknownForm, scaled
from .channel_order import last_shape
from .images import applied, channels_last, image, in_one_order, in_order
from .recognition import PROBE
from .registry import operator, signal

JOINS = {"Add": Add, "Sum": Add, "Sub": Subtract, "Mul": Multiply, "Max": Maximum, "Mean": Average}


def joined(walk, node, operands):
    """Return the signal of the layer that joins signals of several layers."""
    shapes = [x.shape for x in operands]
    if node.op_type not in JOINS:
        raise UnknownForm(f"it joins two branches, and no layer here computes {node.op_type} of two values; there are "
                          "layers for Add, Sub, Mul, Max, Mean and Concat")
    if len(set(shapes)) > 1:
        raise UnknownForm(f"it joins samples of the shapes {' and '.join(map(str, shapes))}; layers here join those of one "
                          "shape")
    return join(walk, JOINS[node.op_type](), operands)


def join(walk, spec, operands):
    if len(operands[0].shape) == 1:
        sources, memories = flat_sources(operands)
        if not all(in_one_order(memory, memories[0]) for memory in memories):
            raise UnknownForm("it joins samples whose numbers are in two orders, the channels first and last")
        layer = Layer(sources, spec, {})
        return Signal(scaled(layer, *operands[0].shape), operands[0].shape, PROBE, memory=memories[0])
    first, form = form_of(operands)
    found = [form(walk, x) for x in operands]
    made = applied(tuple(source for source, _ in found), spec, tuple(shape for _, shape in found))
    return made if first else as_in_graph(made)


def flat_sources(operands):
    """Return the layers of signals with one axis of features, and the orders of their numbers."""
    return tuple(x.as_stage().flat().finish("identity") for x in operands), [x.memory for x in operands]


def form_of(operands):
    """Return (whether the graph has their channels first, the function that gives the layer of each)."""
    if any(x.memory is None and x.stage.shape == x.shape for x in operands) or (
            len(operands[0].shape) == 2 and not any(is_image(x) for x in operands)):
        return False, channels_last_already
    return True, image


def is_image(x):
    """Whether the layer of x gives images or series whose channels are last, and the graph has them first."""
    return x.stage.shape == last_shape(x.shape) and in_one_order(x.memory, channels_last(x.shape))


def channels_last_already(walk, x):
    """(source, shape): the layer of x, whose outputs have the shape and the order of the graph."""
    return in_order(x, x.shape, None)


def as_in_graph(made):
    """Return the signal of a layer, which `applied` gives with the channels first, in the order of the layer."""
    return Signal(made.stage, made.stage.shape, made.values)


def concatenated(walk, node, operands, axis):
    """Return the signal of values side by side along an axis, counted with the batch."""
    rank = len(operands[0].shape) + 1
    axis += rank if axis < 0 else 0
    if any(len(x.shape) != rank - 1 for x in operands) or not 1 <= axis < rank:
        raise UnknownForm(f"it joins samples of the shapes {' and '.join(str(x.shape) for x in operands)} along axis {axis}")
    if rank == 2:
        sources, memories = flat_sources(operands)
        features, memory = sum(x.shape[0] for x in operands), None
        if any(each is not None for each in memories):
            own = [np.arange(x.shape[0]) if each is None else each for x, each in zip(operands, memories, strict=True)]
            memory = np.concatenate([each + sum(map(len, own[:number])) for number, each in enumerate(own)])
        return Signal(scaled(Layer(sources, Concatenate(), {}), features), (features,), PROBE, memory=memory)
    first, form = form_of(operands)
    found = [form(walk, x) for x in operands]
    place = (axis - 2) % (rank - 1) if first else axis - 1
    spec = Concatenate(-1 if place == rank - 2 else place)
    made = applied(tuple(source for source, _ in found), spec, tuple(shape for _, shape in found))
    return made if first else as_in_graph(made)


@operator("Mean", without_effect=["consumed_inputs"])
def mean_of_several(walk, node, *operands):
    operands = [signal(x) for x in operands]
    return operands[0] if len(operands) == 1 else joined(walk, node, operands)
