"""Up-sampling of images."""

from dataclasses import dataclass

from ...kernels.layers.shapes.up_sample2d import up_sample2d_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register
from ..windows import image_shape, lists, per_axis, shorter


@register
@dataclass(frozen=True)
class UpSample2D(Layer):
    """Enlarge images (height, width, channels) by repeating each pixel (nearest-neighbor interpolation).

    Parameters
    ----------
    size : int or (int, int), default 2
        The factors of height and width; an int is both.

    Examples
    --------
    >>> from fastnn import Flatten, Network, UpSample2D
    >>> Network([UpSample2D((2, 3)), Flatten()], inputs=(4, 4, 1)).shapes
    [(4, 4, 1), (8, 12, 1), (96,)]
    """

    size: int | tuple[int, int] = 2
    functions = "up_sample2d_forward", "up_sample2d_backward"

    def __post_init__(self):
        object.__setattr__(self, "size", shorter(per_axis("UpSample2D(size=...)", self.size, 2)))

    def __repr__(self):
        return f"UpSample2D({self.size!r})"

    def output_shape(self, shape):
        height, width, channels = image_shape(self, shape)
        down, across = per_axis("", self.size, 2)
        return down * height, across * width, channels

    def lower(self, program, index, x, activation):
        x = program.in_arena(x)
        a, (height, width, channels) = program.tensor(self.output_shape(x.shape)), x.shape
        program.emit(up_sample2d_row(
            program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient, dx=x.gradient if program.training else None, height=height, width=width, channels=channels,
            size=per_axis("", self.size, 2),
        ))
        return a

    def onnx(self, graph, x, parameters):
        # not Resize, which runtimes implement for few dtypes
        (height, width, channels), (down, across) = graph.shape, per_axis("", self.size, 2)
        blocks = graph("Reshape", x, graph.tensor("blocks", [0, height, 1, width, 1, channels], "int64"))
        repeated = graph("Tile", blocks, graph.tensor("repeats", [1, 1, down, 1, across, 1], "int64"))
        return graph("Reshape", repeated, graph.tensor("together", [0, down * height, across * width, channels], "int64"))

    def config(self):
        return {"layer": "UpSample2D", "size": lists(self.size)}
