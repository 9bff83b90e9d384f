"""Layer normalization in elementary operators, as in opsets without an operator for it, and as `export` writes it in
float64.

    distance = x - mean(x)
    (distance / sqrt(mean(distance²) + epsilon)) · scale + shift

The means are over the elements of a sample. Scale and shift are handled like those of other signals.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..layers import GlobalAveragePool, LayerNorm
from .chain import Layer, Signal, UnknownForm, scaled
from .images import by_steps, reduced
from .recognition import PROBE
from .registry import constant, operator, shortest_float, signal


@dataclass(frozen=True, eq=False)
class Moment:
    """An intermediate value of a layer normalization.

    what: "mean", "distance", "square" (of the distance), "variance", "shifted" (by epsilon), "deviation" or "inverse".
    """

    signal: Signal
    what: str
    node: str
    epsilon: float | None = None


def normalized(x, epsilon, scale=1.0, shift=0.0):
    """Return the signal of a layer that normalizes `x`."""
    of_steps = len(x.shape) == 2
    if not (np.size(scale) == math.prod(x.shape) or x.stage.is_in_file()):
        raise UnknownForm(f"it normalizes {x.shape} numbers a sample with no weights beside it")
    if of_steps:
        x = by_steps(x)
        source, scale, shift = x.as_stage().finish("identity"), *(np.broadcast_to(np.float64(each), x.shape[1:])
                                                                 for each in (scale, shift))
    else:
        source = x.as_stage().flat().finish("identity")
        scale, shift = (x.in_order(np.broadcast_to(np.float64(each), x.shape)) for each in (scale, shift))
    layer = Layer(source, LayerNorm(epsilon), {"scale": scale, "shift": shift})
    return Signal(scaled(layer, math.prod(x.shape), shape=x.shape if of_steps else None), x.shape, PROBE, memory=x.memory)


@operator("ReduceMean", without_effect=["noop_with_empty_axes"])
def mean(walk, node, x, given=None, *, axes=None, keepdims=1):
    axes = list(axes or ()) if given is None else constant(given, "axes").reshape(-1).tolist()
    if isinstance(x, Signal) and not is_subtracted(walk, node):
        found = reduced(walk, node, x, axes, keepdims, GlobalAveragePool())
        if found is not None:
            return found
    rank = len((x.signal if isinstance(x, Moment) else signal(x)).shape)
    if axes not in ([rank], [-1]) or not keepdims or rank > 2:
        raise UnknownForm("it takes another mean than that of each sample's numbers, kept as an axis of one")
    if not isinstance(x, Moment):
        return Moment(x, "mean", walk.here)
    if x.what != "square":
        raise UnknownForm("it is no part of a layer normalization")
    return Moment(x.signal, "variance", walk.here)


def is_subtracted(walk, node):
    """Whether a mean is taken from the numbers that it is of, as a layer normalization does."""
    return any(other.op_type == "Sub" and [*other.input] == [node.input[0], node.output[0]] for other in walk.graph.node)


def combined(walk, node, operands):
    """Return the result of a node with a Moment among its operands."""
    if node.op_type in ("Identity", "Cast", "CastLike"):  # CastLike may also convert a number to the dtype of the samples
        return operands[0]
    moments = [each for each in operands if isinstance(each, Moment)]
    x, epsilon = moments[0].signal, next((each.epsilon for each in moments if each.epsilon is not None), None)
    sources = [getattr(each, "signal", each) for each in operands if isinstance(each, (Moment, Signal))]
    same = all(each.stage is x.stage and each.values is x.values for each in sources)
    known = [kind_of_value(each) for each in operands]
    match (node.op_type, *(sorted(known, key=str) if node.op_type in ("Add", "Mul") else known)) if same else ():
        case ("Sub", "signal", "mean"):
            what = "distance"
        case ("Mul", "distance", "distance") | ("Pow", "distance", 2.0):
            what = "square"
        case ("Add", float(epsilon), "variance"):
            what = "shifted"
        case ("Sqrt", "shifted") | ("Pow", "shifted", 0.5):
            what = "deviation"
        case ("Reciprocal", "deviation") | ("Div", 1.0, "deviation") | ("Pow", "shifted", -0.5):
            what = "inverse"
        case ("Div", "distance", "deviation") | ("Mul", "distance", "inverse"):
            return normalized(x, epsilon)
        case _:
            raise UnknownForm("it is no part of a layer normalization")
    return Moment(x, what, walk.here, epsilon)


def kind_of_value(value):
    """Return what a Moment is, "signal", a constant as a float, or None."""
    if isinstance(value, Moment):
        return value.what
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind == "f":
        return shortest_float(value.reshape(-1)[0])
    return "signal" if isinstance(value, Signal) else None
