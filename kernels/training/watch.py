"""The watch over a step: its gradient is checked before anything changes.

A gradient is sound if Σ |g| ≤ SOUND; one with NaN or infinity is not. The check is cheap, since the gradient is still in the
cache, and enough to know that the update overflows nowhere: `fastnn.fitting.safe_steps` says why. A gradient that is not
sound is either not finite, and the step is refused, or only large, and the step is repeated in a way that can be undone.

The order in which Σ |g| is added up does not matter: a large gradient takes another way to the same bits.
"""

import numpy as np

from ..compiling.jit import Kernel, jit, view
from ..compiling.record import FLOATS
from ..compiling.share import share
from ..interpreter.table import GRADIENT, LARGE, NOT_FINITE, Kind

WATCH = Kind("watch", "start", "rows", "columns", limit=FLOATS)
SOUND = {"float32": 1e13, "float64": 1e100}
EXACT = -1.0  # in place of SOUND: look at each number, and find only what is not finite


@jit(any_order=True)
def sum_of_sizes(x):
    total = abs(x[0])
    for i in range(1, len(x)):
        total += abs(x[i])
    return total


def build_watch(dtype):
    largest, real = np.finfo(dtype).max, np.dtype(dtype).type

    def watch(row, call, part, parts):
        begin, end = share(row.rows, part, parts, 1)
        size, limit = (end - begin) * row.columns, view(row.limit, 0, 1)
        gradient = view(call.gradients, row.start + begin * row.columns, size)
        if size == 0 or sum_of_sizes(gradient) <= real(limit[0]):
            return
        found = view(call.found, 0, 2)  # all parts that write, write the same
        if limit[0] >= 0.0:
            found[LARGE] = 1
        for i in range(size):
            if not abs(gradient[i]) <= largest:
                found[NOT_FINITE] = GRADIENT

    return watch


watch_kernel = Kernel("watch", build_watch, WATCH.arguments)


def watch_row(dtype, *, limit, start, rows, columns, parts):
    """The row that watches the gradient of a matrix (rows, columns) from parameter `start` on, cut as its update is.

    limit: the address of a float64, SOUND or EXACT.
    """
    return WATCH.row({"backward_third": (watch_kernel.address(dtype), parts)}, start=start, rows=rows, columns=columns,
                     limit=limit)
