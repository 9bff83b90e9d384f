"""A convolution whose activations only a max pool of adjacent 2×2 windows reads: a = g(max of the windows).

The windows are computed a band at a time and pooled while they are in the first-level cache, so they are never in memory.
Kept of them are the maxima and their positions, a byte each. The gradient goes to one window of four, so that of the weight
is a sum over the maxima only (see `products.convolution.pooled_sums`).

`row` is as in `conv2d`, where `z`, `a` and `dz` are those of the pool, `rows` and `columns` are those of the windows that it
reads, and `out_pixels` its own.
"""

from functools import partial

from ...compiling.jit import REAL, Kernel, address_of, call_at, integers, jit, offset, typed_pointer, view
from ...compiling.share import share
from ...processor.target import ITEM_BYTES, vector_lanes
from ...products.convolution.overlapping import to_image_by_overlapping
from ...products.convolution.patches import filling_patches
from ...products.convolution.pooled_image import packing_patches, to_pooled_image
from ...products.convolution.pooled_sums import MOST_FEATURES, MOST_ROWS, SEVERAL, most_sums, pooled_sums
from ...products.convolution.to_image import to_image
from ...products.convolution.to_windows import to_windows
from ...products.packing import stack_memory
from ...products.product import shares, split_evenly
from ...products.transpose import call_transpose, transpose_kernel
from ..pooling.fours import largest_of_fours, spread_of_fours
from .conv2d import CONVOLUTION, blocks_of, gradients_of, image_size, input_of, pixel_sum, scratch_of, windows_size

ROUND = 16  # elements: regions of scratch begin at multiples of it


@jit(inline=True)
def pooled_line(row):
    """The number of elements of a line of the pool."""
    return row.columns // 2 * row.features


@jit(inline=True)
def behind(numbers):
    """Where scratch goes on behind so many elements: on a cache line."""
    return (numbers + ROUND - 1) // ROUND * ROUND


@jit(inline=True)
def kept_of(row, call):
    """The address of the positions, a byte each."""
    return address_of(view(call.arena, row.kept, 1))


def build_forward(dtype, keep):
    item, number, windows_of = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), to_windows(dtype)
    largest = largest_of_fours(dtype, keep)

    def pooled_forward(row, call, part, parts):
        size, line_size, pooled, height = image_size(row), row.columns * row.features, pooled_line(row), row.rows // 2
        weight, bias = address_of(view(call.parameters, row.weight, 1)), address_of(view(call.parameters, row.bias, 1))
        image, scratch = input_of(row, call, size), scratch_of(row, call, part)
        windows, out, kept = scratch, address_of(view(call.arena, row.a, 1)), kept_of(row, call)
        scratch += item * behind(row.window_band * line_size)
        begin, end = share(call.batch * height, part, parts, 1)
        while begin < end:
            sample, line = begin // height, begin % height
            lines = min(row.window_band // 2, height - line, end - begin)
            x = image + item * sample * size
            if row.pixel_windows != 0:
                call_at(row.pixel_windows, (row, windows, x, weight, bias, scratch, 2 * line, 2 * lines))
            else:
                windows_of(row, windows, x, weight, bias, scratch, 2 * line, 2 * lines)
            if row.activates_first != 0:
                call_at(row.activation, (number(windows), number(windows), 2 * lines * row.columns, row.features))
            a = out + item * begin * pooled
            for k in range(lines):
                largest((a + item * k * pooled, kept + (begin + k) * pooled, windows + item * 2 * k * line_size,
                         row.columns // 2, row.features, line_size))
            if row.activation != 0 and row.activates_first == 0:
                call_at(row.activation, (number(a), number(a), lines * (row.columns // 2), row.features))
            begin += lines

    return pooled_forward


def build_backward_input(dtype):
    item, image_of, by_overlapping = ITEM_BYTES[dtype], to_image(dtype), to_image_by_overlapping(dtype)
    spread = spread_of_fours(dtype)

    def pooled_backward_input(row, call, part, parts):
        pooled, height, line_size = pooled_line(row), row.rows // 2, row.columns * row.features
        begin, end = share(call.batch * row.height, part, parts, 1)
        dx, dz = address_of(view(call.arena, row.dx, 1)), address_of(view(call.arena, row.dz, 1))
        packed, kept = address_of(view(call.arena, row.packed, 1)), kept_of(row, call)
        windows, spread_to = scratch_of(row, call, part), -1
        scratch = windows + item * behind(windows_size(row))
        while begin < end:
            sample, line = begin // row.height, begin % row.height
            lines = min(row.image_band, row.height - line, end - begin)
            if sample != spread_to:
                for k in range(height):
                    first = (sample * height + k) * pooled
                    spread((windows + item * 2 * k * line_size, dz + item * first, kept + first, row.columns // 2,
                            row.features, line_size))
                spread_to = sample
            to = dx + item * sample * image_size(row)
            if row.overlapping != 0:
                by_overlapping(row, to, windows, packed, 0, scratch, line, lines)
            else:
                image_of(row, to, windows, packed, 0, scratch, line, lines)
            begin += lines

    return pooled_backward_input


def build_sparse_input(dtype):
    item, image_of = ITEM_BYTES[dtype], to_pooled_image(dtype)

    def pooled_sparse_input(row, call, part, parts):
        size, pooled = image_size(row), row.rows // 2 * pooled_line(row)
        begin, end = share(call.batch, part, parts, 1)
        dx, dz = address_of(view(call.arena, row.dx, 1)), address_of(view(call.arena, row.dz, 1))
        packed, kept = address_of(view(call.arena, row.packed, 1)), kept_of(row, call)
        for n in range(begin, end):
            image_of(row, dx + item * n * size, dz + item * n * pooled, kept + n * pooled, packed,
                     scratch_of(row, call, part))

    return pooled_sparse_input


def build_pack(dtype):
    lanes, pack = vector_lanes(dtype), packing_patches(dtype)

    def pack_patches(row, call, part, parts):
        """Pack the weight for `pooled_sparse_input`."""
        patch = row.patch_vectors * lanes if row.patch_vectors > 0 else lanes // 2
        begin, end = share(row.kernel_height, part, parts, 1)
        pack(row, address_of(view(call.arena, row.packed, 1)), address_of(view(call.parameters, row.weight, 1)), patch,
             begin, end)

    return pack_patches


def build_backward_weight(dtype):
    item, number, total, fill = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), pixel_sum(dtype), filling_patches(dtype)
    tile, lanes, most = pooled_sums(dtype), vector_lanes(dtype), most_sums()

    def pooled_backward_weight(row, call, part, parts):
        """The gradients of weight and bias of each block, as `weight_by_blocks` computes them; units are its features."""
        features, taps, wide = row.features, row.kernel_height, row.kernel_width * row.channels
        height, columns, pooled = row.rows // 2, row.columns // 2, pooled_line(row)
        vectors = row.patch_vectors
        patch = vectors * lanes if vectors > 0 else lanes // 2
        image, dz, kept = input_of(row, call, image_size(row)), address_of(view(call.arena, row.dz, 1)), kept_of(row, call)
        sums = scratch_of(row, call, part)
        patches, line_size = sums + item * features * taps * patch, row.columns * patch
        places = view(integers(stack_memory(32)), 0, 4)
        for k in range(4):
            places[k] = k // 2 * row.stride_y * line_size + k % 2 * patch
        blocks = blocks_of(call.batch, row.most_blocks)
        unit, end = share(blocks * features, part, parts, 1)
        while unit < end:  # features of a block, or all of them
            block, first = unit // features, unit % features
            count = min(end - unit, features - first)
            unit += count
            top, bottom = share(call.batch, block, blocks, 1)
            to, dbias, add = gradients_of(row, call, block, blocks)
            if first == 0:
                total(dbias, offset(call.arena, row.dz + top * height * pooled), (bottom - top) * height * columns, add)
            view(number(sums), 0, count * taps * patch)[:] = 0
            for n in range(top, bottom):
                for line in range(0, height, row.patch_band):
                    lines = min(row.patch_band, height - line)
                    fill(row, patches, patch, row.columns, image + item * n * image_size(row), 2 * line, 2 * lines)
                    given = (n * height + line) * pooled + first
                    i = 0
                    while i < taps:
                        rows = split_evenly(taps - i, shares(taps - i, min(MOST_ROWS, most // max(1, vectors))))
                        together = max(1, min(MOST_FEATURES, most // (rows * max(1, vectors))))
                        f = 0
                        while f < count:
                            several = split_evenly(count - f, shares(count - f, together))
                            tile((rows + SEVERAL * (several - 1), vectors, 0, sums + item * (f * taps + i) * patch,
                                  taps * patch, patches + item * i * row.dilation_y * line_size, row.dilation_y * line_size,
                                  2 * patch, 2 * row.stride_y * line_size, kept + given + f, dz + item * (given + f),
                                  features, address_of(places), lines, columns))
                            f += several
                        i += rows
            for i in range(taps):
                if not add:
                    call_transpose(number(sums), (address_of(to) + item * (i * wide * features + first), features,
                                                  sums + item * i * patch, taps * patch, count, wide))
                    continue
                for k in range(wide):
                    for f in range(count):
                        to[(i * wide + k) * features + first + f] += view(number(sums), (f * taps + i) * patch + k, 1)[0]

    return pooled_backward_weight


pooled_forward = Kernel("pooled_forward", partial(build_forward, keep=False), CONVOLUTION.arguments)
pooled_forward_keeping = Kernel("pooled_forward_keeping", partial(build_forward, keep=True), CONVOLUTION.arguments)
pooled_backward_input = Kernel("pooled_backward_input", build_backward_input, CONVOLUTION.arguments)
pooled_sparse_input = Kernel("pooled_sparse_input", build_sparse_input, CONVOLUTION.arguments)
pack_patches = Kernel("pack_patches", build_pack, CONVOLUTION.arguments, needs=[transpose_kernel])
pooled_backward_weight = Kernel("pooled_backward_weight", build_backward_weight, CONVOLUTION.arguments,
                                needs=[transpose_kernel])
