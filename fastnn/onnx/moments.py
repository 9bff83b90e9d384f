"""Layer normalization spelled in elementary operators, as it was before there was one for it, and as we write it in float64.

    distance = x - mean(x)
    (distance / sqrt(mean(distance²) + epsilon)) · scale + shift

The means are those of a sample's numbers. Scale and shift are an affine signal like others.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..layers import LayerNorm
from .chain import Layer, Signal, UnknownForm, scaled
from .recognition import PROBE
from .registry import constant, operator, signal


@dataclass(frozen=True, eq=False)
class Moment:
    """A value on the way from a signal to its normalized form.

    what: "mean", "distance", "square" (of the distance), "variance", "shifted" (by epsilon), "deviation" or "inverse".
    """

    signal: Signal
    what: str
    node: str
    epsilon: float | None = None


def normalized(x, epsilon, scale=1.0, shift=0.0):
    """The signal of a layer that normalizes `x`."""
    if not (np.size(scale) == math.prod(x.shape) or x.stage.is_in_file()):
        raise UnknownForm(f"it normalizes {x.shape} numbers a sample with no weights beside it")
    scale, shift = (np.broadcast_to(np.float64(each), x.shape) for each in (scale, shift))
    layer = Layer(x.settled().finish("identity"), LayerNorm(epsilon), {"scale": scale, "shift": shift})
    return Signal(scaled(layer, *x.shape), x.shape, PROBE)


def as_written(epsilon):
    """A constant of a file as a Python float: 1e-5 rather than the float32 next to it, 9.99999975e-06."""
    return float(str(epsilon)) if epsilon.dtype == np.float32 else float(epsilon)


@operator("ReduceMean", without_effect=["noop_with_empty_axes"])
def mean(walk, node, x, given=None, *, axes=None, keepdims=1):
    axes = list(axes or ()) if given is None else constant(given, "axes").reshape(-1).tolist()
    if axes not in ([1], [-1]) or not keepdims or not (isinstance(x, Moment) or len(signal(x).shape) == 1):
        raise UnknownForm("it takes another mean than that of each sample's numbers, kept as an axis of one")
    if not isinstance(x, Moment):
        return Moment(x, "mean", walk.here)
    if x.what != "square":
        raise UnknownForm("it is no part of a layer normalization")
    return Moment(x.signal, "variance", walk.here)


def combined(walk, node, operands):
    """The result of a node one of whose operands is a Moment."""
    if node.op_type in ("Identity", "Cast", "CastLike"):  # CastLike also of a number, to what the sample's numbers are
        return operands[0]
    moments = [each for each in operands if isinstance(each, Moment)]
    x, epsilon = moments[0].signal, next((each.epsilon for each in moments if each.epsilon is not None), None)
    sources = [getattr(each, "signal", each) for each in operands if isinstance(each, (Moment, Signal))]
    same = all(each.stage is x.stage and each.values is x.values for each in sources)
    known = [described(each) for each in operands]
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


def described(value):
    """What a Moment is, "signal", the float that a constant is, or None."""
    if isinstance(value, Moment):
        return value.what
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind == "f":
        return as_written(value.reshape(-1)[0])
    return "signal" if isinstance(value, Signal) else None
