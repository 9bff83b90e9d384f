"""The weights of attention: a softmax of rows of scores in place, and its derivative, in vectors.

    p = softmax(scale s)        ds = scale p (dp − Σ p dp)

A row has `count` numbers, and memory for whole vectors behind them, which is read and written: there p and ds are zeros, and
so they are up to `end`. Sums are taken lane by lane and the lanes added by halves, so that a row depends on its own numbers
alone: what follows it in memory, and rows beside it, change no bit.

Two rows are computed side by side, because folding a vector into one number is a chain of operations that wait for each
other. Rows of up to HELD vectors stay in registers.
"""

from functools import reduce
from math import e, log2

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...compiling.trace import Traced
from ...elementwise.elementary import exp2_of_product
from ...processor.vector import VectorEmitter, i32, i64

HELD = 4


class RowsEmitter(VectorEmitter):
    """Emits the arithmetic of two rows, of which the second has as many numbers as the first, or one more.

    They may be the same row.
    """

    def __init__(self, builder, dtype, counts, end, same):
        super().__init__(builder.module, dtype)
        self.builder, self.counts, self.end, self.same = builder, counts, end, same
        self.lowest = ir.Constant(self.vector, [float("-inf")] * self.lanes)

    def pointers(self, *addresses):
        return [self.builder.inttoptr(address, self.scalar.as_pointer()) for address in addresses]

    def constant(self, value):
        """Return a float64 in all lanes."""
        value = self.builder.fptrunc(value, self.scalar) if self.bytes == 4 else value
        return self.splat(self.builder, value, self.vector)

    def at(self, row, place):
        return self.load(self.builder, self.builder.gep(row, [place]), None)

    def put(self, value, row, place):
        self.store(self.builder, value, self.builder.gep(row, [place]), None)

    def only(self, mask, value, other=None):
        """Return the value with zeros, or other numbers, outside the mask."""
        return value if mask is None else self.builder.select(mask, value, self.zero if other is None else other)

    def larger(self, a, b):
        return self.builder.select(self.builder.fcmp_ordered(">", b, a), b, a)

    def fold(self, combine, vectors):
        """Return, of each vector, all its lanes combined, in all lanes."""
        step = self.lanes // 2
        while step > 0:
            order = [lane ^ step for lane in range(self.lanes)]
            vectors = [combine(each, self.shuffle(self.builder, each, each, order)) for each in vectors]
            step //= 2
        return vectors

    def last(self, count):
        """Return the place of the last vector of so many numbers."""
        return self.builder.and_(self.builder.sub(count, i64(1)), i64(-self.lanes))

    def mask(self, count, place):
        return self.lane_mask(self.builder, self.builder.sub(count, place))

    def by_size(self, held, long):
        """Emit held(places, masks) for short rows, masks[row][vector], and long(number of the row) for each of others."""
        builder = self.builder
        end, other = builder.append_basic_block("end"), builder.append_basic_block("other")
        switch = builder.switch(self.last(self.counts[1]), other)
        for vectors in range(1, HELD + 1):
            block = builder.append_basic_block()
            switch.add_case(i64((vectors - 1) * self.lanes), block)
            builder.position_at_end(block)
            places = [i64(k * self.lanes) for k in range(vectors)]
            # the first row may end a vector earlier than the second
            held(places, [[self.mask(count, place) if k >= vectors - 2 else None for k, place in enumerate(places)]
                          for count in self.counts])
            builder.branch(end)
        builder.position_at_end(other)
        long(0)
        with builder.if_then(builder.not_(self.same)):
            long(1)
        builder.branch(end)
        builder.position_at_end(end)

    def each(self, count, body):
        """Emit body(place, mask) for all vectors of a long row."""
        last = self.last(count)
        with cgutils.for_range_slice(self.builder, i64(0), last, i64(self.lanes)) as (place, _):
            body(place, None)
        body(last, self.mask(count, last))

    def total(self, count, combine, start, term):
        """Return in all lanes the numbers term(place, mask) of all vectors of a long row combined."""
        builder, memory = self.builder, cgutils.alloca_once_value(self.builder, start)
        self.each(count, lambda place, mask: builder.store(combine(builder.load(memory), term(place, mask)), memory))
        return self.fold(combine, [builder.load(memory)])[0]

    def clear_behind(self, rows):
        """Write zeros from the vectors of the rows to the end."""
        for row, count in zip(rows, self.counts, strict=True):
            behind = self.builder.add(self.last(count), i64(self.lanes))
            with cgutils.for_range_slice(self.builder, behind, self.end, i64(self.lanes)) as (place, _):
                self.put(self.zero, row, place)

    def inverse(self, total):
        one = ir.Constant(self.scalar, 1.0)
        return self.splat(self.builder, self.builder.fdiv(one, self.builder.extract_element(total, i32(0))), self.vector)


def emit_weigh(emitter, rows, scale):
    builder = emitter.builder
    factor = emitter.constant(builder.fmul(scale, ir.Constant(ir.DoubleType(), log2(e))))

    def score(row, place, mask):
        return emitter.only(mask, emitter.at(row, place), emitter.lowest)

    def power(score, top, mask):
        """e**(scale (score − top)); the maximum is subtracted for stability only."""
        distance = Traced(builder, builder.fsub(score, top))
        return emitter.only(mask, exp2_of_product(distance, Traced(builder, factor)).value)

    def held(places, masks):
        scores = [[score(row, *each) for each in zip(places, own, strict=True)]
                  for row, own in zip(rows, masks, strict=True)]
        tops = emitter.fold(emitter.larger, [reduce(emitter.larger, each) for each in scores])
        powers = [[power(each, top, mask) for each, mask in zip(of_row, own, strict=True)]
                  for of_row, top, own in zip(scores, tops, masks, strict=True)]
        totals = emitter.fold(builder.fadd, [reduce(builder.fadd, each) for each in powers])
        for row, of_row, total in zip(rows, powers, totals, strict=True):
            inverse = emitter.inverse(total)
            for place, each in zip(places, of_row, strict=True):
                emitter.put(builder.fmul(each, inverse), row, place)

    def long(number):
        row, count = rows[number], emitter.counts[number]

        def put_power(place, mask):
            found = power(emitter.at(row, place), top, mask)
            emitter.put(found, row, place)
            return found

        top = emitter.total(count, emitter.larger, emitter.lowest, lambda place, mask: score(row, place, mask))
        inverse = emitter.inverse(emitter.total(count, builder.fadd, emitter.zero, put_power))
        emitter.each(count, lambda place, mask: emitter.put(builder.fmul(emitter.at(row, place), inverse), row, place))

    emitter.by_size(held, long)
    emitter.clear_behind(rows)


def emit_weigh_back(emitter, dweights, weights, scale):
    builder, scale, pairs = emitter.builder, emitter.constant(scale), [*zip(dweights, weights, strict=True)]

    def term(dp, p, mask):
        return emitter.only(mask, builder.fmul(p, dp))

    def derivative(dp, p, inner, mask):
        return emitter.only(mask, builder.fmul(scale, builder.fmul(p, builder.fsub(dp, inner))))

    def held(places, masks):
        given = [[(emitter.at(dp, place), emitter.at(p, place), mask) for place, mask in zip(places, own, strict=True)]
                 for (dp, p), own in zip(pairs, masks, strict=True)]
        inner = emitter.fold(builder.fadd, [reduce(builder.fadd, [term(*each) for each in of_row]) for of_row in given])
        for row, of_row, own in zip(dweights, given, inner, strict=True):
            for place, (dp, p, mask) in zip(places, of_row, strict=True):
                emitter.put(derivative(dp, p, own, mask), row, place)

    def long(number):
        (dp, p), count = pairs[number], emitter.counts[number]
        inner = emitter.total(count, builder.fadd, emitter.zero,
                              lambda place, mask: term(emitter.at(dp, place), emitter.at(p, place), mask))
        emitter.each(count, lambda place, mask: emitter.put(
            derivative(emitter.at(dp, place), emitter.at(p, place), inner, mask), dp, place))

    emitter.by_size(held, long)
    emitter.clear_behind(dweights)


def weigh_rows(dtype):
    """The intrinsic weigh((first, second, counts of both, end), scale): the softmax of two rows of scores, in place.

    first and second are addresses, and may be the same.
    """

    @intrinsic
    def weigh(typingctx, arguments, scale):
        def codegen(context, builder, signature, args):
            *rows, one, other, end = cgutils.unpack_tuple(builder, args[0])
            emitter = RowsEmitter(builder, dtype, (one, other), end, builder.icmp_unsigned("==", *rows))
            emit_weigh(emitter, emitter.pointers(*rows), args[1])
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 5), types.float64), codegen

    return weigh


def weigh_rows_back(dtype):
    """The intrinsic weigh_back((first, second, weights of first, of second, counts of both, end), scale).

    The rows first and second hold dp, which ds replaces.
    """

    @intrinsic
    def weigh_back(typingctx, arguments, scale):
        def codegen(context, builder, signature, args):
            *rows, one, other, end = cgutils.unpack_tuple(builder, args[0])
            emitter = RowsEmitter(builder, dtype, (one, other), end, builder.icmp_unsigned("==", *rows[:2]))
            pointers = emitter.pointers(*rows)
            emit_weigh_back(emitter, pointers[:2], pointers[2:], args[1])
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 7), types.float64), codegen

    return weigh_back
