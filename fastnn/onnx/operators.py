"""The conversion of foreign operators to a chain of dense layers: one function for each operator.

Each takes the walk, the node and its operands, which are arrays (constants), `Signal`s or `Tail`s, and returns one of these.
To add an operator, write its function and register it under its name and domain, with the attributes that it uses.
"""

import math
from dataclasses import replace

import numpy as np

from ..layers import PositionEmbedding
from .arrangement import parts_of
from .chain import Layer, Signal, Stage, UnknownForm, scaled
from .channels import channels_normalized, channels_scaled
from .images import by_steps, in_one_order, picked_step, steps
from .joins import JOINS, concatenated, joined
from .library import library
from .moments import normalized
from .recognition import PROBE, evaluate
from .registry import ML, Tail, constant, operator, shortest_float, signal

# operators that may be evaluated on constants; integers are sizes, with a marker for the batch, of which Reshape takes
# multiples only
REARRANGING = {"Constant", "Identity", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat", "Slice",
               "Split"}
COMPUTING = {"Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Reciprocal", "Mod"}


LARGEST_SIZES = 64  # elements of an operand of Gather: the axes of a shape


def foldable(node, operands):
    """Return whether a node may be evaluated on constants: none of these makes a large array from a small file."""
    if node.domain or not all(operand is None or isinstance(operand, np.ndarray) for operand in operands):
        return False
    if node.op_type == "Gather":
        return all(operand.size <= LARGEST_SIZES for operand in operands)
    if node.op_type in COMPUTING:
        result = math.prod(np.broadcast_shapes(*(operand.shape for operand in operands)))
        return result <= max(o.size for o in operands) and (all(o.dtype.kind == "f" for o in operands) or
                                                            result <= LARGEST_SIZES)
    return node.op_type in REARRANGING


def fold(walk, node, *operands):
    """Return the result of a node whose operands are all constants."""
    if node.op_type == "Split":
        return tuple(parts_of(walk, node, *operands))
    return evaluate(node, operands, walk.opsets)


@operator("MatMul")
def matrix_product(walk, node, x, weight):
    weight = constant(weight, "second operand")
    if weight.ndim != 2:
        raise UnknownForm(f"its matrix has shape {weight.shape}")
    return step_products(walk, x, weight) if len(signal(x).shape) == 2 else signal(x).product(weight, 0.0)


def step_products(walk, x, weight):
    """Return the signal of the product of each step of series (steps, features) with a matrix."""
    steps, features = x.shape
    if features != len(weight):
        raise UnknownForm(f"it multiplies steps of {features} features with a matrix {weight.shape}")
    x = by_steps(x)
    stage = x.as_stage().absorbed()
    if stage.weight.ndim == 2:
        stage = scaled(stage.finish("identity"), stage.features, shape=stage.shape)
    bias, out_features = np.broadcast_to(stage.bias, features) @ weight, weight.shape[1]
    made = Stage(stage.source, steps * out_features, stage.weight.reshape(-1, 1) * weight, bias, (steps, out_features))
    return Signal(made, made.shape, PROBE)


@operator("Gemm", without_effect=["broadcast"])
def general_product(walk, node, x, weight, bias=None, *, alpha, beta, transA, transB):
    """Return alpha · x @ weight + beta · bias."""
    weight = constant(weight, "second operand")
    if transA:
        raise UnknownForm("it transposes its input")
    bias = np.zeros(()) if bias is None else constant(bias, "third operand")
    product = matrix_product(walk, node, x, alpha * (weight.T if transB else weight))
    return product.affine(1.0, per_feature(bias, product) * beta)


def per_feature(array, x):
    """Return a constant that is broadcast over the batch, as one number or one number for each feature."""
    if array.dtype.kind not in "fiu":
        raise UnknownForm(f"its constant holds {array.dtype}")
    if array.size == 1:
        return array.reshape(()).astype(np.float64)
    if len(x.shape) == 2 and x.stage.shape == x.shape and x.memory is None and array.shape[-1:] == (array.size,):
        if array.size == x.shape[-1]:
            return array.reshape(-1).astype(np.float64)
    if len(x.shape) != 1 or array.shape[-1] != array.size or array.size != x.shape[0] or array.ndim > 2:
        raise UnknownForm(f"its constant has shape {array.shape} for {x.shape} numbers a sample")
    return x.in_order(array.reshape(-1).astype(np.float64))


@operator("Add", "Sub", "Mul", "Div", without_effect=["broadcast", "consumed_inputs"])
def arithmetic(walk, node, left, right, *, axis=None):
    """Fold a scale or shift of features into a product; one by a number may also be part of an activation."""
    if axis not in (None, 1, -1):
        raise UnknownForm(f"it combines along axis {axis}")
    if isinstance(left, Signal) and isinstance(right, Signal):
        return elementwise(walk, node, left, right)
    x, c = (left, right) if isinstance(left, Signal) else (right, left)
    if (found := channels_scaled(walk, node, x, node.op_type, constant(c, "other operand"), x is left)) is not None:
        return found
    if len(signal(x).shape) == 2 and np.size(c) > 1 and x.memory is None:
        x = by_steps(x)
    left, right = (x, c) if isinstance(left, Signal) else (c, x)
    if node.op_type == "Add" and len(x.shape) == 2 and np.squeeze(constant(c, "other operand")).shape == x.shape:
        return positions_added(x, c.reshape(x.shape))
    c, kind = per_feature(constant(c, "other operand"), signal(x)), "Add" if node.op_type == "Sum" else node.op_type
    if c.ndim == 0 and not (x.plain and kind in ("Add", "Sub")):
        return elementwise(walk, node, *(v if isinstance(v, Signal) else c for v in (left, right)))
    if kind == "Div" and x is right:
        raise UnknownForm("it divides by what comes from the input")
    if kind == "Add":
        return x.affine(1.0, c)
    if kind == "Sub":
        return x.affine(1.0, -c) if x is left else x.affine(-1.0, c)
    return x.affine(c if kind == "Mul" else 1.0 / c, 0.0)


def positions_added(x, weight):
    """Return the signal of steps to each of which a vector of its own is added."""
    source, shape = steps(None, x)
    layer = Layer(source, PositionEmbedding(len(weight)), {"weight": weight})
    return Signal(scaled(layer, weight.size, shape=shape), shape, PROBE)


@operator("Sum", without_effect=["consumed_inputs"])
def total(walk, node, first, *others):
    operands = [first, *others]
    if len(operands) > 1 and all(isinstance(x, Signal) for x in operands):
        return joined(walk, node, operands)
    for other in others:
        first = arithmetic(walk, node, first, other)
    return first


@operator("Relu", "Sigmoid", "Tanh", "Elu", "Selu", "LeakyRelu", "PRelu", "Celu", "Softplus", "Softsign", "Gelu", "Mish",
          "Swish", "HardSwish", "HardSigmoid", "ThresholdedRelu", "Erf", "Exp", "Log", "Neg", "Abs", "Sqrt", "Reciprocal",
          "Pow", "Max", "Min", "Clip", "Where", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Not", "And", "Or",
          "Softmax", "LogSoftmax")
def elementwise(walk, node, *operands, **attributes):
    """Apply an elementwise function (or softmax of each row) to signals of one stage."""
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    if not signals or any(isinstance(operand, Tail) for operand in operands):
        raise UnknownForm("it works on no value that comes from the input alone")
    if any(other.stage is not signals[0].stage or other.shape != signals[0].shape or
           not in_one_order(other.memory, signals[0].memory) for other in signals):
        if len(signals) != len(operands):
            raise UnknownForm("it joins two branches and a constant; no layer here does that")
        return joined(walk, node, signals)
    if "oftmax" in node.op_type:
        node = of_rows(node, signals[0], **attributes)
    numbers = [None if isinstance(operand, Signal) else number(operand) for operand in operands]

    def result(*values):
        values = iter(values)
        return evaluate(node, [next(values) if isinstance(operand, Signal) else n
                               for operand, n in zip(operands, numbers, strict=True)], walk.opsets)

    last, otherwise = None, None
    if len(signals) == 1 and not signals[0].plain:
        last = result, signals[0]
    elif len(signals) == len(operands) > 1 and node.op_type in JOINS:

        def otherwise():
            return joined(walk, node, signals)

    return Signal(signals[0].stage, signals[0].shape, result(*(each.values for each in signals)), walk.here, last,
                  signals[0].memory, otherwise)


def of_rows(node, x, **attributes):
    """Return the node of a softmax as one of the rows of a matrix, where it goes over the features of each step."""
    if len(x.shape) == 1:
        return node
    axis = next((each.i for each in node.attribute if each.name == "axis"), -1)
    if len(x.shape) != 2 or axis not in (-1, 2) or x.memory is not None or x.stage.shape != x.shape:
        raise UnknownForm(f"it takes {x.shape} numbers a sample along axis {axis}, not the features of one row or step")
    return library().helper.make_node(node.op_type, [*node.input], [*node.output], axis=-1)


def number(array):
    """Return the value of a constant whose elements are all equal."""
    if array is None:
        return None
    if array.size == 0 or not (array == array.flat[0]).all():
        raise UnknownForm(f"its constant of shape {array.shape} holds different numbers")
    return array.reshape(-1)[0].astype(np.float64 if array.dtype.kind == "f" else array.dtype).reshape(())


@operator("BatchNormalization", without_effect=["momentum", "spatial", "consumed_inputs"])
def normalization(walk, node, x, gain, bias, mean, variance, *, epsilon, training_mode=0, is_test=1):
    refuse_training(training_mode or any(node.output[1:]), is_test)
    if len(signal(x).shape) > 1 and math.prod(x.shape) > x.shape[0]:
        return channels_normalized(walk, x, epsilon, *(constant(v, "statistic") for v in (gain, bias, mean, variance)))
    gain, bias, mean, variance = (per_feature(constant(v, "statistic"), signal(x)) for v in (gain, bias, mean, variance))
    scale = gain / np.sqrt(variance + epsilon)
    return x.affine(scale, bias - mean * scale)


def refuse_training(training, is_test=1):
    """Refuse training mode, if it differs from prediction; before opset 7, is_test is 0 unless a node sets 1."""
    if training or not is_test:
        raise UnknownForm("it is in training mode" + " (is_test is 0, as it is before opset 7 where a node does not say 1); "
                          "export the network as it is in prediction" * (not is_test))


@operator("Scaler", domain=ML)
def standardization(walk, node, x, *, offset=(0.0,), scale=(1.0,)):
    offset, scale = (per_feature(np.array(each, np.float64), signal(x)) for each in (offset, scale))
    return x.affine(scale, -offset * scale)


@operator("LayerNormalization", without_effect=["stash_type"])
def layer_normalization(walk, node, x, gain, bias=None, *, axis, epsilon):
    x = signal(x)
    if len(x.shape) == 2 and axis in (2, -1) and np.shape(gain) == x.shape[1:]:
        x = by_steps(x)
    elif axis not in (1, -len(x.shape)):
        raise UnknownForm(f"it normalizes from axis {axis} on, of {x.shape} numbers a sample")
    gain = constant(gain, "scale")
    bias = gain * 0 if bias is None else constant(bias, "shift")
    # one number for many features could make a large layer from a small file
    if not gain.shape == bias.shape == x.shape[-gain.ndim:]:
        raise UnknownForm(f"its scale has shape {gain.shape} and its shift {bias.shape} for {x.shape} numbers a sample")
    # for float64, runtimes use the float32 epsilon of the file
    epsilon = shortest_float(np.float32(epsilon)) if gain.dtype == np.float32 else epsilon
    if gain.shape != x.shape:
        return normalized(x, epsilon, gain, bias)
    flat = replace(x, shape=(gain.size,))
    return replace(normalized(flat, epsilon, gain.reshape(-1), bias.reshape(-1)), shape=x.shape)


@operator("Identity")
def identity(walk, node, x):
    return x


@operator("Dropout", without_effect=["ratio", "seed", "consumed_inputs"])
def dropout(walk, node, x, ratio=None, training=None, *, is_test=1):
    refuse_training(training is not None and constant(training, "training_mode").any(), is_test)
    return x


@operator("Cast", "CastLike", without_effect=["saturate", "round_mode"])
def cast(walk, node, x, like=None, *, to=None):
    if isinstance(x, Tail) or (isinstance(x, np.ndarray) and isinstance(like, Signal)):
        return x
    if like is not None:
        kind = like.dtype if isinstance(like, np.ndarray) else np.float64
    else:
        kind = library().helper.tensor_dtype_to_np_dtype(to)
    if np.dtype(kind).kind != "f":
        return Tail(x)
    return x if signal(x).values.dtype.kind == "f" else replace(x, values=x.values.astype(np.float64), last=None)


@operator("Concat")
def side_by_side(walk, node, first, *others, axis):
    """Join values, or handle [1 − p, p], the end of classifiers with one sigmoid output."""
    operands = [signal(first), *map(signal, others)]
    if len(operands) == 2 and axis in (1, -1):
        negative, positive = operands
        if negative.stage is positive.stage and np.allclose(negative.values, 1 - positive.values):
            return Tail(positive)
    return operands[0] if not others else concatenated(walk, node, operands, axis)


@operator("ArgMax", "TopK", without_effect=["keepdims", "k", "sorted"], all_outputs=True)
def largest(walk, node, x, *rest, axis):
    if axis not in (1, -1):
        raise UnknownForm(f"it looks for the largest along axis {axis}")
    return tail(walk, node, x)


@operator("ZipMap", "Binarizer", "LabelEncoder", domain=ML)
def tail(walk, node, x, *rest, **attributes):
    return x if isinstance(x, Tail) else Tail(signal(x))


@operator("ArrayFeatureExtractor", domain=ML)
@operator("Gather")
def label(walk, node, classes, index, *, axis=0):
    """Handle the lookup of the label of a class by its index, or of the last step of a series."""
    if hasattr(classes, "picked") and isinstance(index, np.ndarray):
        return classes.picked(walk, node, index, axis)
    if isinstance(classes, Signal) and isinstance(index, np.ndarray):
        return picked_step(walk, node, classes, index, axis)
    constant(classes, "first operand")
    if not isinstance(index, Tail) or axis != 0:
        raise UnknownForm("it picks numbers by what comes from the input")
    return index
