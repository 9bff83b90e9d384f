"""Prefetching: load data into the cache before it is needed, while the processor does other work."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

CACHE_LINE = 64  # bytes
READ, DATA = 0, 1  # arguments of llvm.prefetch: for reading; data, not instructions
CLOSE, NEAR = 3, 2  # the first-level cache, and the second-level cache


def emit_prefetch(builder, address, level):
    """Emit the instruction that loads the cache line at a pointer into a cache."""
    place, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    prefetch = builder.module.declare_intrinsic(
        "llvm.prefetch", [place], ir.FunctionType(ir.VoidType(), [place, number, number, number]))
    builder.call(prefetch, [builder.bitcast(address, place), *map(number, (READ, level, DATA))])


@intrinsic
def prefetch(typingctx, address):
    """Load the cache line at an address into the second-level cache."""

    def codegen(context, builder, signature, args):
        emit_prefetch(builder, builder.inttoptr(args[0], ir.IntType(8).as_pointer()), NEAR)
        return context.get_dummy_value()

    return types.void(types.intp), codegen
