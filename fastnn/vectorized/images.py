"""Padding, up-sampling, rescaling and normalization of images in NumPy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..layers.windows import padding_of, per_axis
from ..naive.rungs import check_images
from .records import real


def zero_pad2d_forward(x: ArrayLike, padding) -> NDArray:
    """Pad images with zeros.

    Parameters
    ----------
    x : (batch, height, width, channels)
    padding : int, (int, int) or ((top, bottom), (left, right))

    Returns
    -------
    a : (batch, top + height + bottom, left + width + right, channels)

    Examples
    --------
    >>> zero_pad2d_forward([[[[1.0]]]], padding=((0, 0), (1, 2))).tolist()
    [[[[0.0], [1.0], [0.0], [0.0]]]]
    """
    x = real(x)
    check_images("x", x.shape)
    return np.pad(x, [(0, 0), *padding_of("padding", padding, 2, ()), (0, 0)])


def zero_pad2d_backward(da: ArrayLike, padding) -> NDArray:
    """Compute the gradient of `zero_pad2d_forward` from da: da without its padding."""
    da = real(da)
    (top, bottom), (left, right) = padding_of("padding", padding, 2, ())
    _, height, width, _ = check_images("da", da.shape, top + bottom + 1, left + right + 1)
    return da[:, top:height - bottom, left:width - right]


def up_sample2d_forward(x: ArrayLike, size) -> NDArray:
    """Repeat each pixel `size` times down and across.

    Parameters
    ----------
    x : (batch, height, width, channels)
    size : int or (int, int)

    Returns
    -------
    a : (batch, down · height, across · width, channels)

    Examples
    --------
    >>> up_sample2d_forward([[[[1.0], [2.0]]]], size=(1, 2)).tolist()
    [[[[1.0], [1.0], [2.0], [2.0]]]]
    """
    x = real(x)
    check_images("x", x.shape)
    down, across = per_axis("size", size, 2)
    return x.repeat(down, axis=1).repeat(across, axis=2)


def up_sample2d_backward(da: ArrayLike, size) -> NDArray:
    """Compute the gradient of `up_sample2d_forward` from da: for each pixel the sum over its copies.

    Examples
    --------
    >>> up_sample2d_backward([[[[1.0], [2.0], [3.0], [4.0]]]], size=(1, 2)).tolist()
    [[[[3.0], [7.0]]]]
    """
    da = real(da)
    down, across = per_axis("size", size, 2)
    batch, height, width, channels = check_images("da", da.shape, down, across, multiples=True)
    return da.reshape(batch, height // down, down, width // across, across, channels).sum(axis=(2, 4))


def rescale_forward(x: ArrayLike, scale: float, offset: float = 0.0) -> NDArray:
    """Compute scale · x + offset, elementwise.

    Examples
    --------
    >>> rescale_forward([[1.0, 2.0]], scale=10.0, offset=0.5)
    array([[10.5, 20.5]])
    """
    x = real(x)
    return x * x.dtype.type(scale) + x.dtype.type(offset)


def rescale_backward(da: ArrayLike, scale: float, offset: float = 0.0) -> NDArray:
    """Compute the gradient of `rescale_forward` from da: dx = scale · da."""
    da = real(da)
    return da * da.dtype.type(scale)


def normalize_forward(x: ArrayLike, mean: ArrayLike, scale: ArrayLike) -> NDArray:
    """Compute (x − mean) · scale for each channel. The channels are the last axis of x.

    Examples
    --------
    >>> normalize_forward([[3.0, 8.0]], mean=[1.0, 4.0], scale=[1.0, 0.5])
    array([[2., 2.]])
    """
    return (real(x) - real(mean)) * real(scale)


def normalize_backward(da: ArrayLike, scale: ArrayLike) -> NDArray:
    """Compute the gradient of `normalize_forward` from da: dx = scale · da, channel by channel."""
    return real(da) * real(scale)
