"""Convolution of images."""

from dataclasses import dataclass, field

from .base import register
from .convolution import Convolution
from .windows import windows


@register
@dataclass(frozen=True, repr=False)
class Conv2D(Convolution):
    """Slides a kernel over images: a = g(x ∗ weight + bias).

    A sample (height, width, channels) becomes (rows, columns, out_channels), one number for each window and output channel.
    The weight has the shape (kernel height, kernel width, channels / groups, out_channels), as in Keras.

    Parameters
    ----------
    out_channels : int
        How many channels it gives.
    kernel_size : int or (int, int)
        How many pixels a window has, down and across.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    stride : int or (int, int), default 1
        How far apart windows are.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right)), default "valid"
        Zeros around the image: none, as many as give a window for each stride (an odd one is at the bottom or on the right,
        as in Keras), or so many pixels.
    dilation : int or (int, int), default 1
        How far apart the pixels of a window are.
    groups : int, default 1
        Into how many groups the channels are split: outputs of a group read the inputs of that group alone.
    initializer : str, optional
        How its weight is drawn, one of `fastnn.initializers`; the default suits the activation. The fans count the kernel.
    l1, l2 : float, default 0
        What its weight costs: l1 Σ |w| + l2 Σ w² is part of the loss. The bias costs nothing.

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
