"""Convolution of series."""

from dataclasses import dataclass, field

from ..base import register
from ..windows import windows
from .base import Convolution


@register
@dataclass(frozen=True, repr=False)
class Conv1D(Convolution):
    """Convolution of series: a = g(x ∗ weight + bias).

    A sample (steps, features) becomes (windows, out_channels). The weight has the shape (kernel, features / groups,
    out_channels), as in Keras.

    Parameters
    ----------
    out_channels : int
        The number of output features.
    kernel_size : int
        The number of steps of a window.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    padding : "valid", "same", "causal", int or (before, after), default "valid"
        Zeros at the ends of a series. "valid": none. "same": so many that there are ⌈steps / stride⌉ windows. "causal": all
        at the beginning, so that no output depends on later steps. Numbers: that many steps.
    stride, dilation, groups, initializer, l1, l2
        As for `Conv2D`.

    Examples
    --------
    >>> from fastnn import Conv1D, Dense, Flatten, Network
    >>> net = Network([Conv1D(8, 3, "relu", padding="causal", dilation=2), Conv1D(4, 5, stride=2), Flatten(), Dense(1)],
    ...               inputs=(100, 2))
    >>> net.shapes
    [(100, 2), (100, 8), (48, 4), (192,), (1,)]
    >>> net.parameters["0.weight"].shape
    (3, 2, 8)
    """

    out_channels: int
    kernel_size: int
    activation: str = "identity"
    groups: int = field(default=1, kw_only=True)
    axes = 1
    paddings = "valid", "same", "causal"
    functions = "conv2d_forward", "conv2d_backward"  # a series is an image of height 1
    torch = "Conv1d"

    def slide(self, sizes):
        return windows(sizes, self.kernel_size, self.stride, self.dilation, self.padding)
