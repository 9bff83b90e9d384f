"""Lines of a depthwise convolution of few taps, with all weights of a vector of channels in registers.

    c[r, x] = start + Σᵢ Σⱼ a[r line + i down, x pixel + j across] weight[i, j]

A pixel takes as many multiply-adds as there are taps, each with a vector of a from memory, so nothing but the arithmetic is
left in the loop over the pixels. A call computes many lines and vectors, since a line of 5 pixels is too little work for a
call. Pixels at the sides skip the taps outside: each column of them is a loop over the lines, with code for just the taps
inside. The order of the additions is that of the tile.
"""

from llvmlite import ir
from numba.core import cgutils

from ...processor.prefetch import CACHE_LINE, CLOSE, emit_prefetch
from ...processor.target import halves_are_faster, vector_lanes
from ...processor.vector import VectorEmitter, i64
from ..tile import HALF, TileEmitter, tile_intrinsic

MOST = 3  # taps of a row, and rows
POINTERS = "c", "a", "weight", "start"
# vectors: their number; band: lines that are computed for one vector before the next. Distances, in numbers, of lines and
# pixels of c and a, and of rows and columns of taps in a and in the weight. begin … end − 1: pixels with all taps. Tap j of
# pixel x is in column first + x step + j tap of size columns. last: columns of the last vector.
INTEGERS = ("vectors", "lines", "band", "pixels", "begin", "end", "c_line", "c_pixel", "a_line", "a_pixel", "a_down",
            "a_across", "weight_down", "weight_across", "first", "step", "tap", "size", "last")


class DepthwiseEmitter(TileEmitter):
    """Emits the variants for up to MOST × MOST taps. Where a tile has a number of rows, they have a number of the shape."""

    family, pointers, integers, result, prefetched = "depthwise_lines", POINTERS, INTEGERS, "c", False

    def __init__(self, module, dtype, fraction=1):
        VectorEmitter.__init__(self, module, dtype, fraction)
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [*[pointer] * len(self.pointers), *[i64] * len(self.integers)])

    def emit(self, function, rows, vectors, masked, padded):
        down, across = 1 + (rows - 1) // MOST, 1 + (rows - 1) % MOST
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        of = dict(zip((*self.pointers, *self.integers), function.args, strict=True))
        mask = self.lane_mask(builder, of["last"]) if masked else None
        steps, every = self.tap_steps(builder, of, down, across), [(i, j) for i in range(down) for j in range(across)]
        self.each_pixel(builder, of, down, across, self.of_vector(builder, of, mask, steps, every))
        builder.ret_void()

    def of_vector(self, builder, of, mask, steps, every):
        """Return the function body(channel) that `each_pixel` takes. every: all taps; steps: as `of_tap` reads them."""
        starts, start = builder.icmp_unsigned("!=", builder.ptrtoint(of["start"], i64), i64(0)), cgutils.alloca_once(
            builder, self.vector)

        def body(channel):
            builder.store(self.zero, start)
            with builder.if_then(starts):
                builder.store(self.load(builder, builder.gep(of["start"], [channel]), mask), start)
            first, factors = builder.load(start), {(i, j): self.load(builder, self.at(
                builder, of["weight"], channel, (of["weight_down"], i), (of["weight_across"], j)), mask) for i, j in every}

            def pixel_of(taps, place, to):
                total = first
                for tap in taps:
                    pixel = self.load(builder, self.of_tap(builder, place, steps, tap), mask)
                    total = self.multiply_add(builder, pixel, factors[tap], total)
                self.store(builder, total, to, mask)

            yield pixel_of

        return body

    def tap_steps(self, builder, of, down, across):
        """The distances of the rows and of the columns of taps in a."""
        # opaque, so that each row of taps has one address that moves on, not each tap
        return [[None, *(self.opaque(builder, builder.mul(of[name], i64(k))) for k in range(1, count))]
                for name, count in (("a_down", down), ("a_across", across))]

    def of_tap(self, builder, place, steps, tap):
        """The address of what a tap reads for the pixel whose first tap reads at `place`."""
        for distances, number in zip(steps, tap, strict=True):
            place = builder.gep(place, [distances[number]]) if number else place
        return place

    def prefetch_next_band(self, builder, of, place, line, lines, vector):
        """Prefetch a share of the lines after these, in the order of memory, for each vector.

        The vectors of a band are read one after the other, in strides, which the processor's own prefetching does not serve.
        """
        share = builder.sdiv(builder.mul(lines, line), of["vectors"])
        place = builder.gep(place, [builder.add(builder.mul(lines, line), builder.mul(share, vector))])
        with cgutils.for_range_slice(builder, i64(0), share, i64(CACHE_LINE // self.bytes)) as (number, _):
            emit_prefetch(builder, builder.gep(place, [number]), CLOSE)

    def each_pixel(self, builder, of, down, across, body):
        """Emit the loops over bands, vectors and pixels.

        body(channel): what is emitted for each band and vector, from a channel on. It yields pixel_of(taps, place, to),
        which emits a pixel: the taps inside, where the first tap reads, and the address in c, or dz (by name, `result`).
        """
        result = self.result
        every, inside = [(i, j) for i in range(down) for j in range(across)], builder.sub(of["end"], of["begin"])
        lines_of, pixels_of = ([of[f"{name}_{axis}"] for name in ("a", result)] for axis in ("line", "pixel"))
        with cgutils.for_range_slice(builder, i64(0), of["lines"], of["band"]) as (top, _):
            rest = builder.sub(of["lines"], top)
            lines = builder.select(builder.icmp_signed("<", of["band"], rest), of["band"], rest)
            # the inner loop over the pixels with all taps is the longer one: along a line, or over the lines
            down_first = builder.icmp_signed("<", inside, lines)

            def either(one, other, down_first=down_first):
                return [builder.select(down_first, a, b) for a, b in zip(one, other, strict=True)]

            inner, outer = either([lines, inside], [inside, lines])
            inner_steps, outer_steps = either(lines_of, pixels_of), either(pixels_of, lines_of)
            with cgutils.for_range(builder, of["vectors"]) as vector:
                channel = builder.mul(vector.index, i64(self.lanes))
                places = [self.at(builder, of[name], channel, (of[f"{name}_line"], top)) for name in ("a", result)]
                bottom = self.at(builder, of["a"], (of["a_down"], down - 1), (of["a_line"], top))
                self.prefetch_next_band(builder, of, bottom, of["a_line"], lines, vector.index)
                if self.prefetched:
                    to = self.at(builder, of[result], (of[f"{result}_line"], top))
                    self.prefetch_next_band(builder, of, to, of[f"{result}_line"], lines, vector.index)
                for pixel_of in body(channel):
                    with cgutils.for_range(builder, builder.sub(of["pixels"], inside)) as side:
                        right = builder.icmp_signed(">=", side.index, of["begin"])
                        x = builder.add(side.index, builder.select(right, inside, i64(0)))
                        begun = [self.at(builder, place, (step, x)) for place, step in zip(
                            places, pixels_of, strict=True)]
                        for taps in self.cases(builder, of, down, across, x):
                            for found in self.walk(builder, lines, begun, lines_of):
                                pixel_of(taps, *found)
                    begun = [self.at(builder, place, (step, of["begin"])) for place, step in zip(
                        places, pixels_of, strict=True)]
                    for line in self.walk(builder, outer, begun, outer_steps):
                        for found in self.walk(builder, inner, line, inner_steps):
                            pixel_of(every, *found)

    def walk(self, builder, count, places, steps):
        """Emit a loop over places that move on by these steps, `count` times. Yields them, to emit its body."""
        entry, loop, done = builder.block, builder.append_basic_block("walk"), builder.append_basic_block("walked")
        builder.cbranch(builder.icmp_signed(">", count, i64(0)), loop, done)
        builder.position_at_end(loop)
        left, now = builder.phi(i64), [builder.phi(place.type) for place in places]
        # opaque, since otherwise LLVM keeps an address for each tap and case, moves all of them on in every loop, and spills
        yield [self.opaque(builder, place) for place in now]
        fewer = builder.sub(left, i64(1))
        moved = [fewer, *(builder.gep(place, [step]) for place, step in zip(now, steps, strict=True))]
        for phi, first, value in zip([left, *now], [count, *places], moved, strict=True):
            phi.add_incoming(first, entry)
            phi.add_incoming(value, builder.block)
        builder.cbranch(builder.icmp_signed(">", fewer, i64(0)), loop, done)
        builder.position_at_end(done)

    def cases(self, builder, of, down, across, x):
        """Emit a jump by the columns of taps that are inside at pixel x of a line, not all. Yields the taps of each case."""
        column, inside = builder.add(of["first"], builder.mul(x, of["step"])), i64(0)
        for j in range(across):
            found = builder.icmp_unsigned("<", builder.add(column, builder.mul(of["tap"], i64(j))), of["size"])
            inside = builder.or_(inside, builder.shl(builder.zext(found, i64), i64(j)))
        behind = builder.append_basic_block("behind")
        jump = builder.switch(inside, behind)
        runs = [range(begin, end) for end in range(1, across + 1) for begin in range(end) if end - begin < across]
        for columns in (range(0), *runs):
            block = builder.append_basic_block("columns")
            jump.add_case(i64(sum(1 << j for j in columns)), block)
            builder.position_at_end(block)
            yield [(i, j) for i in range(down) for j in columns]
            builder.branch(behind)
        builder.position_at_end(behind)

    def at(self, builder, base, *steps):
        """Return the address so many strides after base: pairs of a stride and a number, or distances."""
        for each in steps:
            stride, number = each if isinstance(each, tuple) else (each, 1)
            base = builder.gep(base, [builder.mul(stride, i64(number) if isinstance(number, int) else number)])
        return base


# A variant takes a third of a second to compile, so that kernels have those for some numbers of taps of a row, least and
# most, and for some vectors of channels. The phases of an image have as many taps as one another, or one more.
ACROSS = [(1, 2), (3, 3)]
FILLED = [("whole",), ("whole", "masked"), ("whole", "half")]


def filled_by(channels, dtype):
    """Return the one of FILLED for a number of channels."""
    lanes = vector_lanes(dtype)
    if channels % lanes == 0:
        return FILLED[0]
    return FILLED[2] if halves_are_faster() and channels % lanes <= lanes // 2 else FILLED[1]


def across_for(counts):
    """Return the one of ACROSS for these numbers of taps of a row, or None."""
    return next((each for each in ACROSS if each[0] <= min(counts) and max(counts) <= each[1]), None)


def few_taps_shapes(across, filled):
    """The (number of the shape, vectors, masked) of the variants for one of ACROSS and one of FILLED."""
    least, most = across
    return [(row * MOST + taps, *{"whole": (1, False), "masked": (1, True), "half": (HALF, True)}[kind])
            for row in range(MOST) for taps in range(least, most + 1) for kind in filled]


def depthwise_tile(dtype, across, filled):
    """The intrinsic tile((number of the shape, 1 or HALF, masked, *POINTERS, *INTEGERS)); a masked vector is alone."""
    return tile_intrinsic(dtype, DepthwiseEmitter, few_taps_shapes(across, filled))
