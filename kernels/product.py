"""Matrix products c = start + a @ b, cut into tiles for the micro-kernel.

c (rows, columns), a (rows, k), b (k, columns). a may be strided either way, so a transpose of it costs nothing; the columns
of b and c are contiguous.
"""

from numba import types

from .jit import Kernel, address_of, calls, jit
from .pack import packing, stack_memory
from .target import ITEM_BYTES, masks_are_free, tile_rows, tile_vectors, vector_lanes
from .tile import tile_function

BLOCK = 512  # steps of k at a time: a panel of b, as wide as one tile, stays in the second-level cache
# A panel of a b whose rows lie so many bytes apart is packed, if so many rows of a come to read it: 1024³ in float32 went
# from 95 to 108 GFLOP/s; at 512 it makes no difference.
PACKED_STRIDE, PACKED_ROWS = 2048, 48
# Against a b larger than this for each row of a, the product is limited by reading b once: whole rows of it, in the order of
# memory, came 1.5 to 3 times as fast as panels of it (4 rows, 2000 by 2000: 68 against 25 GFLOP/s).
STREAMED_BYTES, STREAM_BLOCK = 1 << 20, 8


@jit(inline=True)
def shares(size, most):
    """Into how many shares of at most so many to cut `size`; most products are one share: spare them the division."""
    return 1 if size <= most else (size + most - 1) // most


@jit(inline=True)
def evened_out(size, count):
    """The first of `count` shares of `size`: five vectors are three and two, not four and one."""
    return size if count == 1 else (size + count - 1) // count


def build_product(dtype):
    lanes, item = vector_lanes(dtype), ITEM_BYTES[dtype]
    max_vectors, max_rows = tile_vectors(), (1, *(tile_rows(vectors + 1) for vectors in range(tile_vectors())))
    panel_bytes = BLOCK * max_vectors * lanes * item
    masks, tile, pack = masks_are_free(), tile_function(dtype), packing(dtype)

    def product(c, c_row, a, a_row, a_column, b, b_row, start, start_row, rows, columns, k):
        vectors = (columns + lanes - 1) // lanes
        last = columns - (vectors - 1) * lanes
        block = STREAM_BLOCK if k * columns * item > rows * STREAMED_BYTES else BLOCK
        packed = rows >= PACKED_ROWS and b_row * item >= PACKED_STRIDE
        scratch = stack_memory(panel_bytes if packed else item)
        for k0 in range(0, k, block):
            steps = min(block, k - k0)
            first, first_row = (start, start_row) if k0 == 0 else (c, c_row)
            panels, v0 = shares(vectors, max_vectors), 0
            while panels > 0:
                width = evened_out(vectors - v0, panels)
                j, filled = v0 * lanes, last if panels == 1 else lanes
                masked = 1 if filled < lanes or (masks and width < max_vectors) else 0
                panel, panel_row = b + item * (k0 * b_row + j), b_row
                if packed:
                    pack(scratch, panel, b_row, steps, (width - 1) * lanes + filled)
                    panel, panel_row = scratch, width * lanes
                bands, i = shares(rows, max_rows[width]), 0
                while bands > 0:
                    height = evened_out(rows - i, bands)
                    tile(height, width, masked,
                         c + item * (i * c_row + j), c_row,
                         a + item * (i * a_row + k0 * a_column), a_row, a_column,
                         panel, panel_row,
                         first + item * (i * first_row + j) if first != 0 else 0, first_row, steps, filled)
                    bands, i = bands - 1, i + height
                panels, v0 = panels - 1, v0 + width

    return product


product_kernel = Kernel("product", build_product, lambda dtype: (types.intp,) * 12)
call_product = calls(product_kernel)


@jit(inline=True)
def product(c, a, b, start, start_row):
    """c = start + a @ b for 2-D arrays; `start` is an address with a row stride in elements, or 0 for none."""
    item = c.itemsize
    call_product(c, (address_of(c), c.strides[0] // item, address_of(a), a.strides[0] // item, a.strides[1] // item,
                     address_of(b), b.strides[0] // item, start, start_row, c.shape[0], c.shape[1], a.shape[1]))
