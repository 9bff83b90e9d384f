"""Lines of the windows, or of one phase of the image, as products over segments; and lines copied with zeros around them."""

from ...compiling.jit import REAL, call_at, jit, typed_pointer, view
from ...compiling.record import Record, on_stack
from ...processor.target import ITEM_BYTES
from .taps import FEW_PIXELS, steps_inside

# Line l at `to` is start + Σ over the taps i of source[first + l line_step + i tap_step] weights[i]. The source has `size`
# rows; taps outside are skipped. to, source, weights, start: addresses; a start of 0 means zeros. `_row` and `_group`: the
# distance, in numbers, between rows and between groups.
LINES = Record(
    "lines", "to", "lines", "source", "source_row", "source_group", "weights", "weight_row", "weight_group", "start",
    "taps", "first", "line_step", "tap_step", "size",
)
new_lines = on_stack(LINES)


def image_box(dtype):
    """The compiled function that returns some columns of an image, with zeros outside the image."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def box(image, top, bottom, left, right, height, width, channels, scratch):
        """Return (address of row 0, column 0; distance between rows in numbers) for columns left … right − 1 of an image.

        If the image has all these columns, that is its own address. Otherwise its rows among top … bottom − 1 are copied to
        scratch, with zeros; only these rows and columns may then be read.
        """
        if left >= 0 and right <= width:
            return image, width * channels
        pitch = (right - left) * channels
        first, last = min(max(left, 0), right), max(min(right, width), left)  # the columns that the image has
        begin, end, top = (first - left) * channels, (last - left) * channels, max(top, 0)
        for y in range(top, min(bottom, height)):
            copied = view(number(scratch), (y - top) * pitch, pitch)
            source = view(number(image), (y * width + first) * channels, end - begin)
            copied[:begin] = 0
            for i in range(end - begin):
                copied[begin + i] = source[i]
            copied[end:] = 0
        return scratch - item * (top * pitch + left * channels), pitch

    return box


def by_lines(dtype):
    """The compiled function that computes lines of the windows, or of one phase of the image."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def fill(to, line, pixel, lines, pixels, channels, start):
        """Set pixels to `start`, or to zero; line, pixel: the distances between lines and pixels."""
        for y in range(lines):
            for x in range(pixels):
                taken = view(number(to), y * line + x * pixel, channels)
                if start == 0:
                    taken[:] = 0
                else:
                    given = view(number(start), 0, channels)
                    for i in range(channels):
                        taken[i] = given[i]

    @jit
    def compute(row, p, these):
        """Compute lines. these: a record of LINES. p: the product of one line and one tap, which is changed."""
        to, source, weights, start, lines = these.to, these.source, these.weights, these.start, these.lines
        taps, first, line_step, tap_step, size = these.taps, these.first, these.line_step, these.tap_step, these.size
        pixels, a_line, a_pixel, c_line, c_pixel = p.rows, p.a_line, p.a_row, p.c_line, p.c_row
        begun, _ = steps_inside(first, line_step, lines, size)
        _, ended = steps_inside(first + (taps - 1) * tap_step, line_step, lines, size)
        inner, line = p.inner, 0 if pixels > 0 else lines  # a phase may have no pixel
        while line < lines:
            own = first + line * line_step
            begin, end = steps_inside(own, tap_step, taps, size)
            # lines begun … ended − 1 have all taps
            count = min(ended, lines) - line if begun <= line < ended else 1
            p.lines, p.a_line, p.c_line, p.rows, p.a_row, p.c_row = count, a_line, c_line, pixels, a_pixel, c_pixel
            if pixels < min(count, FEW_PIXELS):  # the rows of a tile are lines
                p.lines, p.a_line, p.c_line, p.rows, p.a_row, p.c_row = pixels, a_pixel, c_pixel, count, a_line, c_line
            p.segments = (end - begin) * inner
            for group in range(row.groups):
                p.a = source + item * ((own + begin * tap_step) * these.source_row + group * these.source_group)
                p.b = weights + item * (begin * these.weight_row + group * these.weight_group)
                p.c = to + item * (line * c_line + group * p.columns)
                p.start = start + item * group * p.columns if start != 0 else 0
                if end > begin:
                    call_at(row.product, (p,))
                else:
                    fill(p.c, p.c_line, p.c_row, p.lines, p.rows, p.columns, p.start)
            line += count

    return compute
