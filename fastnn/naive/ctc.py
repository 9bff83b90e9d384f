"""Connectionist temporal classification (Graves et al. 2006) in pure Python loops.

z has the logits of the classes at each step, of which class 0 is the blank. The steps of all sequences stand one after the
other: sequence i has the rows offsets[i] to offsets[i + 1] − 1 of z, and the labels label_offsets[i] to
label_offsets[i + 1] − 1.
"""

import math

from .records import shape, to_lists
from .rungs import check_transcripts


def log_sum(numbers):
    """log Σ eˣ."""
    top = max(numbers)
    return top if top == -math.inf else top + math.log(sum(math.exp(x - top) for x in numbers))


def states_of(labels):
    """Return the class of each state: blank, label 1, blank, label 2, …, blank."""
    states = [0]
    for label in labels:
        states += [label, 0]
    return states


def before(states, s):
    """Return the states from which a path may come to state s: itself, the one before, over a blank to another label."""
    if s > 1 and states[s] not in (0, states[s - 2]):
        return [s, s - 1, s - 2]
    return [s, s - 1] if s else [s]


def forward_variables(log_p, states):
    """alpha[t][s]: log of the sum over all beginnings of paths that are in state s at step t."""
    alpha = []
    for t in range(len(log_p)):
        alpha.append([])
        for s in range(len(states)):
            if t == 0:
                arriving = 0.0 if s < 2 else -math.inf
            else:
                arriving = log_sum([alpha[t - 1][r] for r in before(states, s)])
            alpha[t].append(arriving + log_p[t][states[s]])
    return alpha


def backward_variables(log_p, states):
    """beta[t][s]: log of the sum over all ends of paths after step t, from state s."""
    last = len(log_p) - 1
    beta = [[-math.inf] * len(states) for _ in log_p]
    for s in range(max(0, len(states) - 2), len(states)):
        beta[last][s] = 0.0
    for t in range(last, 0, -1):
        ends = [[] for _ in states]
        for s in range(len(states)):
            for r in before(states, s):
                ends[r].append(beta[t][s] + log_p[t][states[s]])
        beta[t - 1] = [log_sum(each) for each in ends]
    return beta


def sequence_loss(z, labels):
    """Return (loss, dz) of one sequence."""
    if not z:
        return 0.0, []
    log_p = [[number - log_sum(row) for number in row] for row in z]
    states = states_of(labels)
    alpha, beta = forward_variables(log_p, states), backward_variables(log_p, states)
    loss, dz = -log_sum(alpha[-1][-2:]), []
    for t in range(len(z)):
        dz.append([math.exp(number) for number in log_p[t]])
        for s in range(len(states)):
            dz[t][states[s]] -= math.exp(alpha[t][s] + beta[t][s] + loss)
    return loss, dz


def of_each(z, offsets, labels, label_offsets, weights):
    """Return (share of the sequence in the mean, loss, dz) of each sequence."""
    z = to_lists(z)
    offsets, labels, label_offsets, weights = check_transcripts(shape(z), offsets, labels, label_offsets, weights)
    found = []
    for i in range(len(offsets) - 1):
        loss, dz = sequence_loss(z[offsets[i]:offsets[i + 1]], labels[label_offsets[i]:label_offsets[i + 1]])
        found.append((weights[i] / sum(weights), loss, dz))
    return found


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
    Of the nine paths of two steps and three classes, three read as label 1: 1 1, 0 1 and 1 0.

    >>> import math
    >>> round(math.exp(-ctc_loss([[0.0, 0.0, 0.0]] * 2, offsets=[0, 2], labels=[1], label_offsets=[0, 1])) * 9, 9)
    3.0
    """
    return sum(share * loss for share, loss, _ in of_each(z, offsets, labels, label_offsets, weights))


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
    >>> dz = ctc_loss_gradient([[0.0, 0.0, 0.0]] * 2, offsets=[0, 2], labels=[1], label_offsets=[0, 1])
    >>> [round(number, 9) for number in dz[0]]
    [0.0, -0.333333333, 0.333333333]
    """
    each = of_each(z, offsets, labels, label_offsets, weights)
    return [[share * number for number in row] for share, _, dz in each for row in dz]
