"""Batch normalization, feature by feature: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch, pixels, features); scale, shift, mean, variance (features,); C-contiguous. pixels is 1 except for images and
series, whose channels are the features. Mean and variance are those over all samples and pixels of the batch (Ioffe and
Szegedy 2015, algorithm 1), or the running ones. Each part has its own features. It sums over the pixels of a sample and adds
these sums over the samples in order, so that no sum depends on the number of parts. Backward replaces da by dx in place. A
separate row updates the running statistics, after all checks that could stop the step.
"""

import math

import numpy as np

from ..compiling.jit import Kernel, jit, offset, view
from ..compiling.record import FLOAT, NUMBERS
from ..compiling.share import share
from ..interpreter.table import NOT_FINITE, STATISTICS, Kind, with_phases
from ..processor.target import ITEM_BYTES, vector_lanes

BATCH_NORM = Kind(
    "batch_norm",
    "x", "a", "da", "mean", "variance", "inverse", "sum_da", "sum_normalized", "of_sample",  # in the arena
    "scale", "shift",  # among the parameters
    "pixels", "features", "by_batch", "followed", "layer",
    momentum=FLOAT, epsilon=FLOAT, running_mean=NUMBERS, running_variance=NUMBERS,
)


@jit(inline=True)
def add_onto(total, sums):
    """Add sums to total and set them to 0."""
    for j in range(len(total)):
        total[j] += sums[j]
        sums[j] = 0


@jit
def batch_statistics(mean, variance, excess, of_sample, more, x, features, batch, pixels):
    """Compute mean and variance over samples and pixels, for the features from the pointer x.

    The second pass also sums the rounding error of the first mean and corrects both (Chan, Golub and LeVeque 1983). So no
    digits are lost where the mean is large compared with the standard deviation. excess, of_sample and more are overwritten.
    """
    width, rows = len(mean), batch * pixels
    mean[:], variance[:], excess[:], of_sample[:], more[:] = 0, 0, 0, 0, 0
    for i in range(batch):
        for p in range(i * pixels, (i + 1) * pixels):
            x_ = view(x, p * features, width)
            for j in range(width):
                of_sample[j] += x_[j]
        add_onto(mean, of_sample)
    for j in range(width):
        mean[j] /= rows
    for i in range(batch):
        for p in range(i * pixels, (i + 1) * pixels):
            x_ = view(x, p * features, width)
            for j in range(width):
                distance = x_[j] - mean[j]
                of_sample[j] += distance
                more[j] += distance * distance
        add_onto(excess, of_sample)
        add_onto(variance, more)
    for j in range(width):
        left = excess[j] / rows
        mean[j] += left
        variance[j] = max(variance[j] / rows - left * left, 0.0)


def build_forward(dtype):
    lanes = vector_lanes(dtype)

    def batch_norm_forward(row, call, part, parts):
        features, rows = row.features, call.batch * row.pixels
        begin, end = share(features, part, parts, lanes)
        width = end - begin  # number of features of this part; all vectors below have this length
        mean, variance = view(call.arena, row.mean + begin, width), view(call.arena, row.variance + begin, width)
        inverse = view(call.arena, row.inverse + begin, width)
        if row.by_batch != 0 and rows > 1:
            of_sample = view(call.arena, row.of_sample + begin, width)
            more = view(call.arena, row.of_sample + features + begin, width)
            batch_statistics(mean, variance, inverse, of_sample, more, offset(call.arena, row.x + begin), features,
                             call.batch, row.pixels)
        else:
            running_mean, running_variance = view(row.running_mean, begin, width), view(row.running_variance, begin, width)
            for j in range(width):
                mean[j], variance[j] = running_mean[j], running_variance[j]
        for j in range(width):
            inverse[j] = 1.0 / math.sqrt(variance[j] + row.epsilon)
        scale, shift = view(call.parameters, row.scale + begin, width), view(call.parameters, row.shift + begin, width)
        for i in range(rows):
            x = view(call.arena, row.x + i * features + begin, width)
            a = view(call.arena, row.a + i * features + begin, width)
            for j in range(width):
                a[j] = (x[j] - mean[j]) * inverse[j] * scale[j] + shift[j]

    return batch_norm_forward


def build_backward(dtype):
    # half of the largest number, so that the difference of two running statistics does not overflow
    lanes, half = vector_lanes(dtype), np.finfo(dtype).max / 2

    def batch_norm_backward(row, call, part, parts):
        # forward: a = scale x̂ + shift, x̂ = (x − mean) inverse
        features, batch, pixels, rows = row.features, call.batch, row.pixels, call.batch * row.pixels
        begin, end = share(features, part, parts, lanes)
        width = end - begin  # number of features of this part; all vectors below have this length
        mean, inverse = view(call.arena, row.mean + begin, width), view(call.arena, row.inverse + begin, width)
        total = view(call.arena, row.sum_da + begin, width)
        normalized = view(call.arena, row.sum_normalized + begin, width)
        scale = view(call.parameters, row.scale + begin, width)
        dscale, dshift = view(call.gradients, row.scale + begin, width), view(call.gradients, row.shift + begin, width)

        # dshift = Σ da, dscale = Σ da x̂
        of_sample = view(call.arena, row.of_sample + begin, width)
        more = view(call.arena, row.of_sample + features + begin, width)
        total[:], normalized[:], of_sample[:], more[:] = 0, 0, 0, 0
        for i in range(batch):
            for p in range(i * pixels, (i + 1) * pixels):
                x = view(call.arena, row.x + p * features + begin, width)
                da = view(call.arena, row.da + p * features + begin, width)
                for j in range(width):
                    of_sample[j] += da[j]
                for j in range(width):  # a separate loop: one loop over so many arrays is not vectorized
                    more[j] += da[j] * ((x[j] - mean[j]) * inverse[j])
            add_onto(total, of_sample)
            add_onto(normalized, more)
        accumulate = call.accumulate != 0
        for j in range(width):
            dscale[j] = dscale[j] + normalized[j] if accumulate else normalized[j]
            dshift[j] = dshift[j] + total[j] if accumulate else total[j]

        # dx = scale inverse (da − Σ da / m − x̂ Σ da x̂ / m), but scale inverse da where the statistics do not depend on x
        whole = row.by_batch != 0 and rows > 1
        for j in range(width):
            total[j] = total[j] / rows if whole else 0.0
            normalized[j] = normalized[j] / rows if whole else 0.0
        for i in range(rows):
            x = view(call.arena, row.x + i * features + begin, width)
            da = view(call.arena, row.da + i * features + begin, width)
            for j in range(width):
                along = (x[j] - mean[j]) * inverse[j] * normalized[j]
                da[j] = scale[j] * inverse[j] * (da[j] - total[j] - along)

        if whole and row.followed != 0:
            variance, unbiased = view(call.arena, row.variance + begin, width), rows / (rows - 1.0)
            for j in range(width):
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


def batch_norm_row(dtype, parts, *, x, a, da, statistics, scale, running, features, momentum, epsilon, by_batch,
                   pixels=1, followed=False, layer=0):
    """Return the row of a batch normalization.

    Parameters
    ----------
    x, a, da : int
        Offsets into the arena.
    statistics : int
        Offset of 7 · features elements in the arena.
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
    mean, variance, inverse, sum_da, sum_normalized, of_sample = (statistics + number * features for number in range(6))
    return BATCH_NORM.row(
        {"forward": (batch_norm_forward.address(dtype), parts),
         "backward_first": (batch_norm_backward.address(dtype), parts)},
        x=x, a=a, da=da, mean=mean, variance=variance, inverse=inverse, sum_da=sum_da, sum_normalized=sum_normalized,
        of_sample=of_sample, pixels=pixels, scale=scale, shift=scale + features, features=features, by_batch=by_batch,
        followed=followed, layer=layer,
        momentum=momentum, epsilon=epsilon, running_mean=running,
        running_variance=running + ITEM_BYTES[dtype] * features,
    )
