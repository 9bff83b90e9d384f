"""Up-sampling of images by repeating pixels: a[r, c] = x[r // down, c // across].

x, dx (batch, height, width, channels); a, da (batch, down · height, across · width, channels); C-contiguous. Each part
computes rows of a forward and rows of dx backward. The gradient of a pixel is the sum of the gradients of its copies.
"""

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.table import Kind

UP_SAMPLE2D = Kind("up_sample2d", "x", "a", "da", "dx", "height", "width", "channels", "down", "across")


def build_forward(dtype):
    def up_sample2d_forward(row, call, part, parts):
        channels, across = row.channels, row.across
        line = row.width * channels
        begin, end = share(call.batch * row.height * row.down, part, parts, 1)
        for number in range(begin, end):
            x = view(call.arena, row.x + number // row.down * line, line)  # each row of x makes `down` rows of a
            a = view(call.arena, row.a + number * across * line, across * line)
            for c in range(row.width):
                for k in range(across):
                    for channel in range(channels):
                        a[(c * across + k) * channels + channel] = x[c * channels + channel]

    return up_sample2d_forward


def build_backward(dtype):
    def up_sample2d_backward(row, call, part, parts):
        # forward: a[r, c] = x[r // down, c // across]
        channels, across = row.channels, row.across
        line = row.width * channels
        begin, end = share(call.batch * row.height, part, parts, 1)
        for number in range(begin, end):
            dx = view(call.arena, row.dx + number * line, line)
            dx[:] = 0
            for i in range(row.down):
                da = view(call.arena, row.da + (number * row.down + i) * across * line, across * line)
                for c in range(row.width):
                    for k in range(across):
                        for channel in range(channels):
                            dx[c * channels + channel] += da[(c * across + k) * channels + channel]

    return up_sample2d_backward


up_sample2d_forward = Kernel("up_sample2d_forward", build_forward, UP_SAMPLE2D.arguments)
up_sample2d_backward = Kernel("up_sample2d_backward", build_backward, UP_SAMPLE2D.arguments)


def up_sample2d_row(dtype, parts, *, x=0, a=0, da=0, dx=None, height, width, channels, size):
    """Return the row of an up-sampling. size: (down, across); dx: None if it is not needed."""
    phases = {"forward": (up_sample2d_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_first"] = up_sample2d_backward.address(dtype), parts
    down, across = size
    return UP_SAMPLE2D.row(phases, x=x, a=a, da=da or 0, dx=dx or 0, height=height, width=width, channels=channels,
                           down=down, across=across)
