"""Concatenation of tensors along an axis."""

import math
from dataclasses import dataclass

from ...checks import whole_number
from ...kernels.layers.joins.copy_part import copy_part_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import register
from .base import Join, axis_of, listed


@register
@dataclass(frozen=True)
class Concatenate(Join):
    """Tensors one after the other along an axis of a sample.

    Parameters
    ----------
    axis : int, default -1
        An axis of a sample: the last one holds the features, or the channels of an image. The tensors may differ in this
        axis only.

    Examples
    --------
    >>> from fastnn import Concatenate, Dense, Input
    >>> x = Input(4)
    >>> Concatenate()(x, Dense(3, "relu")(x)).shape
    (7,)
    """

    axis: int = -1
    functions = "concatenate_forward", "concatenate_backward"

    def __post_init__(self):
        object.__setattr__(self, "axis", whole_number("Concatenate(axis=...)", self.axis, least=-64, most=64))

    def __repr__(self):
        return "Concatenate()" if self.axis == -1 else f"Concatenate(axis={self.axis})"

    def output_shape(self, shapes):
        self.check_count(shapes)
        axis = axis_of(self, self.axis, shapes[0])
        others = {(*shape[:axis], *shape[axis + 1:]) for shape in shapes}
        if len(others) > 1 or len({*map(len, shapes)}) > 1:
            raise ValueError(f"{self!r} joins tensors that differ in axis {axis} only, and here they are {listed(shapes)}")
        return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1:])

    def lower(self, program, index, given, activation):
        given, axis = [program.in_arena(x) for x in given], axis_of(self, self.axis, given[0].shape)
        a, start = program.tensor(self.output_shape(tuple(x.shape for x in given))), 0
        outer, a_size = math.prod(a.shape[:axis]), math.prod(a.shape[axis:])
        for x in given:
            size = math.prod(x.shape[axis:])
            program.emit(copy_part_row(
                program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
                outer=outer, size=size, x_size=size, x_start=0, a_size=a_size, a_start=start, da=a.gradient, dx=x.gradient,
                adds=x.adds,
            ))
            start += size
        return a

    def onnx(self, graph, x, parameters):
        return graph("Concat", *x, axis=self.axis if self.axis < 0 else self.axis + 1)
