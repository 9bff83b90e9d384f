"""Maximum over windows."""

from dataclasses import dataclass

from ..kernels.layers.max_pool import max_pool_row
from .base import register
from .pooling import GlobalPool, Pool


class Maximum:
    """What pools of maxima share."""

    functions = "max_pool2d_forward", "max_pool2d_backward"
    pool_row = staticmethod(max_pool_row)
    operator, reduction = "MaxPool", "ReduceMax"  # in ONNX

    def row_operands(self, program, a, wants_dx):
        return {"kept": program.arena.take(program.batch * a.features)} if wants_dx else {}


@register
@dataclass(frozen=True, repr=False)
class MaxPool2D(Maximum, Pool):
    """The largest number of each window, channel by channel.

    A sample (height, width, channels) becomes (windows down, windows across, channels). Padding is never the maximum. Of
    equal numbers the first, row by row, is the maximum and gets the whole gradient. A NaN in a window is its maximum.

    Parameters
    ----------
    kernel_size : int or (int, int)
        How many pixels a window has, down and across.
    stride : int or (int, int), optional
        How far apart windows begin; by default they lie side by side.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right)), default "valid"
        How many pixels windows may reach over the edges: none; as many as give a window for each stride, an odd one at the
        bottom and on the right; or so many. Less than a window: one of padding alone is refused.
    dilation : int or (int, int), default 1
        How far apart the pixels of a window are.
    ceil_mode : bool, default False
        Whether pixels at the bottom and on the right that do not fill a window have one too.

    Examples
    --------
    >>> from fastnn import Dense, Flatten, MaxPool2D, Network
    >>> net = Network([MaxPool2D(2), Flatten(), Dense(10, "softmax")], inputs=(28, 28, 1))
    >>> net.shapes
    [(28, 28, 1), (14, 14, 1), (196,), (10,)]
    """


@register
@dataclass(frozen=True, repr=False)
class MaxPool1D(Maximum, Pool):
    """The largest number of each window of a series, feature by feature: `MaxPool2D` on one axis.

    A sample (steps, features) becomes (windows, features).

    Parameters
    ----------
    kernel_size : int
    stride : int, optional
    padding : "valid", "same", int or (before, after), default "valid"
    dilation : int, default 1
    ceil_mode : bool, default False

    Examples
    --------
    >>> from fastnn import Dense, Flatten, MaxPool1D, Network
    >>> Network([MaxPool1D(3, stride=2), Flatten(), Dense(2)], inputs=(9, 4)).shapes
    [(9, 4), (4, 4), (16,), (2,)]
    """

    axes = 1


@register
@dataclass(frozen=True, repr=False)
class GlobalMaxPool(Maximum, GlobalPool):
    """The largest number of each channel.

    A sample (height, width, channels) or (steps, features) becomes (channels,) or (features,).

    Examples
    --------
    >>> from fastnn import Dense, GlobalMaxPool, Network
    >>> Network([GlobalMaxPool(), Dense(2)], inputs=(9, 4)).shapes
    [(9, 4), (4,), (2,)]
    """
