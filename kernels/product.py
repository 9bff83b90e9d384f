"""Matrix products c = start + a @ b, cut into tiles for the micro-kernel.

c (rows, columns), a (rows, k), b (k, columns). a may be strided either way, so a transpose of it costs nothing; the columns
of b and c are contiguous.
"""

from numba import carray, types

from .jit import REAL, Kernel, address_of, calls, jit, typed_pointer
from .pack import packing, stack_memory
from .table import share
from .target import ITEM_BYTES, masks_are_free, tile_rows, tile_vectors, vector_lanes
from .tile import tile_function

LONGEST_CHAIN = 512  # steps of k: of a panel of b, as wide as one tile, so much stays in the second-level cache
WHOLE = 256  # so short a k is one chain; a longer one has two or more, for as many threads
# A panel of a b whose rows lie so many bytes apart is packed, if so many rows of a come to read it: 1024³ in float32 went
# from 95 to 108 GFLOP/s; at 512 it makes no difference.
PACKED_STRIDE, PACKED_ROWS = 2048, 48
# Against a b larger than this for each row of a, the product is limited by reading b once: whole rows of it, in the order of
# memory, came 1.5 to 3 times as fast as panels of it (4 rows, 2000 by 2000: 68 against 25 GFLOP/s).
STREAMED_BYTES, STREAMED_ROWS, STREAM_BLOCK, STREAM_COLUMNS = 1 << 20, 16, 8, 2048


@jit(inline=True)
def shares(size, most):
    """Into how many shares of at most so many to cut `size`; most products are one share: spare them the division."""
    return 1 if size <= most else (size + most - 1) // most


@jit(inline=True)
def evened_out(size, count):
    """The first of `count` shares of `size`: five vectors are three and two, not four and one."""
    return size if count == 1 else (size + count - 1) // count


@jit(inline=True)
def chain_length(k):
    """How many products make a chain, for a sum of k of them."""
    return k if k <= WHOLE else evened_out(k, 2 * shares(k, 2 * LONGEST_CHAIN))


@jit(inline=True)
def chain_count(k):
    """How many chains there are in a sum of k products."""
    return shares(k, chain_length(k))


@jit(inline=True)
def share_of_inputs(in_features, part, parts):
    """The rows of the weight that are a part's own: whole chains, if there are enough of them."""
    length = chain_length(in_features)
    grain = length if parts * length <= in_features else 1
    return share(in_features, part, parts, grain)


def build_product(dtype):
    lanes, item, number_pointer = vector_lanes(dtype), ITEM_BYTES[dtype], typed_pointer(REAL[dtype])
    max_vectors, max_rows = tile_vectors(), (1, *(tile_rows(vectors + 1) for vectors in range(tile_vectors())))
    panel_bytes = LONGEST_CHAIN * max_vectors * lanes * item
    masks, tile, pack = masks_are_free(), tile_function(dtype), packing(dtype)

    @jit
    def chain(c, c_row, a, a_row, a_column, b, b_row, start, start_row, afterwards, rows, columns, steps):
        """c = start + a @ b for so few steps of k that they are one chain, or one piece of it."""
        vectors = (columns + lanes - 1) // lanes
        last = columns - (vectors - 1) * lanes
        packed = rows >= PACKED_ROWS and b_row * item >= PACKED_STRIDE
        scratch = stack_memory(panel_bytes if packed else item)
        panels, v0 = shares(vectors, max_vectors), 0
        while panels > 0:
            width = evened_out(vectors - v0, panels)
            j, filled = v0 * lanes, last if panels == 1 else lanes
            masked = 1 if filled < lanes or (masks and width < max_vectors) else 0
            panel, panel_row = b + item * j, b_row
            if packed:
                pack(scratch, panel, b_row, steps, (width - 1) * lanes + filled)
                panel, panel_row = scratch, width * lanes
            bands, i = shares(rows, max_rows[width]), 0
            while bands > 0:
                height = evened_out(rows - i, bands)
                tile(height, width, masked,
                     c + item * (i * c_row + j), c_row,
                     a + item * i * a_row, a_row, a_column,
                     panel, panel_row,
                     start + item * (i * start_row + j) if start != 0 else 0, start_row, afterwards, steps, filled)
                bands, i = bands - 1, i + height
            panels, v0 = panels - 1, v0 + width

    @jit
    def streamed_chain(c, c_row, a, a_row, a_column, b, b_row, start, start_row, rows, columns, steps):
        """The same chain in pieces so short that b is read in the order of memory."""
        scratch = stack_memory(item * rows * min(columns, STREAM_COLUMNS))
        for j0 in range(0, columns, STREAM_COLUMNS):
            width = min(STREAM_COLUMNS, columns - j0)
            for k0 in range(0, steps, STREAM_BLOCK):
                chain(scratch, width, a + item * k0 * a_column, a_row, a_column, b + item * (k0 * b_row + j0), b_row,
                      scratch if k0 > 0 else 0, width, 0, rows, width, min(STREAM_BLOCK, steps - k0))
            for i in range(rows):
                sums = carray(number_pointer(scratch + item * i * width), width)
                result = carray(number_pointer(c + item * (i * c_row + j0)), width)
                first = carray(number_pointer(start + item * (i * start_row + j0)), width)
                for j in range(width):
                    result[j] = sums[j] if start == 0 else first[j] + sums[j]

    def product(c, c_row, a, a_row, a_column, b, b_row, start, start_row, rows, columns, k, length):
        streamed = rows <= STREAMED_ROWS and k * columns * item > rows * STREAMED_BYTES
        for k0 in range(0, k, length):
            steps = min(length, k - k0)
            first, first_row = (start, start_row) if k0 == 0 else (c, c_row)
            a_part, b_part = a + item * k0 * a_column, b + item * k0 * b_row
            if streamed:
                streamed_chain(c, c_row, a_part, a_row, a_column, b_part, b_row, first, first_row, rows, columns, steps)
            else:
                chain(c, c_row, a_part, a_row, a_column, b_part, b_row, first, first_row, 1, rows, columns, steps)

    return product


product_kernel = Kernel("product", build_product, lambda dtype: (types.intp,) * 13)
call_product = calls(product_kernel)


@jit(inline=True)
def product(c, a, b, start, start_row, length):
    """c = start + a @ b for 2-D arrays.

    start: an address with a row stride in elements, or 0 for none. length: how many products make a chain.
    """
    item = c.itemsize
    call_product(c, (address_of(c), c.strides[0] // item, address_of(a), a.strides[0] // item, a.strides[1] // item,
                     address_of(b), b.strides[0] // item, start, start_row, c.shape[0], c.shape[1], a.shape[1],
                     length))
