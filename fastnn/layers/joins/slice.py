"""A part of a tensor along an axis."""

import math
from dataclasses import dataclass

from ...checks import whole_number
from ...kernels.layers.joins.copy_part import copy_part_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register
from .base import axis_of


@register
@dataclass(frozen=True)
class Slice(Layer):
    """The elements from `start` up to, not including, `stop` along an axis of a sample.

    In a graph `node[start:stop]` is the same for samples with one axis, and `node[..., start:stop]` for any.

    Parameters
    ----------
    start, stop : int
        Negative numbers count from the end; a `stop` of None is the end.
    axis : int, default -1
        An axis of a sample: the last one holds the features, or the channels of an image.

    Examples
    --------
    >>> from fastnn import Input, Slice
    >>> x = Input(6)
    >>> Slice(1, 4)(x).shape, x[-2:].shape, Input((8, 8, 3))[..., :2].shape
    ((3,), (2,), (8, 8, 2))
    """

    start: int = 0
    stop: int | None = None
    axis: int = -1
    functions = "slice_forward", "slice_backward"
    adds_gradient = True

    def __post_init__(self):
        for name, value in (("start", self.start), ("stop", self.stop)):
            if name == "start" or value is not None:
                object.__setattr__(self, name, whole_number(f"Slice({name}=...)", value, least=-(2**40), most=2**40))
        object.__setattr__(self, "axis", whole_number("Slice(axis=...)", self.axis, least=-64, most=64))

    def __repr__(self):
        return f"Slice({self.start}, {self.stop}{'' if self.axis == -1 else f', axis={self.axis}'})"

    def bounds(self, shape):
        """Return (axis, start, stop) for a sample of this shape, all counted from 0."""
        axis = axis_of(self, self.axis, shape)
        size = shape[axis]
        start, stop, _ = slice(self.start, self.stop).indices(size)
        within = -size <= self.start <= size and (self.stop is None or -size <= self.stop <= size)
        if stop <= start or not within:
            raise ValueError(f"{self!r} takes no part of a sample of shape {shape}: axis {axis} has the elements 0 to "
                             f"{size - 1}; give a start and a stop within it" if not within else
                             f"{self!r} takes nothing of a sample of shape {shape}; the stop must be after the start")
        return axis, start, stop

    def output_shape(self, shape):
        axis, start, stop = self.bounds(shape)
        return (*shape[:axis], stop - start, *shape[axis + 1:])

    def lower(self, program, index, x, activation):
        x = program.in_arena(x)
        axis, start, stop = self.bounds(x.shape)
        a, inner = program.tensor(self.output_shape(x.shape)), math.prod(x.shape[axis + 1:])
        size = (stop - start) * inner
        program.emit(copy_part_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            outer=math.prod(x.shape[:axis]), size=size, x_size=x.shape[axis] * inner, x_start=start * inner, a_size=size,
            a_start=0, da=a.gradient, dx=x.gradient, adds=x.adds,
        ))
        return a

    def onnx(self, graph, x, parameters):
        axis, start, stop = self.bounds(graph.shape)
        values = {"starts": start, "ends": stop, "axes": axis + 1}
        return graph("Slice", x, *(graph.tensor(name, [number], "int64") for name, number in values.items()))
