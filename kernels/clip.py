"""Clipping: bounds on the gradient before the update, as a row of the table that stands after the optimizer's.

By value: each number is brought into [−clip_value, clip_value]. By norm (Pascanu et al. 2013, algorithm 1): where
‖g‖ = √Σ g² over all parameters exceeds clip_norm, g becomes g · clip_norm / ‖g‖. The norm is that of what the first leaves.
"""

import math

import numpy as np

from .blocks import LANES, add_up, block_count, stretch, sum_blocks
from .jit import Kernel, pointer_to, view
from .table import BACKWARD_INPUT, BACKWARD_OUTPUT, BACKWARD_WEIGHT, OPERANDS, make_row, phase_arguments, share

SIZE, BLOCKS, SUMS, LIMITS = range(OPERANDS, OPERANDS + 4)
VALUE, NORM, FACTOR = range(3)  # what lies at LIMITS: the two bounds, infinite where there is none, and the scale found


def build_clip_value(dtype):
    real = np.dtype(dtype).type

    def clip_value(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """Clips by value the blocks of this part, and measures them."""
        limits = view(pointer_to(row[LIMITS], results), 0, 3)
        begin, end = share(row[BLOCKS], part, parts, 1)
        if limits[VALUE] < math.inf:
            start, size = stretch(begin, end, row[SIZE])
            gradient, bound = view(gradients, start, size), real(limits[VALUE])
            for i in range(size):  # NaN is to stay
                number = gradient[i]
                number = bound if number > bound else number
                gradient[i] = -bound if number < -bound else number
        if limits[NORM] < math.inf:
            sums = view(pointer_to(row[SUMS], results), 0, (row[BLOCKS], LANES))
            sum_blocks(sums, view(gradients, 0, row[SIZE]), 0.0, 1.0, begin, end)

    return clip_value


def build_clip_factor(dtype):
    def clip_factor(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        limits = view(pointer_to(row[LIMITS], results), 0, 3)
        limits[FACTOR] = 1.0
        if limits[NORM] < math.inf:
            norm = math.sqrt(add_up(view(pointer_to(row[SUMS], results), 0, (row[BLOCKS], LANES))))
            # numbers of 1e154 and more, whose squares overflow, have no norm here: better a step refused than one of 0
            limits[FACTOR] = math.nan if norm == math.inf else min(limits[NORM] / norm, 1.0) if norm > 0.0 else 1.0

    return clip_factor


def build_clip_scale(dtype):
    real = np.dtype(dtype).type

    def clip_scale(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        factor = view(pointer_to(row[LIMITS], results), 0, 3)[FACTOR]
        if factor != 1.0:
            begin, end = share(row[BLOCKS], part, parts, 1)
            start, size = stretch(begin, end, row[SIZE])
            gradient, scale = view(gradients, start, size), real(factor)
            for i in range(size):
                gradient[i] *= scale

    return clip_scale


clip_value_kernel = Kernel("clip_value", build_clip_value, phase_arguments)
clip_factor_kernel = Kernel("clip_factor", build_clip_factor, phase_arguments)
clip_scale_kernel = Kernel("clip_scale", build_clip_scale, phase_arguments)


def clip_row(dtype, parts, *, size, sums, limits):
    """The row that clips the gradient of all `size` parameters.

    limits: the address of float64 (3,): clip_value, clip_norm, and room for the scale.
    sums: that of float64 (blocks, LANES).
    """
    return make_row(
        {BACKWARD_OUTPUT: (clip_value_kernel.address(dtype), parts), BACKWARD_INPUT: (clip_factor_kernel.address(dtype), 1),
         BACKWARD_WEIGHT: (clip_scale_kernel.address(dtype), parts)},
        {SIZE: size, BLOCKS: block_count(size), SUMS: sums, LIMITS: limits},
    )
