"""Sample weights: those that are given, and those that follow from class weights."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..checks import real_number, shown
from .arrays import any_array, check_finite, real_array
from .series.sequences import Sequences


def sample_weights(weights, samples, dtype, name="sample_weight", positions=()):
    """Return weights (samples,), none negative, not all zero; None stays None.

    positions: the shape of the positions of the outputs; weights may then be (samples, *positions).
    """
    if weights is None:
        return None
    weights = any_array(name, weights)
    if weights.shape not in ((samples,), (samples, *positions)):
        other = f", or {(samples, *positions)} for a weight of each position" if positions else ""
        raise ValueError(f"{name} has shape {weights.shape}; X has {samples} samples, so it must be ({samples},){other}")
    weights = real_array(name, weights, dtype)
    check_finite(name, weights)
    if weights.min() < 0 or not 0 < weights.sum(dtype=np.float64) < math.inf:
        raise ValueError(f"{name} must not be negative anywhere, nor add up to zero or to infinity; give weights about 1")
    return weights


def class_factors(class_weight, labels, classes, weights=None):
    """Return the factor of each sample by its label, from "balanced" or a mapping of class to weight, with default 1.

    "balanced" gives every class the same total weight: samples / (classes · samples of the class). With weights (samples,),
    a sample counts as many times as its weight.
    """
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, weights, minlength=classes)
        return (counts.sum() / (classes * np.where(counts > 0, counts, 1)))[labels]
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight is {shown(class_weight)}; it must be 'balanced' or a dict of class to weight, such "
                         f"as {dict.fromkeys(range(min(classes, 3)), 1.0)}")
    for label, weight in class_weight.items():
        if label not in range(classes):
            raise ValueError(f"class_weight names class {shown(label)}; the classes must be from 0 to {classes - 1}")
        if not 0 <= real_number(weight) < math.inf:
            raise ValueError(f"class_weight[{label!r}] is {shown(weight)}; it must be a finite number of zero or more")
    return np.array([class_weight.get(label, 1.0) for label in range(classes)], np.float64)[labels]


def weights_of_rows(head, class_weight, data, rows):
    """Return the weights of Data of one output, multiplied by those of their classes, in an array for all samples or steps.

    rows: the numbers of the samples that a fit uses, or None for all; their weights are those of a fit on them alone.
    """
    if rows is None:
        return data.weights if class_weight is None else head.apply_class_weight(class_weight, data.targets, data.weights,
                                                                                 data.dtype)
    offsets = data.targets.offsets  # of targets at steps
    chosen = data.weights
    if chosen is not None:
        chosen = chosen[rows] if offsets is None else replace(data, rows=rows).weights_of_steps()
        if not chosen.any():
            raise ValueError("sample_weight is zero for all of a member's rows; give it others")
    if class_weight is None:
        return data.weights
    of_rows = head.apply_class_weight(class_weight, data.targets.part(rows), chosen, data.dtype)
    places = rows if offsets is None else Sequences(np.arange(offsets[-1]), offsets)[rows].steps
    weights = np.zeros((len(data.X) if offsets is None else offsets[-1], *of_rows.shape[1:]), data.dtype)
    weights[places] = of_rows
    return weights
