"""Clipping: bounds on the gradient before the update, as a row of the table that stands after the optimizer's.

By value: each number is brought into [−clip_value, clip_value]. By norm (Pascanu et al. 2013, algorithm 1): where
‖g‖ = √Σ g² over all parameters exceeds clip_norm, g becomes g · clip_norm / ‖g‖. The norm is that of what the first leaves.
"""

import math

import numpy as np

from ..compiling.jit import Kernel, view
from ..compiling.record import FLOAT, FLOATS, Pointer, Record
from ..compiling.share import share
from ..elementwise.blocks import LANES, add_up, block_count, stretch, sum_blocks
from ..interpreter.table import Kind

LIMITS = Record("limits", value=FLOAT, norm=FLOAT, factor=FLOAT)  # the bounds, infinite where there is none; the scale found
CLIP = Kind("clip", "size", "blocks", sums=FLOATS, limits=Pointer(LIMITS))


def build_clip_value(dtype):
    real = np.dtype(dtype).type

    def clip_value(row, call, part, parts):
        """Clips by value the blocks of this part, and measures them."""
        begin, end = share(row.blocks, part, parts, 1)
        if row.limits.value < math.inf:
            start, size = stretch(begin, end, row.size)
            gradient, bound = view(call.gradients, start, size), real(row.limits.value)
            for i in range(size):  # NaN is to stay
                number = gradient[i]
                number = bound if number > bound else number
                gradient[i] = -bound if number < -bound else number
        if row.limits.norm < math.inf:
            sums, gradient = view(row.sums, 0, (row.blocks, LANES)), view(call.gradients, 0, row.size)
            sum_blocks(sums, gradient, 0.0, 1.0, begin, end)

    return clip_value


def build_clip_factor(dtype):
    def clip_factor(row, call, part, parts):
        limits, factor = row.limits, 1.0
        if limits.norm < math.inf:
            norm = math.sqrt(add_up(view(row.sums, 0, (row.blocks, LANES))))
            # numbers of 1e154 and more, whose squares overflow, have no norm here: better a step refused than one of 0
            factor = math.nan if norm == math.inf else min(limits.norm / norm, 1.0) if norm > 0.0 else 1.0
        limits.factor = factor

    return clip_factor


def build_clip_scale(dtype):
    real = np.dtype(dtype).type

    def clip_scale(row, call, part, parts):
        factor = row.limits.factor
        if factor != 1.0:
            begin, end = share(row.blocks, part, parts, 1)
            start, size = stretch(begin, end, row.size)
            gradient, scale = view(call.gradients, start, size), real(factor)
            for i in range(size):
                gradient[i] *= scale

    return clip_scale


clip_value_kernel = Kernel("clip_value", build_clip_value, CLIP.arguments)
clip_factor_kernel = Kernel("clip_factor", build_clip_factor, CLIP.arguments)
clip_scale_kernel = Kernel("clip_scale", build_clip_scale, CLIP.arguments)


def clip_row(dtype, parts, *, size, sums, limits):
    """The row that clips the gradient of all `size` parameters.

    limits: the address of LIMITS. sums: that of float64 (blocks, LANES).
    """
    return CLIP.row(
        {"backward_first": (clip_value_kernel.address(dtype), parts),
         "backward_second": (clip_factor_kernel.address(dtype), 1),
         "backward_third": (clip_scale_kernel.address(dtype), parts)},
        size=size, blocks=block_count(size), sums=sums, limits=limits,
    )
