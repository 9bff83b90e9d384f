"""Shapes of samples. A shape that begins with None is that of a sequence of any length, and the rest that of a step.

Most layers compute row by row and do not care what a row is: of sequences they see the steps, each as if it were a sample.
Layers over time see the whole shape.
"""

import math

from ..checks import shown, whole_number


def input_shape(inputs, where="inputs"):
    """Return the shape of a sample, given a number of features or a shape, from a caller or a file."""
    if hasattr(inputs, "output_shape"):  # a layer
        raise ValueError(f"{where} is {shown(inputs)}, a layer; give the layers as a list: "
                         "Network([Dense(64, 'relu'), Dense(1)], inputs=4)")
    if getattr(inputs, "ndim", 0):
        raise ValueError(f"{where} is an array of shape {inputs.shape}; give the shape of a sample, such as "
                         "inputs=X.shape[1]")
    if not isinstance(inputs, (tuple, list)):
        return (whole_number(where, inputs),)
    if not inputs:
        raise ValueError(f"{where} is an empty shape; give the shape of a sample, such as (28, 28, 1), or how many features")
    if None in inputs[1:]:
        raise ValueError(f"{where} is {shown(inputs)}; None, any number of steps, stands first, as in (None, 12)")
    shape = tuple(None if axis == 0 and size is None else whole_number(f"{where}[{axis}]", size)
                  for axis, size in enumerate(inputs))
    whole_number(f"the product of {where}", numbers_of(shape))
    return shape


def is_ragged(shape):
    """Return whether it is the shape of a sequence of any length."""
    return shape[0] is None


def is_features(shape):
    """Return whether it is the shape of a sample of some features, which a number describes as well."""
    return len(shape) == 1 and not is_ragged(shape)


def row_shape(shape):
    """Return the shape of a row: of a sample, or of a step of a sequence."""
    return shape[1:] if is_ragged(shape) else shape


def numbers_of(shape):
    """Return the number of elements of a row; a token is one."""
    return math.prod(row_shape(shape))


def seen_by(layer, shape):
    """Return the shape that a layer sees where samples have this shape."""
    return shape if not is_ragged(shape) or layer.works_over_time(shape) else shape[1:]


def output_shape(layer, shape):
    """Return the shape of a layer's output for a sample of this shape; raise ValueError if it does not accept the shape."""
    if not is_ragged(shape) or layer.works_over_time(shape):
        return layer.output_shape(shape)
    if shape == (None,):
        raise ValueError(f"{layer!r} takes numbers, and here a sample is a sequence of tokens, inputs=(None,); put an "
                         "Embedding before it, or give sequences of single numbers the shape (None, 1)")
    return None, *layer.output_shape(shape[1:])


def shown_shape(shape):
    """Return the sizes of a shape as text: "steps, 12" for sequences."""
    return ", ".join("steps" if size is None else str(size) for size in shape)
