"""Checks the gradient of a step before anything changes.

A gradient is sound if Σ |g| ≤ SOUND; a gradient with NaN or infinity is not. The check is fast, because the gradient is
still in the cache, and it guarantees that the update does not overflow (see `fastnn.fitting.safe_steps`). If a gradient is
not sound, it is either not finite, and the step is refused, or large, and the step is repeated in a way that can be undone.

The order of the additions in Σ |g| does not matter, because a step with a large gradient gives the same bits either way.
"""

import numpy as np

from ..compiling.jit import Kernel, integer, jit, view
from ..compiling.record import FLOATS
from ..compiling.share import share
from ..interpreter.table import GRADIENT, LARGE, NOT_FINITE, Kind

# used: address of the numbers of the rows to check, after their count, the others being 0; or 0 for all rows
WATCH = Kind("watch", "start", "rows", "columns", "used", limit=FLOATS)
SOUND = {"float32": 1e13, "float64": 1e100}
EXACT = -1.0  # in place of SOUND: check each element, and report only those that are not finite


@jit(any_order=True)
def sum_of_magnitudes(x):
    total = abs(x[0])
    for i in range(1, len(x)):
        total += abs(x[i])
    return total


def build_watch(dtype):
    largest, real = np.finfo(dtype).max, np.dtype(dtype).type

    def watch(row, call, part, parts):
        begin, end = share(row.rows if row.used == 0 else integer(row.used, 0), part, parts, 1)
        size, limit, total = (end - begin) * row.columns, view(row.limit, 0, 1), real(0.0)
        if row.used == 0:
            gradient = view(call.gradients, row.start + begin * row.columns, size)
            if size == 0 or sum_of_magnitudes(gradient) <= real(limit[0]):
                return
        else:
            for k in range(begin, end):
                own = view(call.gradients, row.start + integer(row.used, 1 + k) * row.columns, row.columns)
                total += sum_of_magnitudes(own)
            if total <= real(limit[0]):
                return
            gradient = view(call.gradients, row.start, row.rows * row.columns)
        found = view(call.found, 0, 2)  # parts that write here write the same value
        if limit[0] >= 0.0:
            found[LARGE] = 1
        for i in range(len(gradient)):
            if not abs(gradient[i]) <= largest:
                found[NOT_FINITE] = GRADIENT

    return watch


watch_kernel = Kernel("watch", build_watch, WATCH.arguments)


def watch_row(dtype, *, limit, start, rows, columns, parts, used=0):
    """Return the row that checks the gradient of a matrix (rows, columns) from parameter `start`, in the parts of its
    update.

    limit: address of a float64, SOUND or EXACT.
    """
    return WATCH.row({"backward_third": (watch_kernel.address(dtype), parts)}, start=start, rows=rows, columns=columns,
                     limit=limit, used=used)
