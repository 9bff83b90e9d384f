"""Normalization of each channel by statistics of the data: a = (x − mean) · scale.

x, a, da (batch, pixels, channels); mean, scale (channels,), in the state of the network; C-contiguous. Backward overwrites
da with dx = scale · da.
"""

from ...compiling.jit import Kernel, view
from ...compiling.record import NUMBERS
from ...compiling.share import share
from ...interpreter.table import Kind

NORMALIZE = Kind("normalize", "x", "a", "da", "pixels", "channels", mean=NUMBERS, scale=NUMBERS)


def build_forward(dtype):
    def normalize_forward(row, call, part, parts):
        channels = row.channels
        mean, scale = view(row.mean, 0, channels), view(row.scale, 0, channels)
        begin, end = share(call.batch * row.pixels, part, parts, 1)
        for i in range(begin, end):
            x, a = view(call.arena, row.x + i * channels, channels), view(call.arena, row.a + i * channels, channels)
            for c in range(channels):
                a[c] = (x[c] - mean[c]) * scale[c]

    return normalize_forward


def build_backward(dtype):
    def normalize_backward(row, call, part, parts):
        # forward: a = (x − mean) scale
        channels = row.channels
        scale = view(row.scale, 0, channels)
        begin, end = share(call.batch * row.pixels, part, parts, 1)
        for i in range(begin, end):
            dx = view(call.arena, row.da + i * channels, channels)
            for c in range(channels):
                dx[c] *= scale[c]

    return normalize_backward


normalize_forward = Kernel("normalize_forward", build_forward, NORMALIZE.arguments)
normalize_backward = Kernel("normalize_backward", build_backward, NORMALIZE.arguments)


def normalize_row(dtype, parts, *, x=0, a=0, da=None, pixels, channels, mean, scale):
    """Return the row of a normalization. mean, scale: addresses; da: None if dx is not needed."""
    phases = {"forward": (normalize_forward.address(dtype), parts)}
    if da is not None:
        phases["backward_first"] = normalize_backward.address(dtype), parts
    return NORMALIZE.row(phases, x=x, a=a, da=da or 0, pixels=pixels, channels=channels, mean=mean, scale=scale)
