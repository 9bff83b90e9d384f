"""The largest of tensors, element by element."""

from dataclasses import dataclass

from ...kernels.layers.joins.maximum import maximum_row
from ..base import register
from .add import chained
from .base import PairwiseJoin


@register
@dataclass(frozen=True)
class Maximum(PairwiseJoin):
    """The largest of tensors of one shape, element by element.

    The gradient goes to the largest one. Two equal ones share it by halves.

    Examples
    --------
    >>> from fastnn import Dense, Input, Maximum
    >>> x = Input(4)
    >>> Maximum()(Dense(3)(x), Dense(3)(x)).shape  # maxout
    (3,)
    """

    functions = "maximum_forward", "maximum_backward"
    row = staticmethod(maximum_row)

    def onnx(self, graph, x, parameters):
        return chained(graph, "Max", x)
