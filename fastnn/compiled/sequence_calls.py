"""Layers over time as functions for Python: each runs as a network of one row, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.layers.sequences.last_step import last_step_row
from ..naive.rungs import check_offsets
from ..runtime.threads import NUMBERS_PER_PART, parts, resolve_threads
from .arguments import place, real_arrays, run_phase

empty = np.empty


def axis_of(offsets):
    """Return the record of an axis, as rows of the table read it: the number of rows, of samples, and the offsets."""
    return np.array([offsets[-1], len(offsets) - 1, *offsets], np.int64)


def run(row, phase, axis, size, threads):
    run_phase(row, phase, int(axis[1]), parts(size, NUMBERS_PER_PART, resolve_threads(threads)), size)


def axis_place(axis, dtype):
    """Return the position of an axis as an offset in elements of `dtype`."""
    return place(axis.view(dtype))


def last_step_forward(x, offsets, threads=None):
    """Take the last step of each sequence: a (sequences, features).

    Examples
    --------
    >>> last_step_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [3.0]]
    """
    dtype, x = real_arrays(x=x)
    axis = axis_of(check_offsets(offsets, len(x), least=1))
    a = empty((int(axis[1]), x.shape[1]), dtype)
    row = last_step_row(dtype, 1, axis=axis_place(axis, dtype), x=place(x), a=place(a), features=x.shape[1])
    run(row, "forward", axis, x.size, threads)
    return a


def last_step_backward(da, offsets, threads=None):
    """Compute the gradient of `last_step_forward` from da: dx (steps, features).

    Examples
    --------
    >>> last_step_backward([[5.0], [6.0]], offsets=[0, 2, 3]).tolist()
    [[0.0], [5.0], [6.0]]
    """
    dtype, da = real_arrays(da=da)
    axis = axis_of(check_offsets(offsets, least=1, sequences=len(da)))
    dx = empty((int(axis[0]), da.shape[1]), dtype)
    row = last_step_row(dtype, 1, axis=axis_place(axis, dtype), x=0, a=0, dx=place(dx), da=place(da), features=da.shape[1])
    run(row, "backward_first", axis, dx.size, threads)
    return dx
