"""Patches: for each window of some lines, a row of the kernel as one aligned run of numbers, behind the one before.

    patches[y, c] = image[top + y, c s − left + j d, k]    over the taps j and channels k, then zeros up to a whole vector

A kernel row of a window is then one address, whatever the stride, the dilation and the padding across, and a load of it
stays within a cache line. The numbers are copied as often as windows overlap, from the first-level cache into it.
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...compiling.jit import REAL, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES, halves_are_faster, vector_lanes
from ...processor.vector import VectorEmitter, i64
from .taps import steps_inside, tap_span


def patch_vectors(dtype, numbers):
    """The vectors that a run of so many numbers fills; 0 for half a vector."""
    lanes = vector_lanes(dtype)
    return 0 if halves_are_faster() and numbers <= lanes // 2 else -(-numbers // lanes)


def patch_size(dtype, numbers):
    """The number of elements of a patch: `patch_vectors` of them."""
    lanes = vector_lanes(dtype)
    return patch_vectors(dtype, numbers) * lanes or lanes // 2


@jit(inline=True)
def patch_lines(row, lines):
    """The number of lines of patches that some lines of the windows read."""
    return (lines - 1) * row.stride_y + tap_span(row.kernel_height, row.dilation_y)


def copy_runs(dtype):
    """The intrinsic copy((to, to_step, source, step, numbers, count)): runs of numbers, zeros behind them up to to_step.

    to, source: addresses. to_step, step: the distances between runs.
    """

    @intrinsic
    def copy(typingctx, arguments):
        def codegen(context, builder, signature, args):
            whole = VectorEmitter(builder.module, dtype)
            half = VectorEmitter(builder.module, dtype, 2) if halves_are_faster() else None
            to, to_step, source, step, numbers, count = cgutils.unpack_tuple(builder, args[0])
            to, source = (builder.inttoptr(place, whole.scalar.as_pointer()) for place in (to, source))

            def with_emitter(emitter):
                vectors = builder.sdiv(builder.add(to_step, i64(emitter.lanes - 1)), i64(emitter.lanes))
                rest = builder.mul(builder.sub(vectors, i64(1)), i64(emitter.lanes))
                mask = emitter.lane_mask(builder, builder.sub(numbers, rest))
                with cgutils.for_range(builder, count) as run:
                    given = builder.gep(source, [builder.mul(run.index, step)])
                    copied = builder.gep(to, [builder.mul(run.index, to_step)])
                    with cgutils.for_range(builder, builder.sub(vectors, i64(1))) as vector:
                        at = builder.mul(vector.index, i64(emitter.lanes))
                        emitter.store(builder, emitter.load(builder, builder.gep(given, [at]), None),
                                      builder.gep(copied, [at]), None)
                    last = emitter.load(builder, builder.gep(given, [rest]), mask)
                    emitter.store(builder, last, builder.gep(copied, [rest]), None)

            if half is None:
                with_emitter(whole)
            else:
                with builder.if_else(builder.icmp_signed("<=", to_step, i64(half.lanes))) as branches:
                    for emitter, branch in zip((half, whole), branches, strict=True):
                        with branch:
                            with_emitter(emitter)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 6)), codegen

    return copy


def filling_patches(dtype):
    """The compiled function that writes the patches of some lines of the windows of a sample."""
    item, number, copy = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), copy_runs(dtype)

    @jit
    def by_number(to, source, begin, end, row, size):
        """Write patches begin … end − 1 of a line, number by number. source: the address of the line of the image."""
        channels, width = row.channels, row.width
        for c in range(begin, end):
            patch = view(number(to), c * size, size)
            patch[:] = 0
            left = c * row.stride_x - row.left
            for j in range(row.kernel_width):
                x = left + j * row.dilation_x
                if 0 <= x < width:
                    pixel = view(number(source), x * channels, channels)
                    for k in range(channels):
                        patch[j * channels + k] = pixel[k]

    @jit
    def fill(row, patches, size, columns, image, line, lines):
        """Write patches (patch_lines, columns, size) for `lines` lines of the windows from `line` on."""
        channels, width = row.channels, row.width
        begin, end = steps_inside(-row.left, row.stride_x, columns, width - tap_span(row.kernel_width, row.dilation_x) + 1)
        if row.dilation_x > 1:
            begin = end = 0
        begin, end = min(begin, columns), min(end, columns)
        top = line * row.stride_y - row.top
        for y in range(top, top + patch_lines(row, lines)):
            to, source = patches + item * (y - top) * columns * size, image + item * y * width * channels
            if y < 0 or y >= row.height:
                view(number(to), 0, columns * size)[:] = 0
                continue
            copy((to + item * begin * size, size, source + item * (begin * row.stride_x - row.left) * channels,
                  row.stride_x * channels, row.kernel_width * channels, end - begin))
            by_number(to, source, 0, begin, row, size)
            by_number(to, source, end, columns, row, size)

    return fill
