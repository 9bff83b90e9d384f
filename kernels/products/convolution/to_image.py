"""An image from its windows: image[y, x] = start + Σ windows[r, c] weightᵀ[i, j] over the windows and taps that reach it.

With a stride s, the image is computed in phases, s down by s across. All pixels of a phase read the same taps: those with
i d mod s = (y + top) mod s, and likewise across. A pixel that no window reaches is `start`.
"""

from ...compiling.jit import REAL, call_at, jit, typed_pointer
from ...processor.target import ITEM_BYTES
from ..transpose import call_transpose
from .depthwise import new_depthwise
from .lines import by_lines, image_box, new_lines
from .segments import new_segments
from .taps import floor_divided, range_end, steps_inside, tap_span, taps_of_phase, whole_range


def to_image(dtype):
    """The compiled function that computes an image from its windows."""
    item, box, compute = ITEM_BYTES[dtype], image_box(dtype), by_lines(dtype)

    @jit
    def of_each_channel(row, image, windows, weight, start, line, lines):
        channels, d = row.channels, new_depthwise()
        d.to_line, d.to_pixel = row.stride_y * row.width * channels, row.stride_x * channels
        d.source, d.height, d.width, d.channels, d.start = windows, row.rows, row.columns, channels, start
        d.step_y = d.step_x = 1
        for phase_y in range(row.stride_y):
            first_i, d.down, step_i, d.tap_y = taps_of_phase(phase_y, row.kernel_height, row.stride_y, row.dilation_y)
            last_i, y = first_i + (d.down - 1) * step_i, line + (phase_y - line - row.top) % row.stride_y
            d.lines = (line + lines - y + row.stride_y - 1) // row.stride_y
            d.first_y, d.weight_down = (y + row.top - last_i * row.dilation_y) // row.stride_y, (
                -step_i * row.kernel_width * channels)
            for phase_x in range(row.stride_x):
                first_j, d.across, step_j, d.tap_x = taps_of_phase(phase_x, row.kernel_width, row.stride_x, row.dilation_x)
                last_j, x = first_j + (d.across - 1) * step_j, (phase_x - row.left) % row.stride_x
                d.pixels = (row.width - x + row.stride_x - 1) // row.stride_x
                d.first_x, d.weight_across = (x + row.left - last_j * row.dilation_x) // row.stride_x, -step_j * channels
                d.weight = weight + item * (last_i * row.kernel_width + last_j) * channels  # from the last tap to the first
                d.to = image + item * (y * row.width + x) * channels
                call_at(row.image_product, (d,))

    @jit
    def image_of(row, image, windows, packed, start, scratch, line, lines):
        """Compute `lines` rows of the image of one sample, from row `line` on.

        packed: the weight from `pack_weight`, or if elementwise the weight itself. start: the address of the bias, or 0.
        """
        if row.elementwise != 0:
            of_each_channel(row, image, windows, packed, start, line, lines)
            return
        channels, features, groups = row.channels, row.features, row.groups
        stride_y, stride_x, kernel_width = row.stride_y, row.stride_x, row.kernel_width
        in_group, of_group = channels // groups, features // groups
        # the rows of the windows that contribute to these rows
        top = -floor_divided(tap_span(row.kernel_height, row.dilation_y) - 1 - line - row.top, stride_y)
        bottom = floor_divided(line + lines - 1 + row.top, stride_y) + 1
        these = new_lines()
        these.start, these.source_group, these.weight_group = start, of_group, of_group * in_group
        these.line_step, these.size = 1, row.rows
        for phase_y in range(stride_y):
            first_i, taps_y, step_i, row_step = taps_of_phase(phase_y, row.kernel_height, stride_y, row.dilation_y)
            last_i, y = first_i + (taps_y - 1) * step_i, line + (phase_y - line - row.top) % stride_y
            for phase_x in range(stride_x):
                first_j, taps_x, step_j, column_step = taps_of_phase(phase_x, kernel_width, stride_x, row.dilation_x)
                last_j, x, weights = first_j + (taps_x - 1) * step_j, (phase_x - row.left) % stride_x, packed
                packed += item * taps_y * taps_x * features * in_group
                pixels, reach = (row.width - x + stride_x - 1) // stride_x, (taps_x - 1) * column_step
                # the window that the last tap of the phase reads for its first pixel
                r = (y + row.top - last_i * row.dilation_y) // stride_y
                c = (x + row.left - last_j * row.dilation_x) // stride_x
                these.lines, these.first, these.tap_step = (line + lines - y + stride_y - 1) // stride_y, r, row_step
                begin, end = steps_inside(c, 1, pixels, row.columns - reach)
                begin, end = whole_range(begin, end, pixels)
                last = 0
                while last < pixels:
                    first, last = last, range_end(last, begin, end, pixels)
                    source, pitch = windows, row.columns * features
                    if taps_x * taps_y > 0:
                        source, pitch = box(windows, top, bottom, c + first, c + last + reach, row.rows, row.columns,
                                            features, scratch)
                    p = new_segments()
                    p.c_line, p.c_row = stride_y * row.width * channels, stride_x * channels
                    p.a_line, p.a_row = pitch, features
                    p.rows, p.columns, p.b_row = last - first, in_group, in_group
                    if groups == 1 and column_step == 1:  # the taps of a row are one run
                        p.k, p.a_column, p.inner, p.b_step = taps_x * features, 1, 1, taps_x * features * channels
                    else:
                        p.k, p.a_column, p.inner = of_group, 1, taps_x
                        p.a_step, p.b_step = column_step * features, features * in_group
                    p.a_jump, p.b_jump = row_step * pitch - (p.inner - 1) * p.a_step, p.b_step
                    these.to = image + item * (y * row.width + x + first * stride_x) * channels
                    these.source = source + item * (c + first) * features
                    these.weights, these.weight_row = weights, p.inner * p.b_step
                    these.source_row, these.taps = pitch, taps_y if taps_x > 0 else 0
                    compute(row, p, these)

    return image_of


def packing_for_image(dtype):
    """The compiled function that packs the weight for `image_of`."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def pack_weight(row, packed, weight, begin, end):
        """Write taps begin … end − 1 of packed (taps, features, channels / groups): by phases, each from its last tap."""
        features, inputs = row.features, row.channels // row.groups
        place = 0
        for phase_y in range(row.stride_y):
            first_i, taps_y, step_i, _ = taps_of_phase(phase_y, row.kernel_height, row.stride_y, row.dilation_y)
            for phase_x in range(row.stride_x):
                first_j, taps_x, step_j, _ = taps_of_phase(phase_x, row.kernel_width, row.stride_x, row.dilation_x)
                for i in range(taps_y - 1, -1, -1):
                    for j in range(taps_x - 1, -1, -1):
                        if begin <= place < end:
                            tap = (first_i + i * step_i) * row.kernel_width + first_j + j * step_j
                            call_transpose(number(packed), (
                                packed + item * place * features * inputs, inputs,
                                weight + item * tap * features * inputs, features, inputs, features))
                        place += 1

    return pack_weight
