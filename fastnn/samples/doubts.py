"""Warnings of data that a network can learn from, but that are probably not meant so.

They look at no more than a thousand samples, evenly spaced, and at fewer where samples are large, to be done at once.
"""

import numpy as np

from ..checks.caller_warning import warn_caller

LARGE = 1000.0  # a number beyond it is far from unit size
UNSCALED_BYTES, FIRST = 100, 4  # larger bytes are no counts or classes; among so many layers the scaling one is looked for
SAMPLES, NUMBERS = 1000, 100_000  # of an array, so many are looked at
RANGES = {"tanh": (-1.0, 1.0), "relu": (0.0, np.inf), "softplus": (0.0, np.inf)}  # of the last activation
BETWEEN = {"tanh": "between -1 and 1", "relu": "above 0", "softplus": "above 0"}
MANY = 0.1  # of the targets, from which on a warning is given
SLIDING = "Conv2D", "DepthwiseConv2D", "MaxPool2D", "AveragePool2D"
SIDE = 16  # images of one or three channels have at least so many pixels across
SCALED_BY = "Normalize", "BatchNorm", "LayerNorm", "GroupNorm", "Rescale", "Embedding"


def warn_of_doubts(network, data):
    """Warn of labels that are learned as numbers, of accuracies of a regression, and of numbers far from unit size."""
    warn_of_unread(network, data.targets.each if network.several_outputs else [data.targets])
    if network.has_several or network.gives_steps:
        return
    head, values = network.objective.head, data.targets.values
    if values is not None and len(values):
        warn_of_targets(network, head, seen(values))
    if network.is_ragged or len(data.X) == 0:
        return
    if data.X.ndim != 2:
        warn_of_bytes(network, data.X)
        warn_of_channels(network, data.X.shape[1:])
        return
    largest = float(np.abs(seen(data.X)).max())
    if largest <= LARGE:
        return
    names = [type(layer).__name__ for layer in network.layers if not layer.is_view]
    if names and names[0] not in SCALED_BY and "Embedding" not in names:  # the number of a category may be large
        warn_caller(f"X holds numbers up to {largest:.3g}, far from unit size, with which training is slow or diverges; "
                    "scale its columns, or begin the network with Normalize(), which learns their means and deviations")


def warn_of_unread(network, targets):
    """Warn of targets of a loss that has none, other than zeros, which may have been given for want of any."""
    for head, of_it in zip(network.heads, targets, strict=True):
        if head.targets == "none" and of_it.values is not None and seen(of_it.values).any():
            warn_caller("the loss 'output' takes no targets, so y is not read and changes nothing: give y=None, or another "
                        "loss if y is what the outputs should be")


def warn_of_order(X, y):
    """Warn of a data frame and a column whose rows have the same labels in another order."""
    mine, other = getattr(X, "index", None), getattr(y, "index", None)
    if callable(mine) or not hasattr(mine, "equals") or not hasattr(other, "equals") or len(mine) != len(other):
        return
    if mine.is_unique and not mine.equals(other) and mine.sort_values().equals(other.sort_values()):
        warn_caller("the rows of y have the labels of those of X in another order, and row k of y is taken for that of X: "
                    "give y.loc[X.index], or y.to_numpy() if the order is meant")


def warn_of_lone_samples(network, batch_size):
    """Warn of batches of one sample, which is its own mean, so that BatchNorm gives its shift for any sample."""
    if batch_size == 1 and any(type(layer).__name__ == "BatchNorm" and len(shape) == 1
                               for layer, shape in zip(network.layers, network.graph.taken, strict=True)):
        warn_caller("batch_size is 1, and BatchNorm subtracts the mean of a batch, so nothing is left of a sample: give a "
                    "larger batch_size, or use LayerNorm()")


def warn_of_bytes(network, X):
    """Warn of images of bytes that no layer brings to unit size: the first steps are then enormous."""
    some = seen(X)
    if UNSCALED_BYTES < some.max() <= 255 and some.min() >= 0 and (X.dtype == np.uint8 or (some == np.floor(some)).all()):
        names = [type(layer).__name__ for layer in network.layers if not layer.is_view]
        if not set(names[:FIRST]) & {*SCALED_BY}:
            warn_caller("X holds bytes up to 255, with which training is slow or diverges; begin the network with "
                        "Rescale(1 / 255)")


def warn_of_channels(network, shape):
    """Warn of images and series whose channels seem to come first, as in PyTorch: there would be no pixels to slide over."""
    first = network.layers[0]
    if len(shape) == 3 and type(first).__name__ in SLIDING:
        height, width, channels = shape
        if height in (1, 3) and min(width, channels) >= SIDE and max(width, channels) <= 2 * min(width, channels):
            warn_caller(f"X holds images of height {height}, width {width} and {channels} channels, which look as if their "
                        f"channels came first: if they do, give X.transpose(0, 2, 3, 1) to a network with inputs="
                        f"{(width, channels, height)}")
    elif len(shape) == 2 and type(first).__name__ == "Conv1D":
        steps, features = shape
        if first.kernel_size[0] > steps and features > 2 * steps:
            warn_caller(f"X holds series of {steps} steps and {features} features, shorter than the kernel of {first!r}: if "
                        f"the steps are its last axis, give X.transpose(0, 2, 1) to a network with inputs="
                        f"{(features, steps)}")


def warn_of_targets(network, head, y):
    if head.targets == "none":
        return
    if head.kind == "values":
        if not head.positions and y.shape[1] == 1 and {0.0, 1.0} == {*np.unique(y).tolist()} \
                and network.objective.loss.name == "squared_error":
            warn_caller("y holds only 0 and 1, and this network learns values; for two classes, end it with "
                        "Dense(1, 'sigmoid')")
        if network.objective.loss.name == "hinge" and (y == 0).any():
            warn_caller("y holds 0, and the hinge loss takes labels -1 and 1, of which 0 is neither; give 2 * y - 1")
        last = network.graph.last_layers[0].activation
        lowest, highest = RANGES.get(last, (-np.inf, np.inf))
        out_of_reach = float(np.mean((y < lowest) | (y > highest)))
        if out_of_reach > MANY:
            warn_caller(f"y ranges from {y.min():.4g} to {y.max():.4g}, and outputs after {last} lie "
                        f"{BETWEEN[last]}: {out_of_reach:.0%} of y cannot be reached; end the network "
                        f"with Dense({y.shape[-1]}), or scale y")
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
