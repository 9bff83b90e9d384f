"""Labels from outputs: the most likely class of each sample, or for several probabilities whether each is at least 1/2."""

from ..compiling.jit import Kernel, integers, jit, view
from .table import NOT_FINITE, Kind

LABEL = Kind("label", "a", "positions", "out_features", "above_half")


@jit(cached=True)
def likeliest(out, labels):
    """labels (samples,) = argmax of each row of out (samples, classes).

    Returns the index of the first row that holds a NaN, or −1. From that row on, labels are not written.
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
    """labels (samples, outputs) = 1 where out (samples, outputs) ≥ 1/2, else 0; returns the same as `likeliest`."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            if out[i, j] != out[i, j]:
                return i
            labels[i, j] = 1 if out[i, j] >= 0.5 else 0
    return -1


def build_label(dtype):
    def label(row, call, part, parts):
        first, rows, out_features = call.first * row.positions, call.batch * row.positions, row.out_features
        a, labels = view(call.arena, row.a, (rows, out_features)), integers(call.outputs)
        if row.above_half != 0:
            unsound = above_half(a, view(labels, first * out_features, (rows, out_features)))
        else:
            unsound = likeliest(a, view(labels, first, rows))
        if unsound >= 0:
            view(call.found, 0, 2)[NOT_FINITE] = 1

    return label


label_kernel = Kernel("label", build_label, LABEL.arguments)


def label_row(dtype, *, a, positions, out_features, above_half):
    """Return the row that writes the labels of a batch to the outputs of the call, and reports samples without a label.

    A sample of a is (positions, out_features).
    """
    return LABEL.row({"forward": (label_kernel.address(dtype), 1)}, a=a, positions=positions, out_features=out_features,
                     above_half=above_half)
