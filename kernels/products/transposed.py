"""The gradient of a narrow weight, computed as its transpose: dweightᵀ = dzᵀ x.

With few outputs, a vector along the outputs would use few of its lanes; one along the inputs uses all of them. Every number
is the same sum in the same order as in xᵀ dz, so both ways give the same bits.
"""

from numba import types

from ..compiling.jit import REAL, Kernel, typed_pointer
from ..processor.target import ITEM_BYTES
from .packing import stack_memory
from .product import call_product, chain_length, product_kernel
from .transpose import call_transpose, transpose_kernel

INPUTS = 256  # at a time, so that their gradients stay in the first-level cache until they are transposed


def build_transposed_weight(dtype):
    item, pointer = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    def transposed_weight(dweight, dz, dz_row, x, x_row, in_features, out_features, batch, accumulate):
        """dweight = xᵀ dz, added to what dweight holds if `accumulate`; addresses, and distances between rows in numbers."""
        # forward: z = x @ weight + bias
        alone = out_features == 1  # a single column is its own transpose
        block = max(in_features, 1) if alone else INPUTS
        scratch = stack_memory(item if alone else item * out_features * block)
        for j in range(0, in_features, block):
            inputs, part = min(block, in_features - j), dweight + item * j * out_features
            dweight_t = part if alone else scratch
            start = dweight_t if accumulate else 0
            if accumulate and not alone:
                call_transpose(pointer(x), (dweight_t, inputs, part, out_features, inputs, out_features))
            call_product(pointer(x), (dweight_t, inputs, dz, 1, dz_row, x + item * j, x_row, start, inputs, out_features,
                                      inputs, batch, chain_length(batch)))
            if not alone:
                call_transpose(pointer(x), (part, out_features, dweight_t, inputs, out_features, inputs))

    return transposed_weight


# Few networks need it. Their rows hold its address, and it is compiled for them only.
transposed_weight_kernel = Kernel("transposed_weight", build_transposed_weight, lambda dtype: (types.intp,) * 9,
                                  needs=[product_kernel, transpose_kernel])
