"""Zero padding of images: a = x with rows and columns of zeros on its sides.

x, dx (batch, height, width, channels); a, da (batch, top + height + bottom, left + width + right, channels); C-contiguous.
Each part computes rows of a forward and rows of dx backward.
"""

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.table import Kind

ZERO_PAD2D = Kind("zero_pad2d", "x", "a", "da", "dx", "height", "width", "channels", "top", "bottom", "left", "right")


def build_forward(dtype):
    def zero_pad2d_forward(row, call, part, parts):
        line, out_height = row.width * row.channels, row.top + row.height + row.bottom
        before, out_line = row.left * row.channels, (row.left + row.width + row.right) * row.channels
        begin, end = share(call.batch * out_height, part, parts, 1)
        for number in range(begin, end):
            a, r = view(call.arena, row.a + number * out_line, out_line), number % out_height - row.top
            if r < 0 or r >= row.height:
                a[:] = 0
                continue
            x = view(call.arena, row.x + (number // out_height * row.height + r) * line, line)
            a[:before], a[before + line:] = 0, 0
            for k in range(line):
                a[before + k] = x[k]

    return zero_pad2d_forward


def build_backward(dtype):
    def zero_pad2d_backward(row, call, part, parts):
        # forward: a[top + r, left + c] = x[r, c]
        line, out_height = row.width * row.channels, row.top + row.height + row.bottom
        out_line = (row.left + row.width + row.right) * row.channels
        begin, end = share(call.batch * row.height, part, parts, 1)
        for number in range(begin, end):
            out = number // row.height * out_height + row.top + number % row.height
            da = view(call.arena, row.da + out * out_line + row.left * row.channels, line)
            dx = view(call.arena, row.dx + number * line, line)
            for k in range(line):
                dx[k] = da[k]

    return zero_pad2d_backward


zero_pad2d_forward = Kernel("zero_pad2d_forward", build_forward, ZERO_PAD2D.arguments)
zero_pad2d_backward = Kernel("zero_pad2d_backward", build_backward, ZERO_PAD2D.arguments)


def zero_pad2d_row(dtype, parts, *, x=0, a=0, da=0, dx=None, height, width, channels, padding):
    """Return the row of a zero padding. padding: ((top, bottom), (left, right)); dx: None if it is not needed."""
    phases = {"forward": (zero_pad2d_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = zero_pad2d_backward.address(dtype), parts
    (top, bottom), (left, right) = padding
    return ZERO_PAD2D.row(phases, x=x, a=a, da=da or 0, dx=dx or 0, height=height, width=width, channels=channels, top=top,
                          bottom=bottom, left=left, right=right)
