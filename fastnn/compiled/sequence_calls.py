"""Layers over time as functions for Python. A call makes the row that training makes of the layer, and runs it alone.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.layers.sequences.embedding import embedding_row
from ..kernels.layers.sequences.last_step import last_step_row
from ..kernels.layers.sequences.pool_over_time import average_over_time_row, max_over_time_row
from ..naive.rungs import check_offsets, check_tokens
from ..runtime.threads import NUMBERS_PER_PART, parts, resolve_threads
from .arguments import cut_phase, place, real_arrays

empty = np.empty


def run_over_time(row, phase, batch, size, threads, gradients=0):
    cut_phase(row, phase, batch, parts(size, NUMBERS_PER_PART, resolve_threads(threads)), size, gradients)


def axis_of(offsets):
    """Return the record of an axis, as rows of the table read it: the number of rows, of samples, and the offsets."""
    return np.array([offsets[-1], len(offsets) - 1, *offsets], np.int64)


def axis_place(axis, dtype):
    """Return the position of an axis as an offset in elements of `dtype`."""
    return place(axis.view(dtype))


class Steps:
    """The axis of sequences with these offsets, for functions of one dtype."""

    def __init__(self, dtype, offsets):
        self.rows, self.sequences = offsets[-1], len(offsets) - 1
        self.record = axis_of(offsets)
        self.place = axis_place(self.record, dtype)

    def forward(self, make_row, dtype, x, threads, **operands):
        a = empty((self.sequences, x.shape[1]), dtype)
        row = make_row(dtype, 1, axis=self.place, x=place(x), a=place(a), features=x.shape[1], **operands)
        run_over_time(row, "forward", self.sequences, x.size, threads)
        return a

    def backward(self, make_row, dtype, da, threads, **operands):
        dx = empty((self.rows, da.shape[1]), dtype)
        row = make_row(dtype, 1, axis=self.place, x=0, a=0, dx=place(dx), da=place(da), features=da.shape[1], **operands)
        run_over_time(row, "backward_first", self.sequences, dx.size, threads)
        return dx


def last_step_forward(x, offsets, threads=None):
    """Take the last step of each sequence: a (sequences, features).

    Examples
    --------
    >>> last_step_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [3.0]]
    """
    dtype, x = real_arrays(x=x)
    return Steps(dtype, check_offsets(offsets, len(x), least=1)).forward(last_step_row, dtype, x, threads)


def last_step_backward(da, offsets, threads=None):
    """Compute the gradient of `last_step_forward` from da: dx (steps, features).

    Examples
    --------
    >>> last_step_backward([[5.0], [6.0]], offsets=[0, 2, 3]).tolist()
    [[0.0], [5.0], [6.0]]
    """
    dtype, da = real_arrays(da=da)
    return Steps(dtype, check_offsets(offsets, least=1, sequences=len(da))).backward(last_step_row, dtype, da, threads)


def average_over_time_forward(x, offsets, threads=None):
    """Compute the mean of the steps of each sequence: a (sequences, features).

    Examples
    --------
    >>> average_over_time_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[1.5], [3.0]]
    """
    dtype, x = real_arrays(x=x)
    return Steps(dtype, check_offsets(offsets, len(x), least=1)).forward(average_over_time_row, dtype, x, threads)


def average_over_time_backward(da, offsets, threads=None):
    """Compute the gradient of `average_over_time_forward` from da: dx (steps, features).

    Examples
    --------
    >>> average_over_time_backward([[4.0], [6.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [2.0], [6.0]]
    """
    dtype, da = real_arrays(da=da)
    steps = Steps(dtype, check_offsets(offsets, least=1, sequences=len(da)))
    return steps.backward(average_over_time_row, dtype, da, threads)


def max_over_time_forward(x, offsets, threads=None):
    """Compute the maximum of the steps of each sequence: a (sequences, features).

    Examples
    --------
    >>> max_over_time_forward([[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[2.0], [3.0]]
    """
    dtype, x = real_arrays(x=x)
    return Steps(dtype, check_offsets(offsets, len(x), least=1)).forward(max_over_time_row, dtype, x, threads)


def max_over_time_backward(da, x, offsets, threads=None):
    """Compute the gradient of `max_over_time_forward` from da: dx (steps, features).

    Examples
    --------
    >>> max_over_time_backward([[5.0], [6.0]], [[1.0], [2.0], [3.0]], offsets=[0, 2, 3]).tolist()
    [[0.0], [5.0], [6.0]]
    """
    dtype, da, x = real_arrays(da=da, x=x)
    steps = Steps(dtype, check_offsets(offsets, len(x), least=1, sequences=len(da)))
    kept, scratch = np.zeros(da.shape, np.int64), np.zeros(1, dtype)
    operands = {"kept": place(kept.view(dtype)), "dx": place(scratch), "da": place(scratch)}
    steps.forward(max_over_time_row, dtype, x, threads, **operands)  # finds the maxima
    return steps.backward(max_over_time_row, dtype, da, threads, kept=operands["kept"])


def embedding_forward(x, weight, threads=None):
    """Take the row of the weight that belongs to each token: a (positions, features).

    Examples
    --------
    >>> embedding_forward([2, 0, 2], weight=[[1.0], [2.0], [3.0]]).tolist()
    [[3.0], [1.0], [3.0]]
    """
    dtype, weight = real_arrays(weight=weight)
    tokens = np.array(check_tokens(x, len(weight)), np.int32)
    a = empty((len(tokens), weight.shape[1]), dtype)
    row = embedding_row(dtype, 1, x=address(tokens) // weight.itemsize, a=place(a), weight=place(weight),
                        tokens=len(weight), features=weight.shape[1])
    run_over_time(row, "forward", len(tokens), a.size, threads)
    return a


def embedding_backward(da, x, tokens, threads=None):
    """Compute the gradient of `embedding_forward` from da: dweight (tokens, features).

    Examples
    --------
    >>> embedding_backward([[1.0], [10.0], [100.0]], [2, 0, 2], tokens=3).tolist()
    [[10.0], [0.0], [101.0]]
    """
    dtype, da = real_arrays(da=da)
    given = np.array(check_tokens(x, tokens, len(da)), np.int32)
    dweight = empty((tokens, da.shape[1]), dtype)
    row = embedding_row(dtype, 1, x=address(given) // da.itemsize, a=0, da=place(da), weight=0, tokens=tokens,
                        features=da.shape[1])
    run_over_time(row, "backward_first", len(given), da.size, threads, gradients=address(dweight))
    return dweight
