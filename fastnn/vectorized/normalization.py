"""Normalization in NumPy: a = scale · x̂ + shift, x̂ = (x − mean) / √(variance + epsilon)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..naive.rungs import check_batch, check_features
from .records import real


def batch_norm_predict(x: ArrayLike, scale: ArrayLike, shift: ArrayLike, mean: ArrayLike, variance: ArrayLike,
                       epsilon: float = 1e-5) -> NDArray:
    """Normalize each feature by a given mean and variance, as `fastnn.BatchNorm` in prediction.

    Parameters
    ----------
    x : (batch, features)
    scale, shift, mean, variance : (features,)
    epsilon : float

    Returns
    -------
    a : (batch, features)

    Examples
    --------
    >>> batch_norm_predict([[3.0]], scale=[10.0], shift=[1.0], mean=[1.0], variance=[4.0], epsilon=0.0)
    array([[11.]])
    """
    x, scale, shift, mean, variance = map(real, (x, scale, shift, mean, variance))
    check_features(x.shape, scale=scale.shape, shift=shift.shape, mean=mean.shape, variance=variance.shape)
    return scale * (x - mean) / np.sqrt(variance + epsilon) + shift


def batch_norm_forward(x: ArrayLike, scale: ArrayLike, shift: ArrayLike, epsilon: float = 1e-5) -> NDArray:
    """Normalize each feature over the batch (Ioffe and Szegedy 2015, algorithm 1).

    Parameters
    ----------
    x : (batch, features)
        At least two samples.
    scale, shift : (features,)
    epsilon : float

    Returns
    -------
    a : (batch, features)

    Examples
    --------
    >>> batch_norm_forward([[1.0], [3.0]], scale=[10.0], shift=[5.0], epsilon=0.0)
    array([[-5.],
           [15.]])
    """
    x = real(x)
    check_batch(x.shape)
    return batch_norm_predict(x, scale, shift, x.mean(axis=0), x.var(axis=0), epsilon)


def batch_norm_backward(da: ArrayLike, x: ArrayLike, scale: ArrayLike,
                        epsilon: float = 1e-5) -> tuple[NDArray, NDArray, NDArray]:
    """Compute the gradients of `batch_norm_forward` from da; its mean and variance depend on x too.

    dscale = Σᵢ daᵢ x̂ᵢ,  dshift = Σᵢ daᵢ,  dx = scale / √(variance + epsilon) · (da − dshift / m − x̂ dscale / m)

    Parameters
    ----------
    da, x : (batch, features)
    scale : (features,)
    epsilon : float

    Returns
    -------
    dx : (batch, features)
    dscale, dshift : (features,)

    Examples
    --------
    >>> dx, dscale, dshift = batch_norm_backward([[1.0], [2.0]], x=[[1.0], [3.0]], scale=[10.0], epsilon=0.0)
    >>> dx.tolist(), dscale.tolist(), dshift.tolist()
    ([[0.0], [0.0]], [1.0], [3.0])
    """
    da, x, scale = real(da), real(x), real(scale)
    check_batch(x.shape)
    check_features(x.shape, scale=scale.shape, da=da.shape[1:])
    deviation = np.sqrt(x.var(axis=0) + epsilon)
    normalized = (x - x.mean(axis=0)) / deviation
    dscale, dshift = (da * normalized).sum(axis=0), da.sum(axis=0)
    return scale / deviation * (da - dshift / len(x) - normalized * dscale / len(x)), dscale, dshift


def batch_norm_running(mean: ArrayLike, variance: ArrayLike, x: ArrayLike,
                       momentum: float = 0.9) -> tuple[NDArray, NDArray]:
    """Update running statistics: running ← momentum · running + (1 − momentum) · that of the batch.

    The variance of the batch is unbiased here, divided by m − 1 (Ioffe and Szegedy 2015, algorithm 2).

    Parameters
    ----------
    mean, variance : (features,)
    x : (batch, features)
        At least two samples.
    momentum : float

    Returns
    -------
    mean, variance : (features,)

    Examples
    --------
    >>> batch_norm_running([0.0], [1.0], x=[[1.0], [3.0]], momentum=0.5)
    (array([1.]), array([1.5]))
    """
    mean, variance, x = real(mean), real(variance), real(x)
    check_batch(x.shape)
    check_features(x.shape, mean=mean.shape, variance=variance.shape)
    return (momentum * mean + (1 - momentum) * x.mean(axis=0),
            momentum * variance + (1 - momentum) * x.var(axis=0, ddof=1))


def layer_norm_forward(x: ArrayLike, scale: ArrayLike, shift: ArrayLike, epsilon: float = 1e-5) -> NDArray:
    """Normalize each sample over its features (Ba, Kiros and Hinton 2016).

    Parameters
    ----------
    x : (batch, features)
    scale, shift : (features,)
    epsilon : float

    Returns
    -------
    a : (batch, features)

    Examples
    --------
    >>> layer_norm_forward([[1.0, 3.0]], scale=[10.0, 1.0], shift=[5.0, 0.0], epsilon=0.0)
    array([[-5.,  1.]])
    """
    x, scale, shift = real(x), real(scale), real(shift)
    check_features(x.shape, scale=scale.shape, shift=shift.shape)
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + epsilon)
    return scale * (x - x.mean(axis=1, keepdims=True)) / deviation + shift


def layer_norm_backward(da: ArrayLike, x: ArrayLike, scale: ArrayLike,
                        epsilon: float = 1e-5) -> tuple[NDArray, NDArray, NDArray]:
    """Compute the gradients of `layer_norm_forward` from da.

    dscale = Σᵢ daᵢ x̂ᵢ,  dshift = Σᵢ daᵢ; and with dx̂ = da scale, in each row
    dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / √(variance + epsilon)

    Parameters
    ----------
    da, x : (batch, features)
    scale : (features,)
    epsilon : float

    Returns
    -------
    dx : (batch, features)
    dscale, dshift : (features,)

    Examples
    --------
    >>> dx, dscale, dshift = layer_norm_backward([[1.0, 2.0]], x=[[1.0, 3.0]], scale=[1.0, 1.0], epsilon=0.0)
    >>> dx.tolist(), dscale.tolist(), dshift.tolist()
    ([[0.0, 0.0]], [-1.0, 2.0], [1.0, 2.0])
    """
    da, x, scale = real(da), real(x), real(scale)
    check_features(x.shape, scale=scale.shape, da=da.shape[1:])
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + epsilon)
    normalized = (x - x.mean(axis=1, keepdims=True)) / deviation
    dnormalized = da * scale
    along = (dnormalized * normalized).mean(axis=1, keepdims=True)
    dx = (dnormalized - dnormalized.mean(axis=1, keepdims=True) - normalized * along) / deviation
    return dx, (da * normalized).sum(axis=0), da.sum(axis=0)
