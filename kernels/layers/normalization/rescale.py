"""Scaling and shifting by constants: a = scale · x + offset.

x, a, da (batch, features); C-contiguous. Backward overwrites da with dx = scale · da.
"""

import numpy as np

from ...compiling.jit import Kernel, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...interpreter.table import Kind

RESCALE = Kind("rescale", "x", "a", "da", "features", scale=FLOAT, offset=FLOAT)


def build_forward(dtype):
    real = np.dtype(dtype).type

    def rescale_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, a = view(call.arena, row.x + start, size), view(call.arena, row.a + start, size)
        scale, offset = real(row.scale), real(row.offset)
        for i in range(size):
            a[i] = x[i] * scale + offset

    return rescale_forward


def build_backward(dtype):
    real = np.dtype(dtype).type

    def rescale_backward(row, call, part, parts):
        # forward: a = scale x + offset
        begin, end = share(call.batch, part, parts, 1)
        dx, scale = view(call.arena, row.da + begin * row.features, (end - begin) * row.features), real(row.scale)
        for i in range(len(dx)):
            dx[i] *= scale

    return rescale_backward


rescale_forward = Kernel("rescale_forward", build_forward, RESCALE.arguments)
rescale_backward = Kernel("rescale_backward", build_backward, RESCALE.arguments)


def rescale_row(dtype, parts, *, x=0, a=0, da=None, features, scale, offset):
    """Return the row of a scaling by constants. da: None if dx is not needed."""
    phases = {"forward": (rescale_forward.address(dtype), parts)}
    if da is not None:
        phases["backward_first"] = rescale_backward.address(dtype), parts
    return RESCALE.row(phases, x=x, a=a, da=da or 0, features=features, scale=scale, offset=offset)
