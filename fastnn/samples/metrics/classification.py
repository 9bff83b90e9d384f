"""Metrics of labels and probabilities.

    precision           true positives / samples that are predicted to be of the class
    recall              true positives / samples of the class
    f1                  2 precision · recall / (precision + recall)
    iou, mean_iou       true positives / samples that are of the class or predicted to be (intersection over union)
    balanced_accuracy   mean recall over the classes in y
    auc                 probability that a sample of the class scores above another, ties counting half (area under ROC)
    top_k               fraction of samples whose label is among the k most likely

For two classes, precision, recall, f1 and iou are those of class 1, and auc that of its probability; mean_iou is the mean
over both. For more classes, and for several independent labels, they are means over the classes, each against the rest. A
class that is in neither y nor the predictions is ignored. Precision, recall and f1 are 0 instead of 0/0.

Outputs at positions, such as pixels, count as one sample each.
"""

from functools import partial

import numpy as np


def counts(y, predicted, classes):
    """Return, for each class, the numbers of true positives, of predictions, and of samples; (3, classes)."""
    if y.ndim == 2:  # independent labels
        return np.array([(y & predicted).sum(axis=0), predicted.sum(axis=0), y.sum(axis=0)])
    right = y[y == predicted]
    return np.array([np.bincount(each, minlength=classes) for each in (right, predicted, y)])


def ratio(over, under):
    """Return over / under, 0 where both are 0."""
    return np.divide(over, under, out=np.zeros(len(over)), where=under > 0)


def mean_of_classes(values, present, y, classes):
    """Return the value of class 1 for two classes, otherwise the mean over those that are present."""
    if y.ndim == 2:
        return values.mean()
    return values[1] if classes == 2 else values[present].mean()


def precision(y, predicted, classes):
    right, said, there = counts(y, predicted, classes)
    return mean_of_classes(ratio(right, said), said + there > 0, y, classes)


def recall(y, predicted, classes):
    right, said, there = counts(y, predicted, classes)
    return mean_of_classes(ratio(right, there), said + there > 0, y, classes)


def f1(y, predicted, classes):
    right, said, there = counts(y, predicted, classes)
    return mean_of_classes(ratio(2 * right, said + there), said + there > 0, y, classes)


def overlaps(y, predicted, classes):
    """Return the intersection over union of each class, and whether it is in y or the predictions."""
    right, said, there = counts(y, predicted, classes)
    return ratio(right, said + there - right), said + there > 0


def iou(y, predicted, classes):
    values, present = overlaps(y, predicted, classes)
    return mean_of_classes(values, present, y, classes)


def mean_iou(y, predicted, classes):
    values, present = overlaps(y, predicted, classes)
    return values[present].mean()


def balanced_accuracy(y, predicted, classes):
    right, _, there = counts(y, predicted, classes)
    return ratio(right, there)[there > 0].mean()


def auc(y, outputs, classes):
    """Return the mean over the classes that some but not all samples have; NaN if there are none."""
    if y.ndim == 2:
        areas = [area(y[:, k] == 1, outputs[:, k]) for k in range(y.shape[1])]
    elif classes == 2:
        areas = [area(y == 1, outputs[:, -1])]
    else:
        areas = [area(y == k, outputs[:, k]) for k in range(classes)]
    areas = [each for each in areas if not np.isnan(each)]
    return np.mean(areas) if areas else np.nan


def area(inside, scores):
    """Return the fraction of pairs, one sample inside and one outside, in which the one inside has the higher score."""
    pairs = int(inside.sum()) * int((~inside).sum())
    if pairs == 0:
        return np.nan
    _, place, alike = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(alike) - (alike - 1) / 2  # tied scores get their mean rank
    least = inside.sum() * (inside.sum() + 1) / 2
    return float((ranks[place.reshape(-1)][inside].sum() - least) / pairs)


def top(y, outputs, classes, k):
    own = outputs[np.arange(len(y)), y][:, None]
    earlier = np.arange(classes) < y[:, None]  # of equal probabilities, the first is the predicted label
    return np.mean(((outputs > own) | ((outputs == own) & earlier)).sum(axis=1) < k)


def top_k(k):
    return partial(top, k=k)
