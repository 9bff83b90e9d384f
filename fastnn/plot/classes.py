"""Labels of samples, for the pictures of what a classifier says."""

import numpy as np

from .names import of_network


def true_labels(picture, net, X, y):
    """The class of each sample (samples,), 0 … classes − 1, from labels, one-hot targets or probabilities."""
    of_network(net)
    if not net.is_classifier or (net._loss.targets == "binary" and net.outputs > 1):
        kind = "several sigmoid outputs, each with classes of its own" if net.is_classifier else "values for outputs"
        raise ValueError(f"{picture} is of a classifier with one class a sample; this network has {kind}: end it with "
                         "Dense(classes, 'softmax'), or with Dense(1, 'sigmoid') for two")
    y = net._data(X, y).targets
    if y.labels is not None:
        return y.labels
    return y.values.argmax(axis=1) if net.outputs > 1 else (y.values[:, 0] >= 0.5).astype(np.int64)
