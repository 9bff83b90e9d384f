"""Working memory of a call from compiled code: on its stack if it is small, otherwise on the heap until the call returns."""

from llvmlite import ir
from numba import types
from numba.core.cgutils import alloca_once_value, get_or_insert_function
from numba.extending import intrinsic

from ..compiling.objects import WORD

STACK_BYTES = 1 << 16  # largest working memory on the stack
byte, word = ir.IntType(8), ir.IntType(64)


@intrinsic
def working_memory(typingctx, size):
    """Return the address of `size` bytes, or 0 if there is no memory; `release` them. Not for use in a loop."""

    def codegen(context, builder, signature, args):
        size, = args
        large = builder.icmp_signed(">", size, word(STACK_BYTES))
        on_stack = builder.alloca(byte, size=builder.select(large, word(WORD), size), name="working_memory")
        on_stack.align = 64
        place = alloca_once_value(builder, builder.ptrtoint(on_stack, word))
        with builder.if_then(large):
            form = ir.FunctionType(byte.as_pointer(), [word])
            allocated = builder.call(get_or_insert_function(builder.module, form, "NRT_Allocate"), [size])
            builder.store(builder.ptrtoint(allocated, word), place)
        return builder.load(place)

    return types.intp(types.intp), codegen


@intrinsic
def release(typingctx, address, size):
    """Give back the memory at an address that `working_memory` returned for this size."""

    def codegen(context, builder, signature, args):
        with builder.if_then(builder.icmp_signed(">", args[1], word(STACK_BYTES))):
            form = ir.FunctionType(ir.VoidType(), [byte.as_pointer()])
            free = get_or_insert_function(builder.module, form, "NRT_Free")
            builder.call(free, [builder.inttoptr(args[0], byte.as_pointer())])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen
