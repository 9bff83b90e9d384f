"""Connectionist temporal classification as functions for Python: the row of the table of a network, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.interpreter.axes import AS_LABELS, AS_NUMBERS, SOURCE
from ..kernels.interpreter.ctc import ctc_loss_row
from ..kernels.interpreter.steps import SOURCES, TARGETS, WEIGHTS
from ..kernels.interpreter.table import LOSSES, RESULTS
from ..kernels.losses.ctc import LINES, stride_of
from ..naive.rungs import check_transcripts
from ..runtime.threads import NUMBERS_A_STATE, NUMBERS_PER_PART, parts, resolve_threads
from .arguments import place, real_arrays, run_once
from .sequence_calls import axis_of, axis_place


def ctc_loss(z, offsets, labels, label_offsets, weights=None, threads=None):
    """Compute the mean over the sequences of −log of the probability that a path reads as the labels.

    Examples
    --------
    >>> import numpy as np
    >>> loss = ctc_loss(np.zeros((2, 3)), offsets=[0, 2], labels=[1], label_offsets=[0, 1])
    >>> round(float(np.exp(-loss)) * 9, 9)
    3.0
    """
    return loss_and_gradient(z, offsets, labels, label_offsets, weights, threads)[0]


def ctc_loss_gradient(z, offsets, labels, label_offsets, weights=None, threads=None):
    """Compute the gradient of `ctc_loss` in z.

    Examples
    --------
    >>> import numpy as np
    >>> ctc_loss_gradient(np.zeros((2, 3)), offsets=[0, 2], labels=[1], label_offsets=[0, 1])[0].round(6).tolist()
    [0.0, -0.333333, 0.333333]
    """
    return loss_and_gradient(z, offsets, labels, label_offsets, weights, threads)[1]


def loss_and_gradient(z, offsets, labels, label_offsets, weights, threads):
    """Return (loss, dz)."""
    dtype, z = real_arrays(z=z)
    offsets, labels, label_offsets, weights = check_transcripts(z.shape, offsets, labels, label_offsets, weights)
    samples, stride = len(offsets) - 1, stride_of(max(np.diff(label_offsets)))
    labels, label_offsets = np.array(labels, np.int64), np.array(label_offsets, np.int64)
    weights, dz, axis, results = np.array(weights, dtype), np.empty_like(z), axis_of(offsets), np.zeros((RESULTS, samples))
    sources = np.zeros(SOURCES, SOURCE.dtype)
    sources[TARGETS] = address(labels), address(label_offsets), AS_LABELS, 0
    sources[WEIGHTS] = address(weights), 0, AS_NUMBERS, 0
    memory = [np.empty(size) for size in ((len(z), stride), (len(z) + 1,), (samples, LINES, stride))]
    places = dict(zip(("alphas", "normalizers", "lines"), (place(each.view(dtype)) for each in memory), strict=True))
    count = parts(NUMBERS_A_STATE * len(z) * stride, NUMBERS_PER_PART, resolve_threads(threads))
    row = ctc_loss_row(dtype, count, axis=axis_place(axis, dtype), scores=place(z), gradient=place(dz), stride=stride,
                       out_features=z.shape[1], normalize=True, **places)
    run_once(row, "forward", count, NUMBERS_A_STATE * len(z) * stride, results=address(results), capacity=samples,
             batch=samples, sources=address(sources))
    return float(results[LOSSES].sum()), dz
