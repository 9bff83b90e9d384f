"""Dropout as pure Python loops."""

from itertools import count

from ..kernels.layers.randomness.dropout import GAMMA, threshold
from .records import Matrix, each_number, each_row, shape, to_lists

WORD = 2**64 - 1  # all bits of a word


def mix(word: int) -> int:
    """Return the mixing function of SplitMix64 (Steele, Lea and Flood 2014) of a 64-bit word."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & WORD
    return word ^ (word >> 31)


def dropout_forward(x: Matrix, rate: float, word: int, channels: bool = False) -> Matrix:
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
    [[0.0, 2.0], [2.0, 2.0]]
    """
    begin, places = mix(word), count(1)

    def drop(number):
        draw = mix((begin + next(places) * GAMMA) & WORD) >> 32
        return 0.0 if draw < threshold(rate) else number / (1 - rate)

    if channels:
        factors = [[drop(1.0) for _ in range(shape(sample)[-1])] for sample in to_lists(x)]
        return [each_row(lambda row, own=own: [a * b for a, b in zip(row, own, strict=True)], [sample])[0]
                for sample, own in zip(to_lists(x), factors, strict=True)]
    return each_number(drop, to_lists(x))


def dropout_backward(da: Matrix, rate: float, word: int, channels: bool = False) -> Matrix:
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
