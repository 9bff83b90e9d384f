"""A convolution of few features with pixels in the lanes: its windows, and the gradients of weight and bias of each block.

The image is copied to planes, see `products.convolution.planes`, a band at a time. There is a kernel for each number of
features; a network needs few of them.
"""

from functools import partial

from numba import types

from ...compiling.jit import REAL, Kernel, address_of, calls, jit, typed_pointer, view
from ...compiling.share import share
from ...processor.target import ITEM_BYTES, vector_lanes
from ...products.convolution.pixel_sums import lane_totals, most_terms, pixel_sums, separate_lines
from ...products.convolution.pixel_tile import new_pixels, pixel_product
from ...products.convolution.planes import fill_offsets, filling_planes, plane_lines, plane_pitch
from ...products.packing import stack_memory
from ...products.product import shares, split_evenly
from ...products.transpose import transpose_kernel
from .conv2d import CONVOLUTION, blocks_of, gradients_of, image_size, input_of, scratch_of, windows_size

MOST_FEATURES = 8


def plane_arguments(dtype):
    return CONVOLUTION.type(dtype), *[types.intp] * 4


fill_planes = Kernel("fill_planes", filling_planes, plane_arguments, needs=[transpose_kernel])
call_fill = calls(fill_planes)


@jit(inline=True)
def terms_of(row):
    return row.kernel_height * row.kernel_width * row.channels


def build_windows(dtype, features):
    product, number = pixel_product(dtype, features), typed_pointer(REAL[dtype])

    def pixel_windows(row, windows, image, weight, start, scratch, line, lines):
        """Compute `lines` rows of the windows of one sample, from row `line` on, as `to_windows` does."""
        pitch = plane_pitch(row)
        offsets = stack_memory(8 * terms_of(row))
        call_fill(number(scratch), (row, scratch, image, line, lines))
        fill_offsets(row, offsets, plane_lines(row, lines) * pitch)
        p = new_pixels()
        p.lines, p.columns, p.z, p.z_line = lines, row.columns, windows, row.columns * features
        p.x, p.x_line, p.offsets, p.terms = scratch, row.stride_y * pitch, offsets, terms_of(row)
        p.weight, p.start = weight, start
        product(p)

    return pixel_windows


def sums_size(dtype, terms, features):
    """The number of elements of the sums in each lane, for the gradients of weight and bias."""
    return (terms + 1) * features * vector_lanes(dtype)


def dz_planes_size(dtype, lines, columns, features):
    """The number of elements of the planes of dz, for some lines of windows. columns: `Windows`."""
    lanes = vector_lanes(dtype)
    pitch = columns.out + (columns.kernel - 1) * columns.dilation // columns.stride
    return features * (lines * -(-pitch // lanes) * lanes + 2 * lanes)


def build_weight(dtype, features):
    item, lanes, number = ITEM_BYTES[dtype], vector_lanes(dtype), typed_pointer(REAL[dtype])
    tile, most, separate = pixel_sums(dtype, features), most_terms(features), separate_lines(dtype, features)
    lane_total = lane_totals(dtype)

    def weight_by_pixels(row, call, part, parts):
        """The gradients of weight and bias of each block, as `weight_by_blocks` computes them."""
        rows, in_image, in_windows, columns = row.kernel_height, image_size(row), windows_size(row), row.columns
        terms = terms_of(row)
        image, windows = input_of(row, call, in_image), address_of(view(call.arena, row.dz, 1))
        pitch, offsets = plane_pitch(row), stack_memory(8 * terms)
        sums = scratch_of(row, call, part)
        bias_sums = sums + item * terms * features * lanes
        dz_planes = bias_sums + item * features * lanes
        blocks = blocks_of(call.batch, row.most_blocks)
        unit, end = share(blocks * rows, part, parts, 1)
        while unit < end:  # kernel rows of a block, or all of them
            block, first = unit // rows, unit % rows
            last = min(first + end - unit, rows)
            unit += last - first
            top, bottom = share(call.batch, block, blocks, 1)
            to, dbias, add = gradients_of(row, call, block, blocks)
            begin, begun = first * terms // rows, last * terms // rows
            view(number(sums), 0, (begun - begin) * features * lanes)[:] = 0
            view(number(bias_sums), 0, features * lanes)[:] = 0
            for n in range(top, bottom):
                for line in range(0, row.rows, row.window_band):
                    lines = min(row.window_band, row.rows - line)
                    if row.stride_y == 1:  # all lines are one run
                        runs, vectors, dz_pitch = 1, (lines * pitch + lanes - 1) // lanes, pitch
                    else:
                        runs, vectors = lines, (columns + lanes - 1) // lanes
                        dz_pitch = vectors * lanes
                    of_line = (dz_pitch + lanes - 1) // lanes
                    plane = (lines * dz_pitch + lanes - 1) // lanes * lanes + 2 * lanes
                    planes = dz_planes + item * features * plane
                    call_fill(number(planes), (row, planes, image + item * n * in_image, line, lines))
                    fill_offsets(row, offsets, plane_lines(row, lines) * pitch)
                    dz = windows + item * (n * in_windows + line * columns * features)
                    for f in range(features):
                        view(number(dz_planes), f * plane + lines * dz_pitch, plane - lines * dz_pitch)[:] = 0
                    separate((dz_planes, plane, dz_pitch, dz, columns * features, lines, of_line, bias_sums))
                    term = begin
                    while term < begun:
                        count = split_evenly(begun - term, shares(begun - term, most))
                        tile((count, 1, 0, sums + item * (term - begin) * features * lanes, offsets + 8 * term, planes,
                              dz_planes, plane, runs, vectors, row.stride_y * pitch, dz_pitch))
                        term += count
            lane_total(sums, (begun - begin) * features, address_of(to) + item * begin * features, 1 if add else 0)
            if first == 0:
                lane_total(bias_sums, features, address_of(dbias), 1 if add else 0)

    return weight_by_pixels


def window_arguments(dtype):
    return CONVOLUTION.type(dtype), *[types.intp] * 7


pixel_windows = {features: Kernel(f"pixel_windows_{features}", partial(build_windows, features=features), window_arguments,
                                  needs=[fill_planes]) for features in range(1, MOST_FEATURES + 1)}
weight_by_pixels = {features: Kernel(f"weight_by_pixels_{features}", partial(build_weight, features=features),
                                     CONVOLUTION.arguments, needs=[fill_planes])
                    for features in range(1, MOST_FEATURES + 1)}
