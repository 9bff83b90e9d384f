"""The image of a convolution from its windows where the image has few channels: rows of whole windows, which overlap.

    image[y, x] = start + Σ_c sums[y, c, j]        over all windows c and taps j of a row with c s + j − left = x
    sums[y, c, j] = Σ windows[r, c] weightᵀ[i, j]    over all r, i with r s + i d − top = y

With few channels, a vector along the channels of a pixel uses few of its lanes. The taps of a row of the kernel lie side by
side in the image, so a product with all of them, kernel_width · channels columns, fills whole vectors; and windows outside
do not count, so no zeros are multiplied. The gradient to the input of LeNet-5's second layer, with 6 channels, takes half of
the time. `to_image` has the other way, which is faster with many channels.

Every element is start + chains, of the windows across from left to right. A chain goes over the kernel's rows and then the
features.
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...compiling.jit import REAL, call_at, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES, vector_lanes
from ...processor.vector import VectorEmitter, i64
from ..transpose import call_transpose
from .segments import new_segments
from .taps import taps_of_phase


def row_pitch(dtype, numbers):
    """The distance between the sums of two windows, with zeros between them: those of a vector at least."""
    lanes = vector_lanes(dtype)
    return (numbers + lanes - 1) // lanes * lanes + lanes


def scratch_numbers(dtype, windows, taps, channels):
    """The size of the scratch memory of `to_image_by_overlapping`, for so many windows across and taps of a row."""
    lanes = vector_lanes(dtype)
    return channels + 2 * lanes + windows * row_pitch(dtype, taps * channels)


def sum_of_vectors(dtype):
    """The intrinsic total((out, count, start, x, distance, vectors)): out = start + x₀ + x₁ + …, the first `count` lanes."""

    @intrinsic
    def total(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            out, count, start, x, distance, vectors = cgutils.unpack_tuple(builder, args[0])
            out, start, x = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (out, start, x))
            first = emitter.load(builder, start, None)
            before, loop, done = builder.block, *map(builder.append_basic_block, ("add", "added"))
            builder.cbranch(builder.icmp_signed(">", vectors, i64(0)), loop, done)
            builder.position_at_end(loop)
            step, so_far, place = builder.phi(i64), builder.phi(emitter.vector), builder.phi(x.type)
            grown, following = builder.fadd(so_far, emitter.load(builder, place, None)), builder.add(step, i64(1))
            for phi, begun, value in ((step, i64(0), following), (so_far, first, grown),
                                      (place, x, builder.gep(place, [distance]))):
                phi.add_incoming(begun, before)
                phi.add_incoming(value, loop)
            builder.cbranch(builder.icmp_signed("<", following, vectors), loop, done)
            builder.position_at_end(done)
            result = builder.phi(emitter.vector)
            result.add_incoming(first, before)
            result.add_incoming(grown, loop)
            whole = builder.icmp_signed(">=", count, i64(emitter.lanes))
            with builder.if_else(whole) as (then, otherwise):
                with then:
                    emitter.store(builder, result, out, None)
                with otherwise:
                    emitter.store(builder, result, out, emitter.lane_mask(builder, count))
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 6)), codegen

    return total


def to_image_by_overlapping(dtype):
    """The compiled function that computes an image from its windows; the groups and the dilation across are 1."""
    item, number, lanes, total = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), vector_lanes(dtype), sum_of_vectors(dtype)

    @jit
    def image_of(row, image, windows, packed, start, scratch, line, lines):
        """Compute `lines` rows of the image of one sample, from row `line` on.

        packed: the weight from `pack_rows`. start: the address of the bias, or 0. scratch: of `scratch_numbers`.
        """
        channels, features, columns, stride_y = row.channels, row.features, row.columns, row.stride_y
        size, step, before = row.width * channels, row.stride_x * channels, row.left * channels
        wide = row.kernel_width * channels
        pitch = (wide + lanes - 1) // lanes * lanes + lanes
        begun, sums = view(number(scratch), 0, channels + lanes), scratch + item * (channels + 2 * lanes)
        view(number(scratch), 0, channels + 2 * lanes + columns * pitch)[:] = 0
        if start != 0:
            bias = view(number(start), 0, channels)
            for i in range(channels + lanes):
                begun[i] = bias[i % channels]
        p = new_segments()
        p.lines, p.rows, p.columns, p.c, p.c_row, p.start = 1, columns, wide, sums, pitch, 0
        p.k, p.a_row, p.a_column, p.b_row, p.inner = features, features, 1, wide, 1
        for phase in range(stride_y):
            first_i, count, step_i, row_step = taps_of_phase(phase, row.kernel_height, stride_y, row.dilation_y)
            p.b_jump, p.a_jump = step_i * features * wide, -row_step * columns * features
            for y in range(line + (phase - line - row.top) % stride_y, line + lines, stride_y):
                # tap n of the phase reads row r − n row_step of the windows
                r = (y + row.top - first_i * row.dilation_y) // stride_y
                n = 0 if r < row.rows else (r - row.rows) // row_step + 1
                taps, low, high = (min(count, r // row_step + 1) if r >= 0 else 0) - n, 0, 0
                if taps > 0:
                    p.segments, p.a = taps, windows + item * (r - n * row_step) * columns * features
                    p.b = packed + item * (first_i + n * step_i) * features * wide
                    call_at(row.product, (p,))
                for x in range(0, size, lanes):
                    # windows low … high − 1 reach these numbers of the line
                    while high < columns and high * step - before < x + lanes:
                        high += 1
                    while low < high and low * step - before + wide <= x:
                        low += 1
                    total((image + item * (y * size + x), size - x, scratch + item * (x % channels),
                           sums + item * (low * pitch + x + before - low * step), pitch - step,
                           high - low if taps > 0 else 0))

    return image_of


def packing_rows(dtype):
    """The compiled function that packs the weight for `to_image_by_overlapping`."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def pack_rows(row, packed, weight, begin, end):
        """Write rows begin … end − 1 of packed (kernel_height, features, kernel_width · channels)."""
        wide = row.kernel_width * row.channels
        for i in range(begin, end):
            place = item * i * row.features * wide
            call_transpose(number(packed), (packed + place, wide, weight + place, row.features, wide, row.features))

    return pack_rows
