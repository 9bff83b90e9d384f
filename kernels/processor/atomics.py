"""Integers in memory that several threads read and write."""

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from .target import target

WORD = 8  # bytes


def integer_at(builder, address):
    return builder.inttoptr(address, ir.IntType(64).as_pointer())


@intrinsic
def load(typingctx, shared):
    """Load the integer at an address; everything written before the matching `store` is then visible."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(integer_at(builder, args[0]), "acquire", WORD)

    return types.int64(types.intp), codegen


@intrinsic
def store(typingctx, shared, value):
    """Store the integer at an address; everything written before is visible to a thread that loads it."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[1], integer_at(builder, args[0]), "release", WORD)
        return context.get_dummy_value()

    return types.void(types.intp, types.int64), codegen


@intrinsic
def exchange(typingctx, shared, expected, value):
    """Set the integer at an address to `value` if it equals `expected`; return whether it did."""

    def codegen(context, builder, signature, args):
        found = builder.cmpxchg(integer_at(builder, args[0]), args[1], args[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.intp, types.int64, types.int64), codegen


@intrinsic
def increase(typingctx, shared):
    """Add one to the integer at an address; return the old value."""

    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", integer_at(builder, args[0]), ir.Constant(ir.IntType(64), 1), "acq_rel")

    return types.int64(types.intp), codegen


@intrinsic
def pause(typingctx):
    """Execute the processor's pause instruction for spin loops, if there is one."""

    def codegen(context, builder, signature, args):
        if target()[0] == "x86_64":
            instruction = ir.FunctionType(ir.VoidType(), [])
            builder.call(get_or_insert_function(builder.module, instruction, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), codegen
