"""Lines: the channels of a group of pixels side by side, which fill the vectors where there are few channels.

What is added or multiplied to channels is repeated for each pixel of the group. Sums of a line are added in runs of the
channels at the end.
"""

from functools import partial

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...compiling.jit import jit
from ...processor.target import registers
from ...processor.vector import VectorEmitter, i64

LINE = 128  # numbers
# Vectors of all lines computed together: a whole line of few channels. Half of each line at a time would leave room for all
# constants in registers, but takes up to twice as long where the lines are in no cache.
WIDE = 8 if registers() == 32 else 4


def pixel_group(features, pixels):
    """Return how many pixels make a line: as many as divide their number, as long as a line is short."""
    return max((n for n in range(1, LINE // features + 1) if pixels % n == 0), default=1) if features <= LINE // 4 else 1


@jit(inline=True)
def repeat(out, vector):
    """Fill `out` with copies of a vector."""
    width = len(vector)
    for start in range(0, len(out), max(width, 1)):
        for j in range(width):
            out[start + j] = vector[j]


@jit(inline=True)
def add_runs(total, sums):
    """Add each run of len(total) numbers of sums to total."""
    for start in range(0, len(sums), len(total)):
        for j in range(len(total)):
            total[j] += sums[start + j]


def normalizing(dtype):
    """The intrinsic a = (x − means) · inverses · scales + shifts.

    Arguments: the addresses of a, x, means, inverses, scales and shifts, the size and number of lines, and the address for
    relu of a. Those of a and relu may be 0, where nothing is to be written.
    """

    @intrinsic
    def normalize(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            a, x, *given, width, lines, relu = cgutils.unpack_tuple(builder, args[0])
            a, x, *given = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (a, x, *given))
            keep = builder.icmp_unsigned("!=", builder.ptrtoint(a, i64), i64(0))
            to_relu, relu = builder.inttoptr(relu, emitter.scalar.as_pointer()), builder.icmp_signed("!=", relu, i64(0))

            def columns(first, vectors, mask):
                """Compute some vectors of all lines."""
                firsts = [builder.add(first, i64(number * emitter.lanes)) for number in range(vectors)]
                constants = [[emitter.load(builder, builder.gep(each, [place]), mask) for each in given] for place in firsts]
                with cgutils.for_range(builder, lines) as loop:
                    line = builder.mul(loop.index, width)
                    for place, (mean, inverse, scale, shift) in zip(firsts, constants, strict=True):
                        place = builder.add(line, place)
                        value = builder.fsub(emitter.load(builder, builder.gep(x, [place]), mask), mean)
                        value = builder.fadd(builder.fmul(builder.fmul(value, inverse), scale), shift)
                        with builder.if_then(keep):
                            emitter.store(builder, value, builder.gep(a, [place]), mask)
                        with builder.if_then(relu):
                            negative = builder.fcmp_ordered("<", value, emitter.zero)
                            limited = builder.select(negative, emitter.zero, value)
                            emitter.store(builder, limited, builder.gep(to_relu, [place]), mask)

            each_vectors(emitter, builder, width, columns)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 9)), codegen

    return normalize


def summing(dtype):
    """The intrinsic sums = Σ da, more = Σ da x̂ over lines, x̂ = (x − means) · inverses, with the sums in registers.

    Arguments: the addresses of da, x, means, inverses, sums and more, the size and number of lines, and the addresses of
    scales and shifts if relu follows, by whose derivative da is first multiplied; both 0 if not.
    """

    @intrinsic
    def sum_lines(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            *places, width, lines, scales, shifts = cgutils.unpack_tuple(builder, args[0])
            da, x, means, inverses, sums, more, scales, shifts = pointers(emitter, builder, *places, scales, shifts)

            def columns(first, vectors, mask, relu):
                """Sum some vectors of all lines."""
                firsts = [builder.add(first, i64(number * emitter.lanes)) for number in range(vectors)]
                given = means, inverses, *((scales, shifts) if relu else ())
                constants = [[emitter.load(builder, builder.gep(each, [place]), mask) for each in given] for place in firsts]
                totals = [[cgutils.alloca_once(builder, emitter.vector) for _ in range(2)] for _ in firsts]
                for pair in totals:
                    for total in pair:
                        builder.store(emitter.zero, total)
                with cgutils.for_range(builder, lines) as loop:
                    line = builder.mul(loop.index, width)
                    for place, known, (total, along) in zip(firsts, constants, totals, strict=True):
                        place = builder.add(line, place)
                        normalized = normalized_at(emitter, builder, x, place, mask, *known[:2])
                        given = emitter.load(builder, builder.gep(da, [place]), mask)
                        if relu:
                            given = through_relu(emitter, builder, given, normalized, *known[2:])
                        builder.store(builder.fadd(builder.load(total), given), total)
                        builder.store(builder.fadd(builder.load(along), builder.fmul(given, normalized)), along)
                for place, pair in zip(firsts, totals, strict=True):
                    for total, to in zip(pair, (sums, more), strict=True):
                        emitter.store(builder, builder.load(total), builder.gep(to, [place]), mask)

            with_or_without(emitter, builder, scales, width, columns)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 10)), codegen

    return sum_lines


def distributing(dtype):
    """The intrinsic da = scales · inverses · (da − sums − x̂ · more), in place, x̂ = (x − means) · inverses.

    Arguments: the addresses of da, x, means, inverses, scales, sums and more, the size and number of lines, and the address
    of shifts if relu follows, by whose derivative da is first multiplied; 0 if not.
    """

    @intrinsic
    def distribute(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            *places, width, lines, shifts = cgutils.unpack_tuple(builder, args[0])
            da, x, *given, shifts = pointers(emitter, builder, *places, shifts)

            def columns(first, vectors, mask, relu):
                """Compute some vectors of all lines."""
                firsts = [builder.add(first, i64(number * emitter.lanes)) for number in range(vectors)]
                constants = [[emitter.load(builder, builder.gep(each, [place]), mask)
                              for each in (*given, *([shifts] if relu else []))] for place in firsts]
                with cgutils.for_range(builder, lines) as loop:
                    line = builder.mul(loop.index, width)
                    for place, (mean, inverse, scale, total, along, *shift) in zip(firsts, constants, strict=True):
                        place = builder.add(line, place)
                        normalized = normalized_at(emitter, builder, x, place, mask, mean, inverse)
                        value = emitter.load(builder, builder.gep(da, [place]), mask)
                        if relu:
                            value = through_relu(emitter, builder, value, normalized, scale, *shift)
                        value = builder.fsub(builder.fsub(value, total), builder.fmul(normalized, along))
                        value = builder.fmul(builder.fmul(scale, inverse), value)
                        emitter.store(builder, value, builder.gep(da, [place]), mask)

            with_or_without(emitter, builder, shifts, width, columns)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 10)), codegen

    return distribute


def pointers(emitter, builder, *addresses):
    return [builder.inttoptr(place, emitter.scalar.as_pointer()) for place in addresses]


def normalized_at(emitter, builder, x, place, mask, mean, inverse):
    """Emit x̂ = (x − mean) · inverse, by the operations of `normalizing`."""
    return builder.fmul(builder.fsub(emitter.load(builder, builder.gep(x, [place]), mask), mean), inverse)


def through_relu(emitter, builder, da, normalized, scale, shift):
    """Emit da · relu'(a), 1 where a > 0, else 0.

    Computing a = x̂ · scale + shift again, by the operations of `normalizing` and so to the same bits, takes less time than
    reading it, and than writing the product for the next pass.
    """
    a = builder.fadd(builder.fmul(normalized, scale), shift)
    one = ir.Constant(emitter.vector, [1.0] * emitter.lanes)
    # a product, so that it is NaN for da = ±inf
    return builder.fmul(da, builder.select(builder.fcmp_ordered(">", a, emitter.zero), one, emitter.zero))


def with_or_without(emitter, builder, address, width, columns):
    """Emit columns(first, vectors, mask, relu) twice: with relu, which runs if `address` is not 0, and without."""
    with builder.if_else(builder.icmp_unsigned("!=", builder.ptrtoint(address, i64), i64(0))) as branches:
        for branch, relu in zip(branches, (True, False), strict=True):
            with branch:
                each_vectors(emitter, builder, width, partial(columns, relu=relu))


def measuring(dtype):
    """The intrinsic of the sums of lines, in registers: Σ x, or with means Σ (x − means) and Σ (x − means)².

    Arguments: the addresses of x, means, sums and more, the size and number of lines. Those of means and more may be 0.
    """

    @intrinsic
    def measure(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            *places, width, lines = cgutils.unpack_tuple(builder, args[0])
            x, means, sums, more = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in places)

            def columns(first, vectors, mask, about):
                """Sum some vectors of all lines, about the means or not."""
                firsts = [builder.add(first, i64(number * emitter.lanes)) for number in range(vectors)]
                given = [emitter.load(builder, builder.gep(means, [place]), mask) if about else None for place in firsts]
                totals = [[cgutils.alloca_once(builder, emitter.vector) for _ in range(2)] for _ in firsts]
                for pair in totals:
                    for total in pair:
                        builder.store(emitter.zero, total)
                with cgutils.for_range(builder, lines) as loop:
                    line = builder.mul(loop.index, width)
                    for place, mean, (total, squares) in zip(firsts, given, totals, strict=True):
                        value = emitter.load(builder, builder.gep(x, [builder.add(line, place)]), mask)
                        if about:
                            value = builder.fsub(value, mean)
                            squared = emitter.multiply_add(builder, value, value, builder.load(squares))
                            builder.store(squared, squares)
                        builder.store(builder.fadd(builder.load(total), value), total)
                for place, (total, squares) in zip(firsts, totals, strict=True):
                    emitter.store(builder, builder.load(total), builder.gep(sums, [place]), mask)
                    if about:
                        emitter.store(builder, builder.load(squares), builder.gep(more, [place]), mask)

            with builder.if_else(builder.icmp_signed("!=", places[1], i64(0))) as branches:
                for branch, about in zip(branches, (True, False), strict=True):
                    with branch:
                        each_vectors(emitter, builder, width, partial(columns, about=about))
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 6)), codegen

    return measure


def each_vectors(emitter, builder, width, columns):
    """Emit columns(first, vectors, mask) for all columns of lines, as many vectors at a time as WIDE, half of it, …, 1."""
    done, vectors = i64(0), WIDE
    while vectors > 0:
        size = i64(vectors * emitter.lanes)
        chunks = builder.udiv(builder.sub(width, done), size)
        with cgutils.for_range(builder, chunks) as loop:
            columns(builder.add(done, builder.mul(loop.index, size)), vectors, None)
        done = builder.add(done, builder.mul(chunks, size))
        vectors //= 2
    with builder.if_then(builder.icmp_signed("<", done, width)):
        columns(done, 1, emitter.lane_mask(builder, builder.sub(width, done)))
