"""Convolution as products over segments, between images, their windows and the weight.

    windows    windows[r, c] = start + Σ image[r s + i d − top, c s + j d − left] weight[i, j]    over the taps (i, j)
    image      image[y, x] = start + Σ windows[r, c] weightᵀ[i, j]    over all r s + i d − top = y, c s + j d − left = x
    weight     weight[i, j] = Σ imageᵀ[r s + i d − top, c s + j d − left] windows[r, c]    over windows and samples

image (batch, height, width, channels), windows (batch, rows, columns, features), weight (kernel_height, kernel_width,
channels / groups, features); C-contiguous. A convolution makes windows of an image and goes back by the other two, a
transposed one makes an image of windows. What lies outside is zero. Nothing is laid out anew but a band of one sample, where
it needs zeros around it, and the weight.

With a stride s the image is made by phases, s down and s across: all pixels of a phase read the same taps, those with
i d mod s = (y + top) mod s, and no others. A pixel that no window reaches is `start`.

Every number is one chain in a fixed order: windows and image by taps and then channels or features, the weight by samples
and then windows. `row` gives the sizes by name, as `kernels.layers.conv2d` lists them.
"""

from ..compiling.jit import REAL, call_at, jit, typed_pointer, view
from ..processor.target import ITEM_BYTES
from .segments import new_segments
from .transpose import call_transpose


def image_box(dtype):
    """The compiled function that gives a box of an image, with zeros where it reaches out of it."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def box(image, top, bottom, left, right, height, width, channels, scratch):
        """(address of its first pixel, numbers from row to row) of rows top … bottom − 1 and columns left … right − 1.

        It is the image itself where the box lies within, else a copy in scratch.
        """
        if top >= 0 and left >= 0 and bottom <= height and right <= width:
            return image + item * (top * width + left) * channels, width * channels
        pitch = (right - left) * channels
        first, last = min(max(left, 0), right), max(min(right, width), left)  # the columns that are there
        for y in range(top, bottom):
            copied = view(number(scratch), (y - top) * pitch, pitch)
            if y < 0 or y >= height or first >= last:
                copied[:] = 0
                continue
            begin, end = (first - left) * channels, (last - left) * channels
            source = view(number(image), (y * width + first) * channels, end - begin)
            copied[:begin] = 0
            for i in range(end - begin):
                copied[begin + i] = source[i]
            copied[end:] = 0
        return scratch, pitch

    return box


@jit(inline=True)
def floor_divided(a, b):
    """⌊a / b⌋ for a positive b."""
    return a // b if a >= 0 else -((b - 1 - a) // b)


@jit(inline=True)
def tap_span(kernel, dilation):
    return (kernel - 1) * dilation + 1


@jit
def taps_of_phase(phase, kernel, stride, dilation):
    """(first tap, how many, taps from one to the next, windows likewise) of taps i with i dilation mod stride = phase."""
    shared, rest = stride, dilation % stride
    while rest > 0:
        shared, rest = rest, shared % rest
    step, first = stride // shared, 0
    while first < min(kernel, step) and first * dilation % stride != phase:
        first += 1
    count = (kernel - first + step - 1) // step if first < min(kernel, step) else 0
    return first, count, step, dilation // shared


def to_windows(dtype):
    """The compiled function that makes windows of an image."""
    item, box = ITEM_BYTES[dtype], image_box(dtype)

    @jit
    def windows_of(row, windows, image, weight, start, scratch, line, lines):
        """`lines` rows of one sample's windows, from number `line` on; start: the address of one number a feature, or 0."""
        channels, features, groups = row.channels, row.features, row.groups
        top, left = line * row.stride_y - row.top, -row.left
        bottom = top + (lines - 1) * row.stride_y + tap_span(row.kernel_height, row.dilation_y)
        right = left + (row.columns - 1) * row.stride_x + tap_span(row.kernel_width, row.dilation_x)
        a, pitch = box(image, top, bottom, left, right, row.height, row.width, channels, scratch)
        p = new_segments()
        p.lines, p.rows, p.columns = lines, row.columns, features // groups
        p.c_line, p.c_row = row.columns * features, features
        p.a_line, p.a_row = row.stride_y * pitch, row.stride_x * channels
        row_step, tap_step = row.dilation_y * pitch, row.dilation_x * channels
        p.segments, p.inner, p.a_step, p.b_row = row.kernel_height, row.kernel_height, row_step, features
        if row.elementwise != 0:
            p.k, p.a_column = row.kernel_width, tap_step
        elif groups == 1 and row.dilation_x == 1:  # a row of the kernel is one run
            p.k, p.a_column = row.kernel_width * channels, 1
        else:
            p.segments, p.inner = row.kernel_height * row.kernel_width, row.kernel_width
            p.k, p.a_column = channels // groups, 1
            p.a_step, p.a_jump = tap_step, row_step - (row.kernel_width - 1) * tap_step
        p.b_step = p.b_jump = p.k * features
        for group in range(groups):
            first = group * (features // groups)
            p.a, p.b, p.c = a + item * group * (channels // groups), weight + item * first, windows + item * first
            p.start = start + item * first if start != 0 else 0
            call_at(row.product, (p,))

    return windows_of


def to_image(dtype):
    """The compiled function that makes an image of windows."""
    item, number, box = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), image_box(dtype)

    @jit
    def fill(image, line, pixel, lines, pixels, channels, start):
        """Set pixels at these distances to `start`, or zero."""
        for y in range(lines):
            for x in range(pixels):
                taken = view(number(image), y * line + x * pixel, channels)
                if start == 0:
                    taken[:] = 0
                else:
                    given = view(number(start), 0, channels)
                    for i in range(channels):
                        taken[i] = given[i]

    @jit
    def image_of(row, image, windows, packed, start, scratch, line, lines):
        """`lines` rows of one sample's image, from number `line` on; packed: `pack_weight`'s, or elementwise the weight."""
        channels, features, groups = row.channels, row.features, row.groups
        stride_y, stride_x, kernel_width = row.stride_y, row.stride_x, row.kernel_width
        # the windows that reach these rows
        first_row = -floor_divided(tap_span(row.kernel_height, row.dilation_y) - 1 - line - row.top, stride_y)
        first_column = -floor_divided(tap_span(kernel_width, row.dilation_x) - 1 - row.left, stride_x)
        last_row = floor_divided(line + lines - 1 + row.top, stride_y) + 1
        last_column = floor_divided(row.width - 1 + row.left, stride_x) + 1
        source, pitch = box(windows, first_row, last_row, first_column, last_column, row.rows, row.columns, features,
                            scratch)
        p = new_segments()
        p.c_line, p.c_row = stride_y * row.width * channels, stride_x * channels
        p.a_line, p.a_row = pitch, features
        for phase_y in range(stride_y):
            first_i, taps_y, step_i, row_step = taps_of_phase(phase_y, row.kernel_height, stride_y, row.dilation_y)
            y = line + (phase_y - line - row.top) % stride_y
            p.lines = (line + lines - y + stride_y - 1) // stride_y
            # the window that the last tap of the phase reads for the first pixel of it
            r = (y + row.top - (first_i + (taps_y - 1) * step_i) * row.dilation_y) // stride_y
            for phase_x in range(stride_x):
                first_j, taps_x, step_j, column_step = taps_of_phase(phase_x, kernel_width, stride_x, row.dilation_x)
                x = (phase_x - row.left) % stride_x
                p.rows = (row.width - x + stride_x - 1) // stride_x
                c = (x + row.left - (first_j + (taps_x - 1) * step_j) * row.dilation_x) // stride_x
                to, taps, weights = image + item * (y * row.width + x) * channels, taps_y * taps_x, packed
                packed += item * taps * features * (channels // groups) if row.elementwise == 0 else 0
                if p.lines <= 0 or p.rows <= 0:
                    continue
                if taps == 0:
                    fill(to, p.c_line, p.c_row, p.lines, p.rows, channels, start)
                    continue
                a = source + item * ((r - first_row) * pitch + (c - first_column) * features)
                p.columns, p.b_row = channels // groups, channels // groups
                p.segments, p.inner, p.a_step = taps_y, taps_y, row_step * pitch
                if row.elementwise != 0:
                    p.columns, p.k, p.a_column, p.b_row = channels, taps_x, column_step * features, -step_j * features
                    weights += item * ((first_i + (taps_y - 1) * step_i) * kernel_width
                                       + first_j + (taps_x - 1) * step_j) * features
                    p.b_step = -step_i * kernel_width * features
                elif groups == 1 and column_step == 1:
                    p.k, p.a_column, p.b_step = taps_x * features, 1, taps_x * features * channels
                else:
                    p.k, p.a_column, p.segments, p.inner = features // groups, 1, taps, taps_x
                    p.a_step, p.b_step = column_step * features, features * (channels // groups)
                    p.a_jump = row_step * pitch - (taps_x - 1) * p.a_step
                p.b_jump = p.b_step
                for group in range(groups):
                    own, first = group * (features // groups), group * (channels // groups)
                    p.a, p.b, p.c = a + item * own, weights + item * own * (channels // groups), to + item * first
                    p.start = start + item * first if start != 0 else 0
                    call_at(row.product, (p,))

    return image_of


def to_weight(dtype):
    """The compiled function that makes the gradient of the weight."""
    item, box = ITEM_BYTES[dtype], image_box(dtype)

    @jit
    def weight_of(row, weight, image, windows, scratch, line, lines, samples, first_tap, last_tap, add):
        """Kernel rows first_tap … last_tap − 1 of Σ imageᵀ windows over `lines` rows of windows of each of the samples.

        samples: more than one only where the box of an image lies within it. add: whether to what the weight holds.
        """
        channels, features, groups = row.channels, row.features, row.groups
        top, left = line * row.stride_y - row.top + first_tap * row.dilation_y, -row.left
        bottom = top + (lines - 1) * row.stride_y + tap_span(last_tap - first_tap, row.dilation_y)
        right = left + (row.columns - 1) * row.stride_x + tap_span(row.kernel_width, row.dilation_x)
        a, pitch = box(image, top, bottom, left, right, row.height, row.width, channels, scratch)
        p = new_segments()
        p.lines, p.k, p.segments, p.inner, p.columns = 1, row.columns, lines * samples, lines, features // groups
        p.c_row = p.start_row = features
        p.a_row, p.a_column, p.a_step = 1, row.stride_x * channels, row.stride_y * pitch
        p.a_jump = row.height * row.width * channels - (lines - 1) * p.a_step
        p.b_row, p.b_step = features, row.columns * features
        p.b_jump = (row.rows - lines + 1) * p.b_step
        # forward: windows = image · weight
        p.rows, tap_size, runs = channels // groups, channels // groups * features, row.kernel_width
        if row.elementwise != 0:
            p.rows, p.a_row, tap_size, runs = row.kernel_width, row.dilation_x * channels, features, 1
        elif groups == 1 and row.dilation_x == 1:  # a row of the kernel is one run
            p.rows, runs = row.kernel_width * channels, 1
        for i in range(first_tap, last_tap):
            for j in range(runs):
                tap = a + item * ((i - first_tap) * row.dilation_y * pitch + j * row.dilation_x * channels)
                to = weight + item * (i * row.kernel_width + j) * tap_size
                for group in range(groups):
                    first = group * (features // groups)
                    p.a, p.b, p.c = tap + item * group * (channels // groups), windows + item * first, to + item * first
                    p.start = p.c if add else 0
                    call_at(row.product, (p,))

    return weight_of


def packing_for_image(dtype):
    """The compiled function that lays out the weight for `image_of`."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def pack_weight(row, packed, weight, begin, end):
        """Taps begin to end of packed (taps, features, channels / groups): phase by phase, each from its last tap on."""
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
