"""The micro-kernel over segments: c = start + Σₛ aₛ @ bₛ, held in registers from the first term to the last.

A convolution reads windows of an image. The rows of a window are not adjacent in memory; each run of adjacent numbers is a
segment. Segments begin at regular distances, in two nested loops, of which the inner one goes over `inner` segments. Every
element of c is one chain of fused multiply-adds, in the order of the segments, and within a segment in the order of k.
Writing c to memory between segments slowed LeNet-5's first layer from 76 to 45 GFLOP/s.
"""

from llvmlite import ir

from ...processor.vector import i64
from ..tile import TileEmitter, tile_intrinsic, tile_shapes


class SegmentTileEmitter(TileEmitter):
    """Emits the variants of the tile over segments for one dtype into one LLVM module."""

    family = "segment_tile"

    def __init__(self, module, dtype, fraction=1):
        super().__init__(module, dtype, fraction)
        # arguments: those of the tile; segments, inner, a_step, a_jump, b_step, b_jump, a_group
        self.type = ir.FunctionType(ir.VoidType(), [*self.type.args, *[i64] * 7])

    def emit(self, function, rows, vectors, masked, padded):
        c, c_row, a, a_row, a_column, b, b_row, start, start_row, k, last, *loops = function.args
        segments, inner, a_step, a_jump, b_step, b_jump, a_group = loops
        blocks = map(function.append_basic_block, ("entry", "start", "zero", "segment", "k", "next", "done"))
        entry, from_start, from_zero, segment, loop, behind, done = blocks
        tile = [(i, j) for i in range(rows) for j in range(vectors)]

        builder = ir.IRBuilder(entry)
        masks = [None] * (vectors - 1) + [self.lane_mask(builder, last) if masked else None]
        offsets, groups = self.row_places(builder, rows, a, a_row)
        groups = [builder.gep(a, [builder.mul(a_group, i64(number))]) for number in range(len(groups))]
        unset = builder.icmp_unsigned("==", builder.ptrtoint(start, i64), i64(0))
        builder.cbranch(unset, from_zero, from_start)

        builder.position_at_end(from_start)
        initial = {(i, j): self.load(builder, self.place(builder, start, start_row, i, j), masks[j]) for i, j in tile}
        builder.branch(segment)
        builder.position_at_end(from_zero)
        builder.branch(segment)

        # the state at the beginning of a segment: sums, addresses, number of segments left, and left in the inner loop
        builder.position_at_end(segment)
        firsts = [*(initial[position] for position in tile), *groups, b, segments, inner]
        zeros = [*[self.zero] * len(tile), *firsts[len(tile):]]
        begun = [builder.phi(value.type) for value in firsts]
        for phi, first, zero in zip(begun, firsts, zeros, strict=True):
            phi.add_incoming(first, from_start)
            phi.add_incoming(zero, from_zero)
        builder.branch(loop)

        builder.position_at_end(loop)
        *places, left, inner_left = begun
        step = builder.phi(i64)
        moving = [builder.phi(value.type) for value in places]
        sums, (*a_steps, b_place) = dict(zip(tile, moving, strict=False)), moving[len(tile):]
        b_vectors = [self.load(builder, builder.gep(b_place, [i64(j * self.lanes)]), masks[j]) for j in range(vectors)]
        grown = self.grow(builder, sums, a_steps, offsets, b_vectors, masks)
        moved = [*grown.values(), *(builder.gep(place, [a_column]) for place in a_steps), builder.gep(b_place, [b_row])]
        following = builder.add(step, i64(1))
        for phi, first, value in zip([step, *moving], [i64(0), *places], [following, *moved], strict=True):
            phi.add_incoming(first, segment)
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", following, k), loop, behind)

        builder.position_at_end(behind)
        fewer = builder.sub(inner_left, i64(1))
        wraps = builder.icmp_signed("==", fewer, i64(0))
        a_distance, b_distance = builder.select(wraps, a_jump, a_step), builder.select(wraps, b_jump, b_step)
        *a_places, b_begun = begun[len(tile):-2]
        left_now = builder.sub(left, i64(1))
        after = [*grown.values(), *(builder.gep(place, [a_distance]) for place in a_places),
                 builder.gep(b_begun, [b_distance]), left_now, builder.select(wraps, inner, fewer)]
        for phi, value in zip(begun, after, strict=True):
            phi.add_incoming(value, behind)
        builder.cbranch(builder.icmp_signed(">", left_now, i64(0)), segment, done)

        builder.position_at_end(done)
        for i, j in tile:
            self.store(builder, grown[i, j], self.place(builder, c, c_row, i, j), None if padded else masks[j])
        builder.ret_void()


class ElementwiseTileEmitter(SegmentTileEmitter):
    """The elementwise tile over segments: c[i, j] = start[i, j] + Σₛ Σₖ aₛ[i, k, j] bₛ[k, j]. Columns are contiguous."""

    family = "elementwise_tile"

    def factors(self, builder, place, masks):
        return [self.load(builder, builder.gep(place, [i64(j * self.lanes)]), mask) for j, mask in enumerate(masks)]


def segment_tile_function(dtype, elementwise=False):
    """The intrinsic of the tile over segments: `tile_function`, then segments, inner,
    a_step, a_jump, b_step, b_jump and a_group.

    segments: the total number. Each segment begins a step after the one before, or a jump after it where the inner loop of
    `inner` segments begins again. a_group: the distance from one group of ROW_GROUP rows to the next.
    """
    return tile_intrinsic(dtype, ElementwiseTileEmitter if elementwise else SegmentTileEmitter, tile_shapes())
