"""Padding, up-sampling, rescaling and normalization of images in NumPy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import one_of
from ..layers.windows import check_reflection, padding_of, per_axis
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


def pad2d_forward(x: ArrayLike, padding, mode="constant", value=0.0) -> NDArray:
    """Pad images with a number, or with their own pixels.

    Parameters
    ----------
    x : (batch, height, width, channels)
    padding : int, (int, int) or ((top, bottom), (left, right))
    mode : {"constant", "edge", "reflect", "wrap"}
        As in `numpy.pad`.
    value : float, default 0
        The number for "constant".

    Returns
    -------
    a : (batch, top + height + bottom, left + width + right, channels)

    Examples
    --------
    >>> pad2d_forward([[[[1.0], [2.0]]]], ((0, 0), (1, 2)), "wrap").tolist()
    [[[[2.0], [1.0], [2.0], [1.0], [2.0]]]]
    """
    x, sides = real(x), padding_of("padding", padding, 2, ())
    one_of("mode", mode, ("constant", "edge", "reflect", "wrap"))
    check_reflection("this padding", mode, check_images("x", x.shape)[1:3], sides)
    return np.pad(x, [(0, 0), *sides, (0, 0)], mode, **({"constant_values": value} if mode == "constant" else {}))


def pad2d_backward(da: ArrayLike, padding, mode="constant") -> NDArray:
    """Compute the gradient of `pad2d_forward` from da: for each pixel the sum over its copies."""
    da = real(da)
    (top, bottom), (left, right) = sides = padding_of("padding", padding, 2, ())
    batch, height, width, channels = check_images("da", da.shape, top + bottom + 1, left + right + 1)
    numbers = np.arange((height - top - bottom) * (width - left - right), dtype=float)
    numbers = numbers.reshape(1, height - top - bottom, width - left - right, 1)
    places = pad2d_forward(numbers, sides, mode, -1.0)[0, :, :, 0].astype(int)  # of each pixel of a in x
    dx, inside = np.zeros((batch, numbers.size, channels), da.dtype), places >= 0
    np.add.at(dx, (slice(None), places[inside]), da[:, inside])
    return dx.reshape(batch, *numbers.shape[1:3], channels)


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
