"""Scaling and shifting by constants."""

import math
from dataclasses import dataclass

from ...checks import number_in_range
from ...kernels.layers.normalization.rescale import rescale_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class Rescale(Layer):
    """Scale and shift all inputs: a = scale · x + offset.

    As the first layer, `Rescale(1 / 255)` maps images from the range 0 … 255 to 0 … 1, and `Rescale(2 / 255, -1)` maps them
    to −1 … 1. Samples may have any shape.

    Parameters
    ----------
    scale : float
    offset : float, default 0

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Network, Rescale
    >>> Network([Rescale(2 / 255, -1)], inputs=3).forward(np.array([[0, 127.5, 255]]))
    array([[-1.,  0.,  1.]], dtype=float32)
    """

    scale: float
    offset: float = 0.0
    functions = "rescale_forward", "rescale_backward"

    def __post_init__(self):
        for name in ("scale", "offset"):
            object.__setattr__(self, name, number_in_range(f"Rescale({name}=...)", getattr(self, name), -LARGEST))

    def lower(self, program, index, x, activation):
        x = program.in_arena(x)
        a = program.tensor_like(x)
        program.emit(rescale_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient if program.training else None, features=x.features, scale=self.scale, offset=self.offset,
        ))
        return a

    def onnx(self, graph, x, parameters):
        return graph("Add", graph("Mul", x, self.scale), self.offset)


LARGEST = math.nextafter(math.inf, 0)
