"""Common part of the pools over windows: checks of options, and output shapes."""

from dataclasses import dataclass, field

from ...checks import true_or_false
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer
from ..ragged import is_ragged
from ..sequences.step_windows import StepWindows
from ..windows import Windows, image_shape, lists, padding_of, per_axis, pool_windows, series_shape, shorter, single


@dataclass(frozen=True)
class Pool(Layer):
    """Base class of the pools: `axes` is the number of a sample's axes that windows slide along."""

    kernel_size: int | tuple[int, int]
    stride: int | tuple[int, int] | None = field(default=None, kw_only=True)
    padding: str | int | tuple = field(default="valid", kw_only=True)
    dilation: int | tuple[int, int] = field(default=1, kw_only=True)
    ceil_mode: bool = field(default=False, kw_only=True)
    axes = 2

    def __post_init__(self):
        where, axes = type(self).__name__, self.axes
        kernel = per_axis(f"{where}(kernel_size=...)", self.kernel_size, axes)
        checked = {
            "kernel_size": shorter(kernel),
            "stride": None if self.stride is None else shorter(per_axis(f"{where}(stride=...)", self.stride, axes)),
            "padding": shorter(padding_of(f"{where}(padding=...)", self.padding, axes, ("valid", "same"))),
            "dilation": shorter(per_axis(f"{where}(dilation=...)", self.dilation, axes)),
            "ceil_mode": true_or_false(f"{where}(ceil_mode=...)", self.ceil_mode),
        }
        if checked["stride"] == checked["kernel_size"]:
            checked["stride"] = None
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def options(self):
        """Return the options that differ from the defaults, by name."""
        defaults = {name: each.default for name, each in self.__dataclass_fields__.items() if each.kw_only}
        return {name: getattr(self, name) for name in defaults if getattr(self, name) != defaults[name]}

    def __repr__(self):
        return f"{type(self).__name__}({self.kernel_size!r}{''.join(f', {n}={v!r}' for n, v in self.options.items())})"

    def config(self):
        return {"layer": type(self).__name__, "kernel_size": lists(self.kernel_size),
                **{name: lists(value) for name, value in self.options.items()}}

    def image_shape(self, shape):
        """Return (height, width, channels) of a sample; a series is an image of height 1."""
        return image_shape(self, shape) if self.axes == 2 else series_shape(self, shape)

    def windows(self, shape):
        """Return the windows of both axes, and the number of channels, for a sample of this shape."""
        height, width, channels = self.image_shape(shape)
        kernel, dilation = (per_axis("", value, self.axes) for value in (self.kernel_size, self.dilation))
        stride = kernel if self.stride is None else per_axis("", self.stride, self.axes)
        found = pool_windows((height, width)[-self.axes:], kernel, stride, dilation,
                             padding_of("", self.padding, self.axes), self.ceil_mode)
        return (*((single(),) if self.axes == 1 else ()), *found), channels

    def works_over_time(self, shape):
        return self.axes == 1 and len(shape) == 2

    def kept_between_steps(self, shape):
        if self.works_over_time(shape):
            raise ValueError(f"{self!r} has outputs for windows of steps, not for each step; use a Conv1D with "
                             "padding='causal' in its place")
        return {}

    def steps_needed(self, shape, after):
        return self.step_windows().needed(after) if self.works_over_time(shape) else after

    def steps_after(self, shape, lengths):
        return self.step_windows().count(lengths) if self.works_over_time(shape) else lengths

    def step_windows(self):
        """Return the windows over sequences of any length."""
        return StepWindows.of(self, self.kernel_size if self.stride is None else self.stride)

    def output_shape(self, shape):
        if is_ragged(shape):
            windows = self.step_windows()
            if windows.dilation > 1 or self.ceil_mode or max(windows.before, windows.after) >= windows.kernel:
                raise ValueError(f"{self!r} has dilation, ceil_mode or padding of a whole window, and here sequences have "
                                 "any length, for which these are not computed; leave them out, or give inputs a number of "
                                 "steps")
            return shape
        (rows, columns), channels = self.windows(shape)
        return ((rows.out, columns.out) if self.axes == 2 else (columns.out,)) + (channels,)

    def lower(self, program, index, x, activation):
        if x.axis is None or self.axes == 2:
            return lower_pool(self, program, x, *self.windows(x.shape))
        windows = self.step_windows()
        axis = program.windows_of(x.axis, windows)
        with program.on(axis):
            a = program.tensor(x.shape)
        with program.on(None):
            operands = {"counts_padding": getattr(self, "count_padding", False)}
            if program.training and x.gradient is not None:
                operands |= {"dx": x.gradient, "da": a.gradient, **self.kept_over_time(program, a)}
            program.emit(self.row_of_steps(
                program.dtype, program.parts(x.axis.rows * x.features, NUMBERS_PER_PART), axis=x.axis.place,
                windows=axis.place, x=x.offset, a=a.offset, features=x.features, **operands, **windows.sizes))
        return a

    def kept_over_time(self, program, a):
        """Return the operands of its row over time for memory from the forward to the backward pass."""
        return {}

    def onnx(self, graph, x, parameters):
        axes = self.windows(graph.shape)[0][-self.axes:]
        rounds_up = self.rounds_up(axes)
        # ONNX's shapes count windows that begin in the padding, and its runtime refuses more padding than a kernel has
        after = [axis.after if rounds_up else axis.reached_after for axis in axes]
        attributes = {"kernel_shape": [axis.kernel for axis in axes], "strides": [axis.stride for axis in axes],
                      "pads": [*(axis.before for axis in axes), *after]}
        if any(axis.dilation > 1 for axis in axes):
            attributes["dilations"] = [axis.dilation for axis in axes]
        if rounds_up:
            attributes["ceil_mode"] = 1
        if getattr(self, "count_padding", False):
            attributes["count_include_pad"] = 1
        return graph.channels_last(graph(self.operator, graph.channels_first(x), **attributes))

    def rounds_up(self, axes):
        """Whether the number of windows on these axes is rounded up, and none is left out because it would be padding."""
        return self.ceil_mode and all(axis.out > (axis.size + axis.before + axis.after - axis.span - 1) // axis.stride + 1
                                      for axis in axes)

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx_of_taps(graph, graph.axes[0].taps(x, self.step_windows(), self.onnx_padding))

    def onnx_steps(self, graph, y):
        return graph.axes[0].windows(self.step_windows(), y)


def lower_pool(layer, program, x, axes, channels):
    """Emit the row of a pool with these windows, (rows, columns); return the output tensor."""
    x = program.in_arena(x)
    a = program.tensor(layer.output_shape(x.shape))
    parts = program.parts(program.batch * x.features, NUMBERS_PER_PART)
    wants_dx = program.training and x.gradient is not None
    program.emit(layer.pool_row(program.dtype, parts, *axes, channels, x=x.offset, a=a.offset, da=a.gradient,
                                dx=x.gradient if wants_dx else None, **layer.row_operands(program, a, wants_dx)))
    return a


class GlobalPool(Layer):
    """Base class of the pools over whole channels."""

    def __repr__(self):
        return f"{type(self).__name__}()"

    def works_over_time(self, shape):
        return len(shape) == 2

    def steps_needed(self, shape, after):
        return max(1, after) if self.works_over_time(shape) else after

    def output_shape(self, shape):
        if is_ragged(shape):
            return shape[1:]
        self.windows(shape)
        return shape[-1:]

    def windows(self, shape):
        if len(shape) not in (2, 3):
            raise ValueError(f"{self!r} takes images (height, width, channels) or series (steps, features), and here a "
                             f"sample has the shape {shape}; put it before the Flatten()")
        sizes = (1, *shape[:-1])[-2:]
        return tuple(Windows(size, 1, kernel=size, stride=size) for size in sizes), shape[-1]

    def lower(self, program, index, x, activation):
        if x.axis is None or len(x.shape) > 1:
            return lower_pool(self, program, x, *self.windows(x.shape))
        with program.on(None):
            a, operands = program.tensor(x.shape), {}
            if program.training and x.gradient is not None:
                operands = {"dx": x.gradient, "da": a.gradient, **self.kept_over_time(program, a)}
            program.emit(self.row_over_time(
                program.dtype, program.parts(x.axis.rows * x.features, NUMBERS_PER_PART), axis=x.axis.place, x=x.offset,
                a=a.offset, features=x.features, **operands,
            ))
        return a

    def kept_over_time(self, program, a):
        """Return the operands of its row over time for memory from the forward to the backward pass."""
        return {}

    def lower_step(self, program, index, x, activation, kept):
        a = program.tensor(x.shape)
        program.emit(self.row_so_far(program.dtype, x=x.offset, a=a.offset, features=x.features, **kept))
        return a

    def onnx(self, graph, x, parameters):
        axes = graph.tensor("axes", [*range(2, len(graph.shape) + 1)], "int64")
        return graph(self.reduction, graph.channels_first(x), axes, keepdims=0)

    def onnx_over_time(self, graph, x, parameters):
        steps = graph.axes[0]
        return self.onnx_of_steps(graph, graph(self.over_steps, steps.keep(x, self.onnx_padding),
                                               graph.integers("steps", [1]), keepdims=0), steps)
