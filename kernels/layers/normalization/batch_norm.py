"""Batch normalization, feature by feature: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch, pixels, features); scale, shift, mean, variance (features,); C-contiguous. pixels is 1 except for images and
series, whose channels are the features. Mean and variance are those over all samples and pixels of the batch (Ioffe and
Szegedy 2015, algorithm 1), or the running ones. Each part has its own features. It sums over the pixels of a sample and adds
these sums over the samples in order, so that no sum depends on the number of parts. Backward replaces da by dx in place. A
separate row updates the running statistics, after all checks that could stop the step.

With few channels, a `group` of several pixels is computed as one line, to fill the SIMD vectors: with 8 channels a step
takes a tenth of the time.
"""

import math

import numpy as np

from ...compiling.jit import Kernel, jit, offset, view
from ...compiling.record import FLOAT, NUMBERS
from ...compiling.share import share
from ...interpreter.table import NOT_FINITE, STATISTICS, Kind, with_phases
from ...processor.target import ITEM_BYTES, vector_lanes

BATCH_NORM = Kind(
    "batch_norm",
    "x", "a", "da", "mean", "variance", "inverse", "sum_da", "sum_normalized",  # in the arena
    "means", "inverses", "scales", "shifts", "more",  # also in the arena, repeated for each pixel of a group
    "scale", "shift",  # among the parameters
    "pixels", "features", "group", "by_batch", "followed", "layer",
    momentum=FLOAT, epsilon=FLOAT, running_mean=NUMBERS, running_variance=NUMBERS,
)


@jit(inline=True)
def fold_onto(total, sums):
    """Add each run of len(total) numbers of sums to total, and set sums to 0."""
    width = len(total)
    for start in range(0, len(sums), max(width, 1)):  # a part may have no features
        for j in range(width):
            total[j] += sums[start + j]
            sums[start + j] = 0


@jit(inline=True)
def repeat(out, vector):
    """Fill `out` with copies of a vector."""
    width = len(vector)
    for start in range(0, len(out), max(width, 1)):
        for j in range(width):
            out[start + j] = vector[j]


@jit
def batch_statistics(mean, variance, excess, sums, more, means, x, stride, batch, lines, rows):
    """Compute mean and variance over samples and pixels, for the features from the pointer x.

    x (batch, lines, stride). The first len(means) numbers of a line are used: the features of one pixel or of a group. The
    second pass also sums the rounding error of the first mean and corrects both (Chan, Golub and LeVeque 1983). So no digits
    are lost where the mean is large compared with the standard deviation. excess, sums, more and means are overwritten.
    """
    width = len(means)
    mean[:], variance[:], excess[:], sums[:], more[:] = 0, 0, 0, 0, 0
    for i in range(batch):
        for p in range(i * lines, (i + 1) * lines):
            x_ = view(x, p * stride, width)
            for j in range(width):
                sums[j] += x_[j]
        fold_onto(mean, sums)
    for j in range(len(mean)):
        mean[j] /= rows
    repeat(means, mean)
    for i in range(batch):
        for p in range(i * lines, (i + 1) * lines):
            x_ = view(x, p * stride, width)
            for j in range(width):
                distance = x_[j] - means[j]
                sums[j] += distance
                more[j] += distance * distance
        fold_onto(excess, sums)
        fold_onto(variance, more)
    for j in range(len(mean)):
        left = excess[j] / rows
        mean[j] += left
        variance[j] = max(variance[j] / rows - left * left, 0.0)


def build_forward(dtype):
    lanes = vector_lanes(dtype)

    def batch_norm_forward(row, call, part, parts):
        features, rows, group = row.features, call.batch * row.pixels, row.group
        begin, end = share(features, part, parts, lanes)
        features_, width, stride = end - begin, (end - begin) * group, features * group  # of this part, in a line, all
        mean, variance = view(call.arena, row.mean + begin, features_), view(call.arena, row.variance + begin, features_)
        inverse = view(call.arena, row.inverse + begin, features_)
        means, inverses = view(call.arena, row.means + begin, width), view(call.arena, row.inverses + begin, width)
        scales, shifts = view(call.arena, row.scales + begin, width), view(call.arena, row.shifts + begin, width)
        if row.by_batch != 0 and rows > 1:
            batch_statistics(mean, variance, inverse, inverses, scales, means, offset(call.arena, row.x + begin), stride,
                             call.batch, row.pixels // group, rows)
        else:
            running_mean = view(row.running_mean, begin, features_)
            running_variance = view(row.running_variance, begin, features_)
            for j in range(features_):
                mean[j], variance[j] = running_mean[j], running_variance[j]
        for j in range(features_):
            inverse[j] = 1.0 / math.sqrt(variance[j] + row.epsilon)
        repeat(means, mean)
        repeat(inverses, inverse)
        repeat(scales, view(call.parameters, row.scale + begin, features_))
        repeat(shifts, view(call.parameters, row.shift + begin, features_))
        for i in range(rows // group):
            x, a = view(call.arena, row.x + i * stride + begin, width), view(call.arena, row.a + i * stride + begin, width)
            for j in range(width):
                a[j] = (x[j] - means[j]) * inverses[j] * scales[j] + shifts[j]

    return batch_norm_forward


def build_backward(dtype):
    # half of the largest number, so that the difference of two running statistics does not overflow
    lanes, half = vector_lanes(dtype), np.finfo(dtype).max / 2

    def batch_norm_backward(row, call, part, parts):
        # forward: a = scale x̂ + shift, x̂ = (x − mean) inverse; means, inverses and scales are still there
        features, batch, rows, group = row.features, call.batch, call.batch * row.pixels, row.group
        begin, end = share(features, part, parts, lanes)
        features_, width, stride = end - begin, (end - begin) * group, features * group  # of this part, in a line, all
        means, inverses = view(call.arena, row.means + begin, width), view(call.arena, row.inverses + begin, width)
        scales, sums = view(call.arena, row.scales + begin, width), view(call.arena, row.shifts + begin, width)
        more = view(call.arena, row.more + begin, width)
        total = view(call.arena, row.sum_da + begin, features_)
        normalized = view(call.arena, row.sum_normalized + begin, features_)
        dscale = view(call.gradients, row.scale + begin, features_)
        dshift = view(call.gradients, row.shift + begin, features_)

        # dshift = Σ da, dscale = Σ da x̂
        lines = row.pixels // group
        total[:], normalized[:], sums[:], more[:] = 0, 0, 0, 0
        for i in range(batch):
            for p in range(i * lines, (i + 1) * lines):
                x = view(call.arena, row.x + p * stride + begin, width)
                da = view(call.arena, row.da + p * stride + begin, width)
                for j in range(width):
                    sums[j] += da[j]
                for j in range(width):  # a separate loop: one loop over so many arrays is not vectorized
                    more[j] += da[j] * ((x[j] - means[j]) * inverses[j])
            fold_onto(total, sums)
            fold_onto(normalized, more)
        accumulate = call.accumulate != 0
        for j in range(features_):
            dscale[j] = dscale[j] + normalized[j] if accumulate else normalized[j]
            dshift[j] = dshift[j] + total[j] if accumulate else total[j]

        # dx = scale inverse (da − Σ da / m − x̂ Σ da x̂ / m), but scale inverse da where the statistics do not depend on x
        whole = row.by_batch != 0 and rows > 1
        for j in range(features_):
            total[j] = total[j] / rows if whole else 0.0
            normalized[j] = normalized[j] / rows if whole else 0.0
        repeat(sums, total)
        repeat(more, normalized)
        for i in range(rows // group):
            x, da = view(call.arena, row.x + i * stride + begin, width), view(call.arena, row.da + i * stride + begin, width)
            for j in range(width):
                along = (x[j] - means[j]) * inverses[j] * more[j]
                da[j] = scales[j] * inverses[j] * (da[j] - sums[j] - along)

        if whole and row.followed != 0:
            mean, variance = view(call.arena, row.mean + begin, features_), view(call.arena, row.variance + begin, features_)
            unbiased = rows / (rows - 1.0)
            for j in range(features_):
                if not (abs(mean[j]) < half and variance[j] * unbiased < half):
                    view(call.found, 0, 2)[NOT_FINITE] = STATISTICS + row.layer

    return batch_norm_backward


def build_running(dtype):
    lanes = vector_lanes(dtype)

    def batch_norm_running(row, call, part, parts):
        begin, end = share(row.features, part, parts, lanes)
        width, rows = end - begin, call.batch * row.pixels
        if rows == 1:  # normalized by the running statistics, which therefore stay
            return
        mean, variance = view(call.arena, row.mean + begin, width), view(call.arena, row.variance + begin, width)
        running_mean, running_variance = view(row.running_mean, begin, width), view(row.running_variance, begin, width)
        taken, unbiased = 1.0 - row.momentum, rows / (rows - 1.0)
        for j in range(width):
            running_mean[j] += taken * (mean[j] - running_mean[j])
            running_variance[j] += taken * (variance[j] * unbiased - running_variance[j])

    return batch_norm_running


batch_norm_forward = Kernel("batch_norm_forward", build_forward, BATCH_NORM.arguments)
batch_norm_backward = Kernel("batch_norm_backward", build_backward, BATCH_NORM.arguments)
batch_norm_running = Kernel("batch_norm_running", build_running, BATCH_NORM.arguments)


def running_statistics_row(dtype, row):
    """Return the row that updates the running statistics, given the `row` of the normalization."""
    parts = row["backward_first"]["parts"]
    return with_phases(row, {"backward_first": (batch_norm_running.address(dtype), parts)})


def pixel_group(features, pixels):
    """Return how many pixels make a line: as many as divide their number, as long as a line is short."""
    return max((n for n in range(1, LINE // features + 1) if pixels % n == 0), default=1) if features <= LINE // 4 else 1


LINE = 128  # numbers


def statistics_size(features, pixels=1):
    """Return how many elements of the arena a row needs."""
    return 5 * features * (1 + pixel_group(features, pixels))


def batch_norm_row(dtype, parts, *, x, a, da, statistics, scale, running, features, momentum, epsilon, by_batch,
                   pixels=1, followed=False, layer=0):
    """Return the row of a batch normalization.

    Parameters
    ----------
    x, a, da : int
        Offsets into the arena.
    statistics : int
        Offset of `statistics_size` elements in the arena.
    scale : int
        Offset of scale in the parameters; shift follows it.
    running : int
        Address of the running mean; the running variance follows it.
    by_batch : bool
        Whether to normalize by the statistics of the batch if it has more than one row of features.
    pixels : int
        How many rows of features a sample has.
    followed : bool
        Whether a row updates the running statistics. If so, the backward phase reports, for layer number `layer`, batch
        statistics that are too large for that.
    """
    group, at = pixel_group(features, pixels), statistics
    mean, variance, inverse, sum_da, sum_normalized = (at + number * features for number in range(5))
    means, inverses, scales, shifts, more = (at + 5 * features + number * group * features for number in range(5))
    if group > 1:
        parts = 1
    return BATCH_NORM.row(
        {"forward": (batch_norm_forward.address(dtype), parts),
         "backward_first": (batch_norm_backward.address(dtype), parts)},
        x=x, a=a, da=da, mean=mean, variance=variance, inverse=inverse, sum_da=sum_da, sum_normalized=sum_normalized,
        means=means, inverses=inverses, scales=scales, shifts=shifts, more=more, pixels=pixels, group=group, scale=scale,
        shift=scale + features, features=features, by_batch=by_batch, followed=followed, layer=layer, momentum=momentum,
        epsilon=epsilon, running_mean=running,
        running_variance=running + ITEM_BYTES[dtype] * features,
    )
