"""Operations on vectors of channels at the taps of windows, in LLVM's intermediate representation.

A function emit(emitter, builder, rows, columns, …) of a pool emits its operation for consecutive windows with so many rows
and columns of taps; `window_intrinsic` makes it callable.
"""

from contextlib import contextmanager

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...compiling.jit import REAL
from ...processor.target import halves_are_faster
from ...processor.vector import VectorEmitter, i64


class WindowEmitter(VectorEmitter):
    """Emits loops over windows, channels and taps."""

    def constant(self, number):
        return ir.Constant(self.vector, [number] * self.lanes)

    def variable(self, builder, value):
        place = cgutils.alloca_once(builder, value.type)
        builder.store(value, place)
        return place

    def each_vector(self, builder, windows, channels, emit):
        """Loop over all channels of all windows, a vector at a time: emit(emitter, window, first channel, mask or None).

        The emitter is this one, or where half a vector holds the last channels, one of half vectors.
        """
        with cgutils.for_range(builder, windows) as window:
            whole = builder.lshr(channels, i64(self.lanes.bit_length() - 1))
            with cgutils.for_range(builder, whole) as loop:
                # without a mask, because a load from memory waits for a pending masked store to it
                emit(self, window.index, builder.mul(loop.index, i64(self.lanes)), None)
            first = builder.mul(whole, i64(self.lanes))
            rest = builder.sub(channels, first)
            with builder.if_then(builder.icmp_signed(">", rest, i64(0))):
                if not halves_are_faster():
                    emit(self, window.index, first, self.lane_mask(builder, rest))
                    return
                half = type(self)(self.module, self.dtype, fraction=2)
                with builder.if_else(builder.icmp_signed("<=", rest, i64(half.lanes))) as branches:
                    for branch, emitter in zip(branches, (half, self), strict=True):
                        with branch:
                            emit(emitter, window.index, first, emitter.lane_mask(builder, rest))

    @contextmanager
    def each_tap(self, builder, rows, columns, row_step, column_step):
        """Loop over the taps of a window. The value of the context is (row of the tap, its offset from the first tap).

        row_step, column_step: the distances in memory between rows and between columns, in the unit of the offset.
        """
        with cgutils.for_range(builder, rows) as down:
            line = builder.mul(down.index, row_step)
            with cgutils.for_range(builder, columns) as across:
                yield down.index, builder.add(line, builder.mul(across.index, column_step))

    def add_between(self, builder, own, row, past, target, value, mask):
        """target += value if own ≤ row < past."""
        inside = builder.and_(builder.icmp_signed("<=", own, row), builder.icmp_signed("<", row, past))
        with builder.if_then(inside):
            self.store(builder, builder.fadd(self.load(builder, target, mask), value), target, mask)


def window_intrinsic(dtype, emit, *constants):
    """Return the intrinsic emit((*arguments,)): pointers are unchanged, floats become `dtype`, other numbers integers.

    constants: integers before the arguments.
    """

    def wanted(kind):
        return kind if isinstance(kind, types.CPointer) else REAL[dtype] if isinstance(kind, types.Float) else types.intp

    @intrinsic
    def at_windows(typingctx, arguments):
        def codegen(context, builder, signature, args):
            values = zip(cgutils.unpack_tuple(builder, args[0]), arguments, strict=True)
            emit(WindowEmitter(builder.module, dtype), builder, *map(i64, constants),
                 *(context.cast(builder, value, kind, wanted(kind)) for value, kind in values))
            return context.get_dummy_value()

        return types.void(arguments), codegen

    return at_windows
