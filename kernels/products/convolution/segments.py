"""Products over segments, c = start + Σₛ aₛ @ bₛ, for many lines at regular distances, cut into tiles.

A line is one row of the output of a convolution: c (pixels, out_channels). aₛ is a run of adjacent numbers in the window of
each pixel, bₛ has the weights of that run. Every element is one chain, so its bits do not depend on the line, tile or part.
"""

from functools import partial

from ...compiling.jit import ANY, Kernel, calls, jit
from ...compiling.record import Record, on_stack
from ...processor.target import ITEM_BYTES, halves_are_faster, masks_are_free, tile_rows, tile_vectors, vector_lanes
from ..product import HALF_PAYS, shares, split_evenly
from ..tile import HALF, ROW_GROUP
from .segment_tile import segment_tile_function

# Addresses, and distances in numbers. Each of `lines` has a c (rows, columns) and a start (rows, columns); a start of 0
# means zeros. Each segment has an a (rows, k) and a b (k, columns). It begins a step after the one before, or a jump after
# it where the inner loop of `inner` segments begins again. The columns of b, c and start are contiguous. Rows of a are at
# regular distances, or in groups of ROW_GROUP, each a_group after the one before; 0 for ROW_GROUP * a_row. With an a_group
# all rows must fit into one tile of the columns, since bands of rows begin at regular distances.
SEGMENTS = Record(
    "segment_product", "lines", "rows", "columns", "segments", "inner", "k",
    "c", "c_line", "c_row", "start", "start_line", "start_row",
    "a", "a_line", "a_row", "a_column", "a_step", "a_jump", "a_group",
    "b", "b_line", "b_row", "b_step", "b_jump",
)
new_segments = on_stack(SEGMENTS)


def build_product(dtype, elementwise=False):
    """The function that computes it. elementwise: column j of b meets only column j of a; columns are contiguous."""
    lanes, item, widest = vector_lanes(dtype), ITEM_BYTES[dtype], tile_vectors()
    max_rows = tuple(tile_rows(max(vectors, 1)) for vectors in range(widest + 1))
    masks, halves, tile = masks_are_free(), halves_are_faster(), segment_tile_function(dtype, elementwise)

    @jit(inline=True)
    def panel(p, j, shape, masked, filled):
        """Compute the columns of c from column j on, at most one tile wide."""
        segments, inner, k, rows, a_step, a_jump, b_step, b_jump = (
            p.segments, p.inner, p.k, p.rows, p.a_step, p.a_jump, p.b_step, p.b_jump)
        c_row, start_row, a_row, a_column, b_row = p.c_row, p.start_row, p.a_row, p.a_column, p.b_row
        a_group = p.a_group if p.a_group != 0 else ROW_GROUP * a_row
        bands = shares(rows, max_rows[shape])
        height, higher = (rows, 0) if bands == 1 else (rows // bands, rows % bands)
        for line in range(p.lines):
            c, a = p.c + item * (line * p.c_line + j), p.a + item * (line * p.a_line + (j if elementwise else 0))
            b = p.b + item * (line * p.b_line + j)
            start = p.start + item * (line * p.start_line + j) if p.start != 0 else 0
            for band in range(bands):
                count = height + 1 if band < higher else height
                tile((count, shape, masked, c, c_row, a, a_row, a_column, b, b_row, start, start_row, k, filled,
                      segments, inner, a_step, a_jump, b_step, b_jump, a_group))
                c, a = c + item * count * c_row, a + item * count * a_row
                start += item * count * start_row if start != 0 else 0

    def segment_product(p):
        columns = p.columns
        vectors = (columns + lanes - 1) // lanes
        last = columns - (vectors - 1) * lanes
        halved = halves and last <= lanes // 2 and (vectors == 1 or p.rows * p.k * p.segments >= HALF_PAYS)
        full, v = vectors - 1 if halved else vectors, 0  # the rest is half a vector
        while v < vectors:
            width = split_evenly(full - v, shares(full - v, widest)) if v < full else 1
            filled = min(columns - (v + width - 1) * lanes, lanes)
            masked = 1 if filled < lanes or (masks and width < widest) else 0
            panel(p, v * lanes, width if v < full else HALF, masked, filled)
            v += width

    return segment_product


segment_product_kernel = Kernel("segment_product", build_product, lambda dtype: (SEGMENTS.type(ANY),))
elementwise_product_kernel = Kernel("elementwise_product", partial(build_product, elementwise=True),
                                    lambda dtype: (SEGMENTS.type(ANY),))
call_segments, call_elementwise = calls(segment_product_kernel), calls(elementwise_product_kernel)
