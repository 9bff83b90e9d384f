"""The tile of few features: pixels in the lanes, z[q, f] = start[f] + Σₜ x[q + offsetₜ] weight[t, f], held in registers.

With six features, a vector along the features of a pixel uses six of its sixteen lanes, and loads as many numbers as it
multiplies. A vector along the pixels of a line uses all lanes, and each number that is loaded meets several vectors. At the
end the vectors of the features are interleaved, so that z is written pixel by pixel. Every number is the same chain of
multiply-adds as in the other tiles, so its bits are too.

LeNet-5's first layer went from 24 to 70 % of the peak of a Zen 5.
"""

from llvmlite import ir
from numba.core import cgutils

from ...compiling.jit import jit
from ...compiling.record import Record, on_stack
from ...processor.target import ITEM_BYTES, registers, vector_lanes
from ...processor.vector import VectorEmitter, i64
from ..product import shares, split_evenly
from ..tile import TileEmitter, tile_intrinsic
from .interleave import interleaved

MOST_VECTORS = 8  # of a tile, for each feature
ONE, TWO, SHARE = 1, 2, 3  # lines of a tile: one, two, or two that share a vector

# Addresses, and distances in numbers. Each of `lines` has windows z (columns, features) and pixels x from its first window
# on. offsets: the address of `terms` distances between pixels, for each number that a window reads. weight (terms,
# features); start (features,), or 0 for zeros. Up to a vector of numbers behind the pixels of a line are read.
PIXELS = Record("pixel_product", "lines", "columns", "z", "z_line", "x", "x_line", "offsets", "terms", "weight", "start")
new_pixels = on_stack(PIXELS)


def most_features(dtype):
    """The largest number of features for which a tile has pixels in the lanes: half a vector."""
    return vector_lanes(dtype) // 2


def widest(features):
    """The number of vectors of the widest tile: its sums, pixels and a weight fill the registers."""
    return max(1, min(MOST_VECTORS, (registers() - 2) // (features + 1)))


class PixelTileEmitter(TileEmitter):
    """Emits the tiles for a number of features: of ONE line or TWO, each of `vectors`, of which the last may be filled in
    part; or of two lines that SHARE the last vector, each a half of it.
    """

    def __init__(self, module, dtype, features, fraction=1):
        VectorEmitter.__init__(self, module, dtype, fraction)
        self.features, self.family = features, f"pixel_tile_{features}"
        # arguments: z, z_line, x, x_line, offsets, terms, weight, start, numbers of a line of the tile
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [
            pointer, i64, pointer, i64, i64.as_pointer(), i64, pointer, pointer, i64])

    def emit(self, function, kind, vectors, masked, padded):
        lines, shared = min(kind, TWO), kind == SHARE
        vectors -= shared
        z, z_line, x, x_line, offsets, terms, weight, start, numbers = function.args
        features, lanes = self.features, self.lanes
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        first = cgutils.alloca_once(builder, ir.ArrayType(self.vector, features))
        begun = [builder.gep(first, [i64(0), i64(f)]) for f in range(features)]
        for place in begun:
            builder.store(self.zero, place)
        with builder.if_then(builder.icmp_unsigned("!=", builder.ptrtoint(start, i64), i64(0))):
            for f, place in enumerate(begun):
                builder.store(self.spread(builder, start, f), place)
        initial = [builder.load(place) for place in begun for _ in range(lines * vectors + shared)]
        entry, loop, done = builder.block, *map(function.append_basic_block, ("terms", "done"))
        other = builder.gep(x, [x_line])
        builder.branch(loop)

        builder.position_at_end(loop)
        step, factors = builder.phi(i64), builder.phi(weight.type)
        sums = [builder.phi(self.vector) for _ in initial]
        place = builder.load(builder.gep(offsets, [step]))
        begins = [builder.gep(each, [place]) for each in (x, other)[:lines]]
        pixels = [self.load(builder, builder.gep(each, [i64(v * lanes)]), None) for each in begins for v in range(vectors)]
        if shared:
            half = type(self)(self.module, self.dtype, features, fraction=2)
            ends = [half.load(builder, builder.gep(each, [i64(vectors * lanes)]), None) for each in begins]
            pixels.append(self.shuffle(builder, *ends, [*range(lanes)]))
        grown = []
        for f in range(features):
            factor = self.spread(builder, factors, f)
            grown += [self.multiply_add(builder, pixel, factor, sums[f * len(pixels) + v]) for v, pixel in enumerate(pixels)]
        following = builder.add(step, i64(1))
        for phi, given, value in zip([step, factors, *sums], [i64(0), weight, *initial],
                                     [following, builder.gep(factors, [i64(features)]), *grown], strict=True):
            phi.add_incoming(given, entry)
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", following, terms), loop, done)

        builder.position_at_end(done)
        for line in range(lines):
            to = builder.gep(z, [builder.mul(z_line, i64(line))])
            for v in range(vectors):
                found = interleaved(self, builder, grown[line * vectors + v::len(pixels)])
                for i, vector in enumerate(found):
                    self.store_begun(builder, to, (v * features + i) * lanes, vector, numbers,
                                     shared or v < vectors - 1)
        if shared:
            found = interleaved(self, builder, grown[len(pixels) - 1::len(pixels)])
            halves = [self.shuffle(builder, vector, vector, [*range(begin, begin + lanes // 2)])
                      for vector in found for begin in (0, lanes // 2)]
            for line in range(2):
                to, own = builder.gep(z, [builder.mul(z_line, i64(line))]), halves[line * features:(line + 1) * features]
                at = vectors * features * lanes
                for i in range(0, features - 1, 2):
                    whole = self.shuffle(builder, own[i], own[i + 1], [*range(lanes)])
                    self.store_begun(builder, to, at + i * (lanes // 2), whole, numbers, False)
                if features % 2:
                    half.store_begun(builder, to, at + (features - 1) * (lanes // 2), own[-1], numbers, False)
        builder.ret_void()

    def spread(self, builder, place, number):
        loaded = builder.load(builder.gep(place, [i64(number)]))
        loaded.align = self.bytes
        return self.splat(builder, loaded, self.vector)

    def store_begun(self, builder, to, at, vector, numbers, whole):
        """Store a vector at number `at` of a line of so many numbers, as far as the line goes."""
        place = builder.gep(to, [i64(at)])
        if whole:
            self.store(builder, vector, place, None)
            return
        left = builder.sub(numbers, i64(at))
        with builder.if_else(builder.icmp_signed(">=", left, i64(self.lanes))) as (then, otherwise):
            with then:
                self.store(builder, vector, place, None)
            with otherwise, builder.if_then(builder.icmp_signed(">", left, i64(0))):
                self.store(builder, vector, place, self.lane_mask(builder, left))


def pixel_tile_shapes(features):
    """The (kind, vectors, masked) of the variants."""
    most = widest(features)
    every = {ONE: range(1, most + 1), TWO: range(1, most // 2 + 1), SHARE: range(1, (most + 1) // 2 + 1)}
    return [(kind, vectors, False) for kind, counts in every.items() for vectors in counts]


def pixel_product(dtype, features):
    """The compiled function product(p) of a record of PIXELS."""
    lanes, item, most = vector_lanes(dtype), ITEM_BYTES[dtype], widest(features)
    tile = tile_intrinsic(dtype, lambda module, name: PixelTileEmitter(module, name, features), pixel_tile_shapes(features))

    @jit
    def product(p):
        lines, columns, offsets, terms, weight, start = p.lines, p.columns, p.offsets, p.terms, p.weight, p.start
        z, z_line, x, x_line = p.z, p.z_line, p.x, p.x_line
        vectors, last = (columns + lanes - 1) // lanes, columns % lanes
        kind = SHARE if 0 < last <= lanes // 2 and 2 * vectors - 1 <= most else TWO if 2 * vectors <= most else ONE
        line = 0
        if kind != ONE:
            while line + 2 <= lines:
                tile((kind, vectors, 0, z, z_line, x, x_line, offsets, terms, weight, start, columns * features))
                line, z, x = line + 2, z + 2 * item * z_line, x + 2 * item * x_line
        while line < lines:
            v = 0
            while v < vectors:
                width = split_evenly(vectors - v, shares(vectors - v, most))
                first = v * lanes
                tile((ONE, width, 0, z + item * first * features, z_line, x + item * first, x_line, offsets, terms, weight,
                      start, (min(columns, first + width * lanes) - first) * features))
                v += width
            line, z, x = line + 1, z + item * z_line, x + item * x_line

    return product
