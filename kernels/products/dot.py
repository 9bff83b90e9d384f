"""Dot products of one vector with each of several rows, all contiguous.

A product with one column is a column of dot products; so is dz weightᵀ for one row. SIMD vectors run along the sum: lane l
of a row's accumulator is the chain of fused multiply-adds of elements l, l + lanes, l + 2 lanes, …. The lanes are then added
by halves: l and l + lanes/2, until one is left. This order does not depend on the other rows.
"""

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from ..compiling.jit import REAL, Kernel, address_of, calls, typed_pointer
from ..processor.target import ITEM_BYTES, dot_rows, vector_lanes
from ..processor.vector import VectorEmitter, i64
from .packing import stack_memory
from .product import chain_length, product_types

DOTTED_INPUTS = 16  # rows of the weight that stay in the first-level cache while all rows of dz read them


class DotEmitter(VectorEmitter):
    """Emits dot products of one dtype into one LLVM module."""

    def __init__(self, module, dtype):
        super().__init__(module, dtype)
        # arguments: sums, a, a_row, b, k, rows
        pointer = self.scalar.as_pointer()
        self.type = ir.FunctionType(ir.VoidType(), [pointer, pointer, i64, pointer, i64, i64])

    def fold(self, builder, vectors):
        """Return the sums of the lanes of each of `vectors`, in one vector. Their number is a power of two."""
        width = self.lanes  # how many lanes of a vector belong to a row
        while width > 1:
            half = width // 2
            low = [place + lane for place in range(0, 2 * self.lanes, width) for lane in range(half)]
            high = [lane + half for lane in low]
            pairs = list(zip(vectors[::2], vectors[1::2], strict=True)) if len(vectors) > 1 else [(vectors[0], vectors[0])]
            vectors = [builder.fadd(self.shuffle(builder, a, b, low), self.shuffle(builder, a, b, high)) for a, b in pairs]
            width = half
        return vectors[0]

    def variant(self, height):
        """The function for up to `height` rows. It reads no other rows of `a`, but writes whole vectors of sums."""
        name = f"fastnn_dot_{self.suffix}_{height}"
        if name in self.module.globals:
            return self.module.globals[name]
        function = ir.Function(self.module, self.type, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        sums, a, a_row, b, k, rows = function.args
        entry, loop, ahead, tail, done = map(function.append_basic_block, ("entry", "k", "ahead", "tail", "done"))

        builder = ir.IRBuilder(entry)
        last_row = builder.sub(rows, i64(1))
        # if there are fewer rows, the last one is computed several times
        row_numbers = [builder.select(builder.icmp_signed("<", i64(i), rows), i64(i), last_row) for i in range(height)]
        a_rows = [builder.gep(a, [builder.mul(a_row, i)]) for i in row_numbers]
        rest = builder.and_(k, i64(self.lanes - 1))
        whole = builder.sub(k, rest)
        builder.cbranch(builder.icmp_signed(">", whole, i64(0)), loop, ahead)

        def step_of(grown, place, mask):
            b_vector = self.load(builder, builder.gep(b, [place]), mask)
            return [self.multiply_add(builder, self.load(builder, builder.gep(row, [place]), mask), b_vector, total)
                    for row, total in zip(a_rows, grown, strict=True)]

        def joined(*sources):
            """The accumulators, as phi nodes with one (values, block) for each preceding block."""
            phis = [builder.phi(self.vector) for _ in range(height)]
            for values, block in sources:
                for phi, value in zip(phis, values, strict=True):
                    phi.add_incoming(value, block)
            return phis

        zeros = [self.zero] * height
        builder.position_at_end(loop)
        place = builder.phi(i64)
        totals = joined((zeros, entry))
        grown = step_of(totals, place, None)
        following = builder.add(place, i64(self.lanes))
        for phi, value in [(place, following), *zip(totals, grown, strict=True)]:
            phi.add_incoming(value, loop)
        place.add_incoming(i64(0), entry)
        builder.cbranch(builder.icmp_signed("<", following, whole), loop, ahead)

        builder.position_at_end(ahead)
        so_far = joined((zeros, entry), (grown, loop))
        builder.cbranch(builder.icmp_signed(">", rest, i64(0)), tail, done)
        builder.position_at_end(tail)
        complete = step_of(so_far, whole, self.lane_mask(builder, rest))
        builder.branch(done)

        builder.position_at_end(done)
        totals = joined((so_far, ahead), (complete, tail))
        for i in range(0, height, self.lanes):
            folded = self.fold(builder, totals[i:i + self.lanes])
            self.store(builder, folded, builder.gep(sums, [i64(i)]), None)
        builder.ret_void()
        return function


def dot_function(dtype):
    """The compiled dots(sums, a, a_row, b, k, rows): sums[i] = Σₖ a[i, k] b[k], for at most `dot_rows` rows.

    Addresses, and strides in elements, are integers. sums has room for whole vectors and for at least `dot_rows` numbers.
    """

    @intrinsic
    def dots(typingctx, sums, a, a_row, b, k, rows):
        def codegen(context, builder, signature, args):
            emitter = DotEmitter(builder.module, dtype)
            pointer = emitter.scalar.as_pointer()
            args = [builder.inttoptr(value, pointer) if n in (0, 1, 3) else value for n, value in enumerate(args)]
            with builder.if_else(builder.icmp_signed("==", args[-1], i64(1))) as (alone, several):
                for branch, height in (alone, 1), (several, dot_rows()):
                    with branch:
                        builder.call(emitter.variant(height), args)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 6), codegen

    return dots


def build_dot_products(dtype):
    at_once, item, number = dot_rows(), ITEM_BYTES[dtype], typed_pointer(REAL[dtype])
    lanes, dots, zero = vector_lanes(dtype), dot_function(dtype), np.dtype(dtype).type(0)

    def dot_products(c, c_row, a, a_row, a_column, b, b_row, start, start_row, rows, columns, k, length):
        """c = start + a @ b with the arguments of a product. b is one contiguous column; the rows of a are contiguous.

        Sums are in another order than in a product, so either all parts of a c are computed here, or none.
        """
        sums = carray(number(stack_memory(item * max(at_once, lanes))), at_once)
        for i in range(0, rows, at_once):
            count = min(at_once, rows - i)
            for k0 in range(0, k, length):
                dots(address_of(sums), a + item * (i * a_row + k0), a_row, b + item * k0, min(length, k - k0), count)
                first, first_row = (start, start_row) if k0 == 0 else (c, c_row)
                place, before = c + item * i * c_row, first + item * i * first_row
                if count == at_once and c_row == 1 and first_row == 0:  # a vectorized loop
                    shift = carray(number(before), 1)[0] if first != 0 else zero
                    total = carray(number(place), at_once)
                    for m in range(at_once):
                        total[m] = sums[m] + shift
                    continue
                for m in range(count):
                    shift = carray(number(before + item * m * first_row), 1)[0] if first != 0 else zero
                    carray(number(place + item * m * c_row), 1)[0] = sums[m] + shift

    return dot_products


dot_kernel = Kernel("dot_products", build_dot_products, product_types)  # compiled for layers of one output only
call_dot = calls(dot_kernel)


def build_few_rows(dtype):
    item, pointer = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    def few_rows(dx, dx_row, dz, batch, weight, out_features, begin, end):
        """Compute columns begin … end − 1 of dx = dz weightᵀ. The weight is read once, in the order of memory."""
        # forward: z = x @ weight + bias
        stride = DOTTED_INPUTS if batch > 1 else max(end - begin, 1)  # one row reads each weight only once
        for j in range(begin, end, stride):
            for i in range(batch):
                call_dot(pointer(dx), (dx + item * (i * dx_row + j), 1, weight + item * j * out_features, out_features, 1,
                                       dz + item * i * out_features, 1, 0, 0, min(stride, end - j), 1, out_features,
                                       chain_length(out_features)))

    return few_rows


few_rows_kernel = Kernel("few_rows", build_few_rows, lambda dtype: (types.intp,) * 8, needs=[dot_kernel])
