"""Targets that are sequences of labels, shorter than the outputs: for connectionist temporal classification.

The network has probabilities of classes at each step of a sequence, of which class 0 is the blank. Its target is a sequence
of labels from 1 on, of any length that fits: as many steps as labels, and one more between equal labels in a row.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...kernels.interpreter.ctc import likeliest_labels
from ...kernels.losses.ctc import BLANK
from ..checked_data import Data
from ..heads import Head
from ..metrics import LOSS, METRICS
from ..targets import Targets, class_labels
from .ragged import read
from .sequences import Sequences

KIND = "label sequences"


class Transcripts(Head):
    """A sequence of labels for each sample. Predictions are those of the likeliest path, as `Sequences`."""

    kind, metrics = KIND, (LOSS, METRICS["label_error_rate"])
    whole_numbers, predicted_shape = None, ()

    @property
    def in_words(self):
        return f"a sequence of labels from 1 to {self.outputs - 1} for each sample"

    @property
    def classes(self):
        return self.outputs

    def check_targets(self, y, samples, dtype):
        raise NotImplementedError("targets are checked together with the lengths of the outputs: `label_targets`")

    def predictions(self, outputs):
        raise ValueError("with loss='ctc' labels are those of whole sequences: collect the outputs of the steps, and give "
                         "them to fastnn.decoding.ctc_greedy([outputs])")

    def predictions_of(self, outputs):
        steps, lengths = np.ascontiguousarray(outputs.steps), outputs.lengths
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        labels, ends = np.empty(len(steps), np.int64), np.zeros(len(offsets), np.int64)
        unsound = int(likeliest_labels(steps, offsets, labels, ends))
        return Sequences(labels[:ends[-1] if unsound < 0 else 0].copy(), ends if unsound < 0 else [0]), unsound

    def perfect_predictions(self, targets):
        return Sequences(targets.labels, targets.offsets)

    def report(self, loss, accuracy, prefix=""):
        return {f"{prefix}loss": loss, f"{prefix}label_error_rate": accuracy}

    def apply_class_weight(self, class_weight, targets, weights, dtype):
        raise ValueError(f"class_weight is for samples of one class each; this network learns {self.description} (use "
                         "sample_weight)")


@dataclass
class TranscribedData(Data):
    """Samples whose targets are label sequences. weights: (samples,) or None."""

    @property
    def most_labels(self):
        """The largest number of labels of a target, of all samples."""
        return int(np.diff(self.targets.offsets).max(initial=0))

    @property
    def form(self):
        return *super().form, self.most_labels

    @property
    def total_weight(self):
        if self.weights is None:
            return self.samples
        return float((self.weights if self.rows is None else self.weights[self.rows]).sum(dtype=np.float64))

    def normalize_weights(self):
        weights = np.ones(len(self.X)) if self.weights is None else self.weights.astype(np.float64)
        return replace(self, weights=(weights / weights.sum()).astype(self.dtype), rows=None)


def label_targets(head, y, lengths):
    """Return y as Targets; lengths: the numbers of steps of the outputs of the samples."""
    if not isinstance(y, Sequences) and not isinstance(y, np.ndarray) and isinstance(y, (list, tuple)) and len(y) and all(
            np.ndim(each) == 0 and not isinstance(each, (str, bytes)) and each is not None for each in y):
        refuse_single(head)
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "biuf":
        refuse_single(head)
    found = read(y, (), name="y")
    if len(found) != len(lengths):
        raise ValueError(f"y has {len(found)} sequences of labels; X has {len(lengths)} samples, and y must have as many")
    labels = found.steps
    if labels.ndim != 1:
        raise ValueError(f"y has labels of shape {labels.shape[1:]}; loss='ctc' takes a sequence of whole numbers from 1 to "
                         f"{head.outputs - 1} for each sample")
    if len(labels):
        if labels.dtype.kind in "iuf" and (wrong := np.flatnonzero(~((labels > BLANK) & (labels < head.outputs)))).size:
            refuse_label(found, int(wrong[0]), head.outputs)
        labels = class_labels(labels, head.outputs, least=BLANK + 1)
    targets = Targets(np.require(labels, np.int64, ["C", "A"]), None, None, found.offsets - found.offsets[0])
    needed = steps_needed(targets)
    if (short := np.flatnonzero(needed > lengths)).size:
        refuse_short(int(short[0]), targets, needed, lengths)
    return targets


def refuse_single(head):
    raise ValueError(f"y has one label for each sample, and loss='ctc' takes sequences of labels from 1 to "
                     f"{head.outputs - 1}, one sequence for each sample, such as [[3, 1], [2]]; for one label end the "
                     "network with a layer that makes one row of a sequence, and leave out loss='ctc'")


def refuse_label(found, place, classes):
    """Raise an error about the label at a place, counted over all sequences."""
    label = found.steps[place]
    number = found.number_at(place)
    hint = ""
    if label == BLANK:
        hint = ("; 0 is the blank, which targets leave out: if your labels begin with 0, add 1 and give the network one "
                "more output; if 0 is padding, give Sequences.from_padded(y, lengths)")
    elif label == -1:
        hint = "; if that is padding, give Sequences.from_padded(y, mask=np.asarray(y) >= 0) without it"
    raise ValueError(f"y[{number}] holds label {label}; with {classes} outputs labels run from 1 to {classes - 1}{hint}")


def steps_needed(targets):
    """Return how many steps outputs need at least: one for each label, and one more between equal labels in a row."""
    labels, offsets = targets.labels, targets.offsets
    repeats = np.zeros(len(labels) + 1, np.int64)
    if len(labels):
        same = np.zeros(len(labels), bool)
        same[1:] = labels[1:] == labels[:-1]
        same[offsets[:-1][np.diff(offsets) > 0]] = False  # the first label of a sequence follows none
        repeats[1:] = np.cumsum(same)
    return np.diff(offsets) + np.diff(repeats[offsets])


def refuse_short(number, targets, needed, lengths):
    count = int(targets.offsets[number + 1] - targets.offsets[number])
    between, blanks = int(needed[number]) - count, ""
    if between:
        blanks = f", of which {between} repeat{'s' * (between == 1)} the one before and need a blank between"
    raise ValueError(f"y[{number}] has {count} labels{blanks}, so it takes {needed[number]} steps at least; the outputs for "
                     f"X[{number}] have {lengths[number]}, and no path reads as y[{number}]: leave the sample out, or make "
                     "the layers keep more steps, with smaller strides and pools")
