"""Integer targets of an output, in calls from other compiled code: classes become one-hot rows, and one output values."""

import numpy as np

from ..compiling.jit import REAL, integer, jit, typed_pointer, view


@jit
def labels_fit(y, y_row, samples, classes):
    """Return whether all labels are from 0 to `classes` − 1. y: an address, with `y_row` bytes between labels."""
    for i in range(samples):
        label = integer(y + i * y_row, 0)
        if label < 0 or label >= classes:
            return False
    return True


def label_writer(dtype):
    """Return the compiled function that writes one-hot rows; for one output, the labels themselves."""
    number, real = typed_pointer(REAL[dtype]), np.dtype(dtype).type

    @jit
    def write_labels(targets, y, y_row, batch, outputs):
        targets_ = view(number(targets), 0, (batch, outputs))
        for i in range(batch):
            label = integer(y + i * y_row, 0)
            if outputs == 1:
                targets_[i, 0] = real(label)
            else:
                targets_[i] = 0
                targets_[i, label] = 1

    return write_labels
