"""Dropout as pure Python loops."""

from itertools import count

from ..kernels.layers.dropout import GAMMA, threshold
from .records import Matrix, each_number, to_lists

WORD = 2**64 - 1  # all bits of a word


def mix(word: int) -> int:
    """The mixing function of SplitMix64 (Steele, Lea and Flood 2014), on words of 64 bits."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & WORD
    return word ^ (word >> 31)


def dropout_forward(x: Matrix, rate: float, word: int) -> Matrix:
    """Set numbers to 0 at random, each with probability `rate`, and divide the others by 1 − rate.

    Which, depends on the word and on a number's place: number e, counted row by row, is dropped if the upper half of
    mix(mix(word) + (e + 1) γ) is below rate · 2³².

    Parameters
    ----------
    x : (batch, features), or of any other shape
    rate : float
        From 0 up to, but not including, 1.
    word : int
        Of 64 bits.

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

    return each_number(drop, to_lists(x))


def dropout_backward(da: Matrix, rate: float, word: int) -> Matrix:
    """Push da back through `dropout_forward`: dx is 0 where it dropped, da / (1 − rate) elsewhere.

    Parameters
    ----------
    da : (batch, features), or of any other shape
    rate, word
        As for `dropout_forward`.

    Returns
    -------
    dx : as da
    """
    return dropout_forward(da, rate, word)
