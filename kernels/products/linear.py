"""The products of a fully connected layer: z = x @ weight + bias, and its gradients.

    forward     z = x @ weight + bias
    backward    dweight = xᵀ dz      dbias = Σ dz over the batch      dx = dz weightᵀ

x (batch, in_features), weight (in_features, out_features), bias (out_features,), z (batch, out_features); C-contiguous.
Every element of z, dx, dweight and dbias is a sum of chains. A chain is a run of terms, added one after the other. The order
is fixed, so any thread may compute any element and the bits stay the same.
"""

from ..compiling.jit import address_of, call_at, jit
from ..processor.target import ITEM_BYTES, tile_vectors, vector_lanes
from .dot import dot_kernel
from .product import call_product, chain_length, product, product_arguments, product_kernel
from .transpose import call_transpose
from .transposed import transposed_weight_kernel

# With at most this many outputs, and at least this many numbers in x, dweight is computed as its transpose.
TRANSPOSED_OUTPUTS, TRANSPOSED_NUMBERS = 12, 4096
# For at most FEW_ROWS rows, dx is computed as dot products of dz with rows of the weight, which need not be transposed. If
# the weight fits into the second-level cache, this is done for at most FEW_ROWS_CACHED rows: three rows of 8-32-32-1 took
# 1.27 µs in this way, and 0.96 with the transpose.
FEW_ROWS, FEW_ROWS_CACHED, CACHED_BYTES = 4, 2, 1 << 20


@jit(inline=True)
def linear_forward(z, x, weight, start, length, kernel):
    """Compute z = start + x @ weight, in chains of `length` inputs. start: the address of the bias, or 0 for none.

    kernel: the address of the product kernel, from `forward_product`.
    """
    call_at(kernel, product_arguments(z, x, weight, start, 0, length))


@jit(inline=True)
def linear_backward_weight(dweight, dz, x, accumulate, transposed=0):
    """dweight = xᵀ dz, added to what dweight holds if `accumulate`.

    transposed: the address of the kernel that computes dweightᵀ, or 0.
    """
    # forward: z = x @ weight + bias
    if transposed != 0:
        item = x.itemsize
        call_at(transposed, (address_of(dweight), address_of(dz), dz.strides[0] // item, address_of(x), x.strides[0] // item,
                             dweight.shape[0], dweight.shape[1], x.shape[0], accumulate))
        return
    start = address_of(dweight) if accumulate else 0
    product(dweight, x.T, dz, start, dweight.shape[1], chain_length(x.shape[0]))


@jit
def linear_backward_bias(dbias, dz, accumulate):
    """dbias = Σ dz over the batch, added to what dbias holds if `accumulate`. dz may have more columns than dbias."""
    # forward: z = x @ weight + bias
    if not accumulate:
        dbias[:] = 0
    batch = dz.shape[0]
    whole = batch - batch % 8
    for i in range(0, whole, 8):  # added in order, but dbias is loaded once for eight rows
        for j in range(len(dbias)):
            dbias[j] = (dbias[j] + dz[i, j] + dz[i + 1, j] + dz[i + 2, j] + dz[i + 3, j] + dz[i + 4, j] + dz[i + 5, j]
                        + dz[i + 6, j] + dz[i + 7, j])
    for i in range(whole, batch):
        for j in range(len(dbias)):
            dbias[j] += dz[i, j]


def linear_backward_input(dtype):
    """The compiled function dx = dz weightᵀ."""
    panel, item = panel_columns(dtype), ITEM_BYTES[dtype]

    @jit(inline=True)
    def backward_input(dx, dz, weight, scratch, begin, end, few=0, adds=0):
        """Compute columns begin … end − 1 of dx. scratch has room for weightᵀ; only the part of these columns is used.

        few: the address of the kernel for few rows, or 0. adds: whether to add to dx; few is 0 then.
        """
        # forward: z = x @ weight + bias
        batch, out_features = dz.shape
        if few != 0 and batch <= (FEW_ROWS_CACHED if weight.size * item <= CACHED_BYTES else FEW_ROWS):
            call_at(few, (address_of(dx), dx.shape[1], address_of(dz), batch, address_of(weight), out_features, begin, end))
            return
        to, source, length = address_of(scratch), address_of(weight), chain_length(out_features)
        dx_row, dz_row = dx.strides[0] // item, dz.strides[0] // item
        for j in range(begin, end, panel):
            columns = min(panel, end - j)
            first = item * j * out_features  # offset of the panel, in the weight and in its transpose
            call_transpose(dx, (to + first, columns, source + first, out_features, columns, out_features))
            place = address_of(dx) + item * j
            start = place if adds != 0 else 0
            call_product(dx, (place, dx_row, address_of(dz), dz_row, 1, to + first, columns, start, dx_row, batch, columns,
                              out_features, length))

    return backward_input


def panel_columns(dtype):
    """The number of columns of the widest tile."""
    return vector_lanes(dtype) * tile_vectors()


def forward_product(dtype, out_features):
    """The address of the kernel that computes z. It depends on the layer only, so bits do not depend on the batch."""
    return (dot_kernel if out_features == 1 else product_kernel).address(dtype)


def narrow_gradient(dtype, batch, in_features, out_features):
    """The address of the kernel that computes dweightᵀ, which is compiled only if it is faster for this layer; else 0."""
    pays = out_features <= TRANSPOSED_OUTPUTS and batch * in_features >= TRANSPOSED_NUMBERS
    return transposed_weight_kernel.address(dtype) if pays else 0
