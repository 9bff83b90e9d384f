"""Subnormal numbers, which are closer to 0 than any number of full precision: an optimizer's update takes them for 0.

A number that decays by a factor in each step never reaches 0, since the smallest numbers round to themselves: a mean of
Adam's, of a weight that no sample reaches any more, stays at 6e-45. The squares of gradients below 1e-19 are subnormal too,
and a network that is sure of its answers has many of those. Processors of the x86 family are slow with them: where a tenth
of its means was subnormal, Adam took 1.7 times as long. So an update has the processor flush them to 0, and then restores
its mode: outputs, losses and gradients are computed with subnormal numbers. Other processors are left alone.
"""

from llvmlite import ir
from numba import types
from numba.core.cgutils import alloca_once, get_or_insert_function
from numba.extending import intrinsic

from .target import target

FLUSHED = 1 << 15 | 1 << 6  # bits of the control word: results that are subnormal are 0, and so are operands
i32 = ir.IntType(32)


def control_word(builder, slot, name):
    """Emit the instruction that stores the control word, or loads it."""
    place = builder.bitcast(slot, ir.IntType(8).as_pointer())
    function = ir.FunctionType(ir.VoidType(), [place.type])
    builder.call(get_or_insert_function(builder.module, function, f"llvm.x86.sse.{name}"), [place])


@intrinsic
def flush_subnormals(typingctx):
    """Have this thread take subnormal numbers for 0; returns the mode before, for `restore_subnormals`."""

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
