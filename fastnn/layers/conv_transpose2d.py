"""Transposed convolution of images."""

from dataclasses import dataclass, field

from .base import register
from .convolution import Convolution
from .windows import per_axis, transposed_windows


@register
@dataclass(frozen=True, repr=False)
class ConvTranspose2D(Convolution):
    """Spreads each pixel over a window of the result, which with a stride is larger than the image: a `Conv2D` backward.

    A sample (height, width, channels) becomes (rows, columns, out_channels), with rows = (height − 1) stride + dilation
    (kernel − 1) + 1 − padding + output_padding, and likewise columns. The weight has the shape (kernel height, kernel width,
    out_channels / groups, channels), as in Keras.

    Parameters
    ----------
    out_channels : int
        How many channels it gives.
    kernel_size : int or (int, int)
        Over how many pixels one is spread, down and across.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    stride : int or (int, int), default 1
        How far apart neighbors come to lie.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right)), default "valid"
        What is cut off: nothing, what leaves height · stride by width · stride, or so many pixels.
    dilation : int or (int, int), default 1
        How far apart the pixels are that one is spread over.
    groups : int, default 1
        Into how many groups the channels are split.
    output_padding : int or (int, int), default 0
        How many more rows and columns the result has at the end, of which some no pixel reaches.
    initializer, l1, l2
        As of `Conv2D`.

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
