"""Fully connected layer: z = x @ weight + bias, then a = g(z).

x (batch, in_features), weight (in_features, out_features), bias (out_features,), z, a (batch, out_features); C-contiguous.
Every number of z, dx, dweight and dbias is one chain of terms in a fixed order, so any thread may work out any of them and
the bits stay the same.
"""

from .jit import Kernel, address_of, call, jit, offset, pointer_to, view
from .product import product, product_kernel
from .table import (
    BACKWARD_INPUT,
    BACKWARD_OUTPUT,
    BACKWARD_WEIGHT,
    FORWARD,
    OPERANDS,
    make_row,
    phase_arguments,
    share,
)
from .target import tile_vectors, vector_lanes
from .transpose import transposition

X, Z, A, DZ, DX, SCRATCH, WEIGHT, BIAS, IN_FEATURES, OUT_FEATURES, ACTIVATION, ACTIVATION_BACKWARD, X_DATA = range(
    OPERANDS, OPERANDS + 13
)


@jit
def linear_forward(z, x, weight, bias):
    """z = x @ weight + bias."""
    product(z, x, weight, address_of(bias), 0)


@jit
def linear_backward_weight(dweight, dz, x, accumulate):
    """dweight = xᵀ dz, added to what dweight holds if `accumulate`."""
    # forward: z = x @ weight + bias
    start = address_of(dweight) if accumulate else 0
    product(dweight, x.T, dz, start, dweight.shape[1])


@jit
def linear_backward_bias(dbias, dz, accumulate):
    """dbias = Σ dz over the batch, added to what dbias holds if `accumulate`."""
    # forward: z = x @ weight + bias
    if not accumulate:
        dbias[:] = 0
    for i in range(dz.shape[0]):
        for j in range(dz.shape[1]):
            dbias[j] += dz[i, j]


def linear_backward_input(dtype):
    """The compiled function dx = dz weightᵀ."""
    transpose = transposition(dtype)
    lanes = vector_lanes(dtype)
    panel = lanes * tile_vectors()

    @jit
    def backward_input(dx, dz, weight, scratch, begin, end):
        """Columns begin to end of dx. scratch holds in_features · out_features numbers; only [begin, end) of it is used."""
        # forward: z = x @ weight + bias
        out_features = weight.shape[1]
        for j in range(begin, end, panel):
            columns = min(panel, end - j)
            transposed = scratch[j * out_features:(j + columns) * out_features].reshape((out_features, columns))
            transpose(transposed, weight[j:j + columns])
            product(dx[:, j:j + columns], dz, transposed, 0, 0)

    return backward_input


def build_forward(dtype):
    def dense_forward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(batch, part, parts, 1)
        rows, in_features, out_features = end - begin, row[IN_FEATURES], row[OUT_FEATURES]
        x = view(arena, row[X] + begin * in_features, (rows, in_features))
        if row[X_DATA] != 0:  # not gathered: the samples are read where they lie
            x = view(pointer_to(row[X_DATA], arena), (first + begin) * in_features, (rows, in_features))
        z = view(arena, row[Z] + begin * out_features, (rows, out_features))
        weight = view(parameters, row[WEIGHT], (in_features, out_features))
        bias = view(parameters, row[BIAS], out_features)
        linear_forward(z, x, weight, bias)
        if row[ACTIVATION] != 0:
            a = offset(arena, row[A] + begin * out_features)
            call(row[ACTIVATION], (a, offset(arena, row[Z] + begin * out_features), rows, out_features))

    return dense_forward


def build_backward_output(dtype):
    def dense_backward_output(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        # forward: a = g(z)
        begin, end = share(batch, part, parts, 1)
        start = begin * row[OUT_FEATURES]
        dz, z, a = offset(arena, row[DZ] + start), offset(arena, row[Z] + start), offset(arena, row[A] + start)
        call(row[ACTIVATION_BACKWARD], (dz, z, a, end - begin, row[OUT_FEATURES]))

    return dense_backward_output


def build_backward_input(dtype):
    backward_input = linear_backward_input(dtype)
    lanes = vector_lanes(dtype)

    def dense_backward_input(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        dx = view(arena, row[DX], (batch, in_features))
        dz = view(arena, row[DZ], (batch, out_features))
        weight = view(parameters, row[WEIGHT], (in_features, out_features))
        scratch = view(arena, row[SCRATCH], in_features * out_features)
        begin, end = share(in_features, part, parts, lanes)
        backward_input(dx, dz, weight, scratch, begin, end)

    return dense_backward_input


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def dense_backward_weight(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        x = view(arena, row[X], (batch, in_features))
        dz = view(arena, row[DZ], (batch, out_features))
        dweight = view(gradients, row[WEIGHT], (in_features, out_features))
        begin, end = share(in_features, part, parts, 1)
        linear_backward_weight(dweight[begin:end], dz, x[:, begin:end], accumulate)
        dbias = view(gradients, row[BIAS], out_features)
        begin, end = share(out_features, part, parts, lanes)
        linear_backward_bias(dbias[begin:end], dz[:, begin:end], accumulate)

    return dense_backward_weight


dense_forward = Kernel("dense_forward", build_forward, phase_arguments, needs=[product_kernel])
dense_backward_output = Kernel("dense_backward_output", build_backward_output, phase_arguments)
dense_backward_input = Kernel("dense_backward_input", build_backward_input, phase_arguments, needs=[product_kernel])
dense_backward_weight = Kernel("dense_backward_weight", build_backward_weight, phase_arguments, needs=[product_kernel])


def dense_row(dtype, activation, parts, *, x, z, a, dz, dx, scratch, weight, bias, in_features, out_features, x_data=0):
    """The row of a dense layer. activation: a record, or None for z as it is; dx: None where nothing asks for it.

    parts: {phase: into how many parts to cut it}. x_data: the address of the samples where they are not in the arena, or 0.
    The rest are offsets and sizes.
    """
    phases = {FORWARD: dense_forward, BACKWARD_WEIGHT: dense_backward_weight}
    operands = {X: x, Z: z, A: a, DZ: dz, WEIGHT: weight, BIAS: bias, IN_FEATURES: in_features, OUT_FEATURES: out_features,
                X_DATA: x_data}
    if activation is not None:
        phases[BACKWARD_OUTPUT] = dense_backward_output
        operands[ACTIVATION] = activation.forward.address(dtype)
        operands[ACTIVATION_BACKWARD] = activation.backward.address(dtype)
    if dx is not None:
        phases[BACKWARD_INPUT] = dense_backward_input
        operands |= {DX: dx, SCRATCH: scratch}
    return make_row({phase: (kernel.address(dtype), parts.get(phase, 1)) for phase, kernel in phases.items()}, operands)
