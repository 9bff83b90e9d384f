"""Connectionist temporal classification (Graves et al. 2006) in NumPy: all states of a step at once.

z has the logits of the classes at each step, of which class 0 is the blank. The steps of all sequences stand one after the
other: sequence i has the rows offsets[i] to offsets[i + 1] − 1 of z, and the labels label_offsets[i] to
label_offsets[i + 1] − 1.
"""

import numpy as np

from ..naive.rungs import check_transcripts
from ..runtime.quiet import quiet
from .records import real


def shifted(row, by):
    """Return the logarithms of the states `by` places further back (forward if negative), never where there are none."""
    moved = np.full_like(row, -np.inf)
    if by > 0:
        moved[by:] = row[:-by]
    else:
        moved[:by] = row[-by:]
    return moved


def sequence_loss(z, labels):
    """Return (loss, dz) of one sequence."""
    if len(z) == 0:
        return 0.0, z
    z = z.astype(np.float64)
    log_p = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    states = np.zeros(2 * len(labels) + 1, int)
    states[1::2] = labels
    emitted = log_p[:, states]
    jumps = np.zeros(len(states), bool)  # whether a path may come over a blank
    jumps[3::2] = states[3::2] != states[1:-2:2]
    after_jumps = np.append(jumps[2:], [False] * min(2, len(jumps)))  # whether it may leave over one
    alpha, beta = np.full_like(emitted, -np.inf), np.full_like(emitted, -np.inf)
    alpha[0, :2], beta[-1, -2:] = emitted[0, :2], 0
    for t in range(1, len(z)):
        near = np.logaddexp(alpha[t - 1], shifted(alpha[t - 1], 1))
        alpha[t] = emitted[t] + np.where(jumps, np.logaddexp(near, shifted(alpha[t - 1], 2)), near)
    for t in range(len(z) - 1, 0, -1):
        ends = beta[t] + emitted[t]
        near = np.logaddexp(ends, shifted(ends, -1))
        beta[t - 1] = np.where(after_jumps, np.logaddexp(near, shifted(ends, -2)), near)
    loss = -np.logaddexp.reduce(alpha[-1, -2:])
    dz = np.exp(log_p)
    np.subtract.at(dz.T, states, np.exp(alpha + beta + loss).T)
    return float(loss), dz


def of_each(z, offsets, labels, label_offsets, weights):
    """Return (z, [(share of the sequence in the mean, loss, dz) of each sequence])."""
    z = real(z)
    offsets, labels, label_offsets, weights = check_transcripts(z.shape, offsets, labels, label_offsets, weights)
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    return z, [(share, *quiet(sequence_loss, z[offsets[i]:offsets[i + 1]], labels[label_offsets[i]:label_offsets[i + 1]],
                              invalid="ignore")) for i, share in enumerate(shares)]


def ctc_loss(z, offsets, labels, label_offsets, weights=None):
    """Compute the mean over the sequences of −log of the probability that a path reads as the labels.

    Parameters
    ----------
    z : (steps, classes)
        Logits; class 0 is the blank.
    offsets : (sequences + 1,)
    labels : (all labels,)
        From 1 to classes − 1.
    label_offsets : (sequences + 1,)
    weights : (sequences,), optional

    Returns
    -------
    loss : float

    Examples
    --------
    >>> loss = ctc_loss(np.zeros((2, 3)), offsets=[0, 2], labels=[1], label_offsets=[0, 1])
    >>> round(float(np.exp(-loss)) * 9, 9)
    3.0
    """
    return float(sum(share * loss for share, loss, _ in of_each(z, offsets, labels, label_offsets, weights)[1]))


def ctc_loss_gradient(z, offsets, labels, label_offsets, weights=None):
    """Compute the gradient of `ctc_loss` in z.

    Parameters
    ----------
    z, offsets, labels, label_offsets, weights
        As for `ctc_loss`.

    Returns
    -------
    dz : (steps, classes)

    Examples
    --------
    >>> ctc_loss_gradient(np.zeros((2, 3)), offsets=[0, 2], labels=[1], label_offsets=[0, 1])[0].round(6).tolist()
    [0.0, -0.333333, 0.333333]
    """
    z, each = of_each(z, offsets, labels, label_offsets, weights)
    return np.concatenate([share * dz for share, _, dz in each]).astype(z.dtype)
