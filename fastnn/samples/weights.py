"""Sample weights: those that are given, and those that follow from class weights."""

import math
from collections.abc import Mapping

import numpy as np

from ..checks import real_number, shown
from .arrays import any_array, check_finite, real_array


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
        raise ValueError(f"class_weight is {shown(class_weight)}; it must be 'balanced' or a dict of class to weight")
    for label, weight in class_weight.items():
        if label not in range(classes):
            raise ValueError(f"class_weight names class {shown(label)}; the classes must be from 0 to {classes - 1}")
        if not 0 <= real_number(weight) < math.inf:
            raise ValueError(f"class_weight[{label!r}] is {shown(weight)}; it must be a finite number of zero or more")
    return np.array([class_weight.get(label, 1.0) for label in range(classes)], np.float64)[labels]
