"""Windows from an image: windows[r, c] = start + Σ image[r s + i d − top, c s + j d − left] weight[i, j] over the taps."""

from ...compiling.jit import jit
from ...processor.target import ITEM_BYTES
from .lines import by_lines, image_box, new_lines
from .segments import new_segments
from .taps import range_end, steps_inside, tap_span, whole_range


def to_windows(dtype):
    """The compiled function that computes the windows from an image."""
    item, box, compute = ITEM_BYTES[dtype], image_box(dtype), by_lines(dtype)

    @jit
    def windows_of(row, windows, image, weight, start, scratch, line, lines):
        """Compute `lines` rows of the windows of one sample, from row `line` on. start: the address of the bias, or 0."""
        channels, features, groups, kernel_width = row.channels, row.features, row.groups, row.kernel_width
        span, top = tap_span(kernel_width, row.dilation_x), line * row.stride_y - row.top
        bottom = top + (lines - 1) * row.stride_y + tap_span(row.kernel_height, row.dilation_y)
        begin, end = steps_inside(-row.left, row.stride_x, row.columns, row.width - span + 1)
        begin, end = whole_range(begin, end, row.columns, row.elementwise)
        these = new_lines()
        these.lines, these.start = lines, start
        these.source_group, these.weight_group = channels // groups, features // groups
        these.first, these.line_step, these.tap_step, these.size = top, row.stride_y, row.dilation_y, row.height
        last = 0
        while last < row.columns:
            first, last = last, range_end(last, begin, end, row.columns, row.elementwise)
            left, right = first * row.stride_x - row.left, (last - 1) * row.stride_x - row.left + span
            j, taps, source, pitch = 0, kernel_width, image, row.width * channels
            if row.elementwise != 0:
                j, taps = steps_inside(left, row.dilation_x, kernel_width, row.width)
                taps -= j
            else:
                source, pitch = box(image, top, bottom, left, right, row.height, row.width, channels, scratch)
            p = new_segments()
            p.rows, p.columns, p.c_line, p.c_row = last - first, features // groups, row.columns * features, features
            p.a_line, p.a_row, p.b_row = row.stride_y * pitch, row.stride_x * channels, features
            row_step, tap_step = row.dilation_y * pitch, row.dilation_x * channels
            if row.elementwise != 0:
                p.k, p.a_column, p.inner, p.a_jump, p.b_step = taps, tap_step, 1, row_step, kernel_width * features
            elif groups == 1 and row.dilation_x == 1:  # a row of the kernel is one run
                p.k, p.a_column, p.inner, p.a_jump = kernel_width * channels, 1, 1, row_step
                p.b_step = p.k * features
            else:
                p.k, p.a_column, p.inner, p.a_step = channels // groups, 1, kernel_width, tap_step
                p.a_jump, p.b_step = row_step - (kernel_width - 1) * tap_step, p.k * features
            p.b_jump = p.b_step
            these.to = windows + item * first * features
            these.source = source + item * (left + j * row.dilation_x) * channels
            these.weights, these.weight_row = weight + item * j * features, p.inner * p.b_step
            these.source_row, these.taps = pitch, row.kernel_height if taps > 0 else 0
            compute(row, p, these)

    return windows_of
