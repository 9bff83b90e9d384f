"""Zeros for the gradients of parameters that a step does not change, so that they do not count in the norm."""

from ..compiling.jit import Kernel, view
from ..interpreter.table import Kind

CLEAR = Kind("clear", "start", "size")


def build_clear(dtype):
    def clear(row, call, part, parts):
        view(call.gradients, row.start, row.size)[:] = 0

    return clear


clear_kernel = Kernel("clear", build_clear, CLEAR.arguments)


def clear_row(dtype, *, start, size):
    """Return the row that sets the gradient of `size` parameters from element `start` to 0."""
    return CLEAR.row({"backward_first": (clear_kernel.address(dtype), 1)}, start=start, size=size)
