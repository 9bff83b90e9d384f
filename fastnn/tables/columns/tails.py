"""The limit of standardized numbers: 5 standard deviations, or more for a column with a long tail.

A typing error (a stone of 59 mm among stones of 5 mm) is far from all training data, and a single such row would outweigh
all others in a prediction. Values in a long tail are as far out, but valid. The two differ in the gaps: a tail continues in
small steps, an error is a single large step.

In a tail with P(size > s) ~ s^(-1/h), the logarithms of the i-th largest size and the next differ by h / i times an
exponential random number with mean 1 (Renyi 1953); h is estimated from the sizes that follow (Hill 1975). The tail ends
before the first step, from the mean outward, that is too large for this distribution. In prediction the limit is larger: by
a step that one tail in twenty has, and at most twice as far.

If no size exceeds 5, the limit is 5.
"""

import math

import numpy as np

LIMIT = 5.0  # standard deviations
FEWEST = 10  # sizes for the estimate of a step; for many rows, the root of their number
SURPRISE = 12.0  # a step that is larger than expected by this factor has probability exp(-12)
RARE = 3.0  # a step that is larger than expected by this factor has probability exp(-3)
BEYOND = 2.0  # largest limit, relative to the end of the tail


def reach(sizes):
    """Return the limit for numbers whose distances from the mean, in standard deviations, are `sizes`."""
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
    first = leaps[-1] + 1 if len(leaps) else 0  # no size from here on is beyond a leap
    return LIMIT if first == far else float(descending[first]) * min(BEYOND, math.exp(RARE * h[first]))
