"""Windows over the steps of sequences: their axis, their steps side by side, and the mean and the maximum of each.

A sequence of n steps has windows(n) windows, which are the rows of an axis of their own. Window w has the taps
w · stride − before + tap · dilation; those outside the sequence are padding, zeros for a product and nothing for a pool.
x, dx (steps, features); side by side a, da (windows, kernel · features); pooled a, da (windows, features); C-contiguous. All
rows run while rows are samples; a gradient adds up in the order of the windows.
"""

from ...compiling.jit import Kernel, jit, view
from ...compiling.share import share
from ...interpreter.axes import OFFSETS, ROWS, SAMPLES, axis_offsets, integers_in
from ...interpreter.table import Kind

SIZES = "kernel", "stride", "dilation", "before", "after", "same"
STEP_WINDOWS = Kind("step_windows", "axis", "windows", "x", "a", "dx", "da", "features", "kept", *SIZES)


@jit(inline=True)
def window_count(row, steps):
    """Return the number of windows of a sequence of so many steps."""
    if row.same != 0:
        return (steps + row.stride - 1) // row.stride
    free = steps + row.before + row.after - (row.kernel - 1) * row.dilation - 1
    return free // row.stride + 1 if free >= 0 else 0


@jit(inline=True)
def padding_before(row, steps):
    """Return how many steps before a sequence its first window begins."""
    if row.same == 0:
        return row.before
    covered = (window_count(row, steps) - 1) * row.stride + (row.kernel - 1) * row.dilation + 1
    return max(covered - steps, 0) // 2


def build_measure(dtype):
    def measure_windows(row, call, part, parts):
        offsets, record = axis_offsets(call, row.axis), integers_in(call, row.windows)
        own, head, end = view(record, OFFSETS, call.batch + 1), view(record, 0, OFFSETS), 0
        for i in range(call.batch):
            own[i] = end
            end += window_count(row, offsets[i + 1] - offsets[i])
        own[call.batch] = end
        head[ROWS], head[SAMPLES] = end, call.batch

    return measure_windows


def build_unfold(dtype):
    def unfold_forward(row, call, part, parts):
        offsets, windows, features = axis_offsets(call, row.axis), axis_offsets(call, row.windows), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            steps = offsets[i + 1] - offsets[i]
            before = padding_before(row, steps)
            for w in range(windows[i + 1] - windows[i]):
                for tap in range(row.kernel):
                    a = view(call.arena, row.a + ((windows[i] + w) * row.kernel + tap) * features, features)
                    t = w * row.stride - before + tap * row.dilation
                    if 0 <= t < steps:
                        x = view(call.arena, row.x + (offsets[i] + t) * features, features)
                        for j in range(features):
                            a[j] = x[j]
                    else:
                        a[:] = 0

    return unfold_forward


def build_fold(dtype):
    def unfold_backward(row, call, part, parts):
        # forward: a = the taps of each window side by side
        offsets, windows, features = axis_offsets(call, row.axis), axis_offsets(call, row.windows), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            steps = offsets[i + 1] - offsets[i]
            before = padding_before(row, steps)
            view(call.arena, row.dx + offsets[i] * features, steps * features)[:] = 0
            for w in range(windows[i + 1] - windows[i]):
                for tap in range(row.kernel):
                    t = w * row.stride - before + tap * row.dilation
                    if 0 <= t < steps:
                        da = view(call.arena, row.da + ((windows[i] + w) * row.kernel + tap) * features, features)
                        dx = view(call.arena, row.dx + (offsets[i] + t) * features, features)
                        for j in range(features):
                            dx[j] += da[j]

    return unfold_backward


measure_windows = Kernel("measure_windows", build_measure, STEP_WINDOWS.arguments)
unfold_forward = Kernel("unfold_forward", build_unfold, STEP_WINDOWS.arguments)
unfold_backward = Kernel("unfold_backward", build_fold, STEP_WINDOWS.arguments)


def windows_row(phases, *, axis, windows, x=0, a=0, dx=None, da=None, features=0, kept=0, **sizes):
    return STEP_WINDOWS.row(phases, axis=axis, windows=windows, x=x, a=a, dx=dx or 0, da=da or 0, features=features,
                            kept=kept, **sizes)


def measure_windows_row(dtype, *, axis, windows, **sizes):
    """Return the row that records the axis `windows` of the windows over the steps of another axis."""
    return windows_row({"forward": (measure_windows.address(dtype), 1)}, axis=axis, windows=windows, **sizes)


def unfold_row(dtype, parts, *, dx=None, **operands):
    """Return the row that puts the taps of each window side by side. dx: None if that gradient is not needed."""
    phases = {"forward": (unfold_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = unfold_backward.address(dtype), parts
    return windows_row(phases, dx=dx, **operands)
