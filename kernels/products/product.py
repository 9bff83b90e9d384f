"""Matrix products c = start + a @ b, cut into tiles for the micro-kernel.

c (rows, columns), a (rows, k), b (k, columns). a may be strided either way, so a transpose of it costs nothing; the columns
of b and c are contiguous.
"""

from numba import carray, types

from ..compiling.jit import REAL, Kernel, address_of, calls, jit, typed_pointer
from ..compiling.share import share
from ..processor.target import (
    ITEM_BYTES,
    halves_are_faster,
    masks_are_free,
    row_vectors,
    tile_rows,
    tile_vectors,
    vector_lanes,
)
from .packing import packing, stack_memory
from .tile import HALF, tile_function

LONGEST_CHAIN = 512  # terms: a panel of b with so many rows, one tile wide, stays in the second-level cache
WHOLE = 256  # up to this k a sum is one chain; a longer one has several, which threads can compute separately
# Panels of b are packed if its rows lie at least PACKED_STRIDE bytes apart and a has at least PACKED_ROWS rows: 1024³ in
# float32 went from 95 to 108 GFLOP/s. With 128 rows it does not pay (784 by 512: 108 GFLOP/s packed, 114 unpacked); about
# 400 rows are the break-even.
PACKED_STRIDE, PACKED_ROWS = 2048, 400
# If a has few rows, and b more than STREAMED_BYTES for each of them, most of the time is spent on reading b once. Reading
# whole rows of b, in the order of memory, is 1.5 to 3 times as fast as reading panels (4 rows, 2000 by 2000: 68 against 25
# GFLOP/s). The tiles of a single row are so wide that this pays only if b is in no cache (2500 by 2500: 33 against 24 GB/s).
STREAMED_BYTES, STREAMED_ROWS, STREAM_BLOCK, STREAM_COLUMNS = 1 << 20, 16, 8, 2048
UNCACHED_BYTES, UNCACHED_BLOCK = 1 << 24, 16

# On processors where `halves_are_faster`, a last vector that is at most half full is computed as half a vector. With fewer
# multiplications than HALF_PAYS the separate tile costs more than it saves.
HALF_PAYS = 512


@jit(inline=True)
def shares(size, most):
    """⌈size / most⌉, the number of shares of at most `most`. Most products are one share and skip the division."""
    return 1 if size <= most else (size + most - 1) // most


@jit(inline=True)
def split_evenly(size, count):
    """⌈size / count⌉, the first of `count` equal shares: five vectors are split into three and two, not four and one."""
    return size if count == 1 else (size + count - 1) // count


@jit(inline=True)
def chain_length(k):
    """The number of terms of a chain, for a sum of k terms."""
    return k if k <= WHOLE else split_evenly(k, 2 * shares(k, 2 * LONGEST_CHAIN))


@jit(inline=True)
def chain_count(k):
    """The number of chains of a sum of k terms."""
    return shares(k, chain_length(k))


@jit(inline=True)
def share_of_inputs(in_features, part, parts):
    """The range of rows of the weight that a part owns: whole chains, if there are enough of them."""
    length = chain_length(in_features)
    grain = length if parts * length <= in_features else 1
    return share(in_features, part, parts, grain)


def build_product(dtype):
    lanes, item, number_pointer = vector_lanes(dtype), ITEM_BYTES[dtype], typed_pointer(REAL[dtype])
    max_vectors, wide_row, half_row = tile_vectors(), row_vectors()[0], row_vectors()[-1]
    max_rows = *(tile_rows(max(vectors, 1)) for vectors in range(max_vectors + 1)), *[1] * wide_row
    widest = max_vectors * lanes
    panel_bytes = LONGEST_CHAIN * widest * item
    tile_bytes = max(rows * vectors for vectors, rows in enumerate(max_rows)) * lanes * item
    masks, halves, tile, pack = masks_are_free(), halves_are_faster(), tile_function(dtype), packing(dtype)

    @jit
    def add(c, c_row, sums, sums_row, rows, columns):
        """c += sums."""
        for i in range(rows):
            total = carray(number_pointer(c + item * i * c_row), columns)
            summand = carray(number_pointer(sums + item * i * sums_row), columns)
            for j in range(columns):
                total[j] += summand[j]

    @jit
    def outer(c, c_row, a, a_row, b, rows, columns):
        """c = a @ b for k = 1, in the order of memory, because most of the time is spent on writing c."""
        for i in range(rows):
            number = carray(number_pointer(a + item * i * a_row), 1)[0]
            total = carray(number_pointer(c + item * i * c_row), columns)
            row = carray(number_pointer(b), columns)
            for j in range(columns):
                total[j] = number * row[j]

    def product(c, c_row, a, a_row, a_column, b, b_row, start, start_row, rows, columns, k, length):
        if rows == 0 or columns == 0 or k == 0:
            return
        if length == 1 and start == 0:  # every sum has one term
            outer(c, c_row, a, a_row, b, rows, columns)
            return
        halved = halves and 0 < columns % lanes <= lanes // 2 and rows * k >= HALF_PAYS
        if k <= length and columns <= (lanes if halved else widest):
            # one tile wide, and every sum is one chain: only the rows are cut, into bands
            width = (columns + lanes - 1) // lanes
            last = columns - (width - 1) * lanes
            masked = 1 if last < lanes or (masks and width < max_vectors) else 0
            shape = HALF if halves and columns <= lanes // 2 else width
            bands = shares(rows, max_rows[shape])
            height, higher = (rows, 0) if bands == 1 else (rows // bands, rows % bands)
            for band in range(bands):
                count = height + 1 if band < higher else height
                tile((count, shape, masked, c, c_row, a, a_row, a_column, b, b_row, start, start_row, k, last))
                c, a = c + item * count * c_row, a + item * count * a_row
                start += item * count * start_row if start != 0 else 0
            return
        # one loop for both orders of reading b, streamed or by panels
        streamed = rows <= STREAMED_ROWS and k * columns * item > (UNCACHED_BYTES if rows == 1 else rows * STREAMED_BYTES)
        piece, strip = (UNCACHED_BLOCK if rows == 1 else STREAM_BLOCK, STREAM_COLUMNS) if streamed else (length, columns)
        packed = rows >= PACKED_ROWS and b_row * item >= PACKED_STRIDE
        panel_memory = stack_memory(panel_bytes if packed else item)
        sums = stack_memory(item if k <= length else item * rows * strip if streamed else tile_bytes)
        for j0 in range(0, columns, strip):
            strip_columns = min(strip, columns - j0)
            vectors = (strip_columns + lanes - 1) // lanes
            last = strip_columns - (vectors - 1) * lanes
            whole = vectors if last == lanes else vectors - 1
            full = vectors - 1 if halved and last <= lanes // 2 else vectors  # the rest is half a vector
            for k0 in range(0, k, length):
                later, end = k0 > 0, min(k0 + length, k)
                for k1 in range(k0, end, piece):
                    steps = min(piece, end - k1)
                    v0 = 0
                    while v0 < vectors:
                        width = split_evenly(full - v0, shares(full - v0, max_vectors)) if v0 < full else 1
                        if rows == 1 and not streamed and v0 < full:
                            width = wide_row if whole - v0 >= wide_row else min(full - v0, half_row)
                        j, filled = j0 + v0 * lanes, min(strip_columns - (v0 + width - 1) * lanes, lanes)
                        masked = 1 if filled < lanes or (masks and width < max_vectors) else 0
                        panel, panel_row, extent = b + item * (k1 * b_row + j), b_row, width * lanes
                        if packed:
                            pack(panel_memory, panel, b_row, steps, extent - lanes + filled)
                            panel, panel_row = panel_memory, extent
                        shape = width if v0 < full else HALF
                        bands, i = shares(rows, max_rows[shape]), 0
                        while bands > 0:
                            height = split_evenly(rows - i, bands)
                            place = c + item * (i * c_row + j)
                            target, target_row = place, c_row
                            if later:
                                target_row = strip if streamed else extent
                                target = sums + (item * (i * strip + v0 * lanes) if streamed else 0)
                            before, before_row = target, target_row
                            if k1 == k0:
                                before_row = start_row
                                before = start + item * (i * start_row + j) if start != 0 and not later else 0
                            tile((height, shape, masked, target, target_row, a + item * (i * a_row + k1 * a_column), a_row,
                                  a_column, panel, panel_row, before, before_row, steps, filled))
                            if later and not streamed:
                                add(place, c_row, target, target_row, height, extent - lanes + filled)
                            bands, i = bands - 1, i + height
                        v0 += width
                if later and streamed:
                    add(c + item * j0, c_row, sums, strip, rows, strip_columns)

    return product


def product_types(dtype):
    return (types.intp,) * 13


product_kernel = Kernel("product", build_product, product_types)
call_product = calls(product_kernel)


@jit(inline=True)
def product_arguments(c, a, b, start, start_row, length):
    """Return the arguments of the kernel for c = start + a @ b, 2-D arrays.

    start: an address, or 0 for none; start_row: its row stride in elements. length: the number of terms of a chain.
    """
    item = c.itemsize
    return (address_of(c), c.strides[0] // item, address_of(a), a.strides[0] // item, a.strides[1] // item, address_of(b),
            b.strides[0] // item, start, start_row, c.shape[0], c.shape[1], a.shape[1], length)


@jit(inline=True)
def product(c, a, b, start, start_row, length):
    """c = start + a @ b."""
    call_product(c, product_arguments(c, a, b, start, start_row, length))
