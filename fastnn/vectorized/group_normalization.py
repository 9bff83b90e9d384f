"""Group normalization in NumPy: a = scale · x̂ + shift, x̂ = (x − mean) / √(variance + epsilon)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..naive.rungs import check_groups
from .records import real


def normalized(x: NDArray, groups: int, epsilon: float) -> tuple[NDArray, NDArray]:
    """Return x̂ and the standard deviations, with an axis of groups: (batch, pixels, groups, channels of a group)."""
    grouped = x.reshape(*x.shape[:2], groups, -1)
    mean, variance = grouped.mean(axis=(1, 3), keepdims=True), grouped.var(axis=(1, 3), keepdims=True)
    deviation = np.sqrt(variance + epsilon)
    return (grouped - mean) / deviation, deviation


def group_norm_forward(x: ArrayLike, scale: ArrayLike, shift: ArrayLike, groups: int, epsilon: float = 1e-5) -> NDArray:
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
    array([[[-1., -5.],
            [ 1., 15.]]])
    """
    x, scale, shift = real(x), real(scale), real(shift)
    check_groups(x.shape, groups, scale=scale.shape, shift=shift.shape)
    return normalized(x, groups, epsilon)[0].reshape(x.shape) * scale + shift


def group_norm_backward(da: ArrayLike, x: ArrayLike, scale: ArrayLike, groups: int,
                        epsilon: float = 1e-5) -> tuple[NDArray, NDArray, NDArray]:
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
    >>> dx, dscale, dshift = group_norm_backward([[[1.0], [2.0]]], x=[[[1.0], [3.0]]], scale=[1.0], groups=1, epsilon=0.0)
    >>> dx.tolist(), dscale.tolist(), dshift.tolist()
    ([[[0.0], [0.0]]], [1.0], [3.0])
    """
    da, x, scale = real(da), real(x), real(scale)
    check_groups(x.shape, groups, da=da.shape, scale=scale.shape)
    hat, deviation = normalized(x, groups, epsilon)
    dhat = (da * scale).reshape(hat.shape)
    average, along = (each.mean(axis=(1, 3), keepdims=True) for each in (dhat, dhat * hat))
    dx = ((dhat - average - hat * along) / deviation).reshape(x.shape)
    return dx, (da * hat.reshape(x.shape)).sum(axis=(0, 1)), da.sum(axis=(0, 1))
