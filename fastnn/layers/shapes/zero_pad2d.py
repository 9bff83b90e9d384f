"""Zero padding of images."""

from dataclasses import dataclass

from ...kernels.layers.shapes.zero_pad2d import zero_pad2d_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register
from ..windows import image_shape, lists, padding_of, shorter


@register
@dataclass(frozen=True)
class ZeroPad2D(Layer):
    """Pad images (height, width, channels) with rows and columns of zeros.

    Parameters
    ----------
    padding : int, (int, int) or ((top, bottom), (left, right)), default 1
        The number of zeros on every side; (rows above and below, columns left and right); or the number on each side.

    Examples
    --------
    >>> from fastnn import MaxPool2D, Network, ZeroPad2D, Flatten
    >>> Network([ZeroPad2D(((0, 1), (0, 1))), MaxPool2D(2), Flatten()], inputs=(5, 5, 1)).shapes
    [(5, 5, 1), (6, 6, 1), (3, 3, 1), (9,)]
    """

    padding: int | tuple = 1
    functions = "zero_pad2d_forward", "zero_pad2d_backward"

    def __post_init__(self):
        object.__setattr__(self, "padding", shorter(padding_of("ZeroPad2D(padding=...)", self.padding, 2, ())))

    def __repr__(self):
        return f"ZeroPad2D({self.padding!r})"

    @property
    def sides(self):
        """((top, bottom), (left, right))."""
        return padding_of("", self.padding, 2, ())

    def output_shape(self, shape):
        height, width, channels = image_shape(self, shape)
        down, across = map(sum, self.sides)
        return height + down, width + across, channels

    def lower(self, program, index, x, activation):
        x = program.in_arena(x)
        a, (height, width, channels) = program.tensor(self.output_shape(x.shape)), x.shape
        program.emit(zero_pad2d_row(
            program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient, dx=x.gradient if program.training else None, height=height, width=width, channels=channels,
            padding=self.sides,
        ))
        return a

    def onnx(self, graph, x, parameters):
        (top, bottom), (left, right) = self.sides
        return graph("Pad", x, graph.tensor("pads", [0, top, left, 0, 0, bottom, right, 0], "int64"))

    def config(self):
        return {"layer": "ZeroPad2D", "padding": lists(self.padding)}
