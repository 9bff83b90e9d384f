"""The larger of two tensors, element by element: a = max(x, y); NaN if one of them is.

x, y, a, dx, dy, da (batch, features); C-contiguous. The gradient goes to the larger one; of two equal ones each gets half,
as in PyTorch and JAX, which is also what central differences give. It is written, or added to what another row has written.
The maximum of more tensors is several rows.
"""

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.share import share
from ...interpreter.table import Kind
from .add import NOTHING, WRITE, destination

MAXIMUM = Kind("maximum", "x", "y", "a", "dx", "dy", "da", "features", "to_x", "to_y")


def build_forward(dtype):
    def maximum_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, y = view(call.arena, row.x + start, size), view(call.arena, row.y + start, size)
        a = view(call.arena, row.a + start, size)
        for i in range(size):
            a[i] = y[i] if x[i] < y[i] or y[i] != y[i] else x[i]

    return maximum_forward


def build_backward(dtype):
    nothing, half, one = (np.dtype(dtype).type(number) for number in (0, 0.5, 1))

    @jit
    def hand_on(dx, da, x, y, to):
        if to == NOTHING:
            return
        for i in range(len(da)):
            share_of_x = half if x[i] == y[i] else (nothing if x[i] < y[i] else one)
            dx[i] = share_of_x * da[i] + (nothing if to == WRITE else dx[i])

    def maximum_backward(row, call, part, parts):
        # forward: a = max(x, y)
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, y = view(call.arena, row.x + start, size), view(call.arena, row.y + start, size)
        da = view(call.arena, row.da + start, size)
        # y before x, as the backward pass goes: where both are one tensor, dy is written and dx added
        hand_on(view(call.arena, row.dy + start, size), da, y, x, row.to_y)
        hand_on(view(call.arena, row.dx + start, size), da, x, y, row.to_x)

    return maximum_backward


maximum_forward = Kernel("maximum_forward", build_forward, MAXIMUM.arguments)
maximum_backward = Kernel("maximum_backward", build_backward, MAXIMUM.arguments)


def maximum_row(dtype, parts, *, x, y, a, features, da=None, dx=None, dy=None, adds_x=False, adds_y=False):
    """Return the row of a = max(x, y). dx, dy: None where no one asks for it; adds_x, adds_y: whether to add to them."""
    phases = {"forward": (maximum_forward.address(dtype), parts)}
    if dx is not None or dy is not None:
        phases["backward_first"] = maximum_backward.address(dtype), parts
    return MAXIMUM.row(phases, x=x, y=y, a=a, dx=dx or 0, dy=dy or 0, da=da or 0, features=features,
                       to_x=destination(dx, adds_x), to_y=destination(dy, adds_y))
