"""The sum of two tensors, a = x + y, and the sum of gradients where a tensor has several readers.

x, y, a, dx, dy, da (batch, features); C-contiguous. The gradient of a is that of x and of y: backward writes it there, or
adds it to what another row has written.
"""

from ..compiling.jit import Kernel, jit, view
from ..compiling.share import share
from ..interpreter.table import Kind

ADD = Kind("add", "x", "y", "a", "dx", "dy", "da", "features", "to_x", "to_y")
NOTHING, WRITE, ONTO = range(3)  # to_x, to_y: what becomes of dx and dy; NOTHING also where da lies in their place


def build_forward(dtype):
    def add_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, y = view(call.arena, row.x + start, size), view(call.arena, row.y + start, size)
        a = view(call.arena, row.a + start, size)
        for i in range(size):
            a[i] = x[i] + y[i]

    return add_forward


def build_backward(dtype):
    @jit
    def hand_on(dx, da, to):
        if to == WRITE:
            for i in range(len(da)):
                dx[i] = da[i]
        elif to == ONTO:
            for i in range(len(da)):
                dx[i] += da[i]

    def add_backward(row, call, part, parts):
        # forward: a = x + y
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        da = view(call.arena, row.da + start, size)
        # y before x, as the backward pass goes: where both are one tensor, dy is written and dx added
        hand_on(view(call.arena, row.dy + start, size), da, row.to_y)
        hand_on(view(call.arena, row.dx + start, size), da, row.to_x)

    return add_backward


add_forward = Kernel("add_forward", build_forward, ADD.arguments)
add_backward = Kernel("add_backward", build_backward, ADD.arguments)


def add_row(dtype, parts, *, x, y, a, da, features, dx=None, dy=None, adds_x=False, adds_y=False):
    """Return the row of a = x + y.

    da: None without a backward pass. dx, dy: None where nothing is to be written, since no one asks for it or da lies there.
    adds_x, adds_y: whether to add to dx and dy instead of writing them.
    """
    phases = {"forward": (add_forward.address(dtype), parts)}
    if dx is not None or dy is not None:
        phases["backward_first"] = add_backward.address(dtype), parts
    return ADD.row(phases, x=x, y=y, a=a, dx=dx or 0, dy=dy or 0, da=da or 0, features=features,
                   to_x=destination(dx, adds_x), to_y=destination(dy, adds_y))


def destination(gradient, adds):
    return NOTHING if gradient is None else ONTO if adds else WRITE


def add_gradient_row(dtype, parts, *, dx, da, features):
    """Return the row that adds the gradient of one reader, da, to that of the tensor it reads, dx."""
    return ADD.row({"backward_first": (add_backward.address(dtype), parts)}, x=0, y=0, a=0, dx=dx, dy=0, da=da,
                   features=features, to_x=ONTO, to_y=NOTHING)
