"""The phases of a transposed convolution: those of a convolution with image and windows exchanged.

x is the windows and z the image. The forward phase is the backward phase of a convolution for its image; dx is computed like
the forward phase of a convolution, from dz. The weight is (kernel_height, kernel_width, out_features / groups, in_features).
"""

from ...compiling.jit import Kernel, address_of, view
from ...compiling.share import share
from .conv2d import CONVOLUTION, image_by_bands, input_of, scratch_of, weight_by_blocks, windows_by_bands, windows_size
from .normalized import normalize_lines


def build_forward(dtype):
    make = image_by_bands(dtype)

    def transposed_forward(row, call, part, parts):
        begin, end = share(call.batch * row.height, part, parts, 1)
        z, a = address_of(view(call.arena, row.z, 1)), address_of(view(call.arena, row.a, 1))
        weight, bias = address_of(view(call.parameters, row.weight, 1)), address_of(view(call.parameters, row.bias, 1))
        packed = weight if row.elementwise != 0 else address_of(view(call.arena, row.packed, 1))
        make(row, z, input_of(row, call, windows_size(row)), packed, bias, scratch_of(row, call, part), begin, end,
             a if row.activation != 0 else 0)

    return transposed_forward


def build_backward_input(dtype):
    make = windows_by_bands(dtype)

    def transposed_backward_input(row, call, part, parts):
        begin, end = share(call.batch * row.rows, part, parts, 1)
        dx, dz = address_of(view(call.arena, row.dx, 1)), address_of(view(call.arena, row.dz, 1))
        make(row, dx, dz, address_of(view(call.parameters, row.weight, 1)), 0, scratch_of(row, call, part), begin, end, 0)

    return transposed_backward_input


def build_backward_weight(dtype):
    return weight_by_blocks(dtype, transposed=True)


transposed_forward = Kernel("transposed_forward", build_forward, CONVOLUTION.arguments)
transposed_backward_input = Kernel("transposed_backward_input", build_backward_input, CONVOLUTION.arguments)
transposed_backward_weight = Kernel("transposed_backward_weight", build_backward_weight, CONVOLUTION.arguments,
                                    needs=[normalize_lines])
