"""Padding of images: a = x with rows and columns on its sides, by a rule.

x, dx (batch, height, width, channels); a, da (batch, top + height + bottom, left + width + right, channels); C-contiguous.
Each part computes rows of a forward and rows of dx backward. A pixel of dx is the sum of its copies in da, in the order of
rows and columns.

Row r of a is row `source(r - top, height, mode)` of x, and likewise columns:

    CONSTANT   r inside x, else none: the pixel is `value`
    EDGE       the nearest row
    REFLECT    as if x were reflected at the centers of its first and last rows, once
    WRAP       as if copies of x lay side by side
"""

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...interpreter.table import Kind

PAD2D = Kind("pad2d", "x", "a", "da", "dx", "height", "width", "channels", "top", "bottom", "left", "right", "mode",
             value=FLOAT)
MODES = "constant", "edge", "reflect", "wrap"  # as NumPy and ONNX name them
CONSTANT, EDGE, REFLECT, WRAP = range(4)


def source_of(position, size, mode):
    """Return which of `size` elements is at a position from -padding on, or -1 for none."""
    if 0 <= position < size:
        return position
    if mode == CONSTANT:
        return -1
    if mode == EDGE:
        return 0 if position < 0 else size - 1
    if mode == REFLECT:
        return -position if position < 0 else 2 * (size - 1) - position
    return position % size  # not negative, as in Python


source = jit(source_of)


def build_forward(dtype):
    real = np.dtype(dtype).type

    def pad2d_forward(row, call, part, parts):
        channels, line = row.channels, row.width * row.channels
        out_height, out_width = row.top + row.height + row.bottom, row.left + row.width + row.right
        out_line, value = out_width * channels, real(row.value)
        begin, end = share(call.batch * out_height, part, parts, 1)
        for number in range(begin, end):
            a = view(call.arena, row.a + number * out_line, out_line)
            r = source(number % out_height - row.top, row.height, row.mode)
            if r < 0:
                a[:] = value
                continue
            x = view(call.arena, row.x + (number // out_height * row.height + r) * line, line)
            for k in range(line):
                a[row.left * channels + k] = x[k]
            for j in range(row.left + row.right):  # the columns at the sides
                column = j if j < row.left else j + row.width
                c = source(column - row.left, row.width, row.mode)
                for k in range(channels):
                    a[column * channels + k] = value if c < 0 else x[c * channels + k]

    return pad2d_forward


def build_backward(dtype):
    def pad2d_backward(row, call, part, parts):
        # forward: a[i, j] = x[source(i), source(j)]
        channels, line = row.channels, row.width * row.channels
        out_height, out_width = row.top + row.height + row.bottom, row.left + row.width + row.right
        out_line = out_width * channels
        begin, end = share(call.batch * row.height, part, parts, 1)
        for number in range(begin, end):
            dx, image = view(call.arena, row.dx + number * line, line), number // row.height * out_height
            dx[:] = 0
            for i in range(out_height):
                if source(i - row.top, row.height, row.mode) != number % row.height:
                    continue
                da = view(call.arena, row.da + (image + i) * out_line, out_line)
                for j in range(out_width):
                    c = source(j - row.left, row.width, row.mode)
                    if c >= 0:
                        for k in range(channels):
                            dx[c * channels + k] += da[j * channels + k]

    return pad2d_backward


pad2d_forward = Kernel("pad2d_forward", build_forward, PAD2D.arguments)
pad2d_backward = Kernel("pad2d_backward", build_backward, PAD2D.arguments)


def pad2d_row(dtype, parts, *, x=0, a=0, da=0, dx=None, height, width, channels, padding, mode, value=0.0):
    """Return the row of a padding. padding: ((top, bottom), (left, right)); mode: of MODES; dx: None if not needed."""
    phases = {"forward": (pad2d_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = pad2d_backward.address(dtype), parts
    (top, bottom), (left, right) = padding
    return PAD2D.row(phases, x=x, a=a, da=da or 0, dx=dx or 0, height=height, width=width, channels=channels, top=top,
                     bottom=bottom, left=left, right=right, mode=MODES.index(mode), value=value)
