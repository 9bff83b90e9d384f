"""The dot product of two tensors along their last axis."""

import math
from dataclasses import dataclass

from ...checks import true_or_false
from ...kernels.layers.joins.dot import TINY, dot_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import register
from .base import Join


@register
@dataclass(frozen=True)
class Dot(Join):
    """The dot product of two tensors of one shape along the last axis, Σ x y, as one feature.

    Parameters
    ----------
    normalize : bool, default False
        Whether to divide by the lengths of both: the result is the cosine of the angle between them. A length is at least
        1e-6.

    Examples
    --------
    >>> from fastnn import Dense, Dot, Input
    >>> x = Input(4)
    >>> Dot(normalize=True)(Dense(8)(x), Dense(8)(x)).shape
    (1,)
    """

    normalize: bool = False
    most = 2
    functions = "dot_forward", "dot_backward"

    def __post_init__(self):
        object.__setattr__(self, "normalize", true_or_false("Dot(normalize=...)", self.normalize))

    def __repr__(self):
        return f"Dot({'normalize=True' * self.normalize})"

    def output_shape(self, shapes):
        return (*super().output_shape(shapes)[:-1], 1)

    def lower(self, program, index, given, activation):
        x, y = (program.in_arena(each) for each in given)
        a = program.tensor((*x.shape[:-1], 1))
        program.emit(dot_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, y=y.offset, a=a.offset,
            outer=math.prod(x.shape[:-1]), features=x.shape[-1], normalize=self.normalize, da=a.gradient, dx=x.gradient,
            dy=y.gradient, adds_x=x.adds, adds_y=y.adds,
        ))
        return a

    def onnx(self, graph, x, parameters):
        axes = graph.tensor("axes", [-1], "int64")
        product = graph("ReduceSum", graph("Mul", *x), axes, keepdims=1)
        for each in x if self.normalize else ():
            length = graph("Sqrt", graph("ReduceSum", graph("Mul", each, each), axes, keepdims=1))
            product = graph("Div", product, graph("Max", length, TINY))
        return product
