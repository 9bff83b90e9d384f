"""Convolution and its gradients, as products over segments (see `segments`).

    windows    windows[r, c] = start + Σ image[r s + i d − top, c s + j d − left] weight[i, j]    over the taps (i, j)
    image      image[y, x] = start + Σ windows[r, c] weightᵀ[i, j]    over all r s + i d − top = y, c s + j d − left = x
    weight     weight[i, j] = Σ imageᵀ[r s + i d − top, c s + j d − left] windows[r, c]    over windows and samples

image (batch, height, width, channels), windows (batch, rows, columns, features), weight (kernel_height, kernel_width,
channels / groups, features); C-contiguous. Indices outside the image or the windows count as zeros.

The forward phase of a convolution computes windows, its backward phases compute image and weight. A transposed convolution
computes an image forward, windows and weight backward. Two things are copied: the weight, and a band of one sample if it
needs zeros around it.

With a stride s, the image is computed in phases, s down by s across. All pixels of a phase read the same taps: those with
i d mod s = (y + top) mod s, and likewise across. A pixel that no window reaches is `start`.

Every element is one chain of multiply-adds in a fixed order: of windows and image over the taps and then channels or
features, of the weight over the samples and then the windows. `row` has the sizes by name, see `layers.convolution.conv2d`.
"""

from ...compiling.jit import REAL, call_at, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES
from ..transpose import call_transpose
from .segments import new_segments

# With fewer pixels in a line, it is faster to copy them all, and the rows of a tile are lines instead of pixels.
FEW_PIXELS = 8


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


@jit(inline=True)
def floor_divided(a, b):
    """⌊a / b⌋ for a positive b."""
    return a // b if a >= 0 else -((b - 1 - a) // b)


@jit(inline=True)
def tap_span(kernel, dilation):
    return (kernel - 1) * dilation + 1


@jit(inline=True)
def steps_inside(first, step, count, size):
    """Return (begin, end), the range of the i < count with 0 ≤ first + i step < size."""
    begin = max(0, -floor_divided(first, step))
    return begin, max(begin, min(count, floor_divided(size - 1 - first, step) + 1))


@jit(inline=True)
def whole_range(begin, end, count, elementwise):
    """Return the range of pixels, among begin … end − 1 with all taps in the image, that are computed in one product.

    Unless `elementwise`, a range of fewer than FEW_PIXELS pixels does not pay: then it is empty, and all pixels are copied,
    with zeros. Elementwise, nothing is copied: pixels outside the range have fewer taps.
    """
    begin, end = min(begin, count), min(end, count)
    return (begin, end) if elementwise != 0 or end - begin >= FEW_PIXELS else (0, 0)


@jit(inline=True)
def range_end(pixel, begin, end, count, elementwise):
    """Return where the range ends that begins at `pixel`: of pixels with all taps, or with zeros or fewer taps."""
    if begin <= pixel < end:
        return end
    if elementwise != 0:
        return pixel + 1
    return begin if pixel < begin else count


@jit
def taps_of_phase(phase, kernel, stride, dilation):
    """Return (first, count, step, distance) of the taps i with i dilation mod stride = phase.

    step: the difference of successive taps i; distance: that of the windows which they read for the same pixel.
    """
    shared, rest = stride, dilation % stride
    while rest > 0:
        shared, rest = rest, shared % rest
    step, first = stride // shared, 0
    while first < min(kernel, step) and first * dilation % stride != phase:
        first += 1
    count = (kernel - first + step - 1) // step if first < min(kernel, step) else 0
    return first, count, step, dilation // shared


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
    def make(row, p, to, source, weights, start, lines, taps, first, line_step, tap_step, size, a_row, b_row, a_group,
             b_group):
        """Compute `lines` lines. Tap i of line l reads row first + l line_step + i tap_step of the source, which has `size`.

        Taps outside the source are skipped. p: the product of one line and one tap. a_row, b_row: the distance between rows
        of the source and between their weights; a_group, b_group: the same between groups.
        """
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
                p.a = source + item * ((own + begin * tap_step) * a_row + group * a_group)
                p.b = weights + item * (begin * b_row + group * b_group)
                p.c = to + item * (line * c_line + group * p.columns)
                p.start = start + item * group * p.columns if start != 0 else 0
                if end > begin:
                    call_at(row.product, (p,))
                else:
                    fill(p.c, p.c_line, p.c_row, p.lines, p.rows, p.columns, p.start)
            line += count

    return make


def to_windows(dtype):
    """The compiled function that computes the windows from an image."""
    item, box, make = ITEM_BYTES[dtype], image_box(dtype), by_lines(dtype)

    @jit
    def windows_of(row, windows, image, weight, start, scratch, line, lines):
        """Compute `lines` rows of the windows of one sample, from row `line` on. start: the address of the bias, or 0."""
        channels, features, groups, kernel_width = row.channels, row.features, row.groups, row.kernel_width
        span, top = tap_span(kernel_width, row.dilation_x), line * row.stride_y - row.top
        bottom = top + (lines - 1) * row.stride_y + tap_span(row.kernel_height, row.dilation_y)
        begin, end = steps_inside(-row.left, row.stride_x, row.columns, row.width - span + 1)
        begin, end = whole_range(begin, end, row.columns, row.elementwise)
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
            make(row, p, windows + item * first * features, source + item * (left + j * row.dilation_x) * channels,
                 weight + item * j * features, start, lines, row.kernel_height if taps > 0 else 0, top, row.stride_y,
                 row.dilation_y, row.height, pitch, p.inner * p.b_step, channels // groups, features // groups)

    return windows_of


def to_image(dtype):
    """The compiled function that computes an image from its windows."""
    item, box, make = ITEM_BYTES[dtype], image_box(dtype), by_lines(dtype)

    @jit
    def image_of(row, image, windows, packed, start, scratch, line, lines):
        """Compute `lines` rows of the image of one sample, from row `line` on.

        packed: the weight from `pack_weight`, or if elementwise the weight itself. start: the address of the bias, or 0.
        """
        channels, features, groups = row.channels, row.features, row.groups
        stride_y, stride_x, kernel_width = row.stride_y, row.stride_x, row.kernel_width
        in_group, of_group = channels // groups, features // groups
        # the rows of the windows that contribute to these rows
        top = -floor_divided(tap_span(row.kernel_height, row.dilation_y) - 1 - line - row.top, stride_y)
        bottom = floor_divided(line + lines - 1 + row.top, stride_y) + 1
        for phase_y in range(stride_y):
            first_i, taps_y, step_i, row_step = taps_of_phase(phase_y, row.kernel_height, stride_y, row.dilation_y)
            last_i, y = first_i + (taps_y - 1) * step_i, line + (phase_y - line - row.top) % stride_y
            for phase_x in range(stride_x):
                first_j, taps_x, step_j, column_step = taps_of_phase(phase_x, kernel_width, stride_x, row.dilation_x)
                last_j, x, weights = first_j + (taps_x - 1) * step_j, (phase_x - row.left) % stride_x, packed
                packed += item * taps_y * taps_x * features * in_group if row.elementwise == 0 else 0
                pixels, reach = (row.width - x + stride_x - 1) // stride_x, (taps_x - 1) * column_step
                # the window that the last tap of the phase reads for its first pixel
                r = (y + row.top - last_i * row.dilation_y) // stride_y
                c = (x + row.left - last_j * row.dilation_x) // stride_x
                begin, end = steps_inside(c, 1, pixels, row.columns - reach)
                begin, end = whole_range(begin, end, pixels, row.elementwise)
                last = 0
                while last < pixels:
                    first, last = last, range_end(last, begin, end, pixels, row.elementwise)
                    j, taps, source, pitch = 0, taps_x, windows, row.columns * features
                    if row.elementwise != 0:
                        j, taps = steps_inside(c + first, column_step, taps_x, row.columns)
                        taps -= j
                    elif taps_x * taps_y > 0:
                        source, pitch = box(windows, top, bottom, c + first, c + last + reach, row.rows, row.columns,
                                            features, scratch)
                    p = new_segments()
                    p.c_line, p.c_row = stride_y * row.width * channels, stride_x * channels
                    p.a_line, p.a_row = pitch, features
                    p.rows, p.columns, p.b_row = last - first, in_group, in_group
                    if row.elementwise != 0:
                        p.columns, p.k, p.a_column, p.b_row = channels, taps, column_step * features, -step_j * features
                        p.inner, p.b_step = 1, -step_i * kernel_width * features
                    elif groups == 1 and column_step == 1:  # the taps of a row are one run
                        p.k, p.a_column, p.inner, p.b_step = taps_x * features, 1, 1, taps_x * features * channels
                    else:
                        p.k, p.a_column, p.inner = of_group, 1, taps_x
                        p.a_step, p.b_step = column_step * features, features * in_group
                    p.a_jump, p.b_jump = row_step * pitch - (p.inner - 1) * p.a_step, p.b_step
                    if row.elementwise != 0:  # the weight itself, from the last tap to the first
                        weights = packed + item * (last_i * kernel_width + last_j - j * step_j) * features
                    make(row, p, image + item * (y * row.width + x + first * stride_x) * channels,
                         source + item * (c + first + j * column_step) * features, weights, start,
                         (line + lines - y + stride_y - 1) // stride_y, taps_y if taps > 0 else 0, r, 1, row_step, row.rows,
                         pitch, p.inner * p.b_step, of_group, of_group * in_group)

    return image_of


def to_weight(dtype):
    """The compiled function that computes the gradient of the weight."""
    item, number, box = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), image_box(dtype)

    @jit
    def weight_of(row, weight, image, windows, scratch, line, lines, samples, first_tap, last_tap, add):
        """Compute kernel rows first_tap … last_tap − 1 of Σ imageᵀ windows, over `lines` rows of the windows of each sample.

        windows: the address of the first of these rows. samples: their number; 1 unless all windows lie within the image.
        add: whether to add to what weight holds.
        """
        channels, features, groups = row.channels, row.features, row.groups
        span, top = tap_span(row.kernel_width, row.dilation_x), line * row.stride_y - row.top + first_tap * row.dilation_y
        bottom = top + (lines - 1) * row.stride_y + tap_span(last_tap - first_tap, row.dilation_y)
        runs, rows, tap_size = row.kernel_width, channels // groups, channels // groups * features
        if row.elementwise != 0:
            rows, tap_size, runs = row.kernel_width, features, 1
        elif groups == 1 and row.dilation_x == 1:  # a row of the kernel is one run
            rows, runs = row.kernel_width * channels, 1
        begin, end = steps_inside(-row.left, row.stride_x, row.columns, row.width - span + 1)
        begin, end = whole_range(begin, end, row.columns, row.elementwise)
        first_tap_j, last_pixel = 0, 0
        if row.elementwise != 0 and not add:  # pixels at the sides give to some taps only
            view(number(weight), first_tap * row.kernel_width * features, (last_tap - first_tap) * row.kernel_width
                 * features)[:] = 0
            add = True
        # forward: windows = image · weight
        while last_pixel < row.columns:
            first, last = last_pixel, range_end(last_pixel, begin, end, row.columns, row.elementwise)
            last_pixel = last
            left, right = first * row.stride_x - row.left, (last - 1) * row.stride_x - row.left + span
            source, pitch = image, row.width * channels
            if row.elementwise != 0:
                first_tap_j, rows = steps_inside(left, row.dilation_x, row.kernel_width, row.width)
                rows -= first_tap_j
                if rows == 0:
                    continue
            else:
                source, pitch = box(image, top, bottom, left, right, row.height, row.width, channels, scratch)
            for i in range(first_tap, last_tap):
                own = line * row.stride_y - row.top + i * row.dilation_y
                begun, ended = steps_inside(own, row.stride_y, lines, row.height)
                count, pixels = ended - begun, last - first
                p = new_segments()
                p.lines, p.rows, p.columns, p.c_row, p.start_row = 1, rows, features // groups, features, features
                p.a_row = row.dilation_x * channels if row.elementwise != 0 else 1
                p.k, p.a_column, p.b_row, p.inner = pixels, row.stride_x * channels, features, count
                p.a_step, p.b_step, p.segments = row.stride_y * pitch, row.columns * features, count * samples
                if samples == 1 and pixels < min(count, FEW_PIXELS):  # a segment goes over lines
                    p.k, p.a_column, p.b_row, p.inner = count, p.a_step, p.b_step, pixels
                    p.a_step, p.b_step, p.segments = row.stride_x * channels, features, pixels
                p.a_jump = row.height * row.width * channels - (p.inner - 1) * p.a_step
                p.b_jump = row.rows * row.columns * features - (p.inner - 1) * p.b_step
                for j in range(runs):
                    tap = first_tap_j + j
                    pixel = (own + begun * row.stride_y) * pitch + (left + tap * row.dilation_x) * channels
                    to = weight + item * (i * row.kernel_width + tap) * tap_size
                    for group in range(groups):
                        own_features = group * (features // groups)
                        p.a = source + item * (pixel + group * (channels // groups))
                        p.b = windows + item * ((begun * row.columns + first) * features + own_features)
                        p.c = to + item * own_features
                        p.start = p.c if add else 0
                        if count > 0:
                            call_at(row.product, (p,))
                        elif not add:
                            for m in range(rows):
                                view(number(p.c), m * features, p.columns)[:] = 0
            add = True

    return weight_of


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
