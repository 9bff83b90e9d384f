"""Learned codes of the positions of steps: a = x + weight, where row t of the weight belongs to step t of every sequence.

x, a (steps, features); weight (positions, features), of which the first rows as many as the longest sequence has steps.
Backward dx = da, which lie in the same memory; dweight[t] adds up da of step t of all sequences, in their order. Runs while
rows are samples.
"""

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.axes import axis_offsets
from ...interpreter.table import Kind

POSITION_EMBEDDING = Kind("position_embedding", "axis", "positions", "features", "weight", "x", "a", "da")


def build_forward(dtype):
    def position_embedding_forward(row, call, part, parts):
        # x, a (steps, features), weight (positions, features)
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            start, size = offsets[i] * features, min(offsets[i + 1] - offsets[i], row.positions) * features
            x, a = view(call.arena, row.x + start, size), view(call.arena, row.a + start, size)
            weight = view(call.parameters, row.weight, size)
            for j in range(size):
                a[j] = x[j] + weight[j]

    return position_embedding_forward


def build_backward(dtype):
    def position_embedding_backward(row, call, part, parts):
        """dweight[t] = Σ da[t] over the sequences, in their order; each part has its own positions."""
        # forward: a = x + weight
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(row.positions, part, parts, 1)
        if end <= begin:
            return
        dweight = view(call.gradients, row.weight + begin * features, (end - begin) * features)
        if call.accumulate == 0:
            dweight[:] = 0
        for i in range(call.batch):
            size = (min(end, offsets[i + 1] - offsets[i]) - begin) * features
            if size > 0:
                da = view(call.arena, row.da + (offsets[i] + begin) * features, size)
                for j in range(size):
                    dweight[j] += da[j]

    return position_embedding_backward


forward_kernel = Kernel("position_embedding_forward", build_forward, POSITION_EMBEDDING.arguments)
backward_kernel = Kernel("position_embedding_backward", build_backward, POSITION_EMBEDDING.arguments)


def position_embedding_row(dtype, parts, *, axis, positions, features, weight, x, a, da=None):
    """Return the row. da: None without a backward pass."""
    phases = {"forward": (forward_kernel.address(dtype), parts)}
    if da is not None:
        phases["backward_third"] = backward_kernel.address(dtype), min(parts, positions)
    return POSITION_EMBEDDING.row(phases, axis=axis, positions=positions, features=features, weight=weight, x=x, a=a,
                                  da=da or 0)
