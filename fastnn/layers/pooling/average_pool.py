"""Mean over windows."""

import math
from dataclasses import dataclass, field

import numpy as np

from ...checks import true_or_false
from ...kernels.layers.pooling.average_pool import average_pool_row
from ...kernels.layers.sequences.pool_over_time import average_over_time_row
from ...kernels.layers.sequences.pool_steps import average_steps_row
from ...kernels.layers.sequences.step_by_step import mean_row
from ..base import register
from .base import GlobalPool, Pool


class Mean:
    """Common part of the average pools."""

    functions = "average_pool2d_forward", "average_pool2d_backward"
    pool_row = staticmethod(average_pool_row)
    row_over_time, row_of_steps = staticmethod(average_over_time_row), staticmethod(average_steps_row)
    operator, reduction, over_steps, onnx_padding = "AveragePool", "ReduceMean", "ReduceSum", 0.0  # in ONNX

    def row_operands(self, program, a, wants_dx):
        return {"counts_padding": getattr(self, "count_padding", False)}

    def onnx_of_taps(self, graph, taps):
        """Return the value of the windows, given that of each tap."""
        windows, count = self.step_windows(), len(taps)
        if any(windows.sides) and not self.count_padding:  # of each window, the steps within the sequence
            ones = graph("Unsqueeze", graph("Cast", graph.axes[0].mask, to=graph.dtype), graph.integers("features", [2]))
            count = graph("Max", graph("Sum", *graph.axes[0].taps(ones, windows, 0.0)), 1.0)
        return graph("Div", graph("Sum", *taps), count)

    def onnx_of_steps(self, graph, result, steps):
        """Return the value of whole sequences, given the result over their steps."""
        count = graph("Cast", steps.lengths, to=graph.dtype)
        return graph("Div", result, graph("Unsqueeze", count, graph.integers("features", [1])))


@dataclass(frozen=True, repr=False)
class AveragePool(Mean, Pool):
    """Base class of the average pools over windows."""

    count_padding: bool = field(default=False, kw_only=True)

    def __post_init__(self):
        super().__post_init__()
        where = f"{type(self).__name__}(count_padding=...)"
        object.__setattr__(self, "count_padding", true_or_false(where, self.count_padding))

    def onnx(self, graph, x, parameters):
        axes = self.windows(graph.shape)[0][-self.axes:]
        counts_beyond = self.count_padding and not self.rounds_up(axes) and any(axis.incomplete for axis in axes)
        if not graph.exact and not counts_beyond:
            return super().onnx(graph, x, parameters)
        # few runtimes have the operator in float64, so the mean is a product with a matrix on each axis
        a = graph.channels_first(x)
        means = [graph.tensor(f"means_{number}", means_of(axis, self.count_padding)) for number, axis in enumerate(axes)]
        a = graph("MatMul", a, graph("Transpose", means[-1], perm=[1, 0]))
        return graph.channels_last(graph("MatMul", means[0], a) if self.axes == 2 else a)


def means_of(axis, count_padding):
    """Return the matrix (windows, size) that maps an axis to the means of its windows."""
    means = np.zeros((axis.out, axis.size))
    for window in range(axis.out):
        taps, start = axis.taps(window)
        end = axis.size + axis.after if count_padding else 0
        counted = sum(start + tap * axis.dilation < end for tap in range(axis.kernel)) if count_padding else len(taps)
        means[window, [start + tap * axis.dilation for tap in taps]] = 1 / counted
    return means


@register
@dataclass(frozen=True, repr=False)
class AveragePool2D(AveragePool):
    """Compute the mean of each window, channel by channel.

    A sample (height, width, channels) becomes (windows down, windows across, channels).

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
    count_padding : bool, default False
        Whether the padding counts as zeros; PyTorch counts it by default, Keras never. Pixels beyond the padding, which
        windows of `ceil_mode` may include, never count.

    Examples
    --------
    >>> from fastnn import AveragePool2D, Dense, Flatten, Network
    >>> net = Network([AveragePool2D(2), Flatten(), Dense(10, "softmax")], inputs=(28, 28, 1))
    >>> net.shapes
    [(28, 28, 1), (14, 14, 1), (196,), (10,)]
    """


@register
@dataclass(frozen=True, repr=False)
class AveragePool1D(AveragePool):
    """Compute the mean of each window of a series, feature by feature: `AveragePool2D` on one axis.

    A sample (steps, features) becomes (windows, features), also of sequences of any length.

    Parameters
    ----------
    kernel_size : int
    stride : int, optional
    padding : "valid", "same", int or (before, after), default "valid"
    dilation : int, default 1
    ceil_mode, count_padding : bool, default False

    Examples
    --------
    >>> from fastnn import AveragePool1D, Dense, Flatten, Network
    >>> Network([AveragePool1D(3, stride=2), Flatten(), Dense(2)], inputs=(9, 4)).shapes
    [(9, 4), (4, 4), (16,), (2,)]
    """

    axes = 1


@register
@dataclass(frozen=True, repr=False)
class GlobalAveragePool(Mean, GlobalPool):
    """Compute the mean of each channel.

    A sample (height, width, channels) or (steps, features) becomes (channels,) or (features,). Sequences of any length,
    inputs=(None, features), must not be empty.

    Examples
    --------
    >>> from fastnn import Dense, GlobalAveragePool, Network
    >>> Network([GlobalAveragePool(), Dense(2)], inputs=(9, 4)).shapes
    [(9, 4), (4,), (2,)]
    """

    row_so_far = staticmethod(mean_row)

    def kept_between_steps(self, shape):
        return {"sum": (math.prod(shape[1:]), 0), "count": (2, 0)}
