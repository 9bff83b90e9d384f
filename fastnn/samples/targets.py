"""Targets, as arrays that kernels can read."""

from dataclasses import dataclass

import numpy as np

from ..checks import shown
from .arrays import check_finite, real_objects
from .series.sequences import Sequences

RENUMBERED = ": np.unique(y, return_inverse=True)[1] makes them"
LOOKED_AT = 100_000  # numbers, for a hint


@dataclass(frozen=True)
class Targets:
    """Checked targets: `labels` (samples,) int64 or `values` (samples, outputs), the other one None.

    Targets of steps stand one after the other, those of sample i from offsets[i] to offsets[i + 1] − 1.

    Targets at positions have labels (samples, *positions) or values (samples, *positions, outputs). counted: the same shape
    as labels, whether each position counts, or None if all do. Their labels are uint8 if there are no more classes.
    """

    labels: np.ndarray | None
    values: np.ndarray | None
    counted: np.ndarray | None = None
    offsets: np.ndarray | None = None

    def part(self, rows):
        """Return the targets of some samples, by their numbers."""
        if self.offsets is not None:
            return self.part_of_steps(rows)
        return Targets(*(array if array is None else array[rows] for array in (self.labels, self.values, self.counted)))

    def part_of_steps(self, rows):
        lengths = np.diff(self.offsets)
        arrays = [array if array is None else Sequences(array, self.offsets)[rows].steps
                  for array in (self.labels, self.values, self.counted)]
        return Targets(*arrays, np.concatenate([[0], np.cumsum(lengths[rows], dtype=np.int64)]))


def check_probabilities(y, kind, at_positions=False):
    """Refuse numbers outside [0, 1] and, for "classes", rows that do not sum to 1."""
    if y.min() < 0 or y.max() > 1:
        if {*np.unique(y[:LOOKED_AT]).tolist()} == {-1.0, 1.0}:
            raise ValueError("y ranges from -1.0 to 1.0 and holds only these; this network takes 0 and 1, or probabilities "
                             "from 0 to 1: give y > 0")
        masks = "give y / 255 for masks of 0 and 255, and sample_weight 0 to positions that do not count; "
        raise ValueError(
            f"y ranges from {y.min()} to {y.max()}; a {kind} loss takes labels or probabilities from 0 to 1 "
            f"({masks if at_positions and kind == 'binary' else ''}for other values use loss='squared_error')"
        )
    sums = y.sum(axis=-1, dtype=np.float64)
    wrong = np.argwhere(abs(sums - 1) > 1e-3)  # probabilities may have been rounded
    if kind == "classes" and len(wrong):
        place = tuple(wrong[0].tolist())
        row = place[0] if len(place) == 1 else place
        raise ValueError(
            f"y sums to {sums[place]:.6g} in row {row}; the probabilities of the classes must sum to 1 "
            f"(where a sample may belong to several, use loss='binary_cross_entropy' after sigmoid)"
        )


def class_labels(y, classes, least=0):
    """Return integer labels 0 … classes − 1 as int64. least: −1 if that is a label too, where nothing counts."""
    y = checked_labels(y, classes, least)
    # a copy, if the caller could change them: kernels do not check again, and would write to other memory
    return np.array(y, np.int64, order="C") if y.flags.writeable else np.require(y, np.int64, ["C", "A"])


def checked_labels(y, classes, least=0):
    """Return labels as an array of integers, y itself if it is one; arguments as for `class_labels`."""
    if y.dtype.kind == "O":
        y = real_objects(y)
    if y.dtype.kind == "b":
        y = y.astype(np.int64)
    if y.dtype.kind == "f":
        y = y.astype(np.float64)
        check_finite("y", y)
        if np.all(y == np.floor(y)):
            check_range(y, classes, least)
            y = y.astype(np.int64)
    if y.dtype.kind == "O" and (gaps := [at for at, each in enumerate(y.flat) if is_missing(each)]):
        raise ValueError(f"y holds no label at {gaps[0]} ({shown(y.flat[gaps[0]])}); leave samples without one out, such as "
                         "keep = pandas.notna(y), then X[keep], y[keep]")
    if y.dtype.kind not in "iu":
        example = y[y != np.floor(y)][0] if y.dtype.kind == "f" else y.reshape(-1).tolist()[0]
        raise ValueError(
            f"y holds {y.dtype} values that are not whole numbers, such as {shown(example)}; labels must be integers "
            f"from 0 to {classes - 1} (np.unique(y, return_inverse=True)[1] makes them)"
        )
    check_range(y, classes, least)
    return y


def is_missing(label):
    """Return whether a label is None or NaN."""
    return label is None or (isinstance(label, float) and label != label)


def check_range(labels, classes, least=0):
    """Refuse labels outside 0 … classes − 1; `least` is the smallest that is allowed."""
    low, high = labels.min(), labels.max()
    if low < least or high >= classes:
        if least == 0 and (low, high) == (1, classes):
            raise ValueError(f"y holds label {high}; with {classes} outputs labels must run from 0 to {classes - 1}: give "
                             "y - 1")
        if least == 0 and {*np.unique(labels).tolist()} == {-1, 1}:
            raise ValueError(f"y holds label -1; with {classes} outputs labels must run from 0 to {classes - 1}: give "
                             "(y > 0).astype(int)")
        label = low if low < least else high
        hint = RENUMBERED if least == 0 else (", or be -1 where a position does not count: "
                                      f"np.where(y == {label}, -1, y.astype(int))")
        raise ValueError(f"y holds label {label}; with {classes} outputs labels must run from 0 to {classes - 1}{hint}")
