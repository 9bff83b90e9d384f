"""Common part of the convolutions: checks of options, initial weights, and rows."""

import math
from dataclasses import dataclass, field, fields

from ...checks import not_negative, whole_number
from ...kernels.layers.convolution.normalized import normalization_of
from ...kernels.layers.convolution.rows import ConvolutionPlan, convolution_rows
from ...runtime.threads import FLOPS_PER_PART, NUMBERS_PER_PART
from ..base import Layer, refuse_exchanged, registered_activation
from ..initializers import initializers
from ..windows import image_shape, padding_of, per_axis, series_shape, shorter, single
from .onnx import beyond, by_operator, by_taps
from .pooled import lower_pooled

ROUND = 16  # regions of scratch begin at multiples of this many numbers, on cache lines


@dataclass(frozen=True)
class Convolution(Layer):
    """Base class of the convolutions. Subclasses have an activation and a kernel_size, and most have out_channels."""

    stride: int | tuple = field(default=1, kw_only=True)
    padding: str | int | tuple = field(default="valid", kw_only=True)
    dilation: int | tuple = field(default=1, kw_only=True)
    initializer: str | None = field(default=None, kw_only=True)
    l1: float = field(default=0.0, kw_only=True)
    l2: float = field(default=0.0, kw_only=True)
    takes_activation = True
    axes = 2  # number of axes along which the kernel slides
    paddings = "valid", "same"  # names that padding accepts
    groups = 1
    transposed = False

    def __post_init__(self):
        name = type(self).__name__
        if hasattr(self, "out_channels"):
            refuse_exchanged(self, "out_channels", more="3, ")
        if isinstance(self.kernel_size, str):
            refuse_exchanged(self, "kernel_size", before="64, ")
        for option in ("kernel_size", "stride", "dilation"):
            self.settle(option, per_axis(f"{name}({option}=...)", getattr(self, option), self.axes))
        self.settle("padding", padding_of(f"{name}(padding=...)", self.padding, self.axes, self.paddings))
        self.settle("activation", registered_activation(self.activation))
        if self.initializer is not None:
            self.settle("initializer", initializers.resolve(self.initializer).name)
        for option in ("l1", "l2"):
            self.settle(option, not_negative(f"{name}({option}=...)", getattr(self, option)))
        for option in {"out_channels", "groups"} & {each.name for each in fields(self)}:
            self.settle(option, whole_number(f"{name}({option}=...)", getattr(self, option)))
        out_channels = getattr(self, "out_channels", self.groups)
        if out_channels % self.groups:
            raise ValueError(f"{name}(groups=...) is {self.groups}, which does not divide out_channels={out_channels}")

    def settle(self, option, value):
        object.__setattr__(self, option, value)

    def __repr__(self):
        given = [getattr(self, name) for name in ("out_channels", "kernel_size") if hasattr(self, name)]
        parts = [repr(shorter(value)) if isinstance(value, tuple) else repr(value) for value in given]
        options = {each.name: (getattr(self, each.name), each.default) for each in fields(self) if each.kw_only}
        kept = {name: shorter(value) if isinstance(value, tuple) else value for name, (value, _) in options.items()}
        parts += [repr(self.activation)] * (self.activation != "identity")
        parts += [f"{name}={value!r}" for name, value in kept.items() if value != options[name][1]]
        return f"{type(self).__name__}({', '.join(parts)})"

    def config(self):
        options = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"layer": type(self).__name__} | {name: plain(value) for name, value in options.items()}

    def image(self, shape):
        """Return (height, width, channels) of the input."""
        height, width, channels = (image_shape if self.axes == 2 else series_shape)(self, shape)
        if channels % self.groups:
            raise ValueError(f"{self!r} has {self.groups} groups, which do not divide the {channels} channels of its input; "
                             "give a number that divides both these and out_channels, such as groups=1")
        return height, width, channels

    def out_of(self, channels):
        """Return the number of output channels for a number of input channels."""
        return self.out_channels

    def slide(self, sizes):
        """Return the windows of each axis along which the kernel slides; their size is that of the image."""
        raise NotImplementedError

    def geometry(self, shape):
        """Return the windows of (height, width), the channels of the image and the features of the windows."""
        *sizes, channels = self.image(shape)
        axes = tuple(self.slide(sizes[-self.axes:]))
        if self.axes == 1:
            axes = single(), *axes
        ends = channels, self.out_of(channels)
        return axes, *(reversed(ends) if self.transposed else ends)

    def output_shape(self, shape):
        axes, channels, features = self.geometry(shape)
        sizes = [axis.size if self.transposed else axis.out for axis in axes[-self.axes:]]
        return *sizes, channels if self.transposed else features

    def parameter_shapes(self, shape):
        _, channels, features = self.geometry(shape)
        out = channels if self.transposed else features
        return {"weight": (*self.kernel_size, channels // self.group_count(channels), features), "bias": (out,)}

    def group_count(self, channels):
        return self.groups

    def multiply_adds(self, shape):
        (rows, columns), _, _ = self.geometry(shape)
        return rows.out * columns.out * math.prod(self.parameter_shapes(shape)["weight"])

    def initial_parameters(self, shape, generator, activation):
        weight = self.parameter_shapes(shape)["weight"]
        taps, (inputs, outputs) = math.prod(self.kernel_size), weight[-2:]
        if self.transposed:
            inputs, outputs = outputs // self.groups, inputs * self.groups
        initializer = initializers[self.initializer or activation.initializer]
        return {"weight": initializer.draw(generator, weight, (taps * inputs, taps * outputs)), "bias": 0.0}

    def onnx(self, graph, x, parameters):
        weight, bias = parameters["weight"], parameters["bias"]
        axes, channels, _ = self.geometry(graph.shape)
        groups = self.group_count(channels)
        if not graph.exact and not (self.transposed and any(beyond(axis) >= axis.stride for axis in axes)):
            z = by_operator(graph, x, weight, bias, axes[-self.axes:], groups, self.transposed)
        elif self.axes == 2:
            z = by_taps(graph, x, weight, bias, axes, groups, self.transposed)
        else:  # treated as an image of height 1
            height = graph.tensor("height", [1], "int64")
            z = by_taps(graph, graph("Unsqueeze", x, height), weight, bias, axes, groups, self.transposed)
            z = graph("Squeeze", z, height)
        return graph.activation(self.activation_record, z)

    def lower(self, program, index, x, activation):
        (rows, columns), channels, features = self.geometry(x.shape)
        if all(axis.kernel == axis.stride == 1 and axis.size == axis.out and axis.before == 0 for axis in (rows, columns)):
            rows, columns = single(), single(rows.size * columns.size)  # a 1×1 kernel: all pixels on one line
        plan = ConvolutionPlan(program.dtype, (rows, columns), channels, features, self.group_count(channels), program.batch)
        normalization = self.read_through(program, x, plan)
        shape, lines = self.output_shape(x.shape), (rows.size if self.transposed else rows.out)
        dx_lines = rows.out if self.transposed else rows.size
        numbers = program.batch * math.prod(shape)
        wants_dx = program.training and x.gradient is not None
        count = program.parts(2 * program.batch * rows.out * columns.out * plan.weight_size, FLOPS_PER_PART)
        parts = {
            "forward": min(count, program.batch * lines),
            "backward_first": program.parts(numbers, NUMBERS_PER_PART),
            "backward_second": min(count, program.batch * dx_lines),
            "backward_third": min(count, plan.weight_parts),
            "pack": min(program.parts(plan.packed_size, NUMBERS_PER_PART), rows.kernel * columns.kernel),
            "sum": program.parts(plan.blocks * plan.weight_size, NUMBERS_PER_PART),
        }
        sizes = [plan.windows_scratch if self.transposed else plan.image_scratch]
        if program.training:
            sizes = [plan.windows_scratch, plan.image_scratch, plan.weight_scratch]
        scratch_size = -(-max(sizes) // ROUND) * ROUND + (0 if normalization is None else plan.normalized_size)
        # without a backward pass z is at the beginning of scratch
        behind = 0 if program.training or activation is None else -(-numbers // ROUND) * ROUND
        scratch = behind + program.scratch(max(1, behind + count * scratch_size))
        z, a = program.around_activation(shape, activation)
        start, size = program.offsets[f"{index}.weight"], plan.weight_size + shape[-1]
        packed = program.borrow(plan.packed_size) if wants_dx else 0
        if self.transposed:  # its forward phase reads the packed weight
            packed = program.arena.take(plan.packed_size)
        for row in convolution_rows(
            plan, activation, parts, transposed=self.transposed, x=x.offset, z=z.offset, a=a.offset, dz=z.gradient,
            dx=x.gradient if wants_dx else None,
            packed=packed, partials=program.borrow(plan.blocks * size) if program.training and plan.blocks > 1 else 0,
            scratch=scratch, scratch_size=scratch_size, weight=start, bias=program.offsets[f"{index}.bias"],
            from_data=x.from_data, normalization=normalization,
        ):
            program.emit(row)
        self.register_parameters(program, index, plan.weight_size, shape[-1])
        return a

    def read_through(self, program, x, plan):
        """Return the row of the normalization through which it reads samples, so that x needs no memory, or None.

        The gradient of a weight of few features reads lines of samples; transposed convolutions are rare.
        """
        if not program.training or self.transposed or plan.weight_by_pixels:
            return None
        normalization = normalization_of(program.rows, x.offset, plan.channels)
        if normalization is not None:
            program.arena.leave(x.offset, program.batch * x.features)
        return normalization

    def lower_with(self, following, program, index, x, activation):
        if self.transposed or x.axis is not None or not hasattr(following, "halves"):
            return None
        return lower_pooled(self, program, index, x, activation, following)

    def register_parameters(self, program, index, weight_size, features):
        """Register the update and the penalty of the parameters; the bias follows the weight in memory."""
        start, size = program.offsets[f"{index}.weight"], weight_size + features
        program.emit_update(start=start, rows=size, columns=1, parts=program.parts(size, NUMBERS_PER_PART))
        program.emit_penalty(start, weight_size, self.l1, self.l2)


def plain(value):
    """Convert tuples to lists for JSON."""
    return [plain(each) for each in value] if isinstance(value, tuple) else value


