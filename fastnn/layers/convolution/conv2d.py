"""Convolution of images."""

from dataclasses import dataclass, field

from ..base import register
from ..windows import windows
from .base import Convolution


@register
@dataclass(frozen=True, repr=False)
class Conv2D(Convolution):
    """Convolution of images: a = g(x ∗ weight + bias).

    A sample (height, width, channels) becomes (rows, columns, out_channels), one number for each window and output channel.
    The weight has the shape (kernel height, kernel width, channels / groups, out_channels), as in Keras.

    Parameters
    ----------
    out_channels : int
        The number of output channels.
    kernel_size : int or (int, int)
        The size of a window, down and across.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    stride : int or (int, int), default 1
        The distance between windows.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right)), default "valid"
        Zeros around the image. "valid": none. "same": so many that there are ⌈size / stride⌉ windows along each axis; if
        their number is odd, one more is at the bottom or on the right, as in Keras. Numbers: that many pixels.
    dilation : int or (int, int), default 1
        The distance between the pixels of a window.
    groups : int, default 1
        The number of groups of channels: the outputs of a group depend only on its inputs.
    initializer : str, optional
        The initializer of the weight, one of `fastnn.initializers`; the default depends on the activation. The fans include
        the size of the kernel.
    l1, l2 : float, default 0
        Penalty on the weight: l1 Σ |w| + l2 Σ w² is part of the loss. The bias has no penalty.

    Examples
    --------
    >>> from fastnn import Conv2D, Dense, Flatten, Network
    >>> net = Network([Conv2D(6, 5, "relu"), Conv2D(16, 3, "relu", stride=2, padding="same"), Flatten(),
    ...                Dense(10, "softmax")], inputs=(28, 28, 1))
    >>> net.shapes
    [(28, 28, 1), (24, 24, 6), (12, 12, 16), (2304,), (10,)]
    >>> net.parameters["0.weight"].shape
    (5, 5, 1, 6)
    """

    out_channels: int
    kernel_size: int | tuple
    activation: str = "identity"
    groups: int = field(default=1, kw_only=True)
    functions = "conv2d_forward", "conv2d_backward"
    torch = "Conv2d"

    def slide(self, sizes):
        return windows(sizes, self.kernel_size, self.stride, self.dilation, self.padding)
