"""Check of a small batch before its step: finite numbers, and labels and targets in their range, in one call."""

from numba import types

from ..compiling.jit import Kernel, pointer, view


def build(dtype):
    def check_batch(found, limits, x, x_size, y, y_size, labels, count, classes):
        """found[0] = how many numbers are refused. limits: the largest magnitude, the least and the largest target."""
        limit, x_, y_, labels_ = view(limits, 0, 3), view(x, 0, x_size), view(y, 0, y_size), view(labels, 0, count)
        refused = 0
        for i in range(x_size):
            refused += 0 if abs(x_[i]) <= limit[0] else 1
        for i in range(y_size):
            refused += 0 if limit[1] <= y_[i] <= limit[2] else 1
        for i in range(count):
            refused += 0 if 0 <= labels_[i] < classes else 1
        view(found, 0, 1)[0] = refused

    return check_batch


check_batch_kernel = Kernel(
    "check_batch", build,
    lambda dtype: (types.CPointer(types.int64), pointer(dtype), pointer(dtype), types.intp, pointer(dtype), types.intp,
                   types.CPointer(types.int64), types.intp, types.intp))
