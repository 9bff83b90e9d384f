"""Transposition through registers: out = wᵀ, a square of vectors at a time.

A matrix product wants the columns of its right operand contiguous. dx = dz @ weightᵀ has them scattered, so weightᵀ is laid
out first, panel by panel, into scratch.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .jit import address_of, jit
from .target import ITEM_BYTES, vector_lanes
from .tile import SCALAR, i32


def transpose_square(dtype):
    """The intrinsic square(out, out_row, w, w_row): out = wᵀ for lanes by lanes numbers, given addresses and row strides."""
    lanes, item, scalar = vector_lanes(dtype), ITEM_BYTES[dtype], SCALAR[dtype]
    vector = ir.VectorType(scalar, lanes)
    low = [lane for pair in zip(range(lanes // 2), range(lanes, lanes + lanes // 2), strict=True) for lane in pair]
    high = [lane + lanes // 2 for lane in low]

    @intrinsic
    def square(typingctx, out, out_row, w, w_row):
        def codegen(context, builder, signature, args):
            out, out_row, w, w_row = args
            word = out.type

            def row(base, stride, i):
                address = builder.add(base, builder.mul(builder.mul(stride, word(i)), word(item)))
                return builder.inttoptr(address, vector.as_pointer())

            rows = []
            for i in range(lanes):
                loaded = builder.load(row(w, w_row, i))
                loaded.align = item
                rows.append(loaded)
            # interleaving row i with row i + lanes/2, log2(lanes) times over, is a transposition
            for _ in range(lanes.bit_length() - 1):
                pairs = [(rows[i], rows[i + lanes // 2]) for i in range(lanes // 2)]
                rows = [builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(i32, lanes), order))
                        for a, b in pairs for order in (low, high)]
            for i in range(lanes):
                builder.store(rows[i], row(out, out_row, i)).align = item
            return context.get_dummy_value()

        return types.void(*[types.intp] * 4), codegen

    return square


def transposition(dtype):
    """The compiled transpose(out, w): out (columns, rows) = w (rows, columns) transposed, both contiguous along rows."""
    lanes, item, square = vector_lanes(dtype), ITEM_BYTES[dtype], transpose_square(dtype)

    @jit
    def transpose(out, w):
        rows, columns = w.shape
        whole_rows, whole_columns = rows - rows % lanes, columns - columns % lanes
        out_row, w_row = out.strides[0] // item, w.strides[0] // item
        for i in range(0, whole_rows, lanes):
            for j in range(0, whole_columns, lanes):
                square(address_of(out) + item * (j * out_row + i), out_row, address_of(w) + item * (i * w_row + j), w_row)
        for i in range(rows):
            for j in range(whole_columns if i < whole_rows else 0, columns):
                out[j, i] = w[i, j]

    return transpose
