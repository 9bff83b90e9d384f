"""Convolution of series."""

import math
from dataclasses import dataclass, field, replace

from ...kernels.layers.sequences.step_by_step import window_row
from ...kernels.layers.sequences.step_windows import unfold_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import register
from ..dense import Dense
from ..ragged import is_ragged
from ..sequences.step_windows import StepWindows
from ..windows import per_axis, span_of, windows
from .base import Convolution


@register
@dataclass(frozen=True, repr=False)
class Conv1D(Convolution):
    """Convolution of series: a = g(x ∗ weight + bias).

    A sample (steps, features) becomes (windows, out_channels), also of sequences of any length. The weight has the shape
    (kernel, features / groups, out_channels), as in Keras.

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

    def works_over_time(self, shape):
        return len(shape) == 2

    def steps_needed(self, shape, after):
        return StepWindows.of(self, self.stride).needed(after)

    def steps_after(self, shape, lengths):
        return StepWindows.of(self, self.stride).count(lengths)

    def geometry(self, shape):
        if is_ragged(shape):  # sizes of parameters are those for a series of one window
            shape = span_of(*self.kernel_size, per_axis("", self.dilation, 1)[0]), *shape[1:]
        return super().geometry(shape)

    def output_shape(self, shape):
        if not is_ragged(shape):
            return super().output_shape(shape)
        self.geometry(shape)
        if self.groups > 1:
            raise ValueError(f"{self!r} has groups, and here sequences have any length, for which groups are not computed; "
                             "leave groups out, or give inputs a number of steps")
        return None, self.out_channels

    def multiply_adds(self, shape):
        return math.prod(self.parameter_shapes(shape)["weight"]) if is_ragged(shape) else super().multiply_adds(shape)

    def lower(self, program, index, x, activation):
        if x.axis is None:
            return super().lower(program, index, x, activation)
        windows = StepWindows.of(self, self.stride)
        axis, taps = program.windows_of(x.axis, windows), windows.kernel * x.features
        with program.on(axis):
            beside = replace(x, shape=(taps,), axis=axis, offset=program.arena.take(program.batch * taps),
                             gradient=None if x.gradient is None else program.arena.take(program.batch * taps), adds=False)
        with program.on(None):
            program.emit(unfold_row(
                program.dtype, program.parts(axis.rows * taps, NUMBERS_PER_PART), axis=x.axis.place, windows=axis.place,
                x=x.offset, a=beside.offset, dx=x.gradient, da=beside.gradient, features=x.features, **windows.sizes))
        with program.on(axis):  # the weight (kernel, features, out_channels) is that of a Dense on the taps side by side
            product = Dense(self.out_channels, self.activation, l1=self.l1, l2=self.l2)
            return product.lower(program, index, beside, activation)

    def onnx_over_time(self, graph, x, parameters):
        windows, bias = StepWindows.of(self, self.stride), graph.tensor("bias", parameters["bias"])
        weight = graph.tensor("weight", parameters["weight"])
        products = [graph("MatMul", tap, graph("Gather", weight, graph.integers("tap", number), axis=0))
                    for number, tap in enumerate(graph.axes[0].taps(x, windows, 0.0))]
        return graph.activation(self.activation_record, graph("Sum", *products, bias))

    def onnx_steps(self, graph, y):
        return graph.axes[0].windows(StepWindows.of(self, self.stride), y)

    def kept_between_steps(self, shape):
        windows = StepWindows.of(self, self.stride)
        span = span_of(windows.kernel, windows.dilation)
        if windows.same or windows.stride > 1 or (windows.before, windows.after) != (span - 1, 0):
            raise ValueError(f"{self!r} has no window that ends at each step; give it padding='causal' and no stride")
        return {"past": ((span - 1) * math.prod(shape[1:]), 0)}

    def lower_step(self, program, index, x, activation, kept):
        windows = StepWindows.of(self, self.stride)
        beside = program.tensor((windows.kernel * x.features,))
        program.emit(window_row(program.dtype, x=x.offset, a=beside.offset, features=x.features, kernel=windows.kernel,
                                dilation=windows.dilation, **kept))
        return Dense(self.out_channels, self.activation).lower(program, index, beside, activation)

    def slide(self, sizes):
        return windows(sizes, self.kernel_size, self.stride, self.dilation, self.padding)
