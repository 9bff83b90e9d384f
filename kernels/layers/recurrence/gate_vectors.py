"""Arithmetic on the gates of some rows, a vector of adjacent units at a time.

The gates of a row are adjacent, so the arrays that a formula reads are one row's columns: LLVM cannot see that they do not
overlap, and would not vectorize loops over them.
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...compiling.trace import Traced
from ...processor.vector import VectorEmitter, i64


class Units:
    """Some adjacent units of a row: `units["name"]` loads the numbers of an array, and assignment stores them."""

    def __init__(self, emitter, builder, places, mask):
        self.emitter, self.builder, self.places, self.mask = emitter, builder, places, mask

    def __getitem__(self, name):
        return Traced(self.builder, self.emitter.load(self.builder, self.places[name], self.mask))

    def __setitem__(self, name, number):
        self.emitter.store(self.builder, number.value, self.places[name], self.mask)


def over_units(dtype, formulas, names):
    """Return the intrinsic that applies formulas to the units of rows, one after the other to all units of a row.

    Its argument is a tuple: the number of rows, the number of units, then for each name the address of its array and the
    distance between its rows in numbers. formulas: functions of `Units`. What a later one needs of an earlier one stands in
    memory, so that the processor can compute several vectors of the first at a time.
    """
    count = 2 + 2 * len(names)

    @intrinsic
    def over(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            values = [context.cast(builder, value, kind, types.intp) for value, kind in
                      zip(cgutils.unpack_tuple(builder, args[0]), arguments, strict=True)]
            rows, units, bases, strides = values[0], values[1], values[2::2], values[3::2]
            pointer = emitter.scalar.as_pointer()
            with cgutils.for_range(builder, rows) as row:
                starts = [builder.gep(builder.inttoptr(base, pointer), [builder.mul(row.index, stride)])
                          for base, stride in zip(bases, strides, strict=True)]

                def at(formula, first, mask):
                    places = {name: builder.gep(start, [first]) for name, start in zip(names, starts, strict=True)}
                    formula(Units(emitter, builder, places, mask))

                whole = builder.lshr(units, i64(emitter.lanes.bit_length() - 1))
                first = builder.mul(whole, i64(emitter.lanes))
                for formula in formulas:
                    with cgutils.for_range(builder, whole) as loop:
                        at(formula, builder.mul(loop.index, i64(emitter.lanes)), None)
                with builder.if_then(builder.icmp_signed("<", first, units)):
                    mask = emitter.lane_mask(builder, builder.sub(units, first))
                    for formula in formulas:
                        at(formula, first, mask)
            return context.get_dummy_value()

        if len(arguments) != count:
            raise TypeError(f"{len(arguments)} arguments for {count}")
        return types.void(arguments), codegen

    return over
