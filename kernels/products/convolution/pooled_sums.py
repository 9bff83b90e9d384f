"""The tile of the gradient of a weight whose windows a max pool has halved: sums over what the pool has kept.

    sums[f, i] += Σ_q patches[place of q + position[q, f], i] dz[q, f]    over the pooled pixels q and kernel rows i

Of each 2×2 windows and each feature, only one has a gradient, so three of four multiply-adds of the whole gradient are by
zero. Which one differs from feature to feature, so lanes hold the numbers of a patch (see `patches`) and not the features.
Each sum is one chain, in the order of the pixels.
"""

from llvmlite import ir
from numba.core import cgutils

from ...processor.target import halves_are_faster, registers
from ...processor.vector import VectorEmitter, i8, i64
from ..tile import TileEmitter, tile_intrinsic

MOST_ROWS, MOST_VECTORS, MOST_FEATURES = 5, 3, 3  # of a tile: kernel rows, vectors of each, features
SEVERAL = MOST_ROWS  # a tile's number of rows is that of the kernel's, and this for each feature beyond the first


def most_sums():
    """The largest number of sums of a tile: they, the gradients and addresses fill the registers."""
    return registers() - 4


def most_kernel_rows(vectors):
    """The largest number of kernel rows of a tile whose patches have so many vectors; 0 for half a vector."""
    return min(MOST_ROWS, most_sums() // max(1, vectors))


def most_features(kernel_rows, vectors):
    """The largest number of features of a tile."""
    return max(1, min(MOST_FEATURES, most_sums() // (kernel_rows * max(1, vectors))))


class PooledSumsEmitter(TileEmitter):
    """Emits the tiles. Where a tile has a number of rows, they have that of kernel rows, and SEVERAL for more features."""

    family = "pooled_sums"

    def __init__(self, module, dtype, fraction=1):
        VectorEmitter.__init__(self, module, dtype, fraction)
        # arguments: sums, distance of features in them, patches, distance of kernel rows, of pooled pixels and lines in
        # them, positions, dz, distance of pixels in both, the address of the places of the positions; lines and columns
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [
            pointer, i64, pointer, i64, i64, i64, i8.as_pointer(), pointer, i64, i64.as_pointer(), i64, i64])

    def emit(self, function, rows, vectors, masked, padded):
        sums, sum_step, patches, row_step, pixel, line_step, kept, dz, step, places, lines, columns = function.args
        features, kernel_rows = 1 + (rows - 1) // SEVERAL, 1 + (rows - 1) % SEVERAL
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        each = [(f, i, v) for f in range(features) for i in range(kernel_rows) for v in range(vectors)]
        size = max(1, vectors) * self.lanes

        def place_of(f, i, v):
            return builder.gep(sums, [builder.add(builder.mul(sum_step, i64(f)), i64(i * size + v * self.lanes))])

        totals = {at: cgutils.alloca_once(builder, self.vector) for at in each}
        for at, total in totals.items():
            builder.store(self.load(builder, place_of(*at), None), total)
        shifts = [None, *(self.opaque(builder, builder.mul(row_step, i64(i))) for i in range(1, kernel_rows))]
        moving = [cgutils.alloca_once_value(builder, place) for place in (patches, kept, dz)]  # to the next window
        with cgutils.for_range(builder, lines) as line:
            builder.store(builder.gep(patches, [builder.mul(line_step, line.index)]), moving[0])
            with cgutils.for_range(builder, columns):
                # opaque, so that each window has one address that moves on, not each of its numbers
                window, positions, gradients = (self.opaque(builder, builder.load(place)) for place in moving)
                for f in range(features):
                    position = builder.zext(builder.load(builder.gep(positions, [i64(f)])), i64)
                    patch = builder.gep(window, [builder.load(builder.gep(places, [position]))])
                    patch = self.opaque(builder, patch)
                    given = builder.load(builder.gep(gradients, [i64(f)]))
                    given.align = self.bytes
                    given = self.splat(builder, given, self.vector)
                    for i, shift in enumerate(shifts):
                        of_row = patch if shift is None else builder.gep(patch, [shift])
                        for v in range(vectors):
                            total = totals[f, i, v]
                            numbers = self.load(builder, builder.gep(of_row, [i64(v * self.lanes)]), None)
                            builder.store(self.multiply_add(builder, numbers, given, builder.load(total)), total)
                for place, begun, distance in zip(moving, (window, positions, gradients), (pixel, step, step), strict=True):
                    builder.store(builder.gep(begun, [distance]), place)
        for at, total in totals.items():
            self.store(builder, builder.load(total), place_of(*at), None)
        builder.ret_void()


def pooled_sums_shapes():
    """The (rows, vectors, masked) of the variants."""
    return [(kernel_rows + SEVERAL * (features - 1), vectors, False)
            for vectors in range(0 if halves_are_faster() else 1, MOST_VECTORS + 1)
            for kernel_rows in range(1, most_kernel_rows(vectors) + 1)
            for features in range(1, most_features(kernel_rows, vectors) + 1)]


def pooled_sums(dtype):
    """The intrinsic tile((rows, vectors, 0, sums, sum_step, patches, row_step, pixel, line_step, kept, dz, step, places,
    lines, columns)).

    sums (features, kernel rows, patch size) are added to. kept: a byte for each number of dz.
    """
    return tile_intrinsic(dtype, PooledSumsEmitter, pooled_sums_shapes())
