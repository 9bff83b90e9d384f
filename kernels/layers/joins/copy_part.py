"""Copies between a tensor and a part of another: concatenation, and slices.

x (batch · outer, x_size), a (batch · outer, a_size): columns x_start … x_start + size of x are columns a_start … of a, where
an axis is divided and the axes after it count as one. Backward dx is da there; where dx is written, not added to, the other
columns of x get zeros.
"""

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.table import Kind
from .add import NOTHING, WRITE, destination

COPY_PART = Kind("copy_part", "x", "a", "dx", "da", "outer", "size", "x_size", "x_start", "a_size", "a_start", "to_x")


def build_forward(dtype):
    def copy_part_forward(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        rows, first = (end - begin) * row.outer, begin * row.outer
        for k in range(first, first + rows):
            x = view(call.arena, row.x + k * row.x_size + row.x_start, row.size)
            a = view(call.arena, row.a + k * row.a_size + row.a_start, row.size)
            for j in range(row.size):
                a[j] = x[j]

    return copy_part_forward


def build_backward(dtype):
    def copy_part_backward(row, call, part, parts):
        # forward: a[:, a_start:a_start + size] = x[:, x_start:x_start + size]
        begin, end = share(call.batch, part, parts, 1)
        for k in range(begin * row.outer, end * row.outer):
            dx = view(call.arena, row.dx + k * row.x_size, row.x_size)
            da = view(call.arena, row.da + k * row.a_size + row.a_start, row.size)
            if row.to_x == WRITE:
                for j in range(row.x_start):
                    dx[j] = 0
                for j in range(row.size):
                    dx[row.x_start + j] = da[j]
                for j in range(row.x_start + row.size, row.x_size):
                    dx[j] = 0
            else:
                for j in range(row.size):
                    dx[row.x_start + j] += da[j]

    return copy_part_backward


copy_part_forward = Kernel("copy_part_forward", build_forward, COPY_PART.arguments)
copy_part_backward = Kernel("copy_part_backward", build_backward, COPY_PART.arguments)


def copy_part_row(dtype, parts, *, x, a, outer, size, x_size, x_start, a_size, a_start, da=None, dx=None, adds=False):
    """Return the row that copies a part of x to a part of a. dx: None if no one asks for it; adds: whether to add to it."""
    phases, to_x = {"forward": (copy_part_forward.address(dtype), parts)}, destination(dx, adds)
    if to_x != NOTHING:
        phases["backward_first"] = copy_part_backward.address(dtype), parts
    return COPY_PART.row(phases, x=x, a=a, dx=dx or 0, da=da or 0, outer=outer, size=size, x_size=x_size, x_start=x_start,
                         a_size=a_size, a_start=a_start, to_x=to_x)
