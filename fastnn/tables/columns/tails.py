"""How far the numbers of a column count: up to 5 standard deviations from their mean, or as far as a long tail reaches.

A slip of the pen (a stone of 59 mm among those of 5) lies where the network has learned nothing, and a single such row
would outweigh all others in what is predicted. A long tail lies as far out, and is what the column says. The two differ in
how they get there: a tail step by step, a slip in one leap.

In a tail with P(size > s) ~ s^(-1/h), the logarithms of the i-th largest size and the next differ by h / i times a number
that is distributed exponentially with mean 1 (Renyi 1953); h is estimated from the sizes that follow (Hill 1975). The tail
ends before the first step, seen from the mean, that is too large for that. What is predicted for may lie farther out: by a
step that one tail in twenty has, and at most twice as far.

Where nothing lies beyond 5, nothing depends on this.
"""

import math

import numpy as np

LIMIT = 5.0  # standard deviations
FEWEST = 10  # sizes that a step is compared with; of many rows the root of their number
SURPRISE = 12.0  # a step that many times as large as expected has a chance of exp(-12)
RARE = 3.0  # a step that many times as large as expected has a chance of exp(-3)
BEYOND = 2.0  # times as far as the tail


def reach(sizes):
    """The limit for numbers whose distances from the mean, in standard deviations, are `sizes`."""
    far = int((sizes > LIMIT).sum())
    compared = min(max(FEWEST, math.isqrt(len(sizes))), len(sizes) - far)
    if not far or not compared:
        return LIMIT
    descending = np.maximum(np.sort(sizes)[::-1], np.finfo(np.float64).tiny)
    logs = np.log(descending[:far + compared])
    steps = np.arange(1, far + 1) * (logs[:far] - logs[1:far + 1])
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    h = (sums[1 + compared:] - sums[1:far + 1]) / compared - logs[compared:]
    leaps = np.flatnonzero(steps > SURPRISE * h)
    first = leaps[-1] + 1 if len(leaps) else 0  # of the sizes from here on, none is behind a leap
    return LIMIT if first == far else float(descending[first]) * min(BEYOND, math.exp(RARE * h[first]))
