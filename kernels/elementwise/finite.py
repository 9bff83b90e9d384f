"""Check whether all elements of an array are finite, or within a limit, at the speed of memory and without allocating."""

import numpy as np
from numba import types

from ..compiling.jit import DTYPE_NAMES, Kernel, pointer, view

LARGEST = {dtype: np.finfo(dtype).max for dtype in DTYPE_NAMES}
SLICE = 1 << 22  # elements between two checks for Ctrl-C: a few milliseconds, or about 0.1 s from a disk


def build(dtype):
    def count_beyond(found, values, size, limit):
        values_, count, limit_ = view(values, 0, size), 0, view(limit, 0, 1)[0]
        for i in range(size):
            count += 0 if abs(values_[i]) <= limit_ else 1
        view(found, 0, 1)[0] = count

    return count_beyond


kernel = Kernel("count_beyond", build,
                lambda dtype: (types.CPointer(types.int64), pointer(dtype), types.intp, pointer(dtype)))


def all_finite(array):
    """Return whether a C-contiguous array holds neither NaN nor infinity."""
    return array.dtype not in DTYPE_NAMES or all_within(LARGEST[array.dtype], array)


def all_within(limit, array):
    """Return whether −limit ≤ x ≤ limit for all x of a C-contiguous array of float32 or float64."""
    found, bound, numbers = np.zeros(1, np.int64), np.array([limit], array.dtype), array.reshape(-1)
    for start in range(0, numbers.size, SLICE):
        few = numbers[start:start + SLICE]
        kernel(DTYPE_NAMES[array.dtype], found, few, few.size, bound)
        if found[0] > 0:
            return False
    return True
