"""The mean and the maximum of windows over the steps of sequences, feature by feature; see `step_windows`.

Padding is no part of a window, but with `counts_padding` it counts for the mean, as zeros. NaN is the maximum of its window;
of equal numbers the first is, and da goes to it alone: for that the forward pass writes its step to `kept`, integers in the
arena.
"""

import numpy as np

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.axes import axis_offsets, integers_in
from ...interpreter.table import Kind
from .step_windows import SIZES, padding_before

POOL_STEPS = Kind("pool_steps", "axis", "windows", "x", "a", "dx", "da", "features", "kept", "keeps", "counts_padding",
                  *SIZES)


def build_average(backward):
    def build(dtype):
        real = np.dtype(dtype).type

        def average_steps(row, call, part, parts):
            offsets, windows, features = axis_offsets(call, row.axis), axis_offsets(call, row.windows), row.features
            begin, end = share(call.batch, part, parts, 1)
            for i in range(begin, end):
                steps = offsets[i + 1] - offsets[i]
                before = padding_before(row, steps)
                if backward:
                    view(call.arena, row.dx + offsets[i] * features, steps * features)[:] = 0
                for w in range(windows[i + 1] - windows[i]):
                    first = w * row.stride - before
                    top, bottom = max(first, 0), min(first + row.kernel, steps)
                    count = bottom - top
                    if row.counts_padding != 0:
                        count = min(first + row.kernel, steps + row.after) - first
                    divisor, place = real(max(count, 1)), (windows[i] + w) * features
                    if backward:
                        da = view(call.arena, row.da + place, features)
                        for t in range(top, bottom):
                            dx = view(call.arena, row.dx + (offsets[i] + t) * features, features)
                            for j in range(features):
                                dx[j] += da[j] / divisor
                    else:
                        a = view(call.arena, row.a + place, features)
                        a[:] = 0
                        for t in range(top, bottom):
                            x = view(call.arena, row.x + (offsets[i] + t) * features, features)
                            for j in range(features):
                                a[j] += x[j]
                        for j in range(features):
                            a[j] /= divisor

        return average_steps

    return build


def build_max(backward):
    def build(dtype):
        def max_steps(row, call, part, parts):
            offsets, windows, features = axis_offsets(call, row.axis), axis_offsets(call, row.windows), row.features
            begin, end = share(call.batch, part, parts, 1)
            for i in range(begin, end):
                steps = offsets[i + 1] - offsets[i]
                before = padding_before(row, steps)
                if backward:
                    view(call.arena, row.dx + offsets[i] * features, steps * features)[:] = 0
                for w in range(windows[i + 1] - windows[i]):
                    place = (windows[i] + w) * features
                    kept = view(integers_in(call, row.kept), place if row.keeps != 0 else 0, features)
                    if backward:
                        da = view(call.arena, row.da + place, features)
                        for j in range(features):
                            view(call.arena, row.dx + kept[j] * features, features)[j] += da[j]
                        continue
                    first, a = w * row.stride - before, view(call.arena, row.a + place, features)
                    top = max(first, 0)
                    for t in range(top, min(first + row.kernel, steps)):
                        x = view(call.arena, row.x + (offsets[i] + t) * features, features)
                        for j in range(features):
                            if t == top or x[j] > a[j] or x[j] != x[j]:
                                a[j] = x[j]
                                if row.keeps != 0:
                                    kept[j] = offsets[i] + t

        return max_steps

    return build


average_steps_forward = Kernel("average_steps_forward", build_average(False), POOL_STEPS.arguments)
average_steps_backward = Kernel("average_steps_backward", build_average(True), POOL_STEPS.arguments)
max_steps_forward = Kernel("max_steps_forward", build_max(False), POOL_STEPS.arguments)
max_steps_backward = Kernel("max_steps_backward", build_max(True), POOL_STEPS.arguments)


def pool_steps_row(dtype, parts, kernels, *, dx=None, da=None, kept=None, counts_padding=False, **operands):
    """Return the row of a pool over steps; kernels: of its two phases. dx: None if that gradient is not needed."""
    phases = {"forward": (kernels[0].address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = kernels[1].address(dtype), parts
    return POOL_STEPS.row(phases, dx=dx or 0, da=da or 0, kept=kept or 0, keeps=kept is not None,
                          counts_padding=counts_padding, **operands)


def average_steps_row(dtype, parts, **operands):
    return pool_steps_row(dtype, parts, (average_steps_forward, average_steps_backward), **operands)


def max_steps_row(dtype, parts, **operands):
    return pool_steps_row(dtype, parts, (max_steps_forward, max_steps_backward), **operands)
