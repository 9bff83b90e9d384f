"""Dropout in NumPy."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels.layers.randomness.dropout import GAMMA, threshold
from .records import real


def mix(word: NDArray) -> NDArray:
    """Return the mixing function of SplitMix64 (Steele, Lea and Flood 2014) of uint64 arrays, which wrap around."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def dropout_forward(x: ArrayLike, rate: float, word: int, channels: bool = False) -> NDArray:
    """Set elements to 0 at random, each with probability `rate`, and divide the others by 1 − rate.

    Element e, counted in C order, is dropped if the upper half of
    mix(mix(word) + (e + 1) γ) is below rate · 2³².

    Parameters
    ----------
    x : (batch, features), or of any other shape
    rate : float
        In [0, 1).
    word : int
        A 64-bit integer.
    channels : bool
        Whether to drop whole channels, the last axis of x; all pixels of one use e = sample · channels + channel.

    Returns
    -------
    a : as x

    Examples
    --------
    >>> dropout_forward([[1.0, 1.0], [1.0, 1.0]], rate=0.5, word=5)
    array([[0., 2.],
           [2., 2.]])
    """
    x = real(x)
    drawn = (len(x), *[1] * (x.ndim - 2), x.shape[-1]) if channels else x.shape
    places = np.arange(1, math.prod(drawn) + 1, dtype=np.uint64).reshape(drawn)
    draws = mix(mix(np.array([word], np.uint64)) + places * np.uint64(GAMMA)) >> np.uint64(32)
    return np.where(draws < threshold(rate), 0, x * x.dtype.type(1 / (1 - rate)))


def dropout_backward(da: ArrayLike, rate: float, word: int, channels: bool = False) -> NDArray:
    """Compute the gradient of `dropout_forward` from da: 0 where it dropped, da / (1 − rate) elsewhere.

    Parameters
    ----------
    da : (batch, features), or of any other shape
    rate, word, channels
        As for `dropout_forward`.

    Returns
    -------
    dx : as da
    """
    return dropout_forward(da, rate, word, channels)
