"""Batch normalisation, feature by feature: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch, features); scale, shift, mean, variance (features,); C-contiguous. Mean and variance are those of the batch
(Ioffe and Szegedy 2015, algorithm 1), or the running ones. Parts have features of their own and go through the samples in
order, so that no sum depends on how many parts there are. Backward turns da into dx in place. The running statistics follow
in a row of their own, when nothing is left that could stop the step.
"""

import math

import numpy as np

from . import watch
from .jit import Kernel, jit, offset, pointer_to, view
from .table import (
    BACKWARD_OUTPUT,
    FORWARD,
    OPERANDS,
    bits,
    make_row,
    phase_arguments,
    real_operand,
    share,
)
from .target import vector_lanes

X, A, DA, STATISTICS, SCALE, RUNNING, FEATURES, MOMENTUM, EPSILON, OF_BATCH, FOUND, LAYER = range(OPERANDS, OPERANDS + 12)
MEAN, VARIANCE, INVERSE, SUM, SUM_NORMALIZED = range(5)  # stretches of `features` numbers from STATISTICS on


@jit(inline=True)
def feature_stretch(base, start, features, number, begin, end):
    """Features begin to end of stretch `number` of those that begin at `start`, each of so many features."""
    return view(base, start + number * features + begin, end - begin)


@jit
def of_batch(mean, variance, excess, x, features, batch):
    """Mean and variance over the batch of the features from the pointer x on.

    The second pass also sums up what rounding left in the first mean, and takes it out of both (Chan, Golub and LeVeque
    1983): numbers far from 0 beside their spread cost no digits. excess is overwritten.
    """
    width = len(mean)
    mean[:], variance[:], excess[:] = 0, 0, 0
    for i in range(batch):
        x_ = view(x, i * features, width)
        for j in range(width):
            mean[j] += x_[j]
    for j in range(width):
        mean[j] /= batch
    for i in range(batch):
        x_ = view(x, i * features, width)
        for j in range(width):
            distance = x_[j] - mean[j]
            excess[j] += distance
            variance[j] += distance * distance
    for j in range(width):
        left = excess[j] / batch
        mean[j] += left
        variance[j] = max(variance[j] / batch - left * left, 0.0)


def build_forward(dtype):
    lanes = vector_lanes(dtype)

    def batch_norm_forward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        features, start = row[FEATURES], row[STATISTICS]
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        mean = feature_stretch(arena, start, features, MEAN, begin, end)
        variance = feature_stretch(arena, start, features, VARIANCE, begin, end)
        inverse = feature_stretch(arena, start, features, INVERSE, begin, end)
        if row[OF_BATCH] != 0 and batch > 1:
            of_batch(mean, variance, inverse, offset(arena, row[X] + begin), features, batch)
        else:
            running = pointer_to(row[RUNNING], arena)
            running_mean = feature_stretch(running, 0, features, MEAN, begin, end)
            running_variance = feature_stretch(running, 0, features, VARIANCE, begin, end)
            for j in range(width):
                mean[j], variance[j] = running_mean[j], running_variance[j]
        epsilon = real_operand(row, EPSILON)
        for j in range(width):
            inverse[j] = 1.0 / math.sqrt(variance[j] + epsilon)
        scale = feature_stretch(parameters, row[SCALE], features, 0, begin, end)
        shift = feature_stretch(parameters, row[SCALE], features, 1, begin, end)
        for i in range(batch):
            x, a = (view(arena, row[X] + i * features + begin, width), view(arena, row[A] + i * features + begin, width))
            for j in range(width):
                a[j] = (x[j] - mean[j]) * inverse[j] * scale[j] + shift[j]

    return batch_norm_forward


def build_backward(dtype):
    # less than half of the largest number, so that a running statistic's distance from the next one is a number too
    lanes, half = vector_lanes(dtype), np.finfo(dtype).max / 2

    def batch_norm_backward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        # forward: a = scale x̂ + shift, x̂ = (x − mean) inverse
        features, start = row[FEATURES], row[STATISTICS]
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        mean = feature_stretch(arena, start, features, MEAN, begin, end)
        inverse = feature_stretch(arena, start, features, INVERSE, begin, end)
        total = feature_stretch(arena, start, features, SUM, begin, end)
        normalized = feature_stretch(arena, start, features, SUM_NORMALIZED, begin, end)
        scale = feature_stretch(parameters, row[SCALE], features, 0, begin, end)
        dscale = feature_stretch(gradients, row[SCALE], features, 0, begin, end)
        dshift = feature_stretch(gradients, row[SCALE], features, 1, begin, end)

        # dshift = Σ da, dscale = Σ da x̂
        total[:], normalized[:] = 0, 0
        for i in range(batch):
            x, da = view(arena, row[X] + i * features + begin, width), view(arena, row[DA] + i * features + begin, width)
            for j in range(width):
                total[j] += da[j]
            for j in range(width):  # by itself: of so many arrays in one loop the compiler makes no vector code
                normalized[j] += da[j] * ((x[j] - mean[j]) * inverse[j])
        for j in range(width):
            dscale[j] = dscale[j] + normalized[j] if accumulate else normalized[j]
            dshift[j] = dshift[j] + total[j] if accumulate else total[j]

        # dx = scale inverse (da − Σ da / m − x̂ Σ da x̂ / m), but scale inverse da where the statistics do not depend on x
        whole = row[OF_BATCH] != 0 and batch > 1
        for j in range(width):
            total[j] = total[j] / batch if whole else 0.0
            normalized[j] = normalized[j] / batch if whole else 0.0
        for i in range(batch):
            x, da = view(arena, row[X] + i * features + begin, width), view(arena, row[DA] + i * features + begin, width)
            for j in range(width):
                along = (x[j] - mean[j]) * inverse[j] * normalized[j]
                da[j] = scale[j] * inverse[j] * (da[j] - total[j] - along)

        if whole and row[FOUND] != 0:  # the running statistics will follow these
            variance, unbiased = feature_stretch(arena, start, features, VARIANCE, begin, end), batch / (batch - 1.0)
            for j in range(width):
                if not (abs(mean[j]) < half and variance[j] * unbiased < half):
                    view(pointer_to(row[FOUND], row), 0, 2)[watch.NOT_FINITE] = watch.STATISTICS + row[LAYER]

    return batch_norm_backward


def build_follow(dtype):
    lanes = vector_lanes(dtype)

    def batch_norm_follow(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        features, start = row[FEATURES], row[STATISTICS]
        begin, end = share(features, part, parts, lanes)
        if batch == 1:  # whose mean and variance are the running ones
            return
        mean = feature_stretch(arena, start, features, MEAN, begin, end)
        variance = feature_stretch(arena, start, features, VARIANCE, begin, end)
        running = pointer_to(row[RUNNING], arena)
        running_mean = feature_stretch(running, 0, features, MEAN, begin, end)
        running_variance = feature_stretch(running, 0, features, VARIANCE, begin, end)
        taken, unbiased = 1.0 - real_operand(row, MOMENTUM), batch / (batch - 1.0)
        for j in range(end - begin):
            running_mean[j] += taken * (mean[j] - running_mean[j])
            running_variance[j] += taken * (variance[j] * unbiased - running_variance[j])

    return batch_norm_follow


batch_norm_forward = Kernel("batch_norm_forward", build_forward, phase_arguments)
batch_norm_backward = Kernel("batch_norm_backward", build_backward, phase_arguments)
batch_norm_follow = Kernel("batch_norm_follow", build_follow, phase_arguments)


def follow_row(dtype, row):
    """The row by which the running statistics follow those of the batch, from the `row` of a normalisation by these."""
    follows = row.copy()
    follows[:OPERANDS] = 0
    follows[[BACKWARD_OUTPUT, BACKWARD_OUTPUT + 1]] = batch_norm_follow.address(dtype), row[BACKWARD_OUTPUT + 1]
    return follows


def batch_norm_row(dtype, parts, *, x, a, da, statistics, scale, running, features, momentum, epsilon, of_batch, found=0,
                   layer=0):
    """The row of a batch normalisation; running is an address, the rest are offsets, sizes and numbers.

    statistics: 5 · features numbers of the arena. scale: where it begins among the parameters, with shift behind it.
    running: where running mean and, behind it, running variance begin. of_batch: whether to normalise by the batch (of more
    than one sample) and not by these. found: where to say that statistics of the batch are too large to be followed, those
    of layer number `layer`; 0 where nothing follows them.
    """
    return make_row(
        {FORWARD: (batch_norm_forward.address(dtype), parts), BACKWARD_OUTPUT: (batch_norm_backward.address(dtype), parts)},
        {X: x, A: a, DA: da, STATISTICS: statistics, SCALE: scale, RUNNING: running, FEATURES: features,
         MOMENTUM: bits(momentum), EPSILON: bits(epsilon), OF_BATCH: of_batch, FOUND: found, LAYER: layer},
    )
