"""Batch normalization, feature by feature: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch, features); scale, shift, mean, variance (features,); C-contiguous. Mean and variance are those over all
samples of the batch (Ioffe and Szegedy 2015, algorithm 1), or the running ones. Each part has its own features and adds over
the samples in order, so that no sum depends on the number of parts. Backward replaces da by dx in place. A separate row
updates the running statistics, after all checks that could stop the step.

For images and series, whose channels are the features, `batch_norm_pixels` has the phases; mean and variance are then those
over all samples and pixels. With few channels, a `group` of several pixels is computed as one line, to fill the SIMD
vectors: with 8 channels a step takes a tenth of the time.
"""

import math

import numpy as np

from ...compiling.jit import Kernel, jit, offset, view
from ...compiling.record import FLOAT, NUMBERS
from ...compiling.share import share
from ...interpreter.table import NOT_FINITE, STATISTICS, Kind, with_phases
from ...processor.target import ITEM_BYTES, vector_lanes
from .lines import pixel_group

BATCH_NORM = Kind(
    "batch_norm",
    "x", "a", "da", "mean", "variance", "inverse", "sum_da", "sum_normalized",  # in the arena
    "means", "inverses", "scales", "shifts", "sums", "more",  # adjacent in the arena, repeated for each pixel of a group
    "of_samples", "activated",  # also in the arena: two sums and the mean of each sample; the result of the activation
    "scale", "shift",  # among the parameters
    "pixels", "features", "group", "by_batch", "followed", "layer",
    "relu", "activation",  # see `batch_norm_pixels`: whether to apply relu; the kernel of another activation, 0 for none
    momentum=FLOAT, epsilon=FLOAT, running_mean=NUMBERS, running_variance=NUMBERS,
)


@jit
def batch_statistics(mean, variance, excess, x, stride, rows):
    """Compute mean and variance over the rows, for the len(mean) features from the pointer x. excess is overwritten.

    The second pass also sums the rounding error of the first mean and corrects both (Chan, Golub and LeVeque 1983). So no
    digits are lost where the mean is large compared with the standard deviation.
    """
    width = len(mean)
    mean[:], variance[:], excess[:] = 0, 0, 0
    for i in range(rows):
        x_ = view(x, i * stride, width)
        for j in range(width):
            mean[j] += x_[j]
    for j in range(width):
        mean[j] /= rows
    for i in range(rows):
        x_ = view(x, i * stride, width)
        for j in range(width):
            distance = x_[j] - mean[j]
            excess[j] += distance
            variance[j] += distance * distance
    for j in range(width):
        left = excess[j] / rows
        mean[j] += left
        variance[j] = max(variance[j] / rows - left * left, 0.0)


def build_forward(dtype):
    lanes = vector_lanes(dtype)

    def batch_norm_forward(row, call, part, parts):
        features, rows = row.features, call.batch
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        mean, variance = view(call.arena, row.mean + begin, width), view(call.arena, row.variance + begin, width)
        inverse = view(call.arena, row.inverse + begin, width)
        scale, shift = view(call.parameters, row.scale + begin, width), view(call.parameters, row.shift + begin, width)
        if row.by_batch != 0 and rows > 1:
            batch_statistics(mean, variance, inverse, offset(call.arena, row.x + begin), features, rows)
        else:
            running_mean, running_variance = view(row.running_mean, begin, width), view(row.running_variance, begin, width)
            for j in range(width):
                mean[j], variance[j] = running_mean[j], running_variance[j]
        for j in range(width):
            inverse[j] = 1.0 / math.sqrt(variance[j] + row.epsilon)
        for i in range(rows):
            place = i * features + begin
            x, a = view(call.arena, row.x + place, width), view(call.arena, row.a + place, width)
            for j in range(width):
                a[j] = (x[j] - mean[j]) * inverse[j] * scale[j] + shift[j]

    return batch_norm_forward


def backward_totals(dtype):
    """The compiled function that completes Σ da and Σ da x̂."""
    # half of the largest number, so that the difference of two running statistics does not overflow
    half = np.finfo(dtype).max / 2

    @jit
    def totals(row, call, total, normalized, begin):
        """Write the gradients of scale and shift, and divide both sums, of the features from `begin` on, for dx."""
        width, rows, accumulate = len(total), call.batch * row.pixels, call.accumulate != 0
        dscale, dshift = view(call.gradients, row.scale + begin, width), view(call.gradients, row.shift + begin, width)
        for j in range(width):
            dscale[j] = dscale[j] + normalized[j] if accumulate else normalized[j]
            dshift[j] = dshift[j] + total[j] if accumulate else total[j]
        # dx = scale inverse da where the statistics do not depend on x
        whole = row.by_batch != 0 and rows > 1
        for j in range(width):
            total[j] = total[j] / rows if whole else 0.0
            normalized[j] = normalized[j] / rows if whole else 0.0
        if whole and row.followed != 0:
            mean, variance = view(call.arena, row.mean + begin, width), view(call.arena, row.variance + begin, width)
            unbiased = rows / (rows - 1.0)
            for j in range(width):
                if not (abs(mean[j]) < half and variance[j] * unbiased < half):
                    view(call.found, 0, 2)[NOT_FINITE] = STATISTICS + row.layer

    return totals


def build_backward(dtype):
    lanes, totals = vector_lanes(dtype), backward_totals(dtype)

    def batch_norm_backward(row, call, part, parts):
        # forward: a = scale x̂ + shift, x̂ = (x − mean) inverse
        features, rows = row.features, call.batch
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        mean, inverse = view(call.arena, row.mean + begin, width), view(call.arena, row.inverse + begin, width)
        scale = view(call.parameters, row.scale + begin, width)
        total, normalized = view(call.arena, row.sum_da + begin, width), view(call.arena, row.sum_normalized + begin, width)

        # dshift = Σ da, dscale = Σ da x̂
        total[:], normalized[:] = 0, 0
        for i in range(rows):
            place = i * features + begin
            x, da = view(call.arena, row.x + place, width), view(call.arena, row.da + place, width)
            for j in range(width):
                total[j] += da[j]
            for j in range(width):  # a separate loop: one loop over so many arrays is not vectorized
                normalized[j] += da[j] * ((x[j] - mean[j]) * inverse[j])
        totals(row, call, total, normalized, begin)

        # dx = scale inverse (da − Σ da / m − x̂ Σ da x̂ / m)
        for i in range(rows):
            place = i * features + begin
            x, da = view(call.arena, row.x + place, width), view(call.arena, row.da + place, width)
            for j in range(width):
                along = (x[j] - mean[j]) * inverse[j] * normalized[j]
                da[j] = scale[j] * inverse[j] * (da[j] - total[j] - along)

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


def statistics_size(features, pixels=1, batch=1):
    """Return how many elements of the arena a row needs for batches of at most so many samples."""
    if pixels == 1:
        return 5 * features
    return 5 * features + (6 + 3 * batch) * features * pixel_group(features, pixels)


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
    of_lines = range(at + 5 * features, at + (5 + 7 * group) * features, group * features)
    means, inverses, scales, shifts, sums, more, of_samples = of_lines
    return BATCH_NORM.row(
        {"forward": (batch_norm_forward.address(dtype), parts),
         "backward_first": (batch_norm_backward.address(dtype), parts)},
        x=x, a=a, da=da, mean=mean, variance=variance, inverse=inverse, sum_da=sum_da, sum_normalized=sum_normalized,
        means=means, inverses=inverses, scales=scales, shifts=shifts, sums=sums, more=more, pixels=pixels, group=group,
        scale=scale, shift=scale + features, features=features, by_batch=by_batch, followed=followed, layer=layer,
        momentum=momentum, epsilon=epsilon, running_mean=running, running_variance=running + ITEM_BYTES[dtype] * features,
        of_samples=0 if pixels == 1 else of_samples, activated=0, relu=0, activation=0,
    )
