"""Prefetching: what will be read soon is brought to the cache while the processor has other work."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

CACHE_LINE = 64  # bytes
READ, DATA = 0, 1  # not to be written; not instructions
CLOSE, NEAR = 3, 2  # the first-level cache, and the second


def emit_prefetch(builder, address, level):
    """Have the cache line at a pointer brought into a cache."""
    place, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    prefetch = builder.module.declare_intrinsic(
        "llvm.prefetch", [place], ir.FunctionType(ir.VoidType(), [place, number, number, number]))
    builder.call(prefetch, [builder.bitcast(address, place), *map(number, (READ, level, DATA))])


@intrinsic
def ask_for(typingctx, address):
    """Have the cache line at an address brought near."""

    def codegen(context, builder, signature, args):
        emit_prefetch(builder, builder.inttoptr(args[0], ir.IntType(8).as_pointer()), NEAR)
        return context.get_dummy_value()

    return types.void(types.intp), codegen
