"""Codes of the positions of steps, in pure Python loops."""

import math
from itertools import pairwise

from .records import to_lists
from .rungs import check_offsets


def positional_encoding_forward(x, offsets):
    """Add to each step of a sequence the sines and cosines of its position (Vaswani et al. 2017).

    Feature 2k of step t gets sin(t / 10000^(2k / features)), feature 2k + 1 the cosine. The gradient of x is that of the
    result.

    Parameters
    ----------
    x : (steps, features)
    offsets : (sequences + 1,)

    Returns
    -------
    a : (steps, features)

    Examples
    --------
    >>> positional_encoding_forward([[0.0, 0.0], [0.0, 0.0]], offsets=[0, 1, 2])
    [[0.0, 1.0], [0.0, 1.0]]
    """
    x, offsets = to_lists(x), check_offsets(offsets, len(x))
    a = []
    for begin, end in pairwise(offsets):
        for t in range(end - begin):
            row = x[begin + t]
            angles = [t * math.exp(-math.log(10000.0) * (j - j % 2) / len(row)) for j in range(len(row))]
            codes = [math.cos(angle) if j % 2 else math.sin(angle) for j, angle in enumerate(angles)]
            a.append([number + code for number, code in zip(row, codes, strict=True)])
    return a
