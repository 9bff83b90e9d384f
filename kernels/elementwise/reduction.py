"""Sums and maxima of a row, a vector at a time.

A compiler may not reorder a sum, so it would add the elements of a row one by one. Here the order is explicit: whole vectors
are added lane by lane, the lanes are added by halves, and the rest of the row is added element by element. The order depends
on the length of the row alone, so a row has the same result in any batch and on any thread.
"""

from math import inf
from operator import add

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..compiling.trace import Traced, constant, larger
from ..processor.target import ITEM_BYTES, vector_lanes

i32 = ir.IntType(32)


def loop(builder, begin, end, step, start, body):
    """Emit `total = start`, then `total = body(i, total)` for i from begin to end; return the last total."""
    total = cgutils.alloca_once_value(builder, start)
    with cgutils.for_range_slice(builder, begin, end, begin.type(step)) as (i, _):
        builder.store(body(i, builder.load(total)), total)
    return builder.load(total)


def select_lanes(vector, lanes):
    """Return the given lanes of a vector, as a vector."""
    order = ir.Constant(ir.VectorType(i32, len(lanes)), list(lanes))
    return Traced(vector.builder, vector.builder.shuffle_vector(vector.value, vector.value, order))


def fold(combine, vector):
    """Combine all lanes: the upper half with the lower half, until one lane is left."""
    count = vector.type.count
    if count == 1:
        return Traced(vector.builder, vector.builder.extract_element(vector.value, i32(0)))
    return fold(combine, combine(select_lanes(vector, range(count // 2)), select_lanes(vector, range(count // 2, count))))


def read(builder, operand, i, type_, item):
    """Load element i of a row, or the vector that begins there; a scalar operand is the same for every i."""
    if isinstance(operand.type, ir.PointerType):
        operand = builder.load(builder.bitcast(builder.gep(operand, [i]), type_.as_pointer()))
        operand.align = item
    elif isinstance(type_, ir.VectorType):
        first = builder.insert_element(ir.Constant(type_, ir.Undefined), operand, i32(0))
        return select_lanes(Traced(builder, first), [0] * type_.count)
    return Traced(builder, operand)


def reduction(combine, start, term, dtype=None):
    """Return the function reduce(columns, row, ...), which combines `start` and term(row[j], ...) over all columns j.

    Its operands are pointers to rows, or scalars. `dtype` is the dtype of the terms, by default that of the first row.
    """

    @intrinsic
    def reduce(typingctx, columns, *operands):
        of, lanes, item = operands[0].dtype, vector_lanes(operands[0].dtype.name), ITEM_BYTES[operands[0].dtype.name]
        result = dtype or of

        def codegen(context, builder, signature, args):
            columns, operands = args[0], cgutils.unpack_tuple(builder, args[1])
            number, total = context.get_value_type(of), context.get_value_type(result)

            def step(type_):
                return lambda i, total: combine(
                    Traced(builder, total), term(*(read(builder, operand, i, type_, item) for operand in operands))).value

            # LLVM is kept from knowing that a row is short: it would then use masked stores in the loops around this one,
            # and the next row would wait for them.
            columns = builder.asm(ir.FunctionType(columns.type, [columns.type]), "", "=r,0", [columns], False)
            whole = builder.and_(columns, columns.type(-lanes))
            first = cgutils.alloca_once_value(builder, total(start))
            with builder.if_then(builder.icmp_signed(">", whole, columns.type(0))):
                vector = loop(builder, columns.type(0), whole, lanes, constant(ir.VectorType(total, lanes), start),
                              step(ir.VectorType(number, lanes)))
                builder.store(fold(combine, Traced(builder, vector)).value, first)
            return loop(builder, whole, columns, 1, builder.load(first), step(number))

        return result(types.intp, types.StarArgTuple(operands)), codegen

    return reduce


row_maximum = reduction(larger, -inf, lambda x: x)
row_sum = reduction(add, 0.0, lambda x: x)
row_sum_float64 = reduction(add, 0.0, lambda x: x.widened(), types.float64)
row_dot = reduction(add, 0.0, lambda x, y: x * y)
