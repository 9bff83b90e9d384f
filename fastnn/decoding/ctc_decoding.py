"""Labels from probabilities at each step, of which class 0 is the blank: connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import whole_number
from ..kernels.interpreter.ctc import likeliest_labels
from ..kernels.interpreter.ctc_beam import beam_search
from ..runtime.quiet import quiet
from ..samples.metrics import transcripts
from ..samples.series.ragged import read
from ..samples.series.sequences import Sequences


def ctc_greedy(outputs: Sequences | Sequence) -> Sequences:
    """Return the labels of the likeliest path of each sequence: its classes without repeats and blanks.

    `Network.predict` of a network with `loss="ctc"` returns the same.

    Parameters
    ----------
    outputs : Sequences, or list of arrays (steps, classes)
        Probabilities, as `Network.forward` returns them. Class 0 is the blank.

    Returns
    -------
    Sequences

    Examples
    --------
    >>> from fastnn.decoding import ctc_greedy
    >>> ctc_greedy([[[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]])[0]
    array([1, 1])
    """
    found = checked(outputs)
    steps = np.ascontiguousarray(found.steps)
    labels, ends = np.empty(len(steps), np.int64), np.zeros(len(found) + 1, np.int64)
    likeliest_labels(steps, found.offsets - found.offsets[0], labels, ends)
    return Sequences(labels[:ends[-1]].copy(), ends)


def ctc_beam(outputs: Sequences | Sequence, width: int = 16) -> list[list[tuple[NDArray, float]]]:
    """Search for the likeliest labels of each sequence, over all paths that read as them (prefix beam search).

    The likeliest path need not read as the likeliest labels, since many paths read as the same. With a `width` that holds
    all prefixes the search is exact.

    Parameters
    ----------
    outputs : Sequences, or list of arrays (steps, classes)
        Probabilities, as `Network.forward` returns them. Class 0 is the blank.
    width : int
        How many prefixes stay after each step.

    Returns
    -------
    list of list of tuple (labels, log_probability)
        For each sequence at most `width` of them, the likeliest first.

    Examples
    --------
    The likeliest path is two blanks, 0.36; three others read as label 1, together 0.64:

    >>> from fastnn.decoding import ctc_beam, ctc_greedy
    >>> outputs = [[[0.6, 0.4], [0.6, 0.4]]]
    >>> len(ctc_greedy(outputs)[0])
    0
    >>> labels, log_probability = ctc_beam(outputs)[0][0]
    >>> labels, round(log_probability, 4)
    (array([1]), -0.4463)
    """
    found, width, results = checked(outputs), whole_number("width", width), []
    for one in found:
        log_p = np.maximum(quiet(np.log, np.asarray(one, np.float64), divide="ignore"), -1e300)
        labels, ends = np.empty(width * len(one), np.int64), np.zeros(width + 1, np.int64)
        log_probabilities = np.empty(width)
        count = beam_search(log_p, width, labels, ends, log_probabilities)
        results.append([(labels[ends[j]:ends[j + 1]].copy(), float(log_probabilities[j])) for j in range(count)])
    return results


def label_error_rate(y: ArrayLike | Sequences, predicted: ArrayLike | Sequences) -> float:
    """Return the number of edits that turn y into the predictions, over the number of labels in y.

    Edits are insertions, deletions and replacements of a label.

    Parameters
    ----------
    y, predicted : Sequences, or list of sequences of labels

    Examples
    --------
    >>> from fastnn.decoding import label_error_rate
    >>> label_error_rate([[1, 2, 3], [4]], [[1, 3], [4]])
    0.25
    """
    y, predicted = read(y, (), name="y"), read(predicted, (), name="predicted")
    if len(y) != len(predicted):
        raise ValueError(f"y has {len(y)} sequences and predicted {len(predicted)}; they must have as many")
    return transcripts.label_error_rate([*y], [*predicted])


def checked(outputs):
    """Return outputs as Sequences of probabilities, or raise an error."""
    if isinstance(outputs, Sequences):
        found = outputs
    else:
        classes = next((np.shape(one)[-1] for one in outputs if np.ndim(one) == 2), 0)
        found = read(outputs, (classes,), name="outputs")
    if found.values.ndim != 2 or (len(found.steps) and found.values.shape[1] < 2):
        raise ValueError(f"outputs has steps of shape {found.values.shape[1:]}; it must have the probabilities of the blank "
                         "and of a label at least at each step, as Network.forward returns them")
    steps = found.steps
    if steps.dtype.kind != "f" or not np.isfinite(steps).all() or (len(steps) and (steps.min() < 0 or steps.max() > 1)):
        raise ValueError("outputs must hold probabilities from 0 to 1, as Network.forward returns them; for logits give "
                         "their softmax")
    return found
