"""The gradient of a depthwise weight: weight[i, j] = Σ image[r s + i d − top, c s + j d − left] windows[r, c].

Kernels of few taps keep the sums of all taps in registers, see `depthwise_weight_tile`. Others are products of the
elementwise tile, whose rows are the taps of a row of the kernel; so are three taps, which wait for their sums otherwise.
"""

from ...compiling.jit import REAL, jit, typed_pointer
from ...processor.target import ITEM_BYTES, halves_are_faster, vector_lanes
from ..tile import HALF
from .depthwise import BAND_BYTES, all_inside
from .depthwise_tile import MOST
from .depthwise_weight_tile import depthwise_weight_tile
from .segments import call_elementwise, new_segments
from .taps import FEW_PIXELS, steps_inside


def weight_by_few_taps(dtype, across, filled):
    """The compiled function that adds to the gradients of weight and bias, for some channels of one sample.

    weight, bias, image, windows: the addresses of the first of these channels. across, filled: see `depthwise_tile`.
    """
    item, lanes, halves = ITEM_BYTES[dtype], vector_lanes(dtype), halves_are_faster()
    tile = depthwise_weight_tile(dtype, across, filled)

    @jit
    def add(row, weight, bias, image, windows, samples, channels):
        stride = row.channels
        begun, ended = all_inside(-row.top, row.stride_y, row.dilation_y, row.kernel_height, row.rows, row.height)
        begin, end = all_inside(-row.left, row.stride_x, row.dilation_x, row.kernel_width, row.columns, row.width)
        in_line, out_line = row.width * stride, row.columns * stride
        band, whole = max(1, BAND_BYTES // (item * (in_line * row.stride_y + out_line))), channels // lanes
        line = 0
        while line < row.rows:
            lines = ended - line if begun <= line < ended else 1
            y = line * row.stride_y - row.top
            i, past = steps_inside(y, row.dilation_y, row.kernel_height, row.height)
            # a line that no row of taps reaches gives to the bias: all of its columns are outside an image of width 0
            width, left, right = (0, row.columns, row.columns) if past == i else (row.width, begin, end)
            place = ((y + i * row.dilation_y) * row.width - row.left) * stride
            vectors, channel = whole, 0
            while channel < channels:
                filled = min(channels - channel, lanes)
                half = halves and filled <= lanes // 2
                tile(((max(past - i, 1) - 1) * MOST + row.kernel_width, HALF if half else 1, 1 if filled < lanes else 0,
                      weight + item * (i * row.kernel_width * stride + channel) if past > i else weight + item * channel,
                      bias + item * channel, image + item * (place + channel), windows + item * (line * out_line + channel),
                      max(vectors, 1), lines, band, row.columns, left, right, out_line, stride, row.stride_y * in_line,
                      row.stride_x * stride, row.dilation_y * in_line, row.dilation_x * stride,
                      row.kernel_width * stride, stride, -row.left, row.stride_x, row.dilation_x, width, filled))
                channel += max(vectors, 1) * lanes
                vectors = 0
            line += lines

    return add


def weight_by_segments(dtype):
    """As `weight_by_few_taps`, for kernels of any size, and for some samples. The bias is not summed."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def add(row, weight, bias, image, windows, samples, channels):
        stride, in_line, out_line = row.channels, row.width * row.channels, row.columns * row.channels
        begin, end = all_inside(-row.left, row.stride_x, row.dilation_x, row.kernel_width, row.columns, row.width)
        p = new_segments()
        p.lines, p.columns, p.c_row, p.start_row, p.a_row = 1, channels, stride, stride, row.dilation_x * stride
        for i in range(row.kernel_height):
            own = i * row.dilation_y - row.top
            begun, ended = steps_inside(own, row.stride_y, row.rows, row.height)
            count, last = ended - begun, 0 if ended > begun else row.columns
            while last < row.columns:
                first, last = last, end if begin <= last < end else last + 1
                left, pixels = first * row.stride_x - row.left, last - first
                j, past = steps_inside(left, row.dilation_x, row.kernel_width, row.width)
                if past == j:
                    continue
                p.rows, p.k, p.a_column, p.b_row = past - j, pixels, row.stride_x * stride, stride
                p.inner, p.a_step, p.b_step = count, row.stride_y * in_line, out_line
                if pixels < min(count, FEW_PIXELS):  # a segment goes over lines
                    p.k, p.a_column, p.b_row, p.inner, p.a_step, p.b_step = (
                        p.inner, p.a_step, p.b_step, p.k, p.a_column, p.b_row)
                p.segments = p.inner * samples
                p.a_jump = row.height * in_line - (p.inner - 1) * p.a_step
                p.b_jump = row.rows * out_line - (p.inner - 1) * p.b_step
                p.a = image + item * ((own + begun * row.stride_y) * in_line + (left + j * row.dilation_x) * stride)
                p.b, p.c = windows + item * (begun * out_line + first * stride), (
                    weight + item * (i * row.kernel_width + j) * stride)
                p.start = p.c
                call_elementwise(number(weight), (p,))

    return add


