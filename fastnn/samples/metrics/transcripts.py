"""Metrics of label sequences: y and predicted are lists with an array of labels for each sample.

    label_error_rate    Σ edits / Σ labels of y, counting edits (insertions, deletions, replacements) from y to predicted
    sequence_accuracy   fraction of sequences without an error
"""

import numpy as np

from ...kernels.interpreter.ctc import edit_distance


def label_error_rate(y, predicted):
    edits = sum(int(edit_distance(np.asarray(one, np.int64), np.asarray(other, np.int64)))
                for one, other in zip(y, predicted, strict=True))
    return edits / max(sum(map(len, y)), 1)


def sequence_accuracy(y, predicted):
    return float(np.mean([np.array_equal(one, other) for one, other in zip(y, predicted, strict=True)]))
