"""Group normalization: each group of channels of each sample gets mean 0 and variance 1 (Wu and He 2018).

a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε)

x, a, da (batch, pixels, channels); scale, shift (channels,); mean, inverse, first, second (batch, channels), those of a
group repeated for each of its channels; C-contiguous. Mean and variance are those of all pixels and channels of a group of a
sample. Sums go over the pixels first, for all channels side by side, then over the channels of a group. Backward replaces da
by dx in place.
"""

import math

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...interpreter.table import Kind
from ...processor.target import vector_lanes

GROUP_NORM = Kind(
    "group_norm",
    "x", "a", "da", "mean", "inverse", "first", "second",  # in the arena
    "scale", "shift",  # among the parameters
    "pixels", "channels", "groups",
    epsilon=FLOAT,
)


@jit(inline=True)
def mean_of_groups(sums, groups, numbers):
    """Replace the sums of channels by the mean of their group, of so many numbers."""
    size = len(sums) // groups
    for g in range(groups):
        total = 0.0
        for c in range(g * size, (g + 1) * size):
            total += sums[c]
        total /= numbers
        for c in range(g * size, (g + 1) * size):
            sums[c] = total


def build_forward(dtype):
    real = np.dtype(dtype).type

    def group_norm_forward(row, call, part, parts):
        pixels, channels, groups = row.pixels, row.channels, row.groups
        size, numbers = pixels * channels, pixels * (channels // groups)
        scale, shift = view(call.parameters, row.scale, channels), view(call.parameters, row.shift, channels)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            start = i * channels
            mean, inverse = view(call.arena, row.mean + start, channels), view(call.arena, row.inverse + start, channels)
            first = view(call.arena, row.first + start, channels)
            mean[:], inverse[:], first[:] = 0, 0, 0
            for p in range(pixels):
                x = view(call.arena, row.x + i * size + p * channels, channels)
                for c in range(channels):
                    mean[c] += x[c]
            mean_of_groups(mean, groups, numbers)
            for p in range(pixels):
                x = view(call.arena, row.x + i * size + p * channels, channels)
                for c in range(channels):
                    distance = x[c] - mean[c]
                    first[c] += distance
                    inverse[c] += distance * distance
            # first becomes the rounding error of the mean (Chan, Golub and LeVeque 1983)
            mean_of_groups(first, groups, numbers)
            mean_of_groups(inverse, groups, numbers)
            for c in range(channels):
                mean[c] += first[c]
                inverse[c] = real(1.0 / math.sqrt(max(inverse[c] - first[c] * first[c], 0.0) + row.epsilon))
            for p in range(pixels):
                x = view(call.arena, row.x + i * size + p * channels, channels)
                a = view(call.arena, row.a + i * size + p * channels, channels)
                for c in range(channels):
                    a[c] = (x[c] - mean[c]) * inverse[c] * scale[c] + shift[c]

    return group_norm_forward


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def backward_weight(row, call, part, parts):
        """dshift = Σ da, dscale = Σ da x̂ over samples and pixels in order; each part has its own channels."""
        # forward: a = scale x̂ + shift
        pixels, channels = row.pixels, row.channels
        begin, end = share(channels, part, parts, lanes)
        width = end - begin
        dscale, dshift = view(call.gradients, row.scale + begin, width), view(call.gradients, row.shift + begin, width)
        if call.accumulate == 0:
            dscale[:], dshift[:] = 0, 0
        for i in range(call.batch):
            mean = view(call.arena, row.mean + i * channels + begin, width)
            inverse = view(call.arena, row.inverse + i * channels + begin, width)
            first = view(call.arena, row.first + i * channels + begin, width)
            second = view(call.arena, row.second + i * channels + begin, width)
            first[:], second[:] = 0, 0
            for p in range(pixels):
                x = view(call.arena, row.x + (i * pixels + p) * channels + begin, width)
                da = view(call.arena, row.da + (i * pixels + p) * channels + begin, width)
                for c in range(width):
                    first[c] += da[c]
                for c in range(width):  # a separate loop: one loop over so many arrays is not vectorized
                    second[c] += da[c] * ((x[c] - mean[c]) * inverse[c])
            for c in range(width):
                dshift[c] += first[c]
                dscale[c] += second[c]

    return backward_weight


def build_backward_input(dtype):
    def backward_input(row, call, part, parts):
        """dx = inverse (dx̂ − mean of dx̂ − x̂ · mean of dx̂ x̂), with dx̂ = da scale."""
        # forward: x̂ = (x − mean) inverse; first = Σ da, second = Σ da x̂ over the pixels, of the phase before
        pixels, channels, groups = row.pixels, row.channels, row.groups
        size, numbers = pixels * channels, pixels * (channels // groups)
        scale = view(call.parameters, row.scale, channels)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            start = i * channels
            mean, inverse = view(call.arena, row.mean + start, channels), view(call.arena, row.inverse + start, channels)
            first, second = view(call.arena, row.first + start, channels), view(call.arena, row.second + start, channels)
            for c in range(channels):
                first[c] *= scale[c]
                second[c] *= scale[c]
            mean_of_groups(first, groups, numbers)
            mean_of_groups(second, groups, numbers)
            for p in range(pixels):
                x = view(call.arena, row.x + i * size + p * channels, channels)
                dx = view(call.arena, row.da + i * size + p * channels, channels)
                for c in range(channels):
                    along = (x[c] - mean[c]) * inverse[c] * second[c]
                    dx[c] = inverse[c] * (dx[c] * scale[c] - first[c] - along)

    return backward_input


group_norm_forward = Kernel("group_norm_forward", build_forward, GROUP_NORM.arguments)
group_norm_backward_weight = Kernel("group_norm_backward_weight", build_backward_weight, GROUP_NORM.arguments)
group_norm_backward_input = Kernel("group_norm_backward_input", build_backward_input, GROUP_NORM.arguments)


def group_norm_row(dtype, parts, *, x, a, da, statistics, batch, scale, pixels, channels, groups, epsilon):
    """Return the row of a group normalization; all arguments except epsilon are offsets and sizes.

    statistics: offset of 4 · batch · channels elements in the arena. scale: offset in the parameters; shift follows it.
    """
    # the gradients of scale and shift come first, because dx overwrites da
    phases = {"forward": group_norm_forward, "backward_first": group_norm_backward_weight,
              "backward_second": group_norm_backward_input}
    mean, inverse, first, second = (statistics + number * batch * channels for number in range(4))
    return GROUP_NORM.row({phase: (kernel.address(dtype), parts) for phase, kernel in phases.items()},
                          x=x, a=a, da=da, mean=mean, inverse=inverse, first=first, second=second, scale=scale,
                          shift=scale + channels, pixels=pixels, channels=channels, groups=groups, epsilon=epsilon)
