"""The phases of a fully connected layer, a = g(x @ weight + bias), as rows of the table. `linear` has the mathematics.

Several threads each keep to rows of the weight of their own, through all phases and the optimizer's update: to write what
another core has read costs more than to work it out. In the forward phase such a thread has some of the chains of every z,
and `combine` adds them up.
"""

from .batch import look_ahead
from .dot import dot_function, few_rows_kernel
from .jit import Kernel, address_of, call, jit, offset, pointer_to, view
from .linear import (
    FEW_ROWS,
    forward_product,
    linear_backward_bias,
    linear_backward_input,
    linear_backward_weight,
    linear_forward,
    narrow_gradient,
    panel_columns,
)
from .product import chain_count, chain_length, product_kernel, share_of_inputs
from .single import fits_single, single_row
from .table import (
    BACKWARD_INPUT,
    BACKWARD_OUTPUT,
    BACKWARD_WEIGHT,
    COLUMNS,
    FORWARD,
    OPERANDS,
    make_row,
    phase_arguments,
    share,
)
from .target import ITEM_BYTES, vector_lanes
from .transpose import transpose_kernel

(X, Z, A, DZ, DX, SCRATCH, WEIGHT, BIAS, IN_FEATURES, OUT_FEATURES, ACTIVATION, ACTIVATION_BACKWARD, X_DATA, CHAINS,
 PRODUCT, TURNED, FEW, PACKED, GATHERED) = range(OPERANDS, OPERANDS + 19)

# Of how many inputs the gradient is worked out between two looks ahead: some four lines of each sample of the next batch, as
# much as memory brings meanwhile. 784-32-10 takes 54 µs a step so instead of 58, 784-128-10 300 instead of 306.
# A piece has to read all of dz again, so that has to lie close by; where it is larger, to gather is but 2 % of a step.
PIECE, CLOSE_BYTES = 56, 1 << 17


def build_forward(dtype):
    panel, lanes, item = panel_columns(dtype), vector_lanes(dtype), ITEM_BYTES[dtype]

    def dense_forward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(batch, part, parts, 1)
        rows, in_features, out_features = end - begin, row[IN_FEATURES], row[OUT_FEATURES]
        x = view(arena, row[X] + begin * in_features, (rows, in_features))
        if row[X_DATA] != 0:  # not gathered: the samples are read where they lie
            x = view(pointer_to(row[X_DATA], arena), (first + begin) * in_features, (rows, in_features))
        z = view(arena, row[Z] + begin * out_features, (rows, out_features))
        weight = view(parameters, row[WEIGHT], (in_features, out_features))
        bias, length = address_of(view(parameters, row[BIAS], out_features)), chain_length(in_features)
        if row[PACKED] == 0:
            linear_forward(z, x, weight, bias, length, row[PRODUCT])
        else:  # see `panels`
            for j in range(0, out_features, panel):
                columns = min(panel, out_features - j)
                width = (columns + lanes - 1) // lanes * lanes
                packed = view(pointer_to(row[PACKED], arena), in_features * j, (in_features, width))
                linear_forward(z[:, j:j + columns], x, packed, bias + item * j, length, row[PRODUCT])
        if row[ACTIVATION] != 0:
            activate(row, arena, begin, rows)

    return dense_forward


def build_forward_single(dtype):
    single = single_row(dtype)

    def dense_forward_single(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        single(offset(arena, row[Z]), offset(arena, row[X]), offset(parameters, row[WEIGHT]), offset(parameters, row[BIAS]),
               row[IN_FEATURES], row[OUT_FEATURES])
        if row[ACTIVATION] != 0:
            activate(row, arena, 0, 1)

    return dense_forward_single


def build_forward_dot(dtype):
    dots = dot_function(dtype)

    def dense_forward_dot(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        z = view(arena, row[Z], 1)  # with room for a whole vector behind it
        dots(address_of(z), address_of(view(arena, row[X], 1)), 0, address_of(view(parameters, row[WEIGHT], 1)),
             row[IN_FEATURES], 1)
        z[0] += view(parameters, row[BIAS], 1)[0]
        if row[ACTIVATION] != 0:
            activate(row, arena, 0, 1)

    return dense_forward_dot


@jit(inline=True)
def activate(row, arena, top, rows):
    """a = g(z) for so many samples from `top` on."""
    start = top * row[OUT_FEATURES]
    call(row[ACTIVATION], (offset(arena, row[A] + start), offset(arena, row[Z] + start), rows, row[OUT_FEATURES]))


def build_forward_chains(dtype):
    def dense_forward_chains(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """Some chains of z, as many groups of them as there are parts; parts beyond that share out a group's samples.

        The first group goes to z at once, onto the bias, each later chain to a matrix of its own.
        """
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        chains, length = chain_count(in_features), chain_length(in_features)
        groups = min(chains, parts)
        group = part * groups // parts
        fellow, fellows = first_of(group, parts, groups), first_of(group + 1, parts, groups)
        top, bottom = share(batch, part - fellow, fellows - fellow, 1)
        rows = bottom - top
        x = view(arena, row[X] + top * in_features, (rows, in_features))
        z = view(arena, row[Z] + top * out_features, (rows, out_features))
        weight = view(parameters, row[WEIGHT], (in_features, out_features))
        begin, end = share(chains, group, groups, 1)
        if group == 0:
            bias, k = view(parameters, row[BIAS], out_features), min(end * length, in_features)
            linear_forward(z, x[:, :k], weight[:k], address_of(bias), length, row[PRODUCT])
            return
        for c in range(begin, end):
            sums = view(arena, row[CHAINS] + ((c - 1) * batch + top) * out_features, (rows, out_features))
            k0, k1 = c * length, min((c + 1) * length, in_features)
            linear_forward(sums, x[:, k0:k1], weight[k0:k1], 0, length, row[PRODUCT])

    return dense_forward_chains


@jit(inline=True)
def first_of(group, parts, groups):
    """The first part p that works on a group: the smallest with p · groups // parts = group."""
    return (group * parts + groups - 1) // groups


def build_combine(dtype):
    def dense_combine(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """z, to which the first group of chains has gone, plus the later chains in order; then a = g(z)."""
        chains, out_features = chain_count(row[IN_FEATURES]), row[OUT_FEATURES]
        begin, end = share(batch, part, parts, 1)
        size = (end - begin) * out_features
        z = view(arena, row[Z] + begin * out_features, size)
        for c in range(share(chains, 0, min(chains, parts), 1)[1], chains):
            sums = view(arena, row[CHAINS] + ((c - 1) * batch + begin) * out_features, size)
            for i in range(size):
                z[i] += sums[i]
        if row[ACTIVATION] != 0:
            activate(row, arena, begin, end - begin)

    return dense_combine


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

    def dense_backward_input(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        dx = view(arena, row[DX], (batch, in_features))
        dz = view(arena, row[DZ], (batch, out_features))
        weight = view(parameters, row[WEIGHT], (in_features, out_features))
        scratch = view(arena, row[SCRATCH], in_features * out_features)
        begin, end = share_of_inputs(in_features, part, parts)
        backward_input(dx, dz, weight, scratch, begin, end, row[FEW])

    return dense_backward_input


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def dense_backward_weight(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        x = view(arena, row[X], (batch, in_features))
        dz = view(arena, row[DZ], (batch, out_features))
        dweight = view(gradients, row[WEIGHT], (in_features, out_features))
        begin, end = share_of_inputs(in_features, part, parts)
        piece = PIECE if row[GATHERED] != 0 else end - begin
        for i in range(begin, end, piece):
            j = min(i + piece, end)
            if row[GATHERED] != 0:  # x is of the batch: by the time that this is done, the next is on its way
                look_ahead(offset(row, -COLUMNS * row[GATHERED]), x.itemsize, first, batch, i, j)
            linear_backward_weight(dweight[i:j], dz, x[:, i:j], accumulate, row[TURNED])
        begin, end = share(out_features, part, parts, lanes)
        # of contiguous rows: a slice of the columns would have the loop over them go number by number
        dz = view(arena, row[DZ] + begin, (batch, out_features))
        linear_backward_bias(view(gradients, row[BIAS] + begin, end - begin), dz, accumulate)

    return dense_backward_weight


dense_forward = Kernel("dense_forward", build_forward, phase_arguments, needs=[product_kernel])
dense_forward_single = Kernel("dense_forward_single", build_forward_single, phase_arguments)
dense_forward_dot = Kernel("dense_forward_dot", build_forward_dot, phase_arguments)
dense_forward_chains = Kernel("dense_forward_chains", build_forward_chains, phase_arguments,
                              needs=[product_kernel])
dense_combine = Kernel("dense_combine", build_combine, phase_arguments)
dense_backward_output = Kernel("dense_backward_output", build_backward_output, phase_arguments)
dense_backward_input = Kernel("dense_backward_input", build_backward_input, phase_arguments,
                              needs=[product_kernel, transpose_kernel])
dense_backward_weight = Kernel("dense_backward_weight", build_backward_weight, phase_arguments, needs=[product_kernel])


def dense_row(dtype, activation, parts, *, x, z, a, dz, dx, scratch, weight, bias, batch, in_features, out_features,
              x_data=0, chains=0, padded=False, gathered=0):
    """The row of a dense layer. activation: a record, or None for z as it is; dz, dx: None where nothing asks for it.

    parts: {phase: into how many parts to cut it}. x_data: the address of the samples where they are not in the arena, or 0.
    batch: the largest. The rest are offsets and sizes.
    chains: where threads that keep to rows of the weight leave their chains of z, or 0; a `combine_row` is to follow then.
    padded: whether z has room for whole vectors. gathered: how many rows above it x is gathered, where memory may be
    asked for the next x meanwhile, or 0.
    """
    forward = dense_forward_chains if chains else dense_forward
    if batch == 1 and padded and x_data == 0 and fits_single(dtype, in_features, out_features):
        forward = dense_forward_dot if out_features == 1 else dense_forward_single
    phases = {FORWARD: forward, BACKWARD_WEIGHT: dense_backward_weight}
    operands = {X: x, Z: z, A: a, DZ: dz or 0, WEIGHT: weight, BIAS: bias, IN_FEATURES: in_features,
                OUT_FEATURES: out_features, X_DATA: x_data, CHAINS: chains, PRODUCT: forward_product(dtype, out_features)}
    if dz is not None:
        operands[TURNED] = narrow_gradient(dtype, batch, in_features, out_features)
        if batch * out_features * ITEM_BYTES[dtype] <= CLOSE_BYTES:
            operands[GATHERED] = gathered
    if activation is not None:
        phases[BACKWARD_OUTPUT] = dense_backward_output
        operands[ACTIVATION] = activation.forward.address(dtype)
        operands[ACTIVATION_BACKWARD] = activation.backward.address(dtype)
    if dx is not None:
        phases[BACKWARD_INPUT] = dense_backward_input
        operands |= {DX: dx, SCRATCH: scratch}
        if batch <= FEW_ROWS:
            operands[FEW] = few_rows_kernel.address(dtype)
    return make_row({phase: (kernel.address(dtype), parts.get(phase, 1)) for phase, kernel in phases.items()}, operands)


def combine_row(dtype, parts, dense):
    """The row that adds up the chains of the layer whose row is `dense`, and applies its activation."""
    row = make_row({FORWARD: (dense_combine.address(dtype), parts)}, {})
    row[OPERANDS:] = dense[OPERANDS:]
    return row
