"""One row times a small matrix, z = start + x @ weight, without the setup that pays off for many rows only.

Every element of z is the same chain of multiply-adds as in `product`, computed in tiles of one row: the bits are the same. A
layer of 4-16-16-2 in float32 takes 16 to 23 ns, and 60 to 75 through `product`.
"""

from numba import types
from numba.extending import intrinsic

from ..compiling.jit import jit, offset
from ..processor.target import ITEM_BYTES, row_vectors, tile_vectors, vector_lanes
from ..processor.vector import i64
from .product import STREAMED_BYTES, WHOLE
from .tile import TileEmitter


def fits_single(dtype, in_features, out_features):
    """Whether z can be computed here, or for one output as a dot product: each sum is one chain, the weight not huge."""
    return in_features <= WHOLE and in_features * out_features * ITEM_BYTES[dtype] <= STREAMED_BYTES


def row_tile(dtype):
    """The intrinsic tile(vectors, masked, z, x, weight, weight_row, start, k, last), one row of `vectors` vectors.

    z, x, weight and start are pointers; the rows of the weight are `weight_row` numbers apart; `last` is the number of
    columns of the last vector. The last vector is written whole, filled with zeros: after a masked store, the next read of z
    would have to wait until the store has reached the cache.
    """
    shapes = [(vectors, masked) for vectors in range(1, tile_vectors() + 1) for masked in (False, True)]
    shapes += [(vectors, False) for vectors in row_vectors()]

    @intrinsic
    def tile(typingctx, vectors, masked, z, x, weight, weight_row, start, k, last):
        def codegen(context, builder, signature, args):
            emitter = TileEmitter(builder.module, dtype)
            vectors, masked, z, x, weight, weight_row, start, k, last = args
            end = builder.append_basic_block("end")
            switch = builder.switch(builder.or_(builder.shl(vectors, i64(1)), masked), end)
            for width, partial in shapes:
                block = builder.append_basic_block()
                switch.add_case(i64(width << 1 | partial), block)
                builder.position_at_end(block)
                # the arguments of a tile; one row needs no strides between rows
                builder.call(emitter.variant(1, width, partial, padded=True),
                             [z, i64(0), x, i64(0), i64(1), weight, weight_row, start, i64(0), k, last])
                builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 2, z, x, weight, types.intp, start, *[types.intp] * 2), codegen

    return tile


def single_row(dtype):
    """The compiled function single(z, x, weight, start, in_features, out_features). z has room for whole vectors."""
    lanes, tile = vector_lanes(dtype), row_tile(dtype)
    widest, wide, half = tile_vectors(), row_vectors()[0], row_vectors()[-1]

    @jit(inline=True)
    def single(z, x, weight, start, in_features, out_features):
        vectors, whole, v = (out_features + lanes - 1) // lanes, out_features // lanes, 0
        while v < vectors:
            width = min(vectors - v, widest)
            if whole - v >= half:
                width = wide if whole - v >= wide else half
            last, j = min(out_features - (v + width - 1) * lanes, lanes), v * lanes
            masked = 1 if last < lanes else 0
            tile(width, masked, offset(z, j), x, offset(weight, j), out_features, offset(start, j), in_features, last)
            v += width

    return single
