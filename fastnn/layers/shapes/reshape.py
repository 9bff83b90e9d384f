"""A layer that changes the shape of a sample. It emits no row."""

import math
from dataclasses import dataclass

import numpy as np

from ...checks import several, shown, whole_number
from ..base import View, register


@register
@dataclass(frozen=True)
class Reshape(View):
    """Reshape a sample, in C order.

    Nothing is copied.

    Parameters
    ----------
    shape : int or tuple of int
        The new shape, without the axis of samples. One of the numbers may be -1, for the size that is left.

    Examples
    --------
    >>> from fastnn import Activation, Dense, Flatten, Network, Reshape
    >>> net = Network([Dense(12), Reshape((2, -1, 3)), Activation("relu"), Flatten()], inputs=4)
    >>> net.shapes
    [(4,), (12,), (2, 2, 3), (2, 2, 3), (12,)]
    """

    shape: tuple[int, ...]

    def __post_init__(self):
        where = "Reshape(shape=...)"
        given = self.shape if isinstance(self.shape, (tuple, list, np.ndarray)) else (self.shape,)
        sizes = tuple(-1 if isinstance(n, (int, np.integer)) and n == -1 else whole_number(f"{where}[{axis}]", n)
                      for axis, n in enumerate(several(where, given)))
        if not sizes or sizes.count(-1) > 1:
            raise ValueError(f"{where} is {shown(self.shape)}; give one axis at least, and -1 for one of them at most")
        object.__setattr__(self, "shape", sizes)

    def __repr__(self):
        return f"Reshape({self.shape!r})"

    def output_shape(self, shape):
        numbers, known = math.prod(shape), math.prod(n for n in self.shape if n != -1)
        if numbers % known or (-1 not in self.shape and numbers != known):
            raise ValueError(f"{self!r} does not fit a sample of shape {shape}, which has {numbers} numbers; give a "
                             "shape of as many, or -1 for one axis")
        return tuple(numbers // known if n == -1 else n for n in self.shape)

    def onnx(self, graph, x, parameters):
        return graph("Reshape", x, graph.tensor("shape", [0, *self.shape], "int64"))  # 0 keeps the number of samples

    def config(self):
        return {"layer": "Reshape", "shape": list(self.shape)}
