"""The phases of a dense layer, a = g(x @ weight + bias), as rows of the table. The mathematics is in `linear`.

With several threads, each owns some rows of the weight through all phases and the optimizer's update, because writing to
memory that another core has read takes longer than the computation. In the forward phase such a thread computes some of the
chains of every z, and `combine` adds them.
"""

from ..compiling.jit import Kernel, address_of, given, jit, offset, view
from ..compiling.record import NUMBERS
from ..compiling.share import share
from ..interpreter.batch import prefetch_next_batch
from ..interpreter.table import Kind, with_phases
from ..processor.target import ITEM_BYTES, vector_lanes
from ..products.dot import dot_function, few_rows_kernel
from ..products.linear import (
    FEW_ROWS,
    forward_product,
    linear_backward_bias,
    linear_backward_input,
    linear_backward_weight,
    linear_forward,
    narrow_gradient,
    panel_columns,
)
from ..products.product import chain_count, chain_length, product_kernel, share_of_inputs
from ..products.single_row import fits_single, single_row
from ..products.transpose import transpose_kernel
from .activate import activate, activate_backward

DENSE = Kind(
    "dense",
    "x", "z", "a", "dz", "dx", "scratch", "chains",  # in the arena
    "weight", "bias",  # among the parameters
    "in_features", "out_features",
    "activation", "activation_backward", "product", "transposed_weight", "few_rows",  # addresses of kernels, 0 for none
    "from_data",  # whether x is read from the data instead of the arena
    "adds",  # whether to add to dx, which another row has written
    "gathered",  # whether x is the gathered batch, so that the next batch is prefetched during the backward phase
    packed=NUMBERS,  # the weight packed by `panels`, 0 to read the weight itself
)

# The gradient is computed for PIECE inputs at a time. Before each piece these inputs of the next batch are prefetched, about
# four cache lines of each sample, as much as memory delivers meanwhile. A step of 784-32-10 takes 54 µs instead of 58, of
# 784-128-10 300 instead of 306. Each piece reads all of dz again, which therefore has to be in a near cache; where dz is
# larger than CLOSE_BYTES, gathering is only 2 % of a step.
PIECE, CLOSE_BYTES = 56, 1 << 17


def build_forward(dtype):
    panel, lanes, item = panel_columns(dtype), vector_lanes(dtype), ITEM_BYTES[dtype]

    def dense_forward(row, call, part, parts):
        in_features, out_features = row.in_features, row.out_features
        begin, end = share(call.batch, part, parts, 1)
        rows = end - begin
        x = view(call.arena, row.x + begin * in_features, (rows, in_features))
        if row.from_data != 0:
            x = view(call.X, (call.first + begin) * in_features, (rows, in_features))
        z = view(call.arena, row.z + begin * out_features, (rows, out_features))
        weight = view(call.parameters, row.weight, (in_features, out_features))
        bias, length = address_of(view(call.parameters, row.bias, out_features)), chain_length(in_features)
        if not given(row.packed):
            linear_forward(z, x, weight, bias, length, row.product)
        else:
            for j in range(0, out_features, panel):
                columns = min(panel, out_features - j)
                width = (columns + lanes - 1) // lanes * lanes
                packed = view(row.packed, in_features * j, (in_features, width))
                linear_forward(z[:, j:j + columns], x, packed, bias + item * j, length, row.product)
        if row.activation != 0:
            activate(row, call, begin, end)

    return dense_forward


def build_forward_single(dtype):
    single = single_row(dtype)

    def dense_forward_single(row, call, part, parts):
        # z (out_features,), with room for whole vectors; x (in_features,)
        z, x = offset(call.arena, row.z), offset(call.arena, row.x)
        # weight (in_features, out_features), bias (out_features,)
        weight, bias = offset(call.parameters, row.weight), offset(call.parameters, row.bias)
        single(z, x, weight, bias, row.in_features, row.out_features)
        if row.activation != 0:
            activate(row, call, 0, 1)

    return dense_forward_single


def build_forward_dot(dtype):
    dots = dot_function(dtype)

    def dense_forward_dot(row, call, part, parts):
        in_features = row.in_features
        z = view(call.arena, row.z, 1)  # followed by room for a whole vector
        x, weight = view(call.arena, row.x, in_features), view(call.parameters, row.weight, in_features)
        bias = view(call.parameters, row.bias, 1)
        dots(address_of(z), address_of(x), 0, address_of(weight), in_features, 1)
        z[0] += bias[0]
        if row.activation != 0:
            activate(row, call, 0, 1)

    return dense_forward_dot


def build_forward_chains(dtype):
    def dense_forward_chains(row, call, part, parts):
        """Compute some chains of z. Each part has its own group of chains. If there are more parts than chains, several
        parts share a chain and divide its samples.

        The first group is written to z and includes the bias; each later chain is written to its own matrix.
        """
        in_features, out_features, batch = row.in_features, row.out_features, call.batch
        chains, length = chain_count(in_features), chain_length(in_features)
        groups = min(chains, parts)
        group = part * groups // parts
        first_part = first_of(group, parts, groups)
        subpart, subparts = part - first_part, first_of(group + 1, parts, groups) - first_part
        top, bottom = share(batch, subpart, subparts, 1)
        rows = bottom - top
        x = view(call.arena, row.x + top * in_features, (rows, in_features))
        z = view(call.arena, row.z + top * out_features, (rows, out_features))
        weight = view(call.parameters, row.weight, (in_features, out_features))
        bias = view(call.parameters, row.bias, out_features)
        begin, end = share(chains, group, groups, 1)
        if group == 0:
            k = min(end * length, in_features)
            linear_forward(z, x[:, :k], weight[:k], address_of(bias), length, row.product)
            return
        for c in range(begin, end):
            sums = view(call.arena, row.chains + ((c - 1) * batch + top) * out_features, (rows, out_features))
            k0, k1 = c * length, min((c + 1) * length, in_features)
            linear_forward(sums, x[:, k0:k1], weight[k0:k1], 0, length, row.product)

    return dense_forward_chains


@jit(inline=True)
def first_of(group, parts, groups):
    """Return the first part p that works on a group: the smallest p with p · groups // parts = group."""
    return (group * parts + groups - 1) // groups


def build_combine(dtype):
    def dense_combine(row, call, part, parts):
        """z = the first group of chains + the later chains, in order; then a = g(z)."""
        chains, out_features, batch = chain_count(row.in_features), row.out_features, call.batch
        begin, end = share(batch, part, parts, 1)
        size = (end - begin) * out_features
        z = view(call.arena, row.z + begin * out_features, size)
        for c in range(share(chains, 0, min(chains, parts), 1)[1], chains):
            sums = view(call.arena, row.chains + ((c - 1) * batch + begin) * out_features, size)
            for i in range(size):
                z[i] += sums[i]
        if row.activation != 0:
            activate(row, call, begin, end)

    return dense_combine


def build_backward_output(dtype):
    def dense_backward_output(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        activate_backward(row, call, begin, end)

    return dense_backward_output


def build_backward_input(dtype):
    backward_input = linear_backward_input(dtype)

    def dense_backward_input(row, call, part, parts):
        in_features, out_features, batch = row.in_features, row.out_features, call.batch
        dx = view(call.arena, row.dx, (batch, in_features))
        dz = view(call.arena, row.dz, (batch, out_features))
        weight = view(call.parameters, row.weight, (in_features, out_features))
        scratch = view(call.arena, row.scratch, in_features * out_features)
        begin, end = share_of_inputs(in_features, part, parts)
        backward_input(dx, dz, weight, scratch, begin, end, row.few_rows, row.adds)

    return dense_backward_input


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def dense_backward_weight(row, call, part, parts):
        in_features, out_features, batch = row.in_features, row.out_features, call.batch
        x = view(call.arena, row.x, (batch, in_features))
        dz = view(call.arena, row.dz, (batch, out_features))
        dweight = view(call.gradients, row.weight, (in_features, out_features))
        dbias = view(call.gradients, row.bias, out_features)
        begin, end = share_of_inputs(in_features, part, parts)
        piece = PIECE if row.gathered != 0 else end - begin
        for i in range(begin, end, piece):
            j = min(i + piece, end)
            if row.gathered != 0:
                prefetch_next_batch(call, in_features, i, j)
            linear_backward_weight(dweight[i:j], dz, x[:, i:j], call.accumulate, row.transposed_weight)
        begin, end = share(out_features, part, parts, lanes)
        # a view of contiguous rows, because a loop over a slice of columns is not vectorized
        dz = view(call.arena, row.dz + begin, (batch, out_features))
        linear_backward_bias(dbias[begin:end], dz, call.accumulate)

    return dense_backward_weight


dense_forward = Kernel("dense_forward", build_forward, DENSE.arguments, needs=[product_kernel])
dense_forward_single = Kernel("dense_forward_single", build_forward_single, DENSE.arguments)
dense_forward_dot = Kernel("dense_forward_dot", build_forward_dot, DENSE.arguments)
dense_forward_chains = Kernel("dense_forward_chains", build_forward_chains, DENSE.arguments, needs=[product_kernel])
dense_combine = Kernel("dense_combine", build_combine, DENSE.arguments)
dense_backward_output = Kernel("dense_backward_output", build_backward_output, DENSE.arguments)
dense_backward_input = Kernel("dense_backward_input", build_backward_input, DENSE.arguments,
                              needs=[product_kernel, transpose_kernel])
dense_backward_weight = Kernel("dense_backward_weight", build_backward_weight, DENSE.arguments, needs=[product_kernel])


def dense_row(dtype, activation, parts, *, x, z, a, dz, dx, scratch, weight, bias, batch, in_features, out_features,
              from_data=False, chains=0, padded=False, gathered=False, adds=False):
    """Return the row of a dense layer. All arguments except the following are offsets and sizes.

    Parameters
    ----------
    activation : Activation, optional
        None for a = z.
    parts : dict
        {phase: number of parts}.
    dz, dx : int, optional
        None if that gradient is not needed.
    batch : int
        The largest number of samples.
    from_data : bool
        Whether x is read from the data instead of the arena.
    chains : int
        Offset of the chains of z, for threads that own rows of the weight, or 0; a `combine_row` has to follow then.
    padded : bool
        Whether z has room for whole vectors.
    gathered : bool
        Whether x is the gathered batch, so that the next batch is prefetched during the backward phase.
    adds : bool
        Whether to add to dx, which another row has written.
    """
    forward = dense_forward_chains if chains else dense_forward
    if batch == 1 and padded and not from_data and fits_single(dtype, in_features, out_features):
        forward = dense_forward_dot if out_features == 1 else dense_forward_single
    phases = {"forward": (forward.address(dtype), parts.get("forward", 1))}
    if dz is not None:
        phases["backward_third"] = dense_backward_weight.address(dtype), parts.get("backward_third", 1)
        if activation is not None:
            phases["backward_first"] = dense_backward_output.address(dtype), parts.get("backward_first", 1)
    if dx is not None:
        phases["backward_second"] = dense_backward_input.address(dtype), parts.get("backward_second", 1)
    is_close = batch * out_features * ITEM_BYTES[dtype] <= CLOSE_BYTES
    return DENSE.row(
        phases, x=x, z=z, a=a, dz=dz or 0, dx=dx or 0, scratch=scratch, chains=chains, weight=weight, bias=bias,
        in_features=in_features, out_features=out_features,
        activation=0 if activation is None else activation.forward.address(dtype),
        activation_backward=0 if activation is None else activation.backward.address(dtype),
        product=forward_product(dtype, out_features),
        transposed_weight=0 if dz is None else narrow_gradient(dtype, batch, in_features, out_features),
        few_rows=few_rows_kernel.address(dtype) if dx is not None and batch <= FEW_ROWS and not adds else 0,
        from_data=from_data, adds=adds, gathered=gathered and dz is not None and is_close, packed=0,
    )


def combine_row(dtype, parts, dense):
    """Return the row that adds the chains of the dense layer with row `dense` and applies its activation."""
    return with_phases(dense, {"forward": (dense_combine.address(dtype), parts)})
