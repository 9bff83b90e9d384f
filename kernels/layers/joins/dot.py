"""The dot product of two tensors along their last axis: a = Σ x y, or the cosine of their angle, Σ x y / (|x| |y|).

x, y, dx, dy (batch · outer, features), a, da (batch · outer, 1); C-contiguous. A length |x| is at least TINY, so that a row
of zeros gives 0. Backward

    dx = da (y / |y| − a x / |x|) / |x|, and dy likewise; without the cosine dx = da y
"""

import math

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.share import share
from ...elementwise.sums import dot
from ...interpreter.table import Kind
from .add import ONTO, WRITE, destination

DOT = Kind("dot", "x", "y", "a", "dx", "dy", "da", "outer", "features", "normalize", "to_x", "to_y")
TINY = 1e-6  # the smallest length, as in Keras


@jit(inline=True)
def length(x, normalize):
    return max(math.sqrt(dot(x, x)), TINY) if normalize != 0 else 1.0


def build_forward(dtype):
    real = np.dtype(dtype).type

    def dot_forward(row, call, part, parts):
        begin, end = share(call.batch * row.outer, part, parts, 1)
        a, features = view(call.arena, row.a, call.batch * row.outer), row.features
        for i in range(begin, end):
            x, y = view(call.arena, row.x + i * features, features), view(call.arena, row.y + i * features, features)
            a[i] = real(dot(x, y) / (length(x, row.normalize) * length(y, row.normalize)))

    return dot_forward


def build_backward(dtype):
    real = np.dtype(dtype).type

    @jit
    def hand_on(dx, x, y, of_x, of_y, to):
        # dx = of_y y + of_x x
        if to == WRITE:
            for j in range(len(dx)):
                dx[j] = of_y * y[j] + of_x * x[j]
        elif to == ONTO:
            for j in range(len(dx)):
                dx[j] += of_y * y[j] + of_x * x[j]

    def dot_backward(row, call, part, parts):
        # forward: a = Σ x y / (|x| |y|)
        begin, end = share(call.batch * row.outer, part, parts, 1)
        features = row.features
        a, da = view(call.arena, row.a, call.batch * row.outer), view(call.arena, row.da, call.batch * row.outer)
        for i in range(begin, end):
            x, y = view(call.arena, row.x + i * features, features), view(call.arena, row.y + i * features, features)
            dx, dy = view(call.arena, row.dx + i * features, features), view(call.arena, row.dy + i * features, features)
            of_other, of_x, of_y = da[i], real(0), real(0)
            if row.normalize != 0:
                length_x, length_y = length(x, row.normalize), length(y, row.normalize)
                of_other = real(da[i] / (length_x * length_y))
                # a length at its lower limit is a constant
                of_x = real(-da[i] * a[i] / (length_x * length_x)) if length_x > TINY else real(0)
                of_y = real(-da[i] * a[i] / (length_y * length_y)) if length_y > TINY else real(0)
            # y before x, as the backward pass goes: where both are one tensor, dy is written and dx added
            hand_on(dy, y, x, of_y, of_other, row.to_y)
            hand_on(dx, x, y, of_x, of_other, row.to_x)

    return dot_backward


dot_forward = Kernel("dot_forward", build_forward, DOT.arguments)
dot_backward = Kernel("dot_backward", build_backward, DOT.arguments)


def dot_row(dtype, parts, *, x, y, a, outer, features, normalize, da=None, dx=None, dy=None, adds_x=False, adds_y=False):
    """Return the row of a dot product. dx, dy: None where no one asks for it; adds_x, adds_y: whether to add to them."""
    phases = {"forward": (dot_forward.address(dtype), parts)}
    if dx is not None or dy is not None:
        phases["backward_first"] = dot_backward.address(dtype), parts
    return DOT.row(phases, x=x, y=y, a=a, dx=dx or 0, dy=dy or 0, da=da or 0, outer=outer, features=features,
                   normalize=normalize, to_x=destination(dx, adds_x), to_y=destination(dy, adds_y))
