"""The rows of a convolution and of a transposed one, and how much of it they work on at a time."""

from ..interpreter.table import with_phases
from ..processor.target import ITEM_BYTES
from ..products.segments import elementwise_product_kernel, segment_product_kernel
from .conv2d import (
    CONVOLUTION,
    blocks_of,
    convolution_backward_input,
    convolution_backward_output,
    convolution_backward_weight,
    convolution_forward,
    convolution_sum,
    pack_for_image,
)
from .conv_transpose2d import transposed_backward_input, transposed_backward_weight, transposed_forward

# A band of a sample with zeros around it stays in the second-level cache, the samples that a gradient of the weight reads
# together in the first.
BAND_BYTES, TOGETHER_BYTES = 1 << 18, 1 << 16
MOST_BLOCKS, BLOCKS_NUMBERS = 16, 1 << 18  # of the gradient of the weight, and how many numbers they have in all


class ConvolutionPlan:
    """What a convolution between images and windows works on at a time, and the memory that it needs.

    Parameters
    ----------
    dtype : str
    axes : pair
        Of height and of width, each with the attributes of `fastnn.layers.windows.Windows`: from image to windows.
    channels, features, groups : int
        Of a pixel of the image, and of a window.
    batch : int
        The largest.

    Attributes
    ----------
    weight_size, packed_size, scratch_size : int
        Numbers: of the weight, laid out anew, and of the scratch of each part.
    blocks : int
        Of samples, each with a gradient of the weight of its own, in the largest batch.
    """

    def __init__(self, dtype, axes, channels, features, groups, batch):
        self.dtype, (self.rows, self.columns) = dtype, axes
        self.channels, self.features = channels, features
        self.elementwise = groups == channels == features
        self.groups = 1 if self.elementwise else groups
        inputs = 1 if self.elementwise else channels // groups
        self.weight_size = self.rows.kernel * self.columns.kernel * inputs * features
        self.packed_size = 0 if self.elementwise else self.weight_size
        inside = all(axis.before == 0 and (axis.out - 1) * axis.stride + axis.span <= axis.size for axis in axes)
        self.window_band = self.rows.out if inside else self.largest_band(self.rows.out, self.box_of_image)
        self.image_band = self.largest_band(self.rows.size, self.box_of_windows)
        self.image_scratch = 0 if inside else self.box_of_image(self.window_band)
        self.windows_scratch = self.box_of_windows(self.image_band)
        sample = self.rows.size * self.columns.size * channels + self.rows.out * self.columns.out * features
        self.together = max(1, TOGETHER_BYTES // (ITEM_BYTES[dtype] * sample)) if inside else 1
        self.most_blocks = max(1, min(MOST_BLOCKS, BLOCKS_NUMBERS // self.weight_size))
        self.blocks = blocks_of.py_func(batch, self.most_blocks)

    def box_of_image(self, lines):
        """How many numbers of an image so many lines of windows reach over."""
        return ((lines - 1) * self.rows.stride + self.rows.span) * (
            (self.columns.out - 1) * self.columns.stride + self.columns.span) * self.channels

    def box_of_windows(self, lines):
        """How many numbers at most the windows have that reach so many lines of an image."""
        return ((lines + self.rows.span - 2) // self.rows.stride + 2) * (
            (self.columns.size + self.columns.span - 2) // self.columns.stride + 2) * self.features

    def largest_band(self, lines, box):
        """How many of these lines are made at a time."""
        while lines > 1 and ITEM_BYTES[self.dtype] * box(lines) > BAND_BYTES:
            lines = (lines + 1) // 2
        return lines

    def operands(self):
        """The sizes of its rows, by name."""
        rows, columns = self.rows, self.columns
        return {
            "height": rows.size, "width": columns.size, "channels": self.channels, "rows": rows.out, "columns": columns.out,
            "features": self.features, "kernel_height": rows.kernel, "kernel_width": columns.kernel, "stride_y": rows.stride,
            "stride_x": columns.stride, "dilation_y": rows.dilation, "dilation_x": columns.dilation, "top": rows.before,
            "left": columns.before, "groups": self.groups, "elementwise": self.elementwise, "window_band": self.window_band,
            "image_band": self.image_band, "most_blocks": self.most_blocks, "together": self.together,
            "product": (elementwise_product_kernel if self.elementwise else segment_product_kernel).address(self.dtype),
        }


def convolution_rows(plan, activation, parts, *, transposed=False, x, z, a, dz, dx, packed=0, partials=0, scratch=0,
                     scratch_size=0, weight, bias, from_data=False):
    """The rows of a convolution, in the order of the table. All but the following are offsets and sizes.

    Parameters
    ----------
    plan : ConvolutionPlan
    activation : Activation, optional
        None for z as it is.
    parts : dict
        {phase: the number of parts to cut it into}; also of "pack" and "sum".
    transposed : bool
        Whether it goes from windows to image.
    dz, dx : int, optional
        None where nothing asks for it.
    packed, partials : int
        Room for the weight laid out anew and for the gradients of the blocks, `plan.blocks` of weight and bias each.
    from_data : bool
        Whether x is not in the arena: the samples are read where they lie.
    """
    dtype, of = plan.dtype, transposed
    phases = {"forward": transposed_forward if of else convolution_forward}
    if dz is not None:
        phases["backward_third"] = transposed_backward_weight if of else convolution_backward_weight
    if dz is not None and activation is not None:
        phases["backward_first"] = convolution_backward_output
    if dx is not None:
        phases["backward_second"] = transposed_backward_input if of else convolution_backward_input
    out_pixels = plan.rows.size * plan.columns.size if of else plan.rows.out * plan.columns.out
    row = CONVOLUTION.row(
        {phase: (kernel.address(dtype), parts.get(phase, 1)) for phase, kernel in phases.items()},
        **plan.operands(), x=x, z=z, a=a, dz=dz or 0, dx=dx or 0, packed=packed, partials=partials, scratch=scratch,
        scratch_size=scratch_size, weight=weight, bias=bias, out_pixels=out_pixels,
        out_features=plan.channels if of else plan.features, from_data=from_data,
        activation=0 if activation is None else activation.forward.address(dtype),
        activation_backward=0 if activation is None or dz is None else activation.backward.address(dtype),
    )
    before, after = [], []
    if dz is not None and plan.blocks > 1:  # the backward pass comes to it last
        before.append(with_phases(row, {"backward_third": (convolution_sum.address(dtype), parts.get("sum", 1))}))
    if not plan.elementwise and (of or dx is not None):
        pack = pack_for_image.address(dtype), parts.get("pack", 1)
        if of:
            before.append(with_phases(row, {"forward": pack}))
        else:
            after.append(with_phases(row, {"backward_first": pack}))
    return [*before, row, *after]
