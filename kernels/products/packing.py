"""Packing: a panel of the right operand of a matrix product is copied without gaps, so that it stays in the cache.

Rows of a wide matrix lie far apart. A panel is read again for every band of the result. Unpacked, each of its rows would
need an entry of the TLB, and if their distance is a power of two, they would evict one another from the cache.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..compiling.jit import REAL, jit, typed_pointer, view
from ..processor.target import ITEM_BYTES, vector_lanes
from ..processor.vector import SCALAR


@intrinsic
def stack_memory(typingctx, size):
    """Return the address of `size` bytes on the stack, valid until the function returns. Not for use in a loop."""

    def codegen(context, builder, signature, args):
        # the optimizer must not know the size: it would spend minutes trying to keep the memory in registers
        memory = builder.alloca(ir.IntType(8), size=args[0], name="panel")
        memory.align = 64
        return builder.ptrtoint(memory, ir.IntType(64))

    return types.intp(types.intp), codegen


def packing(dtype):
    """The compiled pack(out, b, b_row, steps, columns): copies `steps` rows of `columns` numbers from address b to out.

    In out each row takes a whole number of vectors. No number outside the panel is read.
    """
    vector, item, lanes = ir.VectorType(SCALAR[dtype], vector_lanes(dtype)), ITEM_BYTES[dtype], vector_lanes(dtype)
    number = typed_pointer(REAL[dtype])

    @intrinsic
    def copy_vector(typingctx, out, b):
        def codegen(context, builder, signature, args):
            out, b = (builder.inttoptr(address, vector.as_pointer()) for address in args)
            loaded = builder.load(b)
            loaded.align = item
            builder.store(loaded, out).align = item
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), codegen

    @jit
    def pack(out, b, b_row, steps, columns):
        whole = columns - columns % lanes
        for _ in range(steps):
            for j in range(0, whole, lanes):
                copy_vector(out + item * j, b + item * j)
            for j in range(whole, columns):
                view(number(out), j, 1)[0] = view(number(b), j, 1)[0]
            out += item * ((columns + lanes - 1) // lanes * lanes)
            b += item * b_row

    return pack
