"""Convolution of images, separately for each channel."""

from dataclasses import dataclass, field

from ...checks import whole_number
from ..base import register
from ..windows import windows
from .base import Convolution


@register
@dataclass(frozen=True, repr=False)
class DepthwiseConv2D(Convolution):
    """Convolution of images, separately for each channel: a `Conv2D` with as many groups as channels.

    The weight has the shape (kernel height, kernel width, 1, channels · multiplier); in memory that is Keras' (…, channels,
    multiplier).

    Parameters
    ----------
    kernel_size : int or (int, int)
        The size of a window, down and across.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    multiplier : int, default 1
        The number of output channels for each input channel.
    stride, padding, dilation, initializer, l1, l2
        As for `Conv2D`.

    Examples
    --------
    >>> from fastnn import Conv2D, DepthwiseConv2D, Flatten, Network
    >>> net = Network([DepthwiseConv2D(3, padding="same"), Conv2D(16, 1, "relu"), Flatten()], inputs=(8, 8, 4))
    >>> net.shapes
    [(8, 8, 4), (8, 8, 4), (8, 8, 16), (1024,)]
    >>> net.parameters["0.weight"].shape
    (3, 3, 1, 4)
    """

    kernel_size: int | tuple
    activation: str = "identity"
    multiplier: int = field(default=1, kw_only=True)
    functions = "conv2d_forward", "conv2d_backward"
    torch = "Conv2d"

    def __post_init__(self):
        super().__post_init__()
        self.settle("multiplier", whole_number("DepthwiseConv2D(multiplier=...)", self.multiplier))

    def out_of(self, channels):
        return channels * self.multiplier

    def group_count(self, channels):
        return channels

    def slide(self, sizes):
        return windows(sizes, self.kernel_size, self.stride, self.dilation, self.padding)
