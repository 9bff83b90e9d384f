"""Clipping: limits on the gradient before the update, as a row of the table after those of the optimizer.

By value: each element is limited to [−clip_value, clip_value]. By norm (Pascanu et al. 2013, algorithm 1): where
‖g‖ = √Σ g² over all parameters exceeds clip_norm, g becomes g · clip_norm / ‖g‖. Clipping by value comes first.
"""

import math

import numpy as np

from ..compiling.jit import Kernel, view
from ..compiling.record import FLOAT, FLOATS, Pointer, Record
from ..compiling.share import share
from ..elementwise.blocks import LANES, add_blocks, block_count, block_range, sum_blocks
from ..interpreter.table import Kind

LIMITS = Record("limits", value=FLOAT, norm=FLOAT, factor=FLOAT)  # the limits, infinite for none; the computed factor
CLIP = Kind("clip", "size", "blocks", sums=FLOATS, limits=Pointer(LIMITS))


def build_clip_value(dtype):
    real = np.dtype(dtype).type

    def clip_value(row, call, part, parts):
        """Clip the blocks of this part by value, and compute their sums of squares."""
        begin, end = share(row.blocks, part, parts, 1)
        if row.limits.value < math.inf:
            start, size = block_range(begin, end, row.size)
            gradient, bound = view(call.gradients, start, size), real(row.limits.value)
            for i in range(size):  # NaN stays NaN
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
            norm = math.sqrt(add_blocks(view(row.sums, 0, (row.blocks, LANES))))
            # the squares of numbers above 1e154 overflow, so there is no norm: the step is refused rather than set to 0
            factor = math.nan if norm == math.inf else min(limits.norm / norm, 1.0) if norm > 0.0 else 1.0
        limits.factor = factor

    return clip_factor


def build_clip_scale(dtype):
    real = np.dtype(dtype).type

    def clip_scale(row, call, part, parts):
        factor = row.limits.factor
        if factor != 1.0:
            begin, end = share(row.blocks, part, parts, 1)
            start, size = block_range(begin, end, row.size)
            gradient, scale = view(call.gradients, start, size), real(factor)
            for i in range(size):
                gradient[i] *= scale

    return clip_scale


clip_value_kernel = Kernel("clip_value", build_clip_value, CLIP.arguments)
clip_factor_kernel = Kernel("clip_factor", build_clip_factor, CLIP.arguments)
clip_scale_kernel = Kernel("clip_scale", build_clip_scale, CLIP.arguments)


def clip_row(dtype, parts, *, size, sums, limits):
    """Return the row that clips the gradient of all `size` parameters.

    limits: address of the LIMITS record. sums: address of float64 (blocks, LANES).
    """
    return CLIP.row(
        {"backward_first": (clip_value_kernel.address(dtype), parts),
         "backward_second": (clip_factor_kernel.address(dtype), 1),
         "backward_third": (clip_scale_kernel.address(dtype), parts)},
        size=size, blocks=block_count(size), sums=sums, limits=limits,
    )
