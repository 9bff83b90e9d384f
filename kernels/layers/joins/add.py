"""The weighted sum of two tensors, a = u x + v y, and the sum of gradients where a tensor has several readers.

x, y, a, dx, dy, da (batch, features); C-contiguous. Backward dx = u da and dy = v da, written or added to what another row
has written. A sum of more tensors is several rows, of which all but the first have x = a in place.
"""

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...interpreter.table import Kind

ADD = Kind("add", "x", "y", "a", "dx", "dy", "da", "features", "to_x", "to_y", u=FLOAT, v=FLOAT)
NOTHING, WRITE, ONTO = range(3)  # to_x, to_y: what becomes of dx and dy; NOTHING also where da lies in their place


def build_forward(dtype):
    real = np.dtype(dtype).type

    def add_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        x, y = view(call.arena, row.x + start, size), view(call.arena, row.y + start, size)
        a = view(call.arena, row.a + start, size)
        u, v = real(row.u), real(row.v)
        for i in range(size):
            a[i] = u * x[i] + v * y[i]

    return add_forward


def build_backward(dtype):
    real = np.dtype(dtype).type

    @jit
    def hand_on(dx, da, factor, to):
        if to == WRITE:
            for i in range(len(da)):
                dx[i] = factor * da[i]
        elif to == ONTO:
            for i in range(len(da)):
                dx[i] += factor * da[i]

    def add_backward(row, call, part, parts):
        # forward: a = u x + v y
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * row.features, (end - begin) * row.features
        da = view(call.arena, row.da + start, size)
        # y before x, as the backward pass goes: where both are one tensor, dy is written and dx added
        hand_on(view(call.arena, row.dy + start, size), da, real(row.v), row.to_y)
        hand_on(view(call.arena, row.dx + start, size), da, real(row.u), row.to_x)

    return add_backward


add_forward = Kernel("add_forward", build_forward, ADD.arguments)
add_backward = Kernel("add_backward", build_backward, ADD.arguments)


def add_row(dtype, parts, *, x, y, a, da, features, dx=None, dy=None, adds_x=False, adds_y=False, factors=(1.0, 1.0)):
    """Return the row of a = u x + v y.

    da: None without a backward pass. dx, dy: None where nothing is to be written, since no one asks for it or da lies there.
    adds_x, adds_y: whether to add to dx and dy instead of writing them. factors: u and v.
    """
    phases, (u, v) = {"forward": (add_forward.address(dtype), parts)}, factors
    if dx is not None or dy is not None:
        phases["backward_first"] = add_backward.address(dtype), parts
    return ADD.row(phases, x=x, y=y, a=a, dx=dx or 0, dy=dy or 0, da=da or 0, features=features,
                   to_x=destination(dx, adds_x), to_y=destination(dy, adds_y), u=u, v=v)


def destination(gradient, adds):
    return NOTHING if gradient is None else ONTO if adds else WRITE


def add_gradient_row(dtype, parts, *, dx, da, features):
    """Return the row that adds the gradient of one reader, da, to that of the tensor it reads, dx."""
    return ADD.row({"backward_first": (add_backward.address(dtype), parts)}, x=0, y=0, a=0, dx=dx, dy=0, da=da,
                   features=features, to_x=ONTO, to_y=NOTHING, u=1.0, v=1.0)
