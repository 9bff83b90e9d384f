"""The gradient of the weight: weight[i, j] = Σ imageᵀ[r s + i d − top, c s + j d − left] windows[r, c]."""

from ...compiling.jit import REAL, call_at, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES, tile_rows, tile_vectors, vector_lanes
from ..tile import ROW_GROUP
from .lines import image_box
from .segments import new_segments
from .taps import FEW_PIXELS, range_end, steps_inside, tap_span, whole_range


def to_weight(dtype):
    """The compiled function that computes the gradient of the weight.

    A tile with the five rows of a 5×5 kernel on one channel waits for its sums most of the time. So two rows of such a
    kernel are computed together, where a tile of all features has as many rows.
    """
    item, number, box = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), image_box(dtype)
    most_together = vector_lanes(dtype) * max(
        vectors for vectors in range(1, tile_vectors() + 1) if tile_rows(vectors) >= 2 * ROW_GROUP)

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
        if groups == 1 and row.dilation_x == 1:  # a row of the kernel is one run
            rows, runs = row.kernel_width * channels, 1
        begin, end = steps_inside(-row.left, row.stride_x, row.columns, row.width - span + 1)
        begin, end = whole_range(begin, end, row.columns)
        last_pixel = 0
        # forward: windows = image · weight
        while last_pixel < row.columns:
            first, last = last_pixel, range_end(last_pixel, begin, end, row.columns)
            last_pixel = last
            left, right = first * row.stride_x - row.left, (last - 1) * row.stride_x - row.left + span
            source, pitch = box(image, top, bottom, left, right, row.height, row.width, channels, scratch)
            i = first_tap
            while i < last_tap:
                own = line * row.stride_y - row.top + i * row.dilation_y
                begun, ended = steps_inside(own, row.stride_y, lines, row.height)
                together = 1
                fits = rows == ROW_GROUP and runs == 1 and features // groups <= most_together
                if fits and i + 1 < last_tap:
                    begins, ends = steps_inside(own + row.dilation_y, row.stride_y, lines, row.height)
                    together = 2 if (begins, ends) == (begun, ended) else 1
                count, pixels = ended - begun, last - first
                p = new_segments()
                p.lines, p.rows, p.columns, p.c_row, p.start_row = 1, together * rows, features // groups, features, features
                p.a_group = row.dilation_y * pitch if together > 1 else 0
                p.a_row, p.k, p.a_column, p.b_row, p.inner = 1, pixels, row.stride_x * channels, features, count
                p.a_step, p.b_step, p.segments = row.stride_y * pitch, row.columns * features, count * samples
                if samples == 1 and pixels < min(count, FEW_PIXELS):  # a segment goes over lines
                    p.k, p.a_column, p.b_row, p.inner = count, p.a_step, p.b_step, pixels
                    p.a_step, p.b_step, p.segments = row.stride_x * channels, features, pixels
                p.a_jump = row.height * row.width * channels - (p.inner - 1) * p.a_step
                p.b_jump = row.rows * row.columns * features - (p.inner - 1) * p.b_step
                for tap in range(runs):
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
                            for m in range(p.rows):
                                view(number(p.c), m * features, p.columns)[:] = 0
                i += together
            add = True

    return weight_of
