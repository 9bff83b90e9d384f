"""Group normalization as pure Python loops: a = scale · x̂ + shift, x̂ = (x − mean) / √(variance + epsilon)."""

import math

from .normalization import mean_and_variance
from .records import shape, to_lists
from .rungs import check_groups

Vector = list[float]
Samples = list[list[Vector]]


def statistics(sample: list[Vector], group: range) -> tuple[float, float]:
    """Return the mean and the variance of a group of channels over all pixels of a sample."""
    return mean_and_variance([pixel[c] for pixel in sample for c in group])


def group_norm_forward(x: Samples, scale: Vector, shift: Vector, groups: int, epsilon: float = 1e-5) -> Samples:
    """Normalize groups of channels of each sample (Wu and He 2018).

    Parameters
    ----------
    x : (batch, pixels, channels)
    scale, shift : (channels,)
    groups : int
        Adjacent channels form a group; it divides the number of channels.
    epsilon : float

    Returns
    -------
    a : (batch, pixels, channels)

    Examples
    --------
    >>> group_norm_forward([[[1.0, 5.0], [3.0, 9.0]]], scale=[1.0, 10.0], shift=[0.0, 5.0], groups=2, epsilon=0.0)
    [[[-1.0, -5.0], [1.0, 15.0]]]
    """
    x, scale, shift = to_lists(x), to_lists(scale), to_lists(shift)
    size = check_groups(shape(x), groups, scale=shape(scale), shift=shape(shift))
    a = [[[0.0] * len(pixel) for pixel in sample] for sample in x]
    for i in range(len(x)):
        for g in range(groups):
            group = range(g * size, (g + 1) * size)
            mean, variance = statistics(x[i], group)
            for p in range(len(x[i])):
                for c in group:
                    a[i][p][c] = scale[c] * (x[i][p][c] - mean) / math.sqrt(variance + epsilon) + shift[c]
    return a


def group_norm_backward(da: Samples, x: Samples, scale: Vector, groups: int,
                        epsilon: float = 1e-5) -> tuple[Samples, Vector, Vector]:
    """Compute the gradients of `group_norm_forward` from da.

    dscale = Σ da x̂,  dshift = Σ da over samples and pixels; and with dx̂ = da scale, in each group of a sample
    dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / √(variance + epsilon)

    Parameters
    ----------
    da, x : (batch, pixels, channels)
    scale : (channels,)
    groups : int
    epsilon : float

    Returns
    -------
    dx : (batch, pixels, channels)
    dscale, dshift : (channels,)

    Examples
    --------
    >>> group_norm_backward([[[1.0], [2.0]]], x=[[[1.0], [3.0]]], scale=[1.0], groups=1, epsilon=0.0)
    ([[[0.0], [0.0]]], [1.0], [3.0])
    """
    da, x, scale = to_lists(da), to_lists(x), to_lists(scale)
    size = check_groups(shape(x), groups, da=shape(da), scale=shape(scale))
    channels = len(scale)
    dx = [[[0.0] * channels for _ in sample] for sample in x]
    dscale, dshift = [0.0] * channels, [0.0] * channels
    for i in range(len(x)):
        for g in range(groups):
            group = range(g * size, (g + 1) * size)
            mean, variance = statistics(x[i], group)
            deviation = math.sqrt(variance + epsilon)
            average = along = 0.0
            for p in range(len(x[i])):
                for c in group:
                    normalized = (x[i][p][c] - mean) / deviation
                    dscale[c] += da[i][p][c] * normalized
                    dshift[c] += da[i][p][c]
                    average += da[i][p][c] * scale[c] / (size * len(x[i]))
                    along += da[i][p][c] * scale[c] * normalized / (size * len(x[i]))
            for p in range(len(x[i])):
                for c in group:
                    normalized = (x[i][p][c] - mean) / deviation
                    dx[i][p][c] = (da[i][p][c] * scale[c] - average - normalized * along) / deviation
    return dx, dscale, dshift
