"""Matrix products c = start + a @ b, cut into tiles for the micro-kernel.

c (rows, columns), a (rows, k), b (k, columns). a may be strided either way, so a transpose of it costs nothing; the columns
of b and c are contiguous. Where b is to be transposed, `pack_transposed` lays panels of it out first.
"""

from numba import types

from .jit import Kernel, address_of, calls, jit
from .target import tile_shape, vector_lanes
from .tile import BYTES, tile_function

BLOCK = 256  # steps of k at a time: a panel of b, 256 by one tile's columns, stays in the second-level cache


def build_product(dtype):
    lanes, item = vector_lanes(dtype), BYTES[dtype]
    max_rows, max_vectors = tile_shape(dtype)
    tile = tile_function(dtype)

    def product(c, c_row, a, a_row, a_column, b, b_row, start, start_row, rows, columns, k):
        vectors = (columns + lanes - 1) // lanes
        last = columns - (vectors - 1) * lanes
        panels = (vectors + max_vectors - 1) // max_vectors
        bands = (rows + max_rows - 1) // max_rows
        for k0 in range(0, k, BLOCK):
            steps = min(BLOCK, k - k0)
            first, first_row = (start, start_row) if k0 == 0 else (c, c_row)
            for panel in range(panels):
                # evened out: five vectors are three and two, not four and one
                v0, v1 = panel * vectors // panels, (panel + 1) * vectors // panels
                j = v0 * lanes
                masked = 1 if v1 == vectors and last < lanes else 0
                for band in range(bands):
                    i, end = band * rows // bands, (band + 1) * rows // bands
                    tile(end - i, v1 - v0, masked,
                         c + item * (i * c_row + j), c_row,
                         a + item * (i * a_row + k0 * a_column), a_row, a_column,
                         b + item * (k0 * b_row + j), b_row,
                         first + item * (i * first_row + j) if first != 0 else 0, first_row, steps, last)

    return product


product_kernel = Kernel("product", build_product, lambda dtype: (types.intp,) * 12)
call_product = calls(product_kernel)


@jit(inline=True)
def product(c, a, b, start, start_row):
    """c = start + a @ b for 2-D arrays; `start` is an address with a row stride in elements, or 0 for none."""
    item = c.itemsize
    call_product(c, (address_of(c), c.strides[0] // item, address_of(a), a.strides[0] // item, a.strides[1] // item,
                     address_of(b), b.strides[0] // item, start, start_row, c.shape[0], c.shape[1], a.shape[1]))
