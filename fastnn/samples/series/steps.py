"""Targets and weights of networks with outputs at each step of sequences.

Targets are sequences as long as the outputs: `Sequences`, or a list with an array for each. A step whose label is −1, or
whose weight is 0, does not count: neither in the loss nor in the metrics. The loss is the mean over all steps that count, or
with mean="sequences" the mean over sequences of the means over their steps: then the weights of a sequence's steps sum to
its own.
"""

import numpy as np

from ..arrays import any_array, check_finite, real_array
from ..positions import NOT_COUNTED
from ..targets import Targets, check_probabilities, class_labels
from ..weights import sample_weights
from .ragged import read
from .sequences import Sequences


def step_targets(head, y, lengths, dtype):
    """Return y as the Targets of steps, one after the other, where the outputs of samples have these numbers of steps."""
    if axes_of(y) == 0:
        if len(y) == lengths.sum() != len(lengths):
            raise ValueError(f"y has {len(y)} targets in a row, as many as X has steps in all; say which belong to which "
                             "sequence: Sequences.of_lengths(y, lengths)")
        raise ValueError("y has one target for each sequence, and this network has outputs at each step; for one output a "
                         "sequence put LastStep() or GlobalAveragePool() before the last layer, or make the last recurrent "
                         "layer without return_sequences=True")
    labels = head.takes_labels and axes_of(y) == 1
    found = read(y, () if labels else (head.taken,), name="y")
    check_lengths("y", "target", found, lengths)
    if found.values.shape[1:] not in ((), (head.taken,)) or (found.values.ndim == 1) != labels:
        form = "labels" if labels else f"{head.taken} values for each step"
        raise ValueError(f"y has steps of shape {found.values.shape[1:]}; this network takes {form}")
    if len(found.steps) == 0:
        raise ValueError("y has no steps, since all sequences are empty, so none counts; give some that are not")
    counted = None
    if labels:
        own = class_labels(found.steps, head.outputs, least=NOT_COUNTED)
        counted = own != NOT_COUNTED
        if not counted.any():
            raise ValueError("y is -1 at every step, so none counts; give labels to some")
        own, counted = (own, None) if counted.all() else (np.where(counted, own, 0), counted)
        return Targets(own, None, counted, offsets_of(lengths))
    values = real_array("y", found.steps, dtype)
    if np.isnan(values).any():
        number = found.number_at(int(np.argwhere(np.isnan(values))[0, 0]))
        raise ValueError(f"y[{number}] holds nan; where a step has no target, give it any number, such as 0, and the weight "
                         "0 in sample_weight, sequences of a weight for each step")
    check_finite("y", values)
    if head.targets != "values":
        if head.targets != "classes" and (values == NOT_COUNTED).any():
            raise ValueError("y is -1 at some steps, which says that they do not count only before softmax; give these "
                             "steps 0 or 1, and the weight 0 in sample_weight, sequences of a weight for each step")
        check_probabilities(values, head.targets)
    return Targets(None, head.columns(values), None, offsets_of(lengths))


def refuse_step_targets(y, lengths):
    """Refuse targets of steps for a network that has one row of outputs for each sequence."""
    if not isinstance(y, Sequences):
        if not isinstance(y, (list, tuple)) or len(y) != len(lengths) or (lengths == lengths[0]).all():
            return
        if not all(np.ndim(own) and len(own) == steps for own, steps in zip(y, lengths, strict=True)):
            return
    raise ValueError("y has a target for each step, and this network has one for each sequence; for outputs at each step "
                     "leave out the layer that makes one row of a sequence, or give it return_sequences=True")


def axes_of(y):
    """Return the number of axes of one sequence of y, as its first one with a step has it."""
    if isinstance(y, Sequences):
        return y.values.ndim
    if isinstance(y, np.ndarray) and y.dtype.kind != "O":
        return y.ndim - 1
    return next((np.ndim(each) for each in y if np.size(each)), 1) if isinstance(y, (list, tuple, np.ndarray)) else 1


def check_lengths(name, what, found, lengths):
    """Refuse sequences that do not have a step for each step of the outputs."""
    if len(found) != len(lengths):
        raise ValueError(f"{name} has {len(found)} sequences; X has {len(lengths)}, and {name} must have as many")
    wrong = np.flatnonzero(found.lengths != lengths)
    if wrong.size:
        number = int(wrong[0])
        raise ValueError(f"{name}[{number}] has {found.lengths[number]} steps; the outputs for X[{number}] have "
                         f"{lengths[number]}, so it must have a {what} for each: for padded arrays give "
                         f"Sequences.from_padded({name}, lengths)")


def offsets_of(lengths):
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def step_weights(weights, targets, dtype, mean="steps"):
    """Return the weights (steps,) of all steps, 0 where targets do not count; None if all are 1.

    weights: (samples,) for sequences, or sequences of a weight for each step, or None. mean: "steps" or "sequences".
    """
    found = weights_of_steps(weights, targets, dtype)
    if mean == "steps":
        return found
    lengths = np.diff(targets.offsets)
    number = np.repeat(np.arange(len(lengths)), lengths)  # the sequence of each step
    found = np.ones(len(number)) if found is None else found.astype(np.float64)
    totals = np.bincount(number, found, len(lengths))
    own = np.ones(len(lengths)) if weights is None or are_of_steps(weights) else np.asarray(weights, np.float64)
    return (found * (own / np.where(totals > 0, totals, 1))[number]).astype(dtype)


def are_of_steps(weights):
    """Return whether weights are those of steps, not of sequences."""
    return isinstance(weights, Sequences) or axes_of(weights) == 1 or any_array("sample_weight", weights).ndim != 1


def weights_of_steps(weights, targets, dtype):
    """Return the weights (steps,) as they are given, 0 where targets do not count; None if all are 1."""
    lengths, counted = np.diff(targets.offsets), targets.counted
    if weights is None:
        return None if counted is None else counted.astype(dtype)
    if are_of_steps(weights):
        found = read(weights, (), name="sample_weight")
        check_lengths("sample_weight", "weight", found, lengths)
        found = sample_weights(found.steps, len(found.steps), dtype)
    else:
        found = np.repeat(sample_weights(weights, len(lengths), dtype), lengths)
    if counted is None:
        return found
    if not (found * counted).any():
        raise ValueError("sample_weight is 0 wherever y is not -1, so no step counts; give weights to some")
    return found * counted
