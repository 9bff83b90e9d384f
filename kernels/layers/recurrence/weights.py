"""Weights of recurrent layers in the form in which their products read them: panels as wide as a tile, without gaps.

A recurrent weight is read again at each step. Packed, it stays in the second-level cache, and a panel of 64 inputs in the
first-level cache. The rows of an unpacked weight may be a power of two apart, and would evict one another.
"""

from ...compiling.jit import REAL, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES, vector_lanes
from ...products.linear import panel_columns
from ...products.product import call_product, chain_length
from ...products.transpose import call_transpose

LONGEST = 1024  # terms of a chain: a recurrent sum is one chain, so that a step is one pass over the weight


def packed_numbers(dtype, rows, columns):
    """Return how many elements a packed matrix takes; the last panel is padded to whole vectors."""
    lanes = vector_lanes(dtype)
    return rows * -(-columns // lanes) * lanes


def packed_size(dtype):
    """The compiled form of `packed_numbers` for a dtype."""
    lanes = packed_numbers(dtype, 1, 1)

    @jit(inline=True)
    def numbers(rows, columns):
        return rows * ((columns + lanes - 1) // lanes) * lanes

    return numbers


def packers(dtype):
    """Return the compiled functions (pack, pack_transposed)."""
    item, panel, lanes = ITEM_BYTES[dtype], panel_columns(dtype), vector_lanes(dtype)
    number = typed_pointer(REAL[dtype])

    @jit
    def pack(packed, rows, columns, first, source, source_row, width):
        """Copy source (rows, width) to the columns from `first` on of a packed matrix (rows, columns)."""
        j = first - first % panel
        while j < first + width:
            padded = (min(panel, columns - j) + lanes - 1) // lanes * lanes
            begin, end = max(first, j), min(first + width, j + panel)
            for i in range(rows):
                to = view(number(packed + item * (j * rows + i * padded + begin - j)), 0, end - begin)
                given = view(number(source + item * (i * source_row + begin - first)), 0, end - begin)
                for m in range(end - begin):
                    to[m] = given[m]
            j += panel

    @jit
    def pack_transposed(packed, rows, first, source, source_row, width, columns):
        """Copy sourceᵀ, of source (columns, width), to the rows from `first` on of a packed matrix (rows, columns)."""
        for j in range(0, columns, panel):
            part = min(panel, columns - j)
            padded = (part + lanes - 1) // lanes * lanes
            call_transpose(number(packed), (packed + item * (j * rows + first * padded), padded,
                                            source + item * j * source_row, source_row, part, width))

    return pack, pack_transposed


def product_by_panels(dtype):
    """Return the compiled function c = start + a @ b for a packed b (k, columns)."""
    item, panel, lanes = ITEM_BYTES[dtype], panel_columns(dtype), vector_lanes(dtype)
    number = typed_pointer(REAL[dtype])

    @jit
    def multiply(c, c_row, a, a_row, packed, start, start_row, rows, columns, k):
        length = k if k <= LONGEST else chain_length(k)
        for j in range(0, columns, panel):
            width = min(panel, columns - j)
            padded = (width + lanes - 1) // lanes * lanes
            call_product(number(c), (c + item * j, c_row, a, a_row, 1, packed + item * k * j, padded,
                                     start + item * j if start != 0 else 0, start_row, rows, width, k, length))

    return multiply
