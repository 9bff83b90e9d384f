"""Padding of images with a number, or with their own pixels."""

from dataclasses import dataclass

from ...checks import number_in_range, one_of
from ...kernels.layers.shapes.pad2d import MODES, pad2d_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register
from ..normalization.rescale import LARGEST
from ..windows import check_reflection, image_shape, lists, padding_of, shorter


@register
@dataclass(frozen=True)
class Pad2D(Layer):
    """Pad images (height, width, channels) with a number, or with their own pixels.

    Parameters
    ----------
    padding : int, (int, int) or ((top, bottom), (left, right)), default 1
        The number of pixels on every side; (rows above and below, columns left and right); or the number on each side.
    mode : {"constant", "edge", "reflect", "wrap"}
        What the new pixels are, as in `numpy.pad`: `value`; the nearest pixel; the image reflected at its outermost pixels,
        which takes less padding than pixels; the image again, from its other side. PyTorch names the last three replicate,
        reflect and circular.
    value : float, default 0
        The number for "constant".

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Flatten, Network, Pad2D
    >>> net = Network([Pad2D(((0, 0), (2, 1)), "reflect"), Flatten()], inputs=(1, 3, 1))
    >>> net.forward(np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1))
    array([[3., 2., 1., 2., 3., 2.]], dtype=float32)
    """

    padding: int | tuple = 1
    mode: str = "constant"
    value: float = 0.0
    functions = "pad2d_forward", "pad2d_backward"

    def __post_init__(self):
        object.__setattr__(self, "padding", shorter(padding_of("Pad2D(padding=...)", self.padding, 2, ())))
        one_of("Pad2D(mode=...)", self.mode, MODES)
        object.__setattr__(self, "value", number_in_range("Pad2D(value=...)", self.value, -LARGEST))
        if self.mode != "constant" and self.value != 0:
            raise ValueError(f"Pad2D(value=...) is {self.value}, with mode {self.mode!r}; give it with mode 'constant' only")

    def __repr__(self):
        mode = f", {self.mode!r}" if self.mode != "constant" else f", value={self.value!r}" if self.value else ""
        return f"Pad2D({self.padding!r}{mode})"

    @property
    def sides(self):
        """((top, bottom), (left, right))."""
        return padding_of("", self.padding, 2, ())

    def output_shape(self, shape):
        *sizes, channels = image_shape(self, shape)
        check_reflection(repr(self), self.mode, sizes, self.sides)
        return *(size + sum(sides) for size, sides in zip(sizes, self.sides, strict=True)), channels

    def lower(self, program, index, x, activation):
        x = program.in_arena(x)
        a, (height, width, channels) = program.tensor(self.output_shape(x.shape)), x.shape
        program.emit(pad2d_row(
            program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient, dx=x.gradient if program.training else None, height=height, width=width, channels=channels,
            padding=self.sides, mode=self.mode, value=self.value,
        ))
        return a

    def onnx(self, graph, x, parameters):
        (top, bottom), (left, right) = self.sides
        pads = graph.tensor("pads", [0, top, left, 0, 0, bottom, right, 0], "int64")
        return graph("Pad", x, pads, *([self.value] if self.mode == "constant" else []), mode=self.mode)

    def config(self):
        return {"layer": "Pad2D", "padding": lists(self.padding), "mode": self.mode, "value": self.value}
