"""The product of two tensors, element by element: a = x · y.

x, y, a, dx, dy, da (batch, features); C-contiguous. Backward dx = y da and dy = x da, written or added to what another row
has written. A product of more tensors is several rows.
"""

from ...compiling.jit import Kernel, jit, view
from ...compiling.share import share
from ...interpreter.table import Kind
from .add import ONTO, WRITE, destination

MULTIPLY = Kind("multiply", "x", "y", "a", "dx", "dy", "da", "features", "to_x", "to_y")


def build_forward(dtype):
    def multiply_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, y = view(call.arena, row.x + start, size), view(call.arena, row.y + start, size)
        a = view(call.arena, row.a + start, size)
        for i in range(size):
            a[i] = x[i] * y[i]

    return multiply_forward


def build_backward(dtype):
    @jit
    def hand_on(dx, da, y, to):
        if to == WRITE:
            for i in range(len(da)):
                dx[i] = y[i] * da[i]
        elif to == ONTO:
            for i in range(len(da)):
                dx[i] += y[i] * da[i]

    def multiply_backward(row, call, part, parts):
        # forward: a = x · y
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, y = view(call.arena, row.x + start, size), view(call.arena, row.y + start, size)
        da = view(call.arena, row.da + start, size)
        # y before x, as the backward pass goes: where both are one tensor, dy is written and dx added
        hand_on(view(call.arena, row.dy + start, size), da, x, row.to_y)
        hand_on(view(call.arena, row.dx + start, size), da, y, row.to_x)

    return multiply_backward


multiply_forward = Kernel("multiply_forward", build_forward, MULTIPLY.arguments)
multiply_backward = Kernel("multiply_backward", build_backward, MULTIPLY.arguments)


def multiply_row(dtype, parts, *, x, y, a, features, da=None, dx=None, dy=None, adds_x=False, adds_y=False):
    """Return the row of a = x · y. dx, dy: None where no one asks for it; adds_x, adds_y: whether to add to them."""
    phases = {"forward": (multiply_forward.address(dtype), parts)}
    if dx is not None or dy is not None:
        phases["backward_first"] = multiply_backward.address(dtype), parts
    return MULTIPLY.row(phases, x=x, y=y, a=a, dx=dx or 0, dy=dy or 0, da=da or 0, features=features,
                        to_x=destination(dx, adds_x), to_y=destination(dy, adds_y))
