"""Layer normalization of rows in vectors: of several rows at once where they are short, of one row where it is long.

    features            a vector holds
    2, 4, … lanes       lanes / features rows; the sum of each is within its lanes
    other, < lanes      one row and zeros
    > lanes             a part of a row; four vectors are summed side by side

The order of every sum follows from the number of features alone, so the bits of a row do not depend on its neighbors.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...processor.vector import VectorEmitter, i32, i64

SIDE_BY_SIDE = 4  # sums of a long row


class RowEmitter(VectorEmitter):
    """Emit the arithmetic of rows of so many features, an LLVM value."""

    def __init__(self, builder, dtype, features):
        super().__init__(builder.module, dtype)
        self.builder, self.features = builder, features
        one = ir.Constant(self.scalar, 1.0)
        self.share = self.all_lanes(builder.fdiv(one, builder.sitofp(features, self.scalar)))

    def all_lanes(self, value):
        return self.splat(self.builder, value, self.vector)

    def pointers(self, *addresses):
        return [self.builder.inttoptr(address, self.scalar.as_pointer()) for address in addresses]

    def at(self, pointer, place, mask=None):
        return self.load(self.builder, self.builder.gep(pointer, [place]), mask)

    def put(self, value, pointer, place, mask=None):
        self.store(self.builder, value, self.builder.gep(pointer, [place]), mask)

    def mean(self, value, lanes):
        """Return in each lane the sum of the group of `lanes` lanes that it belongs to, divided by the features."""
        step = 1
        while step < lanes:
            swapped = self.shuffle(self.builder, value, value, [k ^ step for k in range(self.lanes)])
            value, step = self.builder.fadd(value, swapped), 2 * step
        return self.builder.fmul(value, self.share)

    def only(self, mask, value):
        """Return the value with zeros outside the mask."""
        return value if mask is None else self.builder.select(mask, value, self.zero)

    def inverse_root(self, variance, epsilon):
        """Return 1 / √(max(variance, 0) + ε)."""
        builder = self.builder
        positive = builder.select(builder.fcmp_ordered("<", variance, self.zero), self.zero, variance)  # NaN passes
        root = self.declare(f"llvm.sqrt.{self.suffix}", self.vector, [self.vector])
        one = ir.Constant(self.vector, [1.0] * self.lanes)
        return builder.fdiv(one, builder.call(root, [builder.fadd(positive, epsilon)]))

    def total(self):
        """Return memory for a sum in a register."""
        memory = cgutils.alloca_once(self.builder, self.vector)
        self.builder.store(self.zero, memory)
        return memory

    def add(self, total, value):
        self.builder.store(self.builder.fadd(self.builder.load(total), value), total)

    def by_size(self, short, long):
        """Emit short(lanes of a row, mask) for rows that fit into a vector, and long() for others, by the features."""
        builder = self.builder
        end, other = builder.append_basic_block("end"), builder.append_basic_block("other")
        switch, lanes = builder.switch(self.features, other), 2
        while lanes <= self.lanes:
            block = builder.append_basic_block()
            switch.add_case(i64(lanes), block)
            builder.position_at_end(block)
            short(lanes, None)
            builder.branch(end)
            lanes *= 2
        builder.position_at_end(other)
        with builder.if_else(builder.icmp_signed("<", self.features, i64(self.lanes))) as (fits, does_not):
            with fits:
                short(self.lanes, self.lane_mask(builder, self.features))
            with does_not:
                long()
        builder.branch(end)
        builder.position_at_end(end)

    def chunks(self, rows, lanes, mask, body):
        """Emit body(first row, place of its numbers, mask of the numbers, mask of the rows) for as many rows as fit.

        body is a generator that yields once, after it has loaded. Where rows need a mask, several are loaded before any of
        them is stored: a load beside what a masked store has just written waits until that has reached the cache.
        """
        builder, count, together = self.builder, self.lanes // lanes, 1 if mask is None else SIDE_BY_SIDE
        of_rows = ir.Constant(self.mask_type, [k < count for k in range(self.lanes)])

        def emit(first, times, numbers, of_rows):
            places = [builder.add(first, i64(k * count)) for k in range(times)]
            bodies = [body(row, builder.mul(row, self.features), numbers, of_rows) for row in places]
            for _ in range(2):
                for each in bodies:
                    next(each, None)

        whole = builder.udiv(rows, i64(count * together))
        with cgutils.for_range(builder, whole) as loop:
            emit(builder.mul(loop.index, i64(count * together)), together, mask, of_rows)
        done = builder.mul(whole, i64(count * together))
        left = builder.sub(rows, done)
        if together > 1:
            with cgutils.for_range(builder, left) as loop:
                emit(builder.add(done, loop.index), 1, mask, of_rows)
        elif count > 1:
            with builder.if_then(builder.icmp_signed(">", left, i64(0))):
                emit(done, 1, self.lane_mask(builder, builder.mul(left, i64(lanes))), self.lane_mask(builder, left))

    def vectors(self, body):
        """Emit body(place in the row, number of the sum, mask) for all vectors of a long row."""
        builder, step = self.builder, i64(SIDE_BY_SIDE * self.lanes)
        groups = builder.udiv(self.features, step)
        with cgutils.for_range(builder, groups) as loop:
            for number in range(SIDE_BY_SIDE):
                body(builder.add(builder.mul(loop.index, step), i64(number * self.lanes)), number, None)
        done = builder.mul(groups, step)
        rest = builder.udiv(builder.sub(self.features, done), i64(self.lanes))
        with cgutils.for_range(builder, rest) as loop:
            body(builder.add(done, builder.mul(loop.index, i64(self.lanes))), 0, None)
        done = builder.add(done, builder.mul(rest, i64(self.lanes)))
        with builder.if_then(builder.icmp_signed("<", done, self.features)):
            body(done, 1, self.lane_mask(builder, builder.sub(self.features, done)))

    def mean_of(self, totals):
        a, b, c, d = map(self.builder.load, totals)
        return self.mean(self.builder.fadd(self.builder.fadd(a, b), self.builder.fadd(c, d)), self.lanes)

    def repeated(self, pointer, lanes, mask):
        """Return a vector with the features of a row, for each row that it holds."""
        whole = self.lane_mask(self.builder, self.features) if mask is None and lanes < self.lanes else mask
        return self.shuffle(self.builder, self.at(pointer, i64(0), whole), self.zero,
                            [k % lanes for k in range(self.lanes)])

    def of_rows(self, pointer, row, lanes, rows):
        """Return a vector with one number for each row, in all lanes of the row."""
        if lanes == self.lanes:
            return self.all_lanes(self.builder.load(self.builder.gep(pointer, [row])))
        return self.shuffle(self.builder, self.at(pointer, row, rows), self.zero, [k // lanes for k in range(self.lanes)])

    def put_of_rows(self, value, pointer, row, lanes, rows):
        """Store the number of each row, which is in all lanes of the row."""
        if lanes == self.lanes:
            self.builder.store(self.builder.extract_element(value, i32(0)), self.builder.gep(pointer, [row]))
            return
        first = [k * lanes % self.lanes for k in range(self.lanes)]
        self.put(self.shuffle(self.builder, value, value, first), pointer, row, rows)


def emit_forward(emitter, a, x, means, inverses, scale, shift, rows, epsilon):
    """a = scale · (x − mean) inverse + shift; also the mean and the inverse of each row."""
    builder = emitter.builder
    epsilon = emitter.all_lanes(builder.fptrunc(epsilon, emitter.scalar) if emitter.bytes == 4 else epsilon)

    def constants(left, squares):
        """What is left of the mean after the first one, and the inverse (Chan, Golub and LeVeque 1983)."""
        return emitter.inverse_root(builder.fsub(squares, builder.fmul(left, left)), epsilon)

    def result(distance, inverse, scales, shifts):
        return builder.fadd(builder.fmul(builder.fmul(distance, inverse), scales), shifts)

    def short(lanes, mask):
        scales, shifts = (emitter.repeated(each, lanes, mask) for each in (scale, shift))

        def body(row, place, numbers, of_rows):
            value = emitter.at(x, place, numbers)
            yield
            mean = emitter.mean(value, lanes)
            distance = emitter.only(numbers, builder.fsub(value, mean))
            left = emitter.mean(distance, lanes)
            inverse = constants(left, emitter.mean(builder.fmul(distance, distance), lanes))
            emitter.put(result(builder.fsub(distance, left), inverse, scales, shifts), a, place, numbers)
            emitter.put_of_rows(builder.fadd(mean, left), means, row, lanes, of_rows)
            emitter.put_of_rows(inverse, inverses, row, lanes, of_rows)

        emitter.chunks(rows, lanes, mask, body)

    def long():
        with cgutils.for_range(builder, rows) as loop:
            first = builder.mul(loop.index, emitter.features)
            totals, squares = ([emitter.total() for _ in range(SIDE_BY_SIDE)] for _ in range(2))
            emitter.vectors(lambda j, number, mask: emitter.add(totals[number], emitter.at(x, builder.add(first, j), mask)))
            mean = emitter.mean_of(totals)
            for total in totals:
                builder.store(emitter.zero, total)

            def measure(j, number, mask):
                distance = emitter.only(mask, builder.fsub(emitter.at(x, builder.add(first, j), mask), mean))
                emitter.add(totals[number], distance)
                emitter.add(squares[number], builder.fmul(distance, distance))

            emitter.vectors(measure)
            left = emitter.mean_of(totals)
            inverse, centre = constants(left, emitter.mean_of(squares)), builder.fadd(mean, left)

            def write(j, number, mask):
                place = builder.add(first, j)
                distance = builder.fsub(builder.fsub(emitter.at(x, place, mask), mean), left)
                written = result(distance, inverse, emitter.at(scale, j, mask), emitter.at(shift, j, mask))
                emitter.put(written, a, place, mask)

            emitter.vectors(write)
            emitter.put_of_rows(centre, means, loop.index, emitter.lanes, None)
            emitter.put_of_rows(inverse, inverses, loop.index, emitter.lanes, None)

    emitter.by_size(short, long)


def emit_backward(emitter, da, x, means, inverses, scale, sum_da, sum_normalized, rows):
    """dx = inverse (dx̂ − mean of dx̂ − x̂ · mean of dx̂ x̂), with dx̂ = da scale, in the place of da.

    Also sum_da = Σ da, sum_normalized = Σ da x̂ over the rows, which are zeros before.
    """
    builder = emitter.builder

    def result(inverse, given, average, normalized, along):
        return builder.fmul(inverse, builder.fsub(builder.fsub(given, average), builder.fmul(normalized, along)))

    def short(lanes, mask):
        scales, totals = emitter.repeated(scale, lanes, mask), [emitter.total() for _ in range(2)]

        def body(row, place, numbers, of_rows):
            mean, inverse = (emitter.of_rows(each, row, lanes, of_rows) for each in (means, inverses))
            distance = emitter.only(numbers, builder.fsub(emitter.at(x, place, numbers), mean))
            normalized, given = builder.fmul(distance, inverse), emitter.at(da, place, numbers)
            yield
            emitter.add(totals[0], given)
            emitter.add(totals[1], builder.fmul(given, normalized))
            given = builder.fmul(given, scales)
            average, along = emitter.mean(given, lanes), emitter.mean(builder.fmul(given, normalized), lanes)
            emitter.put(result(inverse, given, average, normalized, along), da, place, numbers)

        emitter.chunks(rows, lanes, mask, body)
        of_row = emitter.lane_mask(builder, emitter.features)
        for total, place in zip(totals, (sum_da, sum_normalized), strict=True):
            value, step = builder.load(total), emitter.lanes // 2
            while step >= lanes:  # the rows side by side in a vector
                moved = emitter.shuffle(builder, value, value, [(k + step) % emitter.lanes for k in range(emitter.lanes)])
                value, step = builder.fadd(value, moved), step // 2
            emitter.put(value, place, i64(0), of_row)

    def long():
        with cgutils.for_range(builder, rows) as loop:
            first = builder.mul(loop.index, emitter.features)
            mean, inverse = (emitter.of_rows(each, loop.index, emitter.lanes, None) for each in (means, inverses))
            averages, alongs = ([emitter.total() for _ in range(SIDE_BY_SIDE)] for _ in range(2))

            def normalized_at(j, mask):
                distance = builder.fsub(emitter.at(x, builder.add(first, j), mask), mean)
                return builder.fmul(emitter.only(mask, distance), inverse)

            def measure(j, number, mask):
                normalized, given = normalized_at(j, mask), emitter.at(da, builder.add(first, j), mask)
                along = builder.fmul(given, normalized)
                for value, to in (given, sum_da), (along, sum_normalized):
                    emitter.put(builder.fadd(emitter.at(to, j, mask), value), to, j, mask)
                scales = emitter.at(scale, j, mask)
                emitter.add(averages[number], builder.fmul(given, scales))
                emitter.add(alongs[number], builder.fmul(along, scales))

            emitter.vectors(measure)
            average, along = emitter.mean_of(averages), emitter.mean_of(alongs)

            def write(j, number, mask):
                place = builder.add(first, j)
                given = builder.fmul(emitter.at(da, place, mask), emitter.at(scale, j, mask))
                emitter.put(result(inverse, given, average, normalized_at(j, mask), along), da, place, mask)

            emitter.vectors(write)

    emitter.by_size(short, long)


def forward_rows(dtype):
    """The intrinsic of `emit_forward`; arguments: the addresses, the number of rows and of features; epsilon."""

    @intrinsic
    def forward(typingctx, arguments, epsilon):
        def codegen(context, builder, signature, args):
            *places, rows, features = cgutils.unpack_tuple(builder, args[0])
            emitter = RowEmitter(builder, dtype, features)
            emit_forward(emitter, *emitter.pointers(*places), rows, args[1])
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 8), types.float64), codegen

    return forward


def backward_rows(dtype):
    """The intrinsic of `emit_backward`; arguments: the addresses, the number of rows and of features."""

    @intrinsic
    def backward(typingctx, arguments):
        def codegen(context, builder, signature, args):
            *places, rows, features = cgutils.unpack_tuple(builder, args[0])
            emitter = RowEmitter(builder, dtype, features)
            emit_backward(emitter, *emitter.pointers(*places), rows)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 9)), codegen

    return backward
