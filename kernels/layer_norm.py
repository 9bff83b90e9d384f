"""Layer normalisation, sample by sample: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch, features); scale, shift (features,); mean, inverse (batch,); C-contiguous. Mean and variance are those of a
sample over its features (Ba, Kiros and Hinton 2016). Backward turns da into dx in place.
"""

import math

import numpy as np

from .jit import Kernel, view
from .sums import dot, total
from .table import (
    BACKWARD_INPUT,
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

X, A, DA, MEAN, INVERSE, SCALE, FEATURES, EPSILON = range(OPERANDS, OPERANDS + 8)


def build_forward(dtype):
    real = np.dtype(dtype).type

    def layer_norm_forward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        features, epsilon = row[FEATURES], real_operand(row, EPSILON)
        scale, shift = view(parameters, row[SCALE], features), view(parameters, row[SCALE] + features, features)
        means, inverses = view(arena, row[MEAN], batch), view(arena, row[INVERSE], batch)
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            x, a = view(arena, row[X] + i * features, features), view(arena, row[A] + i * features, features)
            mean = real(total(x) / features)
            for j in range(features):
                a[j] = x[j] - mean
            left = real(total(a) / features)  # by rounding; it is taken out of both (Chan, Golub and LeVeque 1983)
            variance = max(dot(a, a) / features - left * left, 0.0)
            inverse = real(1.0 / math.sqrt(variance + epsilon))
            for j in range(features):
                a[j] = (a[j] - left) * inverse * scale[j] + shift[j]
            means[i], inverses[i] = mean + left, inverse

    return layer_norm_forward


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def backward_weight(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """dshift = Σ da, dscale = Σ da x̂, over the samples in order; parts have features of their own."""
        # forward: a = scale x̂ + shift
        features = row[FEATURES]
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        dscale = view(gradients, row[SCALE] + begin, width)
        dshift = view(gradients, row[SCALE] + features + begin, width)
        means, inverses = view(arena, row[MEAN], batch), view(arena, row[INVERSE], batch)
        if not accumulate:
            dscale[:], dshift[:] = 0, 0
        for i in range(batch):
            x, da = view(arena, row[X] + i * features + begin, width), view(arena, row[DA] + i * features + begin, width)
            mean, inverse = means[i], inverses[i]
            for j in range(width):
                dscale[j] += da[j] * ((x[j] - mean) * inverse)
            for j in range(width):
                dshift[j] += da[j]

    return backward_weight


def build_backward_input(dtype):
    real = np.dtype(dtype).type

    def backward_input(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """dx = inverse (dx̂ − mean of dx̂ − x̂ · mean of dx̂ x̂), with dx̂ = da scale."""
        # forward: x̂ = (x − mean) inverse
        features = row[FEATURES]
        scale = view(parameters, row[SCALE], features)
        means, inverses = view(arena, row[MEAN], batch), view(arena, row[INVERSE], batch)
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            x, dx = view(arena, row[X] + i * features, features), view(arena, row[DA] + i * features, features)
            normalized = view(arena, row[A] + i * features, features)  # whoever reads a has done so by now
            mean, inverse = means[i], inverses[i]
            for j in range(features):
                normalized[j] = (x[j] - mean) * inverse
            for j in range(features):
                dx[j] *= scale[j]
            average = real(total(dx) / features)
            along = real(dot(dx, normalized) / features)
            for j in range(features):
                dx[j] = inverse * (dx[j] - average - normalized[j] * along)

    return backward_input


layer_norm_forward = Kernel("layer_norm_forward", build_forward, phase_arguments)
layer_norm_backward_weight = Kernel("layer_norm_backward_weight", build_backward_weight, phase_arguments)
layer_norm_backward_input = Kernel("layer_norm_backward_input", build_backward_input, phase_arguments)


def layer_norm_row(dtype, parts, *, x, a, da, mean, inverse, scale, features, epsilon):
    """The row of a layer normalisation; all are offsets and sizes but epsilon.

    mean, inverse: stretches of the arena, one number a sample each. scale: where it begins among the parameters, with shift
    behind it.
    """
    # the gradients of scale and shift first: da is gone once it is dx
    phases = {FORWARD: layer_norm_forward, BACKWARD_OUTPUT: layer_norm_backward_weight,
              BACKWARD_INPUT: layer_norm_backward_input}
    return make_row({phase: (kernel.address(dtype), parts) for phase, kernel in phases.items()},
                    {X: x, A: a, DA: da, MEAN: mean, INVERSE: inverse, SCALE: scale, FEATURES: features,
                     EPSILON: bits(epsilon)})
