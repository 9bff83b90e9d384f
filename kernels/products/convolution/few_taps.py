"""Depthwise windows of few taps: c = start + Σₛ Σₖ aₛ[k] bₛ[k], channel by channel, with all factors b in registers.

A pixel takes as many multiply-adds as there are taps, each with a vector of a from memory, so nothing but the arithmetic is
left in the loop over the pixels. In the tile, which moves on in a and b at every tap, as much time went into that: 25×5×64
with a 3×3 kernel took three times as long. The order of the additions is that of the tile.
"""

from llvmlite import ir
from numba.core import cgutils

from ...compiling.jit import jit
from ...processor.target import ITEM_BYTES, halves_are_faster, vector_lanes
from ...processor.vector import VectorEmitter, i64
from ..tile import HALF, TileEmitter, tile_intrinsic

MOST = 3  # taps of a row, and rows


class FewTapsEmitter(TileEmitter):
    """Emits the variants for up to MOST × MOST taps. Where a tile has a number of rows, they have a number of the shape."""

    family = "few_taps"

    def __init__(self, module, dtype, fraction=1):
        VectorEmitter.__init__(self, module, dtype, fraction)
        # arguments: c, a, b, start; lines, rows; strides of c, a, b; columns of the vector
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [*[pointer] * 4, *[i64] * 11])

    def emit(self, function, rows, vectors, masked, padded):
        segments, taps = 1 + (rows - 1) // MOST, 1 + (rows - 1) % MOST
        c, a, b, start, lines, pixels, c_line, c_row, a_line, a_row, a_column, a_jump, b_row, b_jump, last = function.args
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        mask = self.lane_mask(builder, last) if masked else None
        first = cgutils.alloca_once_value(builder, self.zero)
        with builder.if_then(builder.icmp_unsigned("!=", builder.ptrtoint(start, i64), i64(0))):
            builder.store(self.load(builder, start, mask), first)
        first = builder.load(first)
        factors = [[self.load(builder, self.at(builder, b, (b_jump, s), (b_row, k)), mask) for k in range(taps)]
                   for s in range(segments)]
        # opaque, so that each row of taps has one address that moves on, not each tap
        columns = [None, *(self.opaque(builder, builder.mul(a_column, i64(k))) for k in range(1, taps))]
        jumps = [None, *(self.opaque(builder, builder.mul(a_jump, i64(s))) for s in range(1, segments))]
        with cgutils.for_range(builder, lines) as line:
            a_begun, c_begun = self.at(builder, a, (a_line, line.index)), self.at(builder, c, (c_line, line.index))
            with cgutils.for_range(builder, pixels) as pixel:
                place, total = self.at(builder, a_begun, (a_row, pixel.index)), first
                for jump, row in zip(jumps, factors, strict=True):
                    begun = place if jump is None else builder.gep(place, [jump])
                    for column, factor in zip(columns, row, strict=True):
                        at = begun if column is None else builder.gep(begun, [column])
                        total = self.multiply_add(builder, self.load(builder, at, mask), factor, total)
                self.store(builder, total, self.at(builder, c_begun, (c_row, pixel.index)), mask)
        builder.ret_void()

    def at(self, builder, base, *steps):
        """Return the address so many strides after base: pairs of a stride and a number."""
        for stride, number in steps:
            base = builder.gep(base, [builder.mul(stride, i64(number) if isinstance(number, int) else number)])
        return base


def few_taps_shapes():
    """The (number of the shape, vectors, masked) of the variants."""
    every = range(1, MOST * MOST + 1)
    return [(shape, vectors, masked) for shape in every for vectors, masked in (
        (1, False), (1, True), *([(HALF, True)] if halves_are_faster() else []))]


def few_taps_product(dtype):
    """The compiled function that computes a `segment_product` of few taps; it returns False for others."""
    lanes, item, halves = vector_lanes(dtype), ITEM_BYTES[dtype], halves_are_faster()
    compute = tile_intrinsic(dtype, FewTapsEmitter, few_taps_shapes())

    @jit
    def product(p):
        segments, k, columns, start = p.segments, p.k, p.columns, p.start
        if segments > MOST or k > MOST or p.inner != 1 or p.start_line != 0 or p.start_row != 0:
            return False
        for j in range(0, columns, lanes):
            filled = min(columns - j, lanes)
            half = halves and filled <= lanes // 2
            compute(((segments - 1) * MOST + k, HALF if half else 1, 1 if filled < lanes else 0,
                     p.c + item * j, p.a + item * j, p.b + item * j, start + item * j if start != 0 else 0,
                     p.lines, p.rows, p.c_line, p.c_row, p.a_line, p.a_row, p.a_column, p.a_jump, p.b_row, p.b_jump, filled))
        return True

    return product
