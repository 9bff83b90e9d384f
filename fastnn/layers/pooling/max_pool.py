"""Maximum over windows."""

import math
from dataclasses import dataclass

from ...kernels.layers.pooling.base import halves
from ...kernels.layers.pooling.max_pool import max_pool_row
from ...kernels.layers.sequences.pool_over_time import max_over_time_row
from ...kernels.layers.sequences.pool_steps import max_steps_row
from ...kernels.layers.sequences.step_by_step import largest_row
from ..base import register
from .base import GlobalPool, Pool


class Maximum:
    """Common part of the max pools."""

    functions = "max_pool2d_forward", "max_pool2d_backward"
    pool_row = staticmethod(max_pool_row)
    operator, reduction, over_steps, onnx_padding = "MaxPool", "ReduceMax", "ReduceMax", -math.inf  # in ONNX

    def onnx_of_taps(self, graph, taps):
        """Return the value of the windows, given that of each tap."""
        return graph("Max", *taps)

    def onnx_of_steps(self, graph, result, steps):
        """Return the value of whole sequences, given the result over their steps."""
        return result

    row_over_time, row_of_steps = staticmethod(max_over_time_row), staticmethod(max_steps_row)

    def kept_over_time(self, program, a):
        rows = program.samples if a.axis is None else a.axis.rows
        return {"kept": program.take_integers(rows * a.features)}

    def row_operands(self, program, a, wants_dx):
        return {"kept": program.arena.take(program.batch * a.features)} if wants_dx else {}


@register
@dataclass(frozen=True, repr=False)
class MaxPool2D(Maximum, Pool):
    """Compute the maximum of each window, channel by channel.

    A sample (height, width, channels) becomes (windows down, windows across, channels). Padding is never the maximum. The
    gradient goes to the first maximum in C order. A NaN in a window is its maximum.

    Parameters
    ----------
    kernel_size : int or (int, int)
        The size of a window, down and across.
    stride : int or (int, int), optional
        The distance between windows; by default adjacent windows.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right)), default "valid"
        Pixels beyond the edges that windows may include: none; enough for a window at each stride, an odd one at the bottom
        and on the right; or so many. Padding must be less than a window, because a window of padding only is refused.
    dilation : int or (int, int), default 1
        The distance between the pixels of a window.
    ceil_mode : bool, default False
        Whether to add windows for pixels at the bottom and on the right that do not fill one.

    Examples
    --------
    >>> from fastnn import Dense, Flatten, MaxPool2D, Network
    >>> net = Network([MaxPool2D(2), Flatten(), Dense(10, "softmax")], inputs=(28, 28, 1))
    >>> net.shapes
    [(28, 28, 1), (14, 14, 1), (196,), (10,)]
    """

    def halves(self, shape):
        """Return whether windows of samples of this shape are 2×2 side by side, all of them within the data."""
        return halves(*self.windows(shape)[0])


@register
@dataclass(frozen=True, repr=False)
class MaxPool1D(Maximum, Pool):
    """Compute the maximum of each window of a series, feature by feature: `MaxPool2D` on one axis.

    A sample (steps, features) becomes (windows, features), also of sequences of any length.

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
    """Compute the maximum of each channel.

    A sample (height, width, channels) or (steps, features) becomes (channels,) or (features,). Sequences of any length,
    inputs=(None, features), must not be empty.

    Examples
    --------
    >>> from fastnn import Dense, GlobalMaxPool, Network
    >>> Network([GlobalMaxPool(), Dense(2)], inputs=(9, 4)).shapes
    [(9, 4), (4,), (2,)]
    """

    row_so_far = staticmethod(largest_row)

    def kept_between_steps(self, shape):
        return {"largest": (math.prod(shape[1:]), -math.inf)}
