"""Transposed convolution of images."""

from dataclasses import dataclass, field

from ..base import register
from ..windows import per_axis, transposed_windows
from .base import Convolution


@register
@dataclass(frozen=True, repr=False)
class ConvTranspose2D(Convolution):
    """Transposed convolution of images, the backward pass of a `Conv2D`; with a stride, the result is larger than the image.

    A sample (height, width, channels) becomes (rows, columns, out_channels), with rows = (height − 1) stride + dilation
    (kernel − 1) + 1 − padding + output_padding, and likewise columns. The weight has the shape (kernel height, kernel width,
    out_channels / groups, channels), as in Keras.

    Parameters
    ----------
    out_channels : int
        The number of output channels.
    kernel_size : int or (int, int)
        The size of the window that a pixel contributes to, down and across.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    stride : int or (int, int), default 1
        The distance between the windows of adjacent pixels.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right)), default "valid"
        What is cropped. "valid": nothing. "same": the result is cropped to height · stride by width · stride. Numbers: that
        many pixels on each side.
    dilation : int or (int, int), default 1
        The distance between the pixels of a window.
    groups : int, default 1
        The number of groups of channels.
    output_padding : int or (int, int), default 0
        Additional rows and columns at the end of the result, some of which no pixel contributes to.
    initializer, l1, l2
        As for `Conv2D`.

    Examples
    --------
    >>> from fastnn import ConvTranspose2D, Flatten, Network
    >>> Network([ConvTranspose2D(8, 3, "relu", stride=2, padding="same"), ConvTranspose2D(1, 2, stride=2), Flatten()],
    ...         inputs=(7, 7, 4)).shapes
    [(7, 7, 4), (14, 14, 8), (28, 28, 1), (784,)]
    """

    out_channels: int
    kernel_size: int | tuple
    activation: str = "identity"
    groups: int = field(default=1, kw_only=True)
    output_padding: int | tuple = field(default=0, kw_only=True)
    functions = "conv_transpose2d_forward", "conv_transpose2d_backward"
    torch = "ConvTranspose2d"
    transposed = True

    def __post_init__(self):
        super().__post_init__()
        more = per_axis("ConvTranspose2D(output_padding=...)", self.output_padding, self.axes, least=0)
        self.settle("output_padding", more)

    def slide(self, sizes):
        found = transposed_windows(sizes, self.kernel_size, self.stride, self.dilation, self.padding, self.output_padding)
        return [axis.reversed for axis in found]
