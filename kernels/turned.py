"""The gradient of a narrow weight, worked out as its transpose: dweightᵀ = dzᵀ x.

Of a vector along the outputs few lanes would be used if these are few; along the inputs all of them are. Every number is the
same sum in the same order as in xᵀ dz, so either way comes out to the same bits.
"""

from numba import types

from .jit import REAL, Kernel, typed_pointer
from .pack import stack_memory
from .product import call_product, chain_length, product_kernel
from .target import ITEM_BYTES
from .transpose import call_transpose, transpose_kernel

INPUTS = 256  # so many at a time: their gradients stay in the first-level cache until they are turned


def build_turned_weight(dtype):
    item, pointer = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    def turned_weight(dweight, dz, dz_row, x, x_row, in_features, out_features, batch, accumulate):
        """dweight = xᵀ dz, added to what dweight holds if `accumulate`. All are addresses; rows are as far apart as said."""
        # forward: z = x @ weight + bias
        alone = out_features == 1  # a single column is its own transpose
        block = max(in_features, 1) if alone else INPUTS
        scratch = stack_memory(item if alone else item * out_features * block)
        for j in range(0, in_features, block):
            inputs, part = min(block, in_features - j), dweight + item * j * out_features
            turned = part if alone else scratch
            start = turned if accumulate else 0
            if accumulate and not alone:
                call_transpose(pointer(x), (turned, inputs, part, out_features, inputs, out_features))
            call_product(pointer(x), (turned, inputs, dz, 1, dz_row, x + item * j, x_row, start, inputs, out_features,
                                      inputs, batch, chain_length(batch)))
            if not alone:
                call_transpose(pointer(x), (part, out_features, turned, inputs, out_features, inputs))

    return turned_weight


# Few networks need it: they have its address in their rows, and it is compiled for them only.
turned_weight_kernel = Kernel("turned_weight", build_turned_weight, lambda dtype: (types.intp,) * 9,
                              needs=[product_kernel, transpose_kernel])
