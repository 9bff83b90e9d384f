"""From outputs to labels: the likeliest class of each sample, or for each of several probabilities which side of a half."""

from .batch import ABOVE_HALF, NOT_FINITE, OUT_DATA, OUT_FEATURES, A
from .jit import Kernel, integers, jit, view
from .table import FORWARD, make_row, phase_arguments


@jit(cached=True)
def likeliest(out, labels):
    """labels (samples,) = the first of the largest numbers of each row of out (samples, classes).

    Returns the number of the first row that holds a NaN, from which on there are no labels, or −1.
    """
    for i in range(out.shape[0]):
        label = 0
        for j in range(out.shape[1]):
            if out[i, j] != out[i, j]:
                return i
            if out[i, j] > out[i, label]:
                label = j
        labels[i] = label
    return -1


@jit(cached=True)
def above_half(out, labels):
    """labels (samples, outputs) = 1 where out (samples, outputs) is at least a half, else 0; returns as `likeliest` does."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            if out[i, j] != out[i, j]:
                return i
            labels[i, j] = 1 if out[i, j] >= 0.5 else 0
    return -1


def build_label(dtype):
    def label(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        out_features, data = row[OUT_FEATURES], integers(row[OUT_DATA])
        out = view(arena, row[A], (batch, out_features))
        if row[ABOVE_HALF] != 0:
            unsound = above_half(out, view(data, first * out_features, (batch, out_features)))
        else:
            unsound = likeliest(out, view(data, first, batch))
        if unsound >= 0:
            view(integers(row[NOT_FINITE]), 0, 1)[0] = 1

    return label


label_kernel = Kernel("label", build_label, phase_arguments)


def label_row(dtype, *, a, out_features, out_data, not_finite, above_half):
    """The row that leaves the labels of a batch in the array at address `out_data`, and sets a flag where there are none."""
    return make_row({FORWARD: (label_kernel.address(dtype), 1)},
                    {A: a, OUT_FEATURES: out_features, OUT_DATA: out_data, NOT_FINITE: not_finite, ABOVE_HALF: above_half})
