"""Layer normalization of each sample: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch, features); scale, shift (features,); mean, inverse (batch,); C-contiguous. Mean and variance are those of a
sample over its features (Ba, Kiros and Hinton 2016). Backward replaces da by dx in place.
"""

import math

import numpy as np

from ...compiling.jit import Kernel, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...elementwise.sums import dot, total
from ...interpreter.table import Kind
from ...processor.target import vector_lanes

LAYER_NORM = Kind(
    "layer_norm",
    "x", "a", "da", "mean", "inverse",  # in the arena
    "scale", "shift",  # among the parameters
    "pixels", "features",
    epsilon=FLOAT,
)


def build_forward(dtype):
    real = np.dtype(dtype).type

    def layer_norm_forward(row, call, part, parts):
        features, batch = row.features, call.batch * row.pixels
        scale, shift = view(call.parameters, row.scale, features), view(call.parameters, row.shift, features)
        means, inverses = view(call.arena, row.mean, batch), view(call.arena, row.inverse, batch)
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            x, a = view(call.arena, row.x + i * features, features), view(call.arena, row.a + i * features, features)
            mean = real(total(x) / features)
            for j in range(features):
                a[j] = x[j] - mean
            left = real(total(a) / features)  # the rounding error of the mean (Chan, Golub and LeVeque 1983)
            variance = max(dot(a, a) / features - left * left, 0.0)
            inverse = real(1.0 / math.sqrt(variance + row.epsilon))
            for j in range(features):
                a[j] = (a[j] - left) * inverse * scale[j] + shift[j]
            means[i], inverses[i] = mean + left, inverse

    return layer_norm_forward


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def backward_weight(row, call, part, parts):
        """dshift = Σ da, dscale = Σ da x̂, over the samples in order; each part has its own features."""
        # forward: a = scale x̂ + shift
        features, batch = row.features, call.batch * row.pixels
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        dscale, dshift = view(call.gradients, row.scale + begin, width), view(call.gradients, row.shift + begin, width)
        means, inverses = view(call.arena, row.mean, batch), view(call.arena, row.inverse, batch)
        if call.accumulate == 0:
            dscale[:], dshift[:] = 0, 0
        for i in range(batch):
            x = view(call.arena, row.x + i * features + begin, width)
            da = view(call.arena, row.da + i * features + begin, width)
            mean, inverse = means[i], inverses[i]
            for j in range(width):
                dscale[j] += da[j] * ((x[j] - mean) * inverse)
            for j in range(width):
                dshift[j] += da[j]

    return backward_weight


def build_backward_input(dtype):
    real = np.dtype(dtype).type

    def backward_input(row, call, part, parts):
        """dx = inverse (dx̂ − mean of dx̂ − x̂ · mean of dx̂ x̂), with dx̂ = da scale."""
        # forward: x̂ = (x − mean) inverse
        features, batch = row.features, call.batch * row.pixels
        scale = view(call.parameters, row.scale, features)
        means, inverses = view(call.arena, row.mean, batch), view(call.arena, row.inverse, batch)
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            x, dx = view(call.arena, row.x + i * features, features), view(call.arena, row.da + i * features, features)
            normalized = view(call.arena, row.a + i * features, features)  # overwrites a, which is not read again
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


layer_norm_forward = Kernel("layer_norm_forward", build_forward, LAYER_NORM.arguments)
layer_norm_backward_weight = Kernel("layer_norm_backward_weight", build_backward_weight, LAYER_NORM.arguments)
layer_norm_backward_input = Kernel("layer_norm_backward_input", build_backward_input, LAYER_NORM.arguments)


def layer_norm_row(dtype, parts, *, x, a, da, mean, inverse, scale, features, epsilon, pixels=1):
    """Return the row of a layer normalization; all arguments except epsilon are offsets and sizes.

    mean, inverse: one element of the arena for each sample. scale: offset in the parameters; shift follows it.
    """
    # the gradients of scale and shift come first, because dx overwrites da
    phases = {"forward": layer_norm_forward, "backward_first": layer_norm_backward_weight,
              "backward_second": layer_norm_backward_input}
    return LAYER_NORM.row({phase: (kernel.address(dtype), parts) for phase, kernel in phases.items()},
                          x=x, a=a, da=da, mean=mean, inverse=inverse, scale=scale, shift=scale + features,
                          features=features, epsilon=epsilon, pixels=pixels)
