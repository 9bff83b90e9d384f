"""A list of layers of Keras as layers here, with their parameters."""

from dataclasses import dataclass

from ..checks import shown
from ..layers import Bidirectional, input_shape
from ..layers.ragged import output_shape
from . import activations, normalization, products, randomness, recurrence, shapes  # noqa: F401  they register converters
from .converter import converters


@dataclass
class Model:
    """Converted layers: [(layer, {parameter: array}), …], the shapes of a sample before and after them, and remarks."""

    parts: list
    inputs: tuple
    shape: tuple
    dtype: str
    remarks: list


def converted(layers, inputs):
    """Return the model of a list of Keras' layers for samples of the shape `inputs`."""
    inputs = shape = input_shape(inputs)
    parts, dtypes, remarks = [], set(), []
    for layer in layers:
        if layer.kind == "InputLayer":
            continue
        try:
            if layer.kind not in converters:
                raise ValueError("no layer here computes that")
            for part in converters[layer.kind](layer, shape):
                parts.append(part)
                both = isinstance(part[0], Bidirectional)
                shape = part[0].output_shape(shape) if both else output_shape(part[0], shape)
            layer.refuse_others()
            dtypes.add(layer.dtype())
        except (ValueError, TypeError, LookupError) as error:
            raise ValueError(f"its layer {layer.name!r}, {shown(layer.kind)}, cannot be taken: {error}") from error
        remarks += layer.remarks
    if not parts:
        raise ValueError("it has no layers")
    if len(dtypes) > 1:
        raise ValueError("its layers compute in float32 and in float64; networks here compute in one of them")
    return Model(parts, inputs, shape, dtypes.pop(), remarks)
