"""What the foreign operators do to a chain of dense layers: one function an operator, by name.

Each takes the walk, the node and its operands, each an array (a constant), a `Signal` or a `Tail`, and gives the same.
To take one more, write its function and register it under its name and domain.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..layers import LayerNorm
from .chain import Layer, Signal, UnknownForm, scaled
from .library import library
from .recognition import PROBE, evaluate

ML = "ai.onnx.ml"  # the domain of the operators that scikit-learn's models are made of


@dataclass(frozen=True, eq=False)
class Tail:
    """What is made of a network's output and is no part of the network: labels, thresholds, dicts of probabilities."""

    signal: Signal


operators = {}


def operator(*names, domain=""):
    """Register a function for the operators of these names."""
    def register(function):
        operators.update({(domain, name): function for name in names})
        return function
    return register


def attributes(node):
    """The attributes of a node by name."""
    return {a.name: library().helper.get_attribute_value(a) for a in node.attribute}


def constant(value, what):
    if not isinstance(value, np.ndarray):
        raise UnknownForm(f"its {what} is not a constant")
    return value


def signal(value):
    if not isinstance(value, Signal):
        raise UnknownForm("it takes no value that comes from the input")
    return value


# the operators that may be run on constants; integers are sizes, which hold 0 for the batch: never computed with
REARRANGING = {"Constant", "Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat"}
COMPUTING = {"Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Reciprocal"}


LARGEST_SIZES = 64  # numbers that Gather may pick from: the axes of a shape


def foldable(node, operands):
    """Whether a node may be run on constants: none of these makes a large array of a small file."""
    if node.domain or not all(operand is None or isinstance(operand, np.ndarray) for operand in operands):
        return False
    if node.op_type == "Gather":
        return all(operand.size <= LARGEST_SIZES for operand in operands)
    if node.op_type in COMPUTING:
        result = math.prod(np.broadcast_shapes(*(operand.shape for operand in operands)))
        return result <= max(o.size for o in operands) and all(o.dtype.kind == "f" for o in operands)
    return node.op_type in REARRANGING


def fold(walk, node, *operands):
    """The result of a node whose operands are all constants."""
    return evaluate(node, operands, walk.opsets)


@operator("MatMul")
def matrix_product(walk, node, x, weight):
    weight = constant(weight, "second operand")
    if weight.ndim != 2:
        raise UnknownForm(f"its matrix has shape {weight.shape}")
    return signal(x).product(weight, 0.0)


@operator("Gemm")
def general_product(walk, node, x, weight, bias=None):
    """alpha · x @ weight + beta · bias."""
    given = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0} | attributes(node)
    weight = constant(weight, "second operand")
    if given["transA"]:
        raise UnknownForm("it transposes its input")
    bias = np.zeros(()) if bias is None else constant(bias, "third operand")
    product = signal(x).product(given["alpha"] * (weight.T if given["transB"] else weight), 0.0)
    return product.affine(1.0, per_feature(bias, product) * given["beta"])


def per_feature(array, x):
    """A constant that is broadcast over the batch, as one number or one a feature."""
    if array.dtype.kind not in "fiu":
        raise UnknownForm(f"its constant holds {array.dtype}")
    if array.size == 1:
        return array.reshape(()).astype(np.float64)
    if len(x.shape) != 1 or array.shape[-1] != array.size or array.size != x.shape[0] or array.ndim > 2:
        raise UnknownForm(f"its constant has shape {array.shape} for {x.shape} numbers a sample")
    return array.reshape(-1).astype(np.float64)


@operator("Add", "Sub", "Mul", "Div", "Sum")
def arithmetic(walk, node, left, right):
    """A scale or shift of features folds into a product; with numbers it may be a part of an activation."""
    if isinstance(left, Signal) and isinstance(right, Signal):
        return elementwise(walk, node, left, right)
    x, c = (left, right) if isinstance(left, Signal) else (right, left)
    c, kind = per_feature(constant(c, "other operand"), signal(x)), node.op_type.replace("Sum", "Add")
    if c.ndim == 0 and not (x.plain and kind in ("Add", "Sub")):
        return elementwise(walk, node, *(v if isinstance(v, Signal) else c for v in (left, right)))
    if kind == "Div" and x is right:
        raise UnknownForm("it divides by what comes from the input")
    if kind == "Add":
        return x.affine(1.0, c)
    if kind == "Sub":
        return x.affine(1.0, -c) if x is left else x.affine(-1.0, c)
    return x.affine(c if kind == "Mul" else 1.0 / c, 0.0)


@operator("Relu", "Sigmoid", "Tanh", "Elu", "Selu", "LeakyRelu", "PRelu", "Celu", "Softplus", "Softsign", "Gelu", "Mish",
          "Swish", "HardSwish", "HardSigmoid", "ThresholdedRelu", "Erf", "Exp", "Log", "Neg", "Abs", "Sqrt", "Reciprocal",
          "Pow", "Max", "Min", "Clip", "Where", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Not", "And", "Or",
          "Softmax", "LogSoftmax")
def elementwise(walk, node, *operands):
    """A function of each number by itself (or of each row: softmax), of one stage."""
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    if not signals or any(isinstance(operand, Tail) for operand in operands):
        raise UnknownForm("it works on no value that comes from the input alone")
    if any(other.stage is not signals[0].stage or other.shape != signals[0].shape for other in signals):
        raise UnknownForm("it joins two branches; only chains of layers are taken")
    if "oftmax" in node.op_type and len(signals[0].shape) != 1:
        raise UnknownForm(f"it takes {signals[0].shape} numbers a sample, not one row")
    numbers = [None if isinstance(operand, Signal) else number(operand) for operand in operands]

    def result(*values):
        values = iter(values)
        return evaluate(node, [next(values) if isinstance(operand, Signal) else n
                               for operand, n in zip(operands, numbers, strict=True)], walk.opsets)

    last = None if len(signals) > 1 or signals[0].plain else (result, signals[0])
    return Signal(signals[0].stage, signals[0].shape, result(*(each.values for each in signals)), walk.here, last)


def number(array):
    """A constant that is one number, maybe many times over."""
    if array is None:
        return None
    if array.size == 0 or not (array == array.flat[0]).all():
        raise UnknownForm(f"its constant of shape {array.shape} holds different numbers")
    return array.reshape(-1)[0].astype(np.float64 if array.dtype.kind == "f" else array.dtype).reshape(())


@operator("BatchNormalization")
def normalization(walk, node, x, gain, bias, mean, variance):
    given = {"epsilon": 1e-5, "training_mode": 0} | attributes(node)
    if given["training_mode"] or "spatial" in given:
        raise UnknownForm("it is in training mode")
    gain, bias, mean, variance = (per_feature(constant(v, "statistic"), signal(x)) for v in (gain, bias, mean, variance))
    scale = gain / np.sqrt(variance + given["epsilon"])
    return x.affine(scale, bias - mean * scale)


@operator("Scaler", domain=ML)
def standardization(walk, node, x):
    offset, scale = (per_feature(np.array(attributes(node)[name], np.float64), signal(x)) for name in ("offset", "scale"))
    return x.affine(scale, -offset * scale)


@operator("LayerNormalization")
def layer_normalization(walk, node, x, gain, bias=None):
    given, x = {"axis": -1, "epsilon": 1e-5} | attributes(node), signal(x)
    if given["axis"] not in (1, -1) or len(x.shape) != 1:
        raise UnknownForm(f"it normalises from axis {given['axis']} on, of {x.shape} numbers a sample")
    if constant(gain, "scale").size != x.shape[0]:  # one number for many features would make a large layer of a small file
        raise UnknownForm(f"its scale has shape {gain.shape} for {x.shape} numbers a sample")
    epsilon = float(str(np.float32(given["epsilon"])))  # 1e-5 rather than the float32 next to it, 9.99999975e-06
    scale, shift = (np.broadcast_to(per_feature(constant(v, "scale"), x), x.shape)
                    for v in (gain, np.zeros(()) if bias is None else bias))
    layer = Layer(x.settled().finish("identity"), LayerNorm(epsilon), {"scale": scale, "shift": shift})
    return Signal(scaled(layer, *x.shape), x.shape, PROBE)


@operator("Identity")
def identity(walk, node, x):
    return x


@operator("Dropout")
def dropout(walk, node, x, ratio=None, training=None):
    if training is not None and constant(training, "training_mode").any():
        raise UnknownForm("it is in training mode")
    return x


@operator("Cast", "CastLike")
def cast(walk, node, x, like=None):
    if isinstance(x, Tail):
        return x
    kind = np.float64 if like is not None else library().helper.tensor_dtype_to_np_dtype(attributes(node)["to"])
    if np.dtype(kind).kind != "f":
        return Tail(x)
    return x if x.values.dtype.kind == "f" else Signal(x.stage, x.shape, x.values.astype(np.float64))


@operator("Shape")
def sizes(walk, node, x):
    """The sizes of a signal, 0 for the batch: a later Reshape takes 0 as "what it was"."""
    if attributes(node):
        raise UnknownForm("it takes a part of the sizes")
    return np.array([0, *signal(x).shape], np.int64)


@operator("Flatten")
def flatten(walk, node, x):
    axis, x = attributes(node).get("axis", 1), signal(x)
    if axis not in (1, -len(x.shape)):
        raise UnknownForm(f"it flattens from axis {axis}")
    return Signal(x.stage, (int(np.prod(x.shape, dtype=object)),), x.values)


@operator("Reshape")
def reshape(walk, node, x, shape):
    """(batch, …) to (batch, features), or of one feature to (batch,)."""
    if isinstance(x, Tail):
        return x
    x, shape = signal(x), [int(n) for n in constant(shape, "shape")]
    features = int(np.prod(x.shape, dtype=object))
    if shape in ([-1, features], [0, features], [0, -1]) or (features == 1 and shape in ([-1], [0])):
        return Signal(x.stage, (features,), x.values)
    raise UnknownForm(f"it gives its input of {x.shape} numbers a sample the shape {shape}")


@operator("Squeeze")
def squeeze(walk, node, x, axes=None):
    axes = attributes(node).get("axes") if axes is None else constant(axes, "axes")
    if isinstance(x, Signal) and not (x.shape == (1,) and axes is not None and list(axes) in ([1], [-1])):
        raise UnknownForm("it takes away an axis of more than one number")
    return x


@operator("Concat")
def both_classes(walk, node, negative, *rest):
    """[1 − p, p], as classifiers with one sigmoid output end."""
    if len(rest) == 1 and attributes(node)["axis"] in (1, -1):
        negative, positive = signal(negative), signal(*rest)
        if negative.stage is positive.stage and np.allclose(negative.values, 1 - positive.values):
            return Tail(positive)
    raise UnknownForm("it joins branches; only chains of layers are taken")


@operator("ArgMax", "TopK")
@operator("ZipMap", "Binarizer", "LabelEncoder", domain=ML)
def tail(walk, node, x, *rest):
    return x if isinstance(x, Tail) else Tail(signal(x))


@operator("ArrayFeatureExtractor", domain=ML)
@operator("Gather")
def label(walk, node, classes, index):
    """The label of a class by its index."""
    constant(classes, "first operand")
    if not isinstance(index, Tail):
        raise UnknownForm("it picks numbers by what comes from the input")
    return index
