"""Warnings of data that a network can learn from, but that are probably not meant so.

They look at no more than a thousand samples, evenly spaced, and at fewer where samples are large, to be done at once.
"""

import numpy as np

from ..checks.caller_warning import warn_caller

LARGE = 1000.0  # a number beyond it is far from unit size
UNSCALED_BYTES, FIRST = 100, 4  # larger bytes are no counts or classes; among so many layers the scaling one is looked for
SAMPLES, NUMBERS = 1000, 100_000  # of an array, so many are looked at
SCALED_BY = "Normalize", "BatchNorm", "LayerNorm", "GroupNorm", "Rescale", "Embedding"


def warn_of_doubts(network, data):
    """Warn of labels that are learned as numbers, of accuracies of a regression, and of numbers far from unit size."""
    if network.has_several or network.gives_steps:
        return
    head, values = network.objective.head, data.targets.values
    if values is not None and len(values):
        warn_of_targets(network, head, seen(values))
    if network.is_ragged or len(data.X) == 0:
        return
    if data.X.ndim != 2:
        warn_of_bytes(network, data.X)
        return
    largest = float(np.abs(seen(data.X)).max())
    if largest <= LARGE:
        return
    names = [type(layer).__name__ for layer in network.layers if not layer.is_view]
    if names and names[0] not in SCALED_BY and "Embedding" not in names:  # the number of a category may be large
        warn_caller(f"X holds numbers up to {largest:.3g}, far from unit size, with which training is slow or diverges; "
                    "scale its columns, or begin the network with Normalize(), which learns their means and deviations")


def warn_of_bytes(network, X):
    """Warn of images of bytes that no layer brings to unit size: the first steps are then enormous."""
    if X.dtype == np.uint8 and seen(X).max() > UNSCALED_BYTES:
        names = [type(layer).__name__ for layer in network.layers if not layer.is_view]
        if not set(names[:FIRST]) & {*SCALED_BY}:
            warn_caller("X holds bytes up to 255, with which training is slow or diverges; begin the network with "
                        "Rescale(1 / 255)")


def warn_of_targets(network, head, y):
    if head.kind == "values":
        if not head.positions and y.shape[1] == 1 and {0.0, 1.0} == {*np.unique(y).tolist()} \
                and network.objective.loss.name == "squared_error":
            warn_caller("y holds only 0 and 1, and this network learns values; for two classes, end it with "
                        "Dense(1, 'sigmoid')")
        if network.objective.loss.name == "hinge" and (y == 0).any():
            warn_caller("y holds 0, and the hinge loss takes labels -1 and 1, of which 0 is neither; give 2 * y - 1")
        largest = float(np.abs(y).max())
        if largest > LARGE and network.objective.loss.name == "squared_error":
            warn_caller(f"y holds values up to {largest:.3g}, far from unit size, and the loss is half their square: scale "
                        "them, such as (y - y.mean()) / y.std(), and scale the predictions back")
    elif head.targets == "values" and (y.min() < 0 or y.max() > 1):
        warn_caller(f"y ranges from {y.min():.4g} to {y.max():.4g}, and outputs after softmax or sigmoid lie between 0 and "
                    "1; scale y, such as y / 255 for bytes, or end the network with another activation")
    elif head.targets == "values" and np.mean((y > 0.01) & (y < 0.99)) > 0.5:
        warn_caller("y holds fractions between 0 and 1; the accuracy that is reported compares which side of 1/2 they are "
                    "on: for a regression read the loss, or use fastnn.Metric")


def seen(array):
    """Return the samples of a checked array that are looked at."""
    return array[::max(-(-len(array) // SAMPLES), array.size // NUMBERS, 1)]
