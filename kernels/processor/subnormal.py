"""Subnormal numbers, which are smaller than any number of full precision: the optimizer's update treats them as 0.

A number that decays by a factor in each step never reaches 0, because the smallest numbers round to themselves: a mean in
Adam, of a weight whose gradient is 0 from now on, stays at 6e-45. The squares of gradients below 1e-19 are subnormal too,
and a network with confident predictions has many of those. x86 processors are slow with them: where a tenth of its means was
subnormal, Adam took 1.7 times as long. So during an update the processor flushes them to 0; then its mode is restored.
Outputs, losses and gradients are computed with subnormal numbers. Other processors keep their mode.
"""

from numba import types
from numba.core.cgutils import alloca_once
from numba.extending import intrinsic

from .floating_point_mode import control_word, i32
from .target import target

FLUSHED = 1 << 15 | 1 << 6  # bits of the control word: subnormal results are 0, and so are subnormal operands


@intrinsic
def flush_subnormals(typingctx):
    """Treat subnormal numbers as 0 in this thread; return the previous mode, for `restore_subnormals`."""

    def codegen(context, builder, signature, args):
        if target()[0] != "x86_64":
            return i32(0)
        slot = alloca_once(builder, i32)
        control_word(builder, slot, "stmxcsr")
        before = builder.load(slot)
        builder.store(builder.or_(before, i32(FLUSHED)), slot)
        control_word(builder, slot, "ldmxcsr")
        return before

    return types.int32(), codegen


@intrinsic
def restore_subnormals(typingctx, before):
    """Restore the mode that `flush_subnormals` returned."""

    def codegen(context, builder, signature, args):
        if target()[0] == "x86_64":
            slot = alloca_once(builder, i32)
            builder.store(args[0], slot)
            control_word(builder, slot, "ldmxcsr")
        return context.get_dummy_value()

    return types.void(types.int32), codegen
