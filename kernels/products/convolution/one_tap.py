"""A kernel of one tap, 1×1, without stride and padding: pixels are rows of matrices, whatever their image and line.

    windows = start + image weight        image = start + windows weightᵀ        weight = imageᵀ windows

So tiles are full where lines have a few pixels: with 3×3 pixels of 256 channels, batch 32, the windows went from 82 to 98 %
of the tile's peak, the image from 74 to 90 %. The gradient of the weight waits less for memory: 2.4 ms in a step of DS-CNN
instead of 2.6.
"""

from ...compiling.jit import call_at, jit
from ...processor.prefetch import CACHE_LINE, prefetch
from ...processor.target import ITEM_BYTES, tile_rows, tile_vectors, vector_lanes
from ..product import shares, split_evenly
from .segments import new_segments

# The gradient of the weight reads at most STEPS pixels at a time, and at most BYTES of their windows, which each band of its
# rows reads again from the second-level cache. From MANY_BANDS on, a band reads so little of a pixel that the processor does
# not foresee what it reads next.
STEPS, FEWEST_STEPS, BYTES, MANY_BANDS = 256, 32, 1 << 19, 4
PIXELS = 126  # of windows or image at a time: they stay in the cache for the activation


@jit(inline=True)
def one_tap_lines(width):
    """The number of lines to compute at a time, of any samples."""
    return (PIXELS + width - 1) // width


def pixel_rows(dtype):
    """The compiled function that computes pixels of windows or of images."""
    item = ITEM_BYTES[dtype]

    @jit
    def pixels_of(row, to, source, weights, start, pixels, transposed):
        """Compute windows from image; if `transposed`, the image from windows and packed weights. start: address or 0."""
        groups, inputs, outputs = row.groups, row.channels, row.features
        if transposed:
            inputs, outputs = outputs, inputs
        p = new_segments()
        p.lines, p.rows, p.columns, p.k = 1, pixels, outputs // groups, inputs // groups
        p.a_row, p.a_column, p.c_row, p.b_row = inputs, 1, outputs, p.columns if transposed else outputs
        p.segments, p.inner = 1, 1
        for group in range(groups):
            p.a, p.c = source + item * group * p.k, to + item * group * p.columns
            p.b = weights + item * group * (p.k * p.columns if transposed else p.columns)
            p.start = start + item * group * p.columns if start != 0 else 0
            call_at(row.product, (p,))

    return pixels_of


def weight_of_pixels(dtype):
    """The compiled function that computes the gradient of the weight."""
    item, lanes, widest = ITEM_BYTES[dtype], vector_lanes(dtype), tile_vectors()
    max_rows = tuple(tile_rows(max(vectors, 1)) for vectors in range(widest + 1))

    @jit
    def weight_of(row, weight, image, windows, pixels, left, add):
        """Compute imageᵀ windows over so many pixels. left: the pixels that memory has from image on.

        add: whether to add to what weight holds. The image was written long before. So before each of many bands of the
        weight's rows, some of the pixels that are read next are fetched.
        """
        channels, features, groups = row.channels, row.features, row.groups
        rows, columns = channels // groups, features // groups
        vectors = (columns + lanes - 1) // lanes
        bands = shares(rows, max_rows[split_evenly(vectors, shares(vectors, widest))])
        calls = groups * bands
        p = new_segments()
        p.lines, p.columns, p.c_row, p.start_row = 1, columns, features, features
        p.a_row, p.a_column, p.b_row, p.segments, p.inner = 1, channels, features, 1, 1
        steps = split_evenly(pixels, shares(pixels, max(FEWEST_STEPS, min(STEPS, BYTES // (item * features)))))
        for first in range(0, pixels, steps):
            p.k = min(steps, pixels - first)
            following = image + item * (first + p.k) * channels
            fetched, done = item * min(steps, left - first - p.k) * channels if bands >= MANY_BANDS else 0, 0
            for group in range(groups):
                p.b = windows + item * (first * features + group * columns)
                for band in range(bands):
                    for place in range(fetched * done // calls, fetched * (done + 1) // calls, CACHE_LINE):
                        prefetch(following + place)
                    done += 1
                    top = rows * band // bands
                    p.rows = rows * (band + 1) // bands - top
                    p.a = image + item * (first * channels + group * rows + top)
                    p.c = weight + item * (top * features + group * columns)
                    p.start = p.c if add else 0
                    call_at(row.product, (p,))
            add = True

    return weight_of
