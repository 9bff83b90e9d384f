"""A layer that reshapes a sample to one axis. It emits no row."""

import math
from dataclasses import dataclass

from ..base import View, register
from ..ragged import is_ragged


@register
@dataclass(frozen=True)
class Flatten(View):
    """Reshape a sample to one axis, in C order.

    A sample (height, width, channels) becomes (height · width · channels,), as with `X.reshape(len(X), -1)`. Nothing is
    copied.

    Examples
    --------
    >>> from fastnn import Dense, Flatten, Network
    >>> net = Network([Flatten(), Dense(10, "softmax")], inputs=(28, 28, 1))
    >>> net.shapes
    [(28, 28, 1), (784,), (10,)]
    """

    def works_over_time(self, shape):
        return len(shape) == 2

    def output_shape(self, shape):
        if is_ragged(shape):
            raise ValueError("Flatten() needs samples of one size, and here they are sequences of any length; make one row "
                             "of each with LastStep() or GlobalAveragePool(), or give inputs a number of steps")
        return (math.prod(shape),)

    def onnx(self, graph, x, parameters):
        return graph("Flatten", x, axis=1)
