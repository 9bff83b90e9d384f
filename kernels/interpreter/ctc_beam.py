"""Prefix beam search (Graves 2012, Hannun et al. 2014): the likeliest labels of a sequence of probabilities with a blank.

A beam holds prefixes, sequences of labels. Of each, two logarithms of probabilities add up all paths that read as it: of
those that end with a blank, and of those that end with its last label. After every step the `width` likeliest prefixes stay.

Prefixes are nodes of a tree: each has a parent and a last label. Ties are resolved by the order in which prefixes stand in
the beam, then by the label.
"""

import numpy as np

from ..compiling.jit import jit
from ..compiling.trace import larger
from ..elementwise.elementary import exp, log
from ..losses.ctc import BLANK, NEVER

PARENT, LABEL, CHILD, SIBLING, PLACE = range(5)  # columns of the tree; PLACE: in the beam, −1 elsewhere
NONE = -1


@jit
def log_add(one, other):
    """log(eᵃ + eᵇ)."""
    top = larger(one, other)
    return top + log(exp(one - top) + exp(other - top))


@jit
def child_of(tree, node, label):
    """Return the node of a prefix with one more label; NONE if there is none."""
    child = tree[node, CHILD]
    while child != NONE and tree[child, LABEL] != label:
        child = tree[child, SIBLING]
    return child


@jit
def extended(tree, used, node, label):
    """Return (node of a prefix with one more label, number of nodes), where it is made if there is none."""
    child = child_of(tree, node, label)
    if child != NONE:
        return child, used
    tree[used, PARENT], tree[used, LABEL], tree[used, CHILD] = node, label, NONE
    tree[used, SIBLING], tree[used, PLACE] = tree[node, CHILD], NONE
    tree[node, CHILD] = used
    return used, used + 1


@jit(cached=True)
def beam_search(log_p, width, prefixes, ends, log_probabilities):
    """Find the likeliest labels of one sequence; return how many prefixes there are, at most `width`.

    log_p (steps, classes), float64: logarithms of probabilities. prefixes (width · steps,), ends (width + 1,): memory for
    the labels of all prefixes and where each begins and ends, the likeliest first. log_probabilities (width,).
    """
    steps, classes = log_p.shape
    tree = np.empty((1 + steps * width, 5), np.int64)
    tree[0] = NONE
    tree[0, LABEL], tree[0, PLACE] = BLANK, 0
    nodes, used, count = np.zeros(width, np.int64), 1, 1
    of_blank, of_label = np.full(width, NEVER), np.full(width, NEVER)
    of_blank[0] = 0.0
    # candidates: each prefix as it is, then each with each label
    blank, label_, total = np.empty(width * classes), np.empty(width * classes), np.empty(width * classes)
    for t in range(steps):
        p, candidates = log_p[t], count * classes
        blank[:candidates], label_[:candidates] = NEVER, NEVER
        for i in range(count):
            both = log_add(of_blank[i], of_label[i])
            last = tree[nodes[i], LABEL]
            blank[i] = both + p[BLANK]
            if last != BLANK:
                label_[i] = log_add(label_[i], of_label[i] + p[last])
            for k in range(1, classes):
                gained = (of_blank[i] if k == last else both) + p[k]
                child = child_of(tree, nodes[i], k)
                place = tree[child, PLACE] if child != NONE else NONE
                if place != NONE:  # that prefix is in the beam itself
                    label_[place] = log_add(label_[place], gained)
                else:
                    label_[count + i * (classes - 1) + k - 1] = gained
        for c in range(candidates):
            total[c] = -log_add(blank[c], label_[c])
        best = np.argsort(total[:candidates], kind="mergesort")
        kept = 0
        while kept < min(width, candidates) and total[best[kept]] < -0.5 * NEVER:
            kept += 1
        next_nodes = np.empty(width, np.int64)
        for j in range(kept):
            c = best[j]
            if c < count:
                next_nodes[j] = nodes[c]
            else:
                i, k = (c - count) // (classes - 1), (c - count) % (classes - 1) + 1
                next_nodes[j], used = extended(tree, used, nodes[i], k)
        for i in range(count):
            tree[nodes[i], PLACE] = NONE
        for j in range(kept):
            nodes[j], of_blank[j], of_label[j] = next_nodes[j], blank[best[j]], label_[best[j]]
            tree[nodes[j], PLACE] = j
        count = kept

    ends[0] = 0
    for j in range(count):
        length, node = 0, nodes[j]
        while node != 0:
            length, node = length + 1, tree[node, PARENT]
        ends[j + 1] = ends[j] + length
        node = nodes[j]
        for place in range(ends[j + 1] - 1, ends[j] - 1, -1):
            prefixes[place], node = tree[node, LABEL], tree[node, PARENT]
        log_probabilities[j] = log_add(of_blank[j], of_label[j])
    return count
