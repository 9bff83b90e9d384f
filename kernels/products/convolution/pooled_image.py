"""The gradient to the image of a convolution whose windows a max pool has halved: sums over what the pool has kept.

    sums[y, c, j] = Σ dz[q, f] weightᵀ[f, i, j]    over the maxima q, f in column c of the windows and the kernel rows i that
                                                   reach line y of the image
    image[y, x] = Σ_c sums[y, c, j]                over all columns c and taps j of a row with c s + j − left = x

Of each 2×2 windows and each feature, only one has a gradient. The features with their maximum at the same window are added
in registers, so the positions decide which rows of the weight are added and not what is multiplied. Features without a
gradient, as where relu is 0, are left out. Each sum is one chain, over pooled pixels and then features; the last step is
that of `overlapping`.
"""

from llvmlite import ir
from numba.core import cgutils

from ...compiling.jit import REAL, address_of, integers, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES, halves_are_faster, vector_lanes
from ...processor.vector import OctetEmitter, VectorEmitter, i8, i64
from ..packing import stack_memory
from ..product import shares, split_evenly
from ..tile import TileEmitter, tile_intrinsic
from ..transpose import call_transpose
from .overlapping import sum_of_vectors
from .patches import patch_lines
from .pooled_sums import MOST_ROWS, MOST_VECTORS, most_kernel_rows, most_sums

TOGETHER = 64  # features whose positions are looked at together: the bits of a word


class PooledImageEmitter(TileEmitter):
    """Emits what adds a line of the pool to the sums. Where a tile has a number of rows, it has that of kernel rows."""

    family = "pooled_image"

    def __init__(self, module, dtype, fraction=1):
        VectorEmitter.__init__(self, module, dtype, fraction)
        # arguments: sums, distance of kernel rows in them, of two pooled pixels, the places of the positions; the weight,
        # its distances of features and kernel rows; positions, dz, their distance of pixels; features, columns
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [
            pointer, i64, i64, i64.as_pointer(), pointer, i64, i64, i8.as_pointer(), pointer, i64, i64, i64])

    def emit(self, function, rows, vectors, masked, padded):
        sums, row_step, pixel, places, weight, feature, weight_row, kept, dz, step, features, columns = function.args
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        each = [(i, v) for i in range(rows) for v in range(vectors)]
        totals = {at: cgutils.alloca_once(builder, self.vector) for at in each}
        bits = [cgutils.alloca_once(builder, i64) for _ in range(4)]
        shifts = [i64(0), *(self.opaque(builder, builder.mul(row_step, i64(i))) for i in range(1, rows))]
        weight_shifts = [i64(0), *(self.opaque(builder, builder.mul(weight_row, i64(i))) for i in range(1, rows))]
        with cgutils.for_range(builder, columns) as column:
            number = builder.mul(column.index, step)
            positions, gradients = builder.gep(kept, [number]), builder.gep(dz, [number])
            self.find(builder, bits, positions, gradients, features)
            window = builder.gep(sums, [builder.mul(column.index, pixel)])
            for k, left in enumerate(bits):
                with builder.if_then(builder.icmp_unsigned("!=", builder.load(left), i64(0))):
                    place = self.opaque(builder, builder.gep(window, [builder.load(builder.gep(places, [i64(k)]))]))
                    targets = {(i, v): builder.gep(place, [builder.add(shifts[i], i64(v * self.lanes))]) for i, v in each}
                    for at, target in targets.items():
                        builder.store(self.load(builder, target, None), totals[at])
                    self.add(builder, left, totals, weight, feature, weight_shifts, gradients)
                    for at, target in targets.items():
                        self.store(builder, builder.load(totals[at]), target, None)
        builder.ret_void()

    def find(self, builder, bits, positions, gradients, features):
        """Write the four words of bits: which features have a gradient at each of the positions."""
        whole = OctetEmitter(self.module, self.dtype)
        lanes = whole.lanes
        for each in bits:
            builder.store(i64(0), each)
        vectors = builder.sdiv(builder.add(features, i64(lanes - 1)), i64(lanes))
        with cgutils.for_range(builder, vectors) as vector:
            at = builder.mul(vector.index, i64(lanes))
            mask = whole.lane_mask(builder, builder.sub(features, at))
            given = whole.load(builder, builder.gep(gradients, [at]), mask)
            some = builder.fcmp_unordered("!=", given, whole.zero)
            here = whole.load_octets(builder, builder.gep(positions, [at]), mask)
            for k, each in enumerate(bits):
                found = builder.and_(some, builder.icmp_unsigned("==", here, whole.octet(k)))
                word = builder.zext(builder.bitcast(found, ir.IntType(lanes)), i64)
                builder.store(builder.or_(builder.load(each), builder.shl(word, at)), each)

    def add(self, builder, left, totals, weight, feature, weight_shifts, gradients):
        """Add the rows of the weight of the features in a word that is not 0."""
        function = builder.function
        loop, done = (function.append_basic_block(name) for name in ("feature", "added"))
        lowest = self.declare("llvm.cttz.i64", i64, [i64, ir.IntType(1)])
        builder.branch(loop)
        builder.position_at_end(loop)
        word = builder.load(left)
        number = builder.call(lowest, [word, ir.IntType(1)(1)])
        remaining = builder.and_(word, builder.sub(word, i64(1)))
        builder.store(remaining, left)
        given = builder.load(builder.gep(gradients, [number]))
        given.align = self.bytes
        given = self.splat(builder, given, self.vector)
        row = self.opaque(builder, builder.gep(weight, [builder.mul(number, feature)]))
        for (i, v), total in totals.items():
            factor = self.load(builder, builder.gep(row, [builder.add(weight_shifts[i], i64(v * self.lanes))]), None)
            builder.store(self.multiply_add(builder, factor, given, builder.load(total)), total)
        builder.cbranch(builder.icmp_unsigned("!=", remaining, i64(0)), loop, done)
        builder.position_at_end(done)


def pooled_image_shapes():
    """The (rows, vectors, masked) of the variants."""
    return [(rows, vectors, False) for vectors in range(0 if halves_are_faster() else 1, MOST_VECTORS + 1)
            for rows in range(1, most_kernel_rows(vectors) + 1)]


def image_sums_size(dtype, rows, columns, patch):
    """The number of elements of the sums of a sample, with zeros around them. rows, columns: `Windows`."""
    lanes = vector_lanes(dtype)
    return 2 * lanes + ((rows.out - 1) * rows.stride + rows.span) * columns.out * (patch + lanes)


def to_pooled_image(dtype):
    """The compiled function that computes the image of a sample; the groups and the dilation across are 1."""
    item, number, lanes, total = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), vector_lanes(dtype), sum_of_vectors(dtype)
    tile, most = tile_intrinsic(dtype, PooledImageEmitter, pooled_image_shapes()), most_sums()

    @jit
    def image_of(row, image, dz, kept, packed, scratch):
        """packed: the weight from `packing_patches`. scratch: of `image_sums_size`."""
        channels, features, columns, taps = row.channels, row.features, row.columns, row.kernel_height
        vectors, size, pooled = row.patch_vectors, row.width * row.channels, row.columns // 2 * row.features
        patch = vectors * lanes if vectors > 0 else lanes // 2
        wide, step, before, pitch = row.kernel_width * channels, row.stride_x * channels, row.left * channels, patch + lanes
        line, height = columns * pitch, patch_lines(row, row.rows)
        begun, sums = scratch, scratch + item * 2 * lanes
        view(number(scratch), 0, 2 * lanes + height * line)[:] = 0
        places = view(integers(stack_memory(32)), 0, 4)
        for k in range(4):
            places[k] = k // 2 * row.stride_y * line + k % 2 * pitch
        for r in range(row.rows // 2):
            for f in range(0, features, TOGETHER):
                i = 0
                while i < taps:
                    rows = split_evenly(taps - i, shares(taps - i, min(MOST_ROWS, most // max(1, vectors))))
                    tile((rows, vectors, 0, sums + item * (2 * r * row.stride_y + i * row.dilation_y) * line,
                          row.dilation_y * line, 2 * pitch, address_of(places), packed + item * (f * taps + i) * patch,
                          taps * patch, patch, kept + r * pooled + f, dz + item * (r * pooled + f), features,
                          min(TOGETHER, features - f), columns // 2))
                    i += rows
        for y in range(row.height):
            own, low, high = y + row.top, 0, 0
            for x in range(0, size, lanes):
                # columns low … high − 1 reach these numbers of the line
                while high < columns and high * step - before < x + lanes:
                    high += 1
                while low < high and low * step - before + wide <= x:
                    low += 1
                total((image + item * (y * size + x), size - x, begun,
                       sums + item * (own * line + low * pitch + x + before - low * step), pitch - step,
                       high - low if own < height else 0))

    return image_of


def packing_patches(dtype):
    """The compiled function that packs the weight for `to_pooled_image`."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def pack(row, packed, weight, patch, begin, end):
        """Write kernel rows begin … end − 1 of packed (features, kernel_height, patch), with zeros behind each."""
        wide, features, taps = row.kernel_width * row.channels, row.features, row.kernel_height
        for i in range(begin, end):
            for f in range(features):
                view(number(packed), (f * taps + i) * patch + wide, patch - wide)[:] = 0
            call_transpose(number(packed), (packed + item * i * patch, taps * patch, weight + item * i * wide * features,
                                            features, wide, features))

    return pack
