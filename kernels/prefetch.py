"""Asking memory for what will be read soon, so that it comes while the processor has other work."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

CACHE_LINE = 64  # bytes
READ, NEAR, DATA = 0, 2, 1  # not to be written; into the second-level cache; not instructions


@intrinsic
def ask_for(typingctx, address):
    """Have the cache line at an address brought near."""

    def codegen(context, builder, signature, args):
        place, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [place], ir.FunctionType(ir.VoidType(), [place, number, number, number]))
        builder.call(prefetch, [builder.inttoptr(args[0], place), *map(number, (READ, NEAR, DATA))])
        return context.get_dummy_value()

    return types.void(types.intp), codegen
