"""Planes: an image with the pixels of each channel side by side, so that vectors hold pixels; and the way back to sums.

A plane holds one channel of every stride_x-th column, with zeros around the image. So the numbers that tap (i, j) reads of
channel k, for all windows of a line, are adjacent, whatever the stride, the dilation and the padding.
"""

from llvmlite import ir
from numba.core import cgutils

from ...compiling.jit import REAL, integers, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES, vector_lanes
from ...processor.vector import VectorEmitter, i64
from ..tile import TileEmitter, tile_intrinsic
from ..transpose import call_transpose
from .interleave import separated
from .taps import steps_inside, tap_span

MOST_STREAMS = 8  # up to this many, a line is separated by its own order of shuffles; more are a transposition


@jit(inline=True)
def plane_pitch(row):
    """The distance between the lines of a plane: the windows of a line, and what the last of them reads beyond."""
    return row.columns + (row.kernel_width - 1) * row.dilation_x // row.stride_x


@jit(inline=True)
def plane_lines(row, lines):
    """The number of lines of a plane that some lines of the windows read."""
    return (lines - 1) * row.stride_y + tap_span(row.kernel_height, row.dilation_y)


def planes_size(dtype, rows, lines, columns, channels):
    """The number of elements of the planes for some lines of windows, with the zeros behind. rows, columns: `Windows`."""
    reach = (columns.kernel - 1) * columns.dilation // columns.stride
    height = (lines - 1) * rows.stride + rows.span
    return columns.stride * channels * height * (columns.out + reach) + reach + 2 * vector_lanes(dtype)


class SeparatingEmitter(TileEmitter):
    """Emits what separates a line a₀ b₀ … a₁ b₁ … Where a tile has a number of rows, this has a number of streams."""

    family = "separate"

    def __init__(self, module, dtype, fraction=1):
        VectorEmitter.__init__(self, module, dtype, fraction)
        # arguments: the first stream, the distance to the next one, the line, the length of a stream
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [pointer, i64, pointer, i64])

    def emit(self, function, streams, vectors, masked, padded):
        out, distance, line, length = function.args
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        whole = builder.lshr(length, i64(self.lanes.bit_length() - 1))

        def at_vector(number, left):
            begin = builder.mul(number, i64(self.lanes))
            source = builder.gep(line, [builder.mul(begin, i64(streams))])
            counts = [None if left is None else builder.sub(builder.mul(left, i64(streams)), i64(i * self.lanes))
                      for i in range(streams)]
            given = [self.load(builder, builder.gep(source, [i64(i * self.lanes)]),
                               None if count is None else self.lane_mask(builder, count)) for i, count in enumerate(counts)]
            mask = None if left is None else self.lane_mask(builder, left)
            for stream, vector in enumerate(separated(self, builder, given)):
                to = builder.gep(out, [builder.add(builder.mul(distance, i64(stream)), begin)])
                self.store(builder, vector, to, mask)

        with cgutils.for_range(builder, whole) as loop:
            at_vector(loop.index, None)
        rest = builder.sub(length, builder.mul(whole, i64(self.lanes)))
        with builder.if_then(builder.icmp_signed(">", rest, i64(0))):
            at_vector(whole, rest)
        builder.ret_void()


def filling_planes(dtype):
    """The function to compile that copies what some lines of the windows read of an image into planes."""
    item, number, lanes = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), vector_lanes(dtype)
    most = min(MOST_STREAMS, lanes)
    separate = tile_intrinsic(dtype, SeparatingEmitter, [(streams, 1, False) for streams in range(2, most + 1)])

    @jit
    def sides(copied, source, begin, end, first, channel, row):
        """Copy numbers begin … end − 1 of a line of a plane; first: the column of number 0, those outside are zeros."""
        for i in range(begin, end):
            x = first + i * row.stride_x
            inside = 0 <= x < row.width
            copied[i] = view(number(source), (x + row.left) * row.channels + channel, 1)[0] if inside else 0

    def fill(row, planes, image, line, lines):
        """Write planes (stride_x · channels, plane_lines, plane_pitch), and zeros behind them."""
        channels, width, stride, left = row.channels, row.width, row.stride_x, row.left
        wide, pitch, height = channels * stride, plane_pitch(row), plane_lines(row, lines)
        plane, top = height * pitch, line * row.stride_y - row.top
        # columns begin … end − 1 of every plane are in the image
        begin, _ = steps_inside(-left, stride, pitch, width)
        _, end = steps_inside(stride - 1 - left, stride, pitch, width)
        end = max(begin, end)
        if wide == 1 and left == 0 and pitch == width:  # whole lines of the image, one after the other
            first = max(top, 0)
            past = max(first, min(top + height, row.height))
            view(number(planes), 0, (first - top) * pitch)[:] = 0
            given, copied = view(number(image), first * pitch, (past - first) * pitch), view(
                number(planes), (first - top) * pitch, (past - first) * pitch)
            for i in range(len(copied)):
                copied[i] = given[i]
            view(number(planes), (past - top) * pitch, (height + top - past) * pitch)[:] = 0
            height = 0
        for number_of in range(height):
            y, to = top + number_of, planes + item * number_of * pitch
            if y < 0 or y >= row.height:
                for k in range(wide):
                    view(number(to), k * plane, pitch)[:] = 0
                continue
            source = image + item * (y * width - left) * channels  # that of number 0, to the left of the image
            if wide == 1:
                given, copied = view(number(source), begin, end - begin), view(number(to), begin, end - begin)
                for i in range(end - begin):
                    copied[i] = given[i]
            elif wide <= most:
                separate((wide, 1, 0, to + item * begin, plane, source + item * begin * wide, end - begin))
            elif end > begin:
                call_transpose(number(to), (to + item * begin, plane, source + item * begin * wide, wide, end - begin, wide))
            for k in range(wide):
                first = k // channels - left  # the column of the image of the first number
                sides(view(number(to), k * plane, pitch), source, 0, begin, first, k % channels, row)
                sides(view(number(to), k * plane, pitch), source, end, pitch, first, k % channels, row)
        view(number(planes), wide * plane, pitch - row.columns + 2 * lanes)[:] = 0

    return fill


@jit(inline=True)
def fill_offsets(row, offsets, plane):
    """Write the offset in the planes, of `plane` numbers each, of what a window reads: kernel rows, columns, channels."""
    pitch, place = plane_pitch(row), view(integers(offsets), 0, row.kernel_height * row.kernel_width * row.channels)
    for j in range(row.kernel_width):
        shift, phase = j * row.dilation_x // row.stride_x, j * row.dilation_x % row.stride_x
        for i in range(row.kernel_height):
            for k in range(row.channels):
                place[(i * row.kernel_width + j) * row.channels + k] = (
                    (phase * row.channels + k) * plane + i * row.dilation_y * pitch + shift)
