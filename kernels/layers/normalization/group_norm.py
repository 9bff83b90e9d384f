"""Group normalization: each group of channels of each sample gets mean 0 and variance 1 (Wu and He 2018).

a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε)

x, a, da (batch, pixels, channels); scale, shift (channels,); C-contiguous. Mean and variance are those of all pixels and
channels of a group of a sample. Sums go over the pixels first, for all channels of a line side by side (see `lines`), then
over the channels of a group. mean, inverse, first, second, scales (batch, line): those of a group or channel, repeated for
each number of a line. Backward replaces da by dx in place, sample by sample; the sums of each sample, Σ da and Σ da x̂ over
its pixels (batch, 2, channels), are then added over the samples in order.
"""

import math

import numpy as np

from ...compiling.jit import Kernel, address_of, jit, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...compiling.trace import at_full_width
from ...interpreter.table import Kind
from ...processor.target import vector_lanes
from .lines import add_runs, measuring, normalizing, pixel_group, repeat, summing

GROUP_NORM = Kind(
    "group_norm",
    "x", "a", "da", "mean", "inverse", "first", "second", "scales", "sums",  # in the arena
    "scale", "shift",  # among the parameters
    "pixels", "channels", "groups", "width",  # width: numbers of a line
    epsilon=FLOAT,
)


@jit(inline=True)
def lines_of(row, call, sample):
    """The lines of a sample: mean, inverse, first, second."""
    place, width = sample * row.width, row.width
    return (view(call.arena, row.mean + place, width), view(call.arena, row.inverse + place, width),
            view(call.arena, row.first + place, width), view(call.arena, row.second + place, width))


@jit(inline=True)
def fold(line, channels):
    """Add the numbers of each channel of a line; return the sums, at its beginning."""
    sums = line[:channels]
    add_runs(sums, line[channels:])
    return sums


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


@jit(inline=True)
def spread(line, channels):
    """Repeat the numbers at the beginning of a line."""
    repeat(line[channels:], line[:channels])


def build_forward(dtype):
    real, measure, normalize = np.dtype(dtype).type, measuring(dtype), normalizing(dtype)

    def group_norm_forward(row, call, part, parts):
        channels, groups, width = row.channels, row.groups, row.width
        size, numbers = row.pixels * channels, row.pixels * (channels // groups)
        lines = size // width
        scale, shift = view(call.parameters, row.scale, channels), view(call.parameters, row.shift, channels)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            mean, inverse, first, second = lines_of(row, call, i)
            x, a = address_of(view(call.arena, row.x + i * size, 1)), address_of(view(call.arena, row.a + i * size, 1))
            measure((x, 0, address_of(mean), 0, width, lines))
            mean_of_groups(fold(mean, channels), groups, numbers)
            spread(mean, channels)
            measure((x, address_of(mean), address_of(first), address_of(inverse), width, lines))
            # first becomes the rounding error of the mean (Chan, Golub and LeVeque 1983)
            mean_of_groups(fold(first, channels), groups, numbers)
            mean_of_groups(fold(inverse, channels), groups, numbers)
            for c in range(channels):
                mean[c] += first[c]
                inverse[c] = real(1.0 / math.sqrt(max(inverse[c] - first[c] * first[c], 0.0) + row.epsilon))
            spread(mean, channels)
            spread(inverse, channels)
            repeat(first, scale)
            repeat(second, shift)
            normalize((a, x, address_of(mean), address_of(inverse), address_of(first), address_of(second), width, lines, 0))

    return group_norm_forward


def build_backward_input(dtype):
    sum_lines = summing(dtype)

    def group_norm_backward_input(row, call, part, parts):
        """dx = inverse (dx̂ − mean of dx̂ − x̂ · mean of dx̂ x̂), with dx̂ = da scale; also the sums of each sample."""
        at_full_width()
        # forward: x̂ = (x − mean) inverse, a = scale x̂ + shift
        channels, groups, width = row.channels, row.groups, row.width
        size, numbers = row.pixels * channels, row.pixels * (channels // groups)
        lines = size // width
        scale = view(call.parameters, row.scale, channels)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            mean, inverse, first, second = lines_of(row, call, i)
            sums = view(call.arena, row.sums + 2 * i * channels, (2, channels))
            x, da = view(call.arena, row.x + i * size, 1), view(call.arena, row.da + i * size, 1)
            sum_lines((address_of(da), address_of(x), address_of(mean), address_of(inverse), address_of(first),
                       address_of(second), width, lines, 0, 0))
            sum_da, sum_normalized = fold(first, channels), fold(second, channels)
            for c in range(channels):
                sums[0, c], sums[1, c] = sum_da[c], sum_normalized[c]
                sum_da[c] *= scale[c]
                sum_normalized[c] *= scale[c]
            mean_of_groups(sum_da, groups, numbers)
            mean_of_groups(sum_normalized, groups, numbers)
            for c in range(channels):
                sum_normalized[c] *= inverse[c]
            spread(first, channels)
            spread(second, channels)
            scales = view(call.arena, row.scales + i * width, width)
            repeat(scales, scale)
            for p in range(lines):
                x = view(call.arena, row.x + i * size + p * width, width)
                dx = view(call.arena, row.da + i * size + p * width, width)
                for j in range(width):
                    # the differences first: a group of one number has no gradient
                    dx[j] = inverse[j] * (dx[j] * scales[j] - first[j] - second[j] * (x[j] - mean[j]))

    return group_norm_backward_input


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def backward_weight(row, call, part, parts):
        """dshift = Σ da, dscale = Σ da x̂ over the samples in order; each part has its own channels."""
        channels = row.channels
        begin, end = share(channels, part, parts, lanes)
        dscale = view(call.gradients, row.scale + begin, end - begin)
        dshift = view(call.gradients, row.shift + begin, end - begin)
        if call.accumulate == 0:
            dscale[:], dshift[:] = 0, 0
        for i in range(call.batch):
            sums = view(call.arena, row.sums + 2 * i * channels, (2, channels))
            for c in range(begin, end):
                dshift[c - begin] += sums[0, c]
                dscale[c - begin] += sums[1, c]

    return backward_weight


group_norm_forward = Kernel("group_norm_forward", build_forward, GROUP_NORM.arguments)
group_norm_backward_input = Kernel("group_norm_backward_input", build_backward_input, GROUP_NORM.arguments)
group_norm_backward_weight = Kernel("group_norm_backward_weight", build_backward_weight, GROUP_NORM.arguments)


def statistics_size(channels, pixels, batch):
    """Return how many elements of the arena a row needs for batches of at most so many samples."""
    return batch * channels * (5 * pixel_group(channels, pixels) + 2)


def group_norm_row(dtype, parts, *, x, a, da, statistics, batch, scale, pixels, channels, groups, epsilon):
    """Return the row of a group normalization; all arguments except epsilon are offsets and sizes.

    statistics: offset of `statistics_size` elements in the arena. scale: offset in the parameters; shift follows it.
    """
    phases = {"forward": group_norm_forward, "backward_first": group_norm_backward_input,
              "backward_third": group_norm_backward_weight}
    width = channels * pixel_group(channels, pixels)
    mean, inverse, first, second, scales, sums = range(statistics, statistics + 6 * batch * width, batch * width)
    return GROUP_NORM.row({phase: (kernel.address(dtype), parts) for phase, kernel in phases.items()},
                          x=x, a=a, da=da, mean=mean, inverse=inverse, first=first, second=second, scales=scales,
                          sums=sums, scale=scale, shift=scale + channels, pixels=pixels, channels=channels, groups=groups,
                          width=width, epsilon=epsilon)
