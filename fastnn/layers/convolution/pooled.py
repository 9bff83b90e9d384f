"""A convolution and the max pool that follows it, lowered together."""

from ...kernels.layers.convolution.pooled import ROUND
from ...kernels.layers.convolution.rows import PooledPlan, pooled_rows
from ...kernels.processor.target import ITEM_BYTES
from ...runtime.threads import FLOPS_PER_PART, NUMBERS_PER_PART


def lower_pooled(layer, program, index, x, activation, pool):
    """Emit the rows of a convolution and of a max pool that alone reads it; return the pool's output, or None.

    None where they are computed one after the other: other pools, groups, activations whose derivative needs z, and wide
    kernels, whose gradient is faster from all windows.
    """
    axes, channels, features = layer.geometry(x.shape)
    between = layer.output_shape(x.shape)
    dtype = program.dtype
    if (not pool.halves(between) or not PooledPlan.pays(dtype, axes, channels, features, layer.group_count(channels))
            or (activation is not None and (activation.needs_z or activation.rowwise))):
        return None
    plan, shape = PooledPlan(dtype, axes, channels, features, program.batch), pool.output_shape(between)
    wants_dx = program.training and x.gradient is not None
    count = program.parts(2 * program.batch * plan.rows.out * plan.columns.out * plan.weight_size, FLOPS_PER_PART)
    numbers = program.batch * shape[0] * shape[1] * features
    parts = {
        "forward": min(count, program.batch * shape[0]),
        "backward_first": program.parts(numbers, NUMBERS_PER_PART),
        "backward_second": min(count, program.batch * (1 if plan.sparse else plan.rows.size)),
        "backward_third": min(count, plan.blocks * features),
        "pack": min(program.parts(plan.packed_size, NUMBERS_PER_PART), plan.rows.kernel),
        "sum": program.parts(plan.blocks * plan.weight_size, NUMBERS_PER_PART),
    }
    sizes = [plan.image_scratch]
    if program.training:
        sizes += [plan.weight_scratch, *[plan.windows_scratch] * wants_dx]
    scratch_size = -(-max(sizes) // ROUND) * ROUND
    scratch = program.scratch(count * scratch_size)
    a = program.tensor(shape)
    kept = program.arena.take(-(-numbers // ITEM_BYTES[dtype])) if program.training else None
    start, size = program.offsets[f"{index}.weight"], plan.weight_size + features
    for row in pooled_rows(
        plan, activation, parts, x=x.offset, a=a.offset, dz=a.gradient, dx=x.gradient if wants_dx else None, kept=kept,
        packed=program.borrow(plan.packed_size) if wants_dx else 0,
        partials=program.borrow(plan.blocks * size) if program.training and plan.blocks > 1 else 0,
        scratch=scratch, scratch_size=scratch_size, weight=start, bias=program.offsets[f"{index}.bias"],
        from_data=x.from_data,
    ):
        program.emit(row)
    layer.register_parameters(program, index, plan.weight_size, features)
    return a
