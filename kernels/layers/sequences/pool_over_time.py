"""The mean and the maximum of the steps of each sequence, feature by feature.

x, dx (steps, features); a, da (samples, features); C-contiguous. Runs while rows are samples. The additions are in the order
of the steps. NaN is the maximum of its sequence; of equal numbers the first is, and da goes to it alone. For the backward
pass, the forward pass writes the number of the step of each maximum to `kept`, integers in the arena.
"""

import numpy as np

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.axes import axis_offsets, integers_in
from ...interpreter.table import Kind

POOL_OVER_TIME = Kind("pool_over_time", "axis", "x", "a", "dx", "da", "features", "kept", "keeps")


def build_average(dtype):
    real = np.dtype(dtype).type

    def average_over_time_forward(row, call, part, parts):
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            a = view(call.arena, row.a + i * features, features)
            a[:] = 0
            for t in range(offsets[i], offsets[i + 1]):
                x = view(call.arena, row.x + t * features, features)
                for j in range(features):
                    a[j] += x[j]
            steps = real(offsets[i + 1] - offsets[i])
            for j in range(features):
                a[j] /= steps

    return average_over_time_forward


def build_average_backward(dtype):
    real = np.dtype(dtype).type

    def average_over_time_backward(row, call, part, parts):
        # forward: a = Σ x / steps
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            da, steps = view(call.arena, row.da + i * features, features), real(offsets[i + 1] - offsets[i])
            for t in range(offsets[i], offsets[i + 1]):
                dx = view(call.arena, row.dx + t * features, features)
                for j in range(features):
                    dx[j] = da[j] / steps

    return average_over_time_backward


def build_max(dtype):
    def max_over_time_forward(row, call, part, parts):
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            a = view(call.arena, row.a + i * features, features)
            kept = view(integers_in(call, row.kept), i * features if row.keeps != 0 else 0, features)
            for t in range(offsets[i], offsets[i + 1]):
                x = view(call.arena, row.x + t * features, features)
                for j in range(features):
                    if t == offsets[i] or x[j] > a[j] or x[j] != x[j]:
                        a[j] = x[j]
                        if row.keeps != 0:
                            kept[j] = t

    return max_over_time_forward


def build_max_backward(dtype):
    def max_over_time_backward(row, call, part, parts):
        # forward: a = x at the steps `kept`
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            view(call.arena, row.dx + offsets[i] * features, (offsets[i + 1] - offsets[i]) * features)[:] = 0
            da = view(call.arena, row.da + i * features, features)
            kept = view(integers_in(call, row.kept), i * features, features)
            for j in range(features):
                view(call.arena, row.dx + kept[j] * features, features)[j] = da[j]

    return max_over_time_backward


average_over_time_forward = Kernel("average_over_time_forward", build_average, POOL_OVER_TIME.arguments)
average_over_time_backward = Kernel("average_over_time_backward", build_average_backward, POOL_OVER_TIME.arguments)
max_over_time_forward = Kernel("max_over_time_forward", build_max, POOL_OVER_TIME.arguments)
max_over_time_backward = Kernel("max_over_time_backward", build_max_backward, POOL_OVER_TIME.arguments)


def average_over_time_row(dtype, parts, *, axis, x, a, features, dx=None, da=None):
    """Return the row of the means of sequences. dx: None if it is not needed."""
    phases = {"forward": (average_over_time_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = average_over_time_backward.address(dtype), parts
    return POOL_OVER_TIME.row(phases, axis=axis, x=x, a=a, dx=dx or 0, da=da or 0, features=features, kept=0, keeps=0)


def max_over_time_row(dtype, parts, *, axis, x, a, features, dx=None, da=None, kept=None):
    """Return the row of the maxima of sequences. dx: None if not needed; kept: integers (samples, features), for dx."""
    phases = {"forward": (max_over_time_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = max_over_time_backward.address(dtype), parts
    return POOL_OVER_TIME.row(phases, axis=axis, x=x, a=a, dx=dx or 0, da=da or 0, features=features, kept=kept or 0,
                              keeps=kept is not None)
