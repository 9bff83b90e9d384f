"""The tile of the gradient of a weight of few features: sums over pixels in the lanes.

    sums[t, f] += Σ_q x[q + offsetₜ] dz[f, q]

dz has planes, one for each feature, with zeros for pixels that are no windows. Each lane adds every vector's number, in the
order of the pixels; at the end the lanes are added.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...processor.target import registers
from ...processor.vector import VectorEmitter, i64
from ..tile import TileEmitter, tile_intrinsic
from .interleave import separated

MOST_TERMS = 12  # of a tile


def most_terms(features):
    """The number of terms of the largest tile: its sums, a vector of each feature and one of pixels fill the registers."""
    return max(1, min(MOST_TERMS, (registers() - 1 - features) // features))


class PixelSumsEmitter(TileEmitter):
    """Emits the tiles for a number of features. Where a tile has a number of rows, they have a number of terms."""

    def __init__(self, module, dtype, features):
        VectorEmitter.__init__(self, module, dtype)
        self.features, self.family = features, f"pixel_sums_{features}"
        # arguments: sums, offsets, x, dz, plane of dz; runs, vectors of a run, distance of runs in x and in dz
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [pointer, i64.as_pointer(), pointer, pointer, *[i64] * 5])

    def emit(self, function, terms, vectors, masked, padded):
        sums, offsets, x, dz, plane, runs, vectors, x_run, dz_run = function.args
        features, lanes = self.features, self.lanes
        entry, run, loop, behind, done = map(function.append_basic_block, ("entry", "run", "pixels", "next", "done"))
        builder = ir.IRBuilder(entry)
        places = [builder.gep(sums, [i64(number * lanes)]) for number in range(terms * features)]
        initial = [self.load(builder, place, None) for place in places]
        shifts = [builder.load(builder.gep(offsets, [i64(t)])) for t in range(terms)]
        planes = [None, *(self.opaque(builder, builder.mul(plane, i64(f))) for f in range(1, features))]
        builder.branch(run)

        builder.position_at_end(run)
        runs_left, x_begun, dz_begun = builder.phi(i64), builder.phi(x.type), builder.phi(dz.type)
        before = [builder.phi(self.vector) for _ in initial]
        builder.branch(loop)

        builder.position_at_end(loop)
        step, x_place, dz_place = builder.phi(i64), builder.phi(x.type), builder.phi(dz.type)
        so_far = [builder.phi(self.vector) for _ in initial]
        given = [self.load(builder, dz_place if shift is None else builder.gep(dz_place, [shift]), None) for shift in planes]
        grown = []
        for t, shift in enumerate(shifts):
            pixels = self.load(builder, builder.gep(x_place, [shift]), None)
            grown += [self.multiply_add(builder, pixels, each, so_far[t * features + f]) for f, each in enumerate(given)]
        following = builder.add(step, i64(1))
        moved = [following, builder.gep(x_place, [i64(lanes)]), builder.gep(dz_place, [i64(lanes)]), *grown]
        for phi, first, value in zip([step, x_place, dz_place, *so_far], [i64(0), x_begun, dz_begun, *before], moved,
                                     strict=True):
            phi.add_incoming(first, run)
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", following, vectors), loop, behind)

        builder.position_at_end(behind)
        fewer = builder.sub(runs_left, i64(1))
        after = [fewer, builder.gep(x_begun, [x_run]), builder.gep(dz_begun, [dz_run]), *grown]
        for phi, first, value in zip([runs_left, x_begun, dz_begun, *before], [runs, x, dz, *initial], after, strict=True):
            phi.add_incoming(first, entry)
            phi.add_incoming(value, behind)
        builder.cbranch(builder.icmp_signed(">", fewer, i64(0)), run, done)

        builder.position_at_end(done)
        for place, total in zip(places, grown, strict=True):
            self.store(builder, total, place, None)
        builder.ret_void()


def pixel_sums(dtype, features):
    """The intrinsic tile((terms, 1, 0, sums, offsets, x, dz, plane, runs, vectors, x_run, dz_run)).

    sums: (terms, features, lanes), added to. offsets: the address of those of its terms. A run is so many vectors of
    adjacent pixels.
    """
    return tile_intrinsic(dtype, lambda module, name: PixelSumsEmitter(module, name, features),
                          [(terms, 1, False) for terms in range(1, most_terms(features) + 1)])


def separate_lines(dtype, features):
    """The intrinsic separate((planes, plane, pitch, z, numbers, lines, vectors, sums)): z[r, q, f] to planes[f, r, q].

    planes, z: addresses. plane, pitch: distances in planes. numbers, lines: how many z has in a line, and how many lines.
    vectors: how many are written of each line, with zeros after z; what a line writes beyond pitch, the next one overwrites.
    sums (features, lanes): what is written is added to it.
    """

    @intrinsic
    def separate(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            planes, plane, pitch, z, numbers, lines, vectors, sums = cgutils.unpack_tuple(builder, args[0])
            planes, z, sums = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (planes, z, sums))
            lanes = emitter.lanes
            places = [builder.gep(sums, [i64(f * lanes)]) for f in range(features)]
            totals = [cgutils.alloca_once(builder, emitter.vector) for _ in places]
            for total, place in zip(totals, places, strict=True):
                builder.store(emitter.load(builder, place, None), total)
            with cgutils.for_range(builder, lines) as line:
                given = builder.gep(z, [builder.mul(line.index, numbers)])
                written = builder.gep(planes, [builder.mul(line.index, pitch)])
                with cgutils.for_range(builder, vectors) as loop:
                    first = builder.mul(loop.index, i64(lanes))
                    begin = builder.mul(first, i64(features))
                    source, left = builder.gep(given, [begin]), builder.sub(numbers, begin)
                    whole = builder.icmp_signed(">=", left, i64(features * lanes))
                    with builder.if_else(whole) as branches:
                        for masked, branch in zip((False, True), branches, strict=True):
                            with branch:
                                masks = [emitter.lane_mask(builder, builder.sub(left, i64(i * lanes))) if masked else None
                                         for i in range(features)]
                                loaded = [emitter.load(builder, builder.gep(source, [i64(i * lanes)]), mask)
                                          for i, mask in enumerate(masks)]
                                for f, vector in enumerate(separated(emitter, builder, loaded)):
                                    to = builder.gep(written, [builder.add(builder.mul(plane, i64(f)), first)])
                                    emitter.store(builder, vector, to, None)
                                    builder.store(builder.fadd(builder.load(totals[f]), vector), totals[f])
            for total, place in zip(totals, places, strict=True):
                emitter.store(builder, builder.load(total), place, None)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 8)), codegen

    return separate


def lane_totals(dtype):
    """The intrinsic total(sums, count, to, add): to[n] = Σ over the lanes of sums[n], added to what it holds if `add`.

    The upper half of the lanes is added to the lower half, until one lane is left.
    """

    @intrinsic
    def total(typingctx, sums, count, to, add):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            sums, count, to, add = args
            sums, to = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (sums, to))
            with cgutils.for_range(builder, count) as loop:
                vector = emitter.load(builder, builder.gep(sums, [builder.mul(loop.index, i64(emitter.lanes))]), None)
                half = emitter.lanes // 2
                while half:
                    order = [(i + half) % emitter.lanes for i in range(emitter.lanes)]
                    vector = builder.fadd(vector, emitter.shuffle(builder, vector, vector, order))
                    half //= 2
                number, place = builder.extract_element(vector, i64(0)), builder.gep(to, [loop.index])
                before = builder.select(builder.icmp_signed("!=", add, i64(0)), builder.load(place),
                                        ir.Constant(emitter.scalar, 0.0))
                builder.store(builder.fadd(before, number), place)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, types.intp, types.intp), codegen

    return total
