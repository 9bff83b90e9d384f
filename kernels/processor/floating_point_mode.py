"""The floating-point mode of a thread: how it rounds, and whether it takes subnormal numbers for 0.

It belongs to a thread, and anything in the process may change that of one: a library compiled with -ffast-math as it is
loaded, or `torch.set_flush_denormal`. Threads that work together need the same mode, since any of them may compute any part.
"""

from llvmlite import ir
from numba import types
from numba.core.cgutils import alloca_once, get_or_insert_function
from numba.extending import intrinsic

from .target import target

i32, i64 = ir.IntType(32), ir.IntType(64)


def control_word(builder, slot, name):
    """Emit the instruction that stores or loads the control word of x86."""
    place = builder.bitcast(slot, ir.IntType(8).as_pointer())
    function = ir.FunctionType(ir.VoidType(), [place.type])
    builder.call(get_or_insert_function(builder.module, function, f"llvm.x86.sse.{name}"), [place])


@intrinsic
def floating_point_mode(typingctx):
    """Return the mode of this thread, for `set_floating_point_mode`; 0 on other processors than x86 and 64-bit Arm."""

    def codegen(context, builder, signature, args):
        if target()[0] == "x86_64":
            slot = alloca_once(builder, i32)
            control_word(builder, slot, "stmxcsr")
            return builder.zext(builder.load(slot), i64)
        if target()[0] in ("aarch64", "arm64"):
            function = ir.FunctionType(i64, [])
            return builder.call(get_or_insert_function(builder.module, function, "llvm.aarch64.get.fpcr"), [])
        return i64(0)

    return types.int64(), codegen


@intrinsic
def set_floating_point_mode(typingctx, mode):
    """Give this thread a mode that `floating_point_mode` has returned, on any thread."""

    def codegen(context, builder, signature, args):
        if target()[0] == "x86_64":
            slot = alloca_once(builder, i32)
            builder.store(builder.trunc(args[0], i32), slot)
            control_word(builder, slot, "ldmxcsr")
        elif target()[0] in ("aarch64", "arm64"):
            function = ir.FunctionType(ir.VoidType(), [i64])
            builder.call(get_or_insert_function(builder.module, function, "llvm.aarch64.set.fpcr"), args)
        return context.get_dummy_value()

    return types.void(types.int64), codegen
