"""Samples that a fit holds out for validation, a random fraction of them."""

from dataclasses import replace

import numpy as np

from ..checks import number_in_range, shown


def split_data(network, data, share):
    """Return (training Data, validation Data): the same split for every fit with as many samples.

    It depends on the seed of the network. Classes are represented in proportion.
    """
    share = number_in_range("validation_split", share, 0.0, 1.0)
    samples = len(data.X)
    labels = labels_of(network.objective.head, data) if not network.several_outputs else None
    order = np.random.default_rng([samples, network.seed or 0]).permutation(samples)
    held = held_out(order, labels, share)
    if not 0 < held.sum() < samples:
        raise ValueError(f"validation_split is {shown(share)}; of {samples} samples it leaves {samples - held.sum()} to "
                         f"train on and {held.sum()} to validate with: give another share, or validation_data=(X, y)")
    return replace(data, rows=np.flatnonzero(~held)), replace(data, rows=np.flatnonzero(held))


def labels_of(head, data):
    """Return the labels of samples of one class each; None of others."""
    return head.labels(data.targets) if head.one_label and not head.positions and data.targets.offsets is None else None


def held_out(order, labels, share):
    """Return which samples are held out (samples,): of each class, those at the first positions of a random order."""
    held = np.zeros(len(order), bool)
    groups = [order] if labels is None else [order[labels[order] == label] for label in np.unique(labels)]
    for group in groups:
        held[group[:round(share * len(group))]] = True
    if not held.any() and share > 0:  # classes so small that each rounds to none
        held[order[:max(1, round(share * len(order)))]] = True
    return held


def rows_alone(data):
    """Return Data of the chosen rows alone, for what reads all rows."""
    if data.rows is None:
        return data
    if isinstance(data.weights, list):  # those of each of several outputs
        weights = [rows_alone(each).weights for each in data.each]
    elif data.weights is None:
        weights = None
    else:
        weights = data.weights[data.rows] if data.targets.offsets is None else data.weights_of_steps()
    return replace(data, X=data.X[data.rows], targets=data.targets.part(data.rows), weights=weights, rows=None)
