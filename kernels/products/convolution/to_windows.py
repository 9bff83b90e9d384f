"""Windows from an image: windows[r, c] = start + Σ image[r s + i d − top, c s + j d − left] weight[i, j] over the taps."""

from ...compiling.jit import call_at, jit
from ...processor.target import ITEM_BYTES
from .depthwise import new_depthwise
from .lines import by_lines, image_box, new_lines
from .segments import new_segments
from .taps import range_end, steps_inside, tap_span, whole_range


def to_windows(dtype):
    """The compiled function that computes the windows from an image."""
    item, box, compute = ITEM_BYTES[dtype], image_box(dtype), by_lines(dtype)

    @jit
    def of_each_channel(row, windows, image, weight, start, line, lines):
        channels, d = row.channels, new_depthwise()
        d.to, d.to_line, d.to_pixel, d.lines, d.pixels = windows, row.columns * channels, channels, lines, row.columns
        d.source, d.height, d.width, d.channels, d.start = image, row.height, row.width, channels, start
        d.weight, d.weight_down, d.weight_across = weight, row.kernel_width * channels, channels
        d.down, d.across = row.kernel_height, row.kernel_width
        d.first_y, d.first_x = line * row.stride_y - row.top, -row.left
        d.step_y, d.tap_y, d.step_x, d.tap_x = row.stride_y, row.dilation_y, row.stride_x, row.dilation_x
        call_at(row.product, (d,))

    @jit
    def windows_of(row, windows, image, weight, start, scratch, line, lines):
        """Compute `lines` rows of the windows of one sample, from row `line` on. start: the address of the bias, or 0."""
        if row.elementwise != 0:
            of_each_channel(row, windows, image, weight, start, line, lines)
            return
        channels, features, groups, kernel_width = row.channels, row.features, row.groups, row.kernel_width
        span, top = tap_span(kernel_width, row.dilation_x), line * row.stride_y - row.top
        bottom = top + (lines - 1) * row.stride_y + tap_span(row.kernel_height, row.dilation_y)
        begin, end = steps_inside(-row.left, row.stride_x, row.columns, row.width - span + 1)
        begin, end = whole_range(begin, end, row.columns)
        these = new_lines()
        these.lines, these.start = lines, start
        these.source_group, these.weight_group = channels // groups, features // groups
        these.first, these.line_step, these.tap_step, these.size = top, row.stride_y, row.dilation_y, row.height
        last = 0
        while last < row.columns:
            first, last = last, range_end(last, begin, end, row.columns)
            left, right = first * row.stride_x - row.left, (last - 1) * row.stride_x - row.left + span
            source, pitch = box(image, top, bottom, left, right, row.height, row.width, channels, scratch)
            p = new_segments()
            p.rows, p.columns, p.c_line, p.c_row = last - first, features // groups, row.columns * features, features
            p.a_line, p.a_row, p.b_row = row.stride_y * pitch, row.stride_x * channels, features
            row_step, tap_step = row.dilation_y * pitch, row.dilation_x * channels
            if groups == 1 and row.dilation_x == 1:  # a row of the kernel is one run
                p.k, p.a_column, p.inner, p.a_jump = kernel_width * channels, 1, 1, row_step
                p.b_step = p.k * features
            else:
                p.k, p.a_column, p.inner, p.a_step = channels // groups, 1, kernel_width, tap_step
                p.a_jump, p.b_step = row_step - (kernel_width - 1) * tap_step, p.k * features
            p.b_jump = p.b_step
            these.to = windows + item * first * features
            these.source = source + item * left * channels
            these.weights, these.weight_row = weight, p.inner * p.b_step
            these.source_row, these.taps = pitch, row.kernel_height
            compute(row, p, these)

    return windows_of
