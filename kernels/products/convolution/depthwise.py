"""Lines of a depthwise convolution: each channel is convolved with a kernel of its own.

    to[r, x] = start + Σᵢ Σⱼ source[first_y + r step_y + i tap_y, first_x + x step_x + j tap_x] weight[i, j]

over the taps inside the source. These are windows from an image, or one phase of an image from its windows. Kernels of few
taps keep all weights in registers, see `depthwise_tile`; others are products of the elementwise tile over segments.
"""

from functools import partial

from ...compiling.jit import ANY, REAL, Kernel, jit, typed_pointer, view
from ...compiling.record import Record, on_stack
from ...processor.target import ITEM_BYTES, halves_are_faster, vector_lanes
from ..tile import HALF
from .depthwise_tile import ACROSS, FILLED, MOST, across_for, depthwise_tile, filled_by
from .segments import call_elementwise, elementwise_product_kernel, new_segments
from .taps import FEW_PIXELS, steps_inside

# A band of the source and of the result of some vectors of channels stays in the first-level cache.
BAND_BYTES = 1 << 14
# Addresses, and distances in numbers. The source has height rows of width pixels, without gaps. Taps of the weight may be at
# any distance, also back: from the last tap to the first.
DEPTHWISE = Record(
    "depthwise", "to", "to_line", "to_pixel", "lines", "pixels", "source", "height", "width", "channels", "start",
    "weight", "weight_down", "weight_across", "down", "across",
    "first_y", "step_y", "tap_y", "first_x", "step_x", "tap_x",
)
new_depthwise = on_stack(DEPTHWISE)


def by_few_taps(dtype, across, filled):
    """The compiled function for kernels of few taps. across, filled: see `depthwise_tile`."""
    item, lanes, halves, tile = ITEM_BYTES[dtype], vector_lanes(dtype), halves_are_faster(), depthwise_tile(
        dtype, across, filled)

    @jit
    def compute(d, p, line, lines, down, source, weight, begin, end):
        """Compute lines that all have `down` rows of taps. begin … end − 1: the pixels with all taps of a row."""
        channels, source_line = d.channels, d.width * d.channels
        band = max(1, BAND_BYTES // (item * (source_line * d.step_y + d.pixels * channels)))
        vectors, j = channels // lanes, 0
        while j < channels:
            filled = min(channels - j, lanes)
            half = halves and filled <= lanes // 2
            tile(((down - 1) * MOST + d.across, HALF if half else 1, 1 if filled < lanes else 0,
                  d.to + item * (line * d.to_line + j), source + item * j, weight + item * j,
                  d.start + item * j if d.start != 0 else 0, max(vectors, 1), lines, band, d.pixels, begin, end, d.to_line,
                  d.to_pixel, d.step_y * source_line, d.step_x * channels, d.tap_y * source_line, d.tap_x * channels,
                  d.weight_down, d.weight_across, d.first_x, d.step_x, d.tap_x, d.width, filled))
            j += max(vectors, 1) * lanes
            vectors = 0

    return compute


def by_segments(dtype):
    """The compiled function for kernels of any size: pixels of the same taps are a product, of a segment a row of taps."""
    item, number, fill = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), filling(dtype)

    @jit
    def compute(d, p, line, lines, down, source, weight, begin, end):
        last, source_line = 0, d.width * d.channels
        p.columns, p.inner, p.segments, p.b_row, p.b_jump = d.channels, 1, down, d.weight_across, d.weight_down
        p.a_column, p.a_jump = d.tap_x * d.channels, d.tap_y * source_line
        while last < d.pixels:
            first, last = last, end if begin <= last < end else last + 1
            j, past = steps_inside(d.first_x + first * d.step_x, d.tap_x, d.across, d.width)
            pixels, p.k = last - first, past - j
            if p.k == 0:
                fill(d, line, lines, first, last)
                continue
            p.lines, p.a_line, p.c_line = lines, d.step_y * source_line, d.to_line
            p.rows, p.a_row, p.c_row = pixels, d.step_x * d.channels, d.to_pixel
            if pixels < min(lines, FEW_PIXELS):  # the rows of a tile are lines
                p.lines, p.a_line, p.c_line, p.rows, p.a_row, p.c_row = p.rows, p.a_row, p.c_row, p.lines, p.a_line, p.c_line
            p.c = d.to + item * (line * d.to_line + first * d.to_pixel)
            p.a = source + item * (first * d.step_x + j * d.tap_x) * d.channels
            p.b, p.start = weight + item * j * d.weight_across, d.start
            call_elementwise(number(d.to), (p,))

    return compute


def filling(dtype):
    number = typed_pointer(REAL[dtype])

    @jit
    def fill(d, line, lines, first, last):
        """Set pixels first … last − 1 of lines that no tap reaches to `start`, or to zeros."""
        for y in range(line, line + lines):
            for x in range(first, last):
                taken = view(number(d.to), y * d.to_line + x * d.to_pixel, d.channels)
                taken[:] = 0
                if d.start != 0:
                    given = view(number(d.start), 0, d.channels)
                    for i in range(d.channels):
                        taken[i] = given[i]

    return fill


def build(dtype, way):
    item, compute, fill = ITEM_BYTES[dtype], way(dtype), filling(dtype)

    def depthwise(d):
        # lines begun … ended − 1 have all rows of taps, pixels begin … end − 1 all columns
        begun, ended = all_inside(d.first_y, d.step_y, d.tap_y, d.down, d.lines, d.height)
        begin, end = all_inside(d.first_x, d.step_x, d.tap_x, d.across, d.pixels, d.width)
        p, line = new_segments(), 0
        while line < d.lines:
            lines = ended - line if begun <= line < ended else 1
            own = d.first_y + line * d.step_y
            i, past = steps_inside(own, d.tap_y, d.down, d.height)
            source = d.source + item * ((own + i * d.tap_y) * d.width + d.first_x) * d.channels
            if past == i or d.across == 0:
                fill(d, line, lines, 0, d.pixels)
            else:
                compute(d, p, line, lines, past - i, source, d.weight + item * i * d.weight_down, begin, end)
            line += lines

    return depthwise


@jit(inline=True)
def all_inside(first, step, tap, taps, count, size):
    """Return (begin, end), the range of the i < count for which all taps, first + i step + j tap, are inside."""
    begin, end = steps_inside(first, step, count, max(0, size - (taps - 1) * tap))
    begin = min(begin, count)
    return begin, max(begin, min(end, count))


def argument(dtype):
    return (DEPTHWISE.type(ANY),)


depthwise_by_segments = Kernel("depthwise_by_segments", partial(build, way=by_segments), argument,
                               needs=[elementwise_product_kernel])
depthwise_by_few_taps = {
    (across, filled): Kernel(f"depthwise_{across[0]}_{across[1]}_{'_'.join(filled)}", partial(
        build, way=partial(by_few_taps, across=across, filled=filled)), argument)
    for across in ACROSS for filled in FILLED}


def depthwise_kernel(dtype, down, across, channels):
    """The kernel for `down` rows of taps, with these numbers of taps in a row."""
    if down > MOST or across_for(across) is None:
        return depthwise_by_segments
    return depthwise_by_few_taps[across_for(across), filled_by(channels, dtype)]
