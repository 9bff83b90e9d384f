"""The product of tensors, element by element."""

from dataclasses import dataclass

from ...kernels.layers.joins.multiply import multiply_row
from ..base import register
from .add import chained
from .base import PairwiseJoin


@register
@dataclass(frozen=True)
class Multiply(PairwiseJoin):
    """The product of tensors of one shape, element by element. For two nodes of a graph, `x * y` is the same.

    Examples
    --------
    >>> from fastnn import Dense, Input, Multiply
    >>> x = Input(4)
    >>> Multiply()(x, Dense(4, "sigmoid")(x)).shape  # a gate
    (4,)
    """

    functions = "multiply_forward", "multiply_backward"
    row = staticmethod(multiply_row)

    def onnx(self, graph, x, parameters):
        return chained(graph, "Mul", x)
