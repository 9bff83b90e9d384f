"""Whether all numbers of an array are finite, at the speed of memory and with nothing allocated."""

import numpy as np
from numba import types

from .jit import DTYPES, Kernel, pointer, view


def build(dtype):
    largest = np.finfo(dtype).max

    def count_not_finite(found, values, size):
        values_, count = view(values, 0, size), 0
        for i in range(size):
            count += 0 if abs(values_[i]) <= largest else 1
        view(found, 0, 1)[0] = count

    return count_not_finite


kernel = Kernel("count_not_finite", build, lambda dtype: (types.CPointer(types.int64), pointer(dtype), types.intp))


def all_finite(array):
    """Whether a C-contiguous array holds neither NaN nor infinity."""
    dtype = array.dtype.name
    if dtype not in DTYPES:
        return True
    found = np.zeros(1, np.int64)
    kernel(dtype, found, array, array.size)
    return found[0] == 0
