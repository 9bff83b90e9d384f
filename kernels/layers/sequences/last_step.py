"""The last step of each sequence: a = x at its last row.

x, dx (steps, features); a, da (samples, features); C-contiguous. Runs while rows are samples.
"""

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.axes import axis_offsets
from ...interpreter.table import Kind

LAST_STEP = Kind("last_step", "axis", "x", "a", "dx", "da", "features")


def build_forward(dtype):
    def last_step_forward(row, call, part, parts):
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            a = view(call.arena, row.a + i * features, features)
            x = view(call.arena, row.x + (offsets[i + 1] - 1) * features, features)
            for j in range(features):
                a[j] = x[j]

    return last_step_forward


def build_backward(dtype):
    def last_step_backward(row, call, part, parts):
        # forward: a = x at the last row of each sequence
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            last = offsets[i + 1] - 1
            view(call.arena, row.dx + offsets[i] * features, (last - offsets[i]) * features)[:] = 0
            dx, da = view(call.arena, row.dx + last * features, features), view(call.arena, row.da + i * features, features)
            for j in range(features):
                dx[j] = da[j]

    return last_step_backward


last_step_forward = Kernel("last_step_forward", build_forward, LAST_STEP.arguments)
last_step_backward = Kernel("last_step_backward", build_backward, LAST_STEP.arguments)


def last_step_row(dtype, parts, *, axis, x, a, features, dx=None, da=None):
    """Return the row of the last steps. dx: None if it is not needed."""
    phases = {"forward": (last_step_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = last_step_backward.address(dtype), parts
    return LAST_STEP.row(phases, axis=axis, x=x, a=a, dx=dx or 0, da=da or 0, features=features)
