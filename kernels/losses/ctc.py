"""Connectionist temporal classification (Graves et al. 2006): the loss of a sequence of labels shorter than its steps.

Each step has probabilities p = softmax(z) of the classes, of which class 0 is the blank. A path has a class at each step; it
reads as the labels that are left after repeats are joined and blanks dropped. The loss is −log of the sum over all paths
that read as the target. With the states s of blank, label 1, blank, label 2, …, blank, and c(s) the class of state s,

    α(t, s) = p(t, c(s)) (α(t − 1, s) + α(t − 1, s − 1) + α(t − 1, s − 2)),   the last one only between different labels
    β(t, s) = the same from the last step back, without p(t, c(s))
    loss = −log(α(T, S) + α(T, S − 1)),    dz(t, k) = p(t, k) − Σ α(t, s) β(t, s) eˡᵒˢˢ over the states with c(s) = k

All α and β are logarithms in float64. Equal labels in a row need a blank between them, so a target needs as many steps as
labels and such pairs.
"""

from dataclasses import dataclass

from ..compiling.jit import jit
from ..compiling.trace import larger
from ..elementwise.elementary import exp, log

BLANK = 0
NEVER = -1e300  # the logarithm of a probability of 0; finite, so that differences are never NaN
PADDING = 2  # states that are never reached, beside the others, so that s − 2 and s + 2 always exist
BLOCK = 8  # States are computed in whole blocks, a vector or two each. Those behind the last state of a target lead nowhere.
# Rows of float64 for each sequence beside α: what a jump over a blank adds, z of the states, β of this step and the next.
JUMPS, EMITTED, BETA, NEXT = range(4)
LINES = 4


@dataclass(frozen=True)
class SequenceLoss:
    """A loss of whole sequences of outputs, which rows of the table compute (`kernels/interpreter/ctc.py`).

    Attributes
    ----------
    name : str
    targets : str
        What targets are.
    """

    name: str
    targets: str = "label sequences"


ctc, ctc_of_logits = SequenceLoss("ctc"), SequenceLoss("softmax_ctc")


def stride_of(labels):
    """Return the number of float64 of a row for the states of a target of so many labels."""
    return blocks_of(2 * labels + 1) * BLOCK + PADDING


@jit(inline=True)
def blocks_of(states):
    return (states + BLOCK - 1) // BLOCK


@jit
def prepare(lines, labels):
    """Write the jumps of the states of a target, and pad β with states that are never reached; return the states."""
    states = 2 * len(labels) + 1
    lines[JUMPS] = NEVER
    lines[EMITTED] = 0.0
    for j in range(1, len(labels)):
        if labels[j] != labels[j - 1]:
            lines[JUMPS, 2 * j + 1] = 0.0
    lines[BETA] = NEVER
    lines[NEXT] = NEVER
    return states


@jit
def emit(emitted, z, labels, normalizer):
    """emitted[s] = log p of the class of each state, given z of a step."""
    for s in range(0, 2 * len(labels) + 1, 2):
        emitted[s] = z[BLANK] - normalizer
    for j in range(len(labels)):
        emitted[2 * j + 1] = z[labels[j]] - normalizer


@jit
def step_forward(alpha, before, jumps, emitted, states):
    """alpha = log α(t); state s is at place s + PADDING. before: that of the step before."""
    for s in range(blocks_of(states) * BLOCK):
        stay, next_, jump = before[s + 2], before[s + 1], before[s] + jumps[s]
        top = larger(stay, larger(next_, jump))
        alpha[s + 2] = emitted[s] + top + log(exp(stay - top) + exp(next_ - top) + exp(jump - top))


@jit
def step_backward(beta, after, jumps, states):
    """beta = log β(t), where after[s] = log β(t + 1, s) p(t + 1, c(s))."""
    for s in range(blocks_of(states) * BLOCK):
        stay, next_, jump = after[s], after[s + 1], after[s + 2] + jumps[s + 2]
        top = larger(stay, larger(next_, jump))
        beta[s] = top + log(exp(stay - top) + exp(next_ - top) + exp(jump - top))


@jit
def state_probabilities(alpha, beta, loss, states):
    """alpha = α(t) β(t) eˡᵒˢˢ, the probability of each state at step t given the target."""
    for s in range(blocks_of(states) * BLOCK):
        alpha[s + 2] = exp(alpha[s + 2] + beta[s] + loss)


@jit
def probabilities(dz, z):
    """dz = softmax(z) of a step; returns the logarithm of the sum of eᶻ."""
    top, total = z[0], 0.0
    for k in range(1, len(z)):
        top = larger(top, z[k])
    for k in range(len(z)):
        e = exp(float(z[k]) - float(top))
        total += e
        dz[k] = e
    for k in range(len(z)):
        dz[k] /= total
    return float(top) + log(total)


@jit
def sequence_loss(dz, z, labels, alphas, normalizers, lines, weight):
    """Return the loss of one sequence; dz (steps, classes) = weight · its gradient in z.

    labels: the target. alphas (steps, at least stride_of(labels)), normalizers (steps,), lines (LINES, the same): memory.
    """
    steps = len(z)
    if steps == 0:
        return 0.0  # the only path is empty, and so is the target
    states = prepare(lines, labels)
    jumps, emitted, beta, after = lines[JUMPS], lines[EMITTED], lines[BETA], lines[NEXT]
    for t in range(steps):
        normalizers[t] = probabilities(dz[t], z[t])
        emit(emitted, z[t], labels, normalizers[t])
        alphas[t, :PADDING] = NEVER
        if t > 0:
            step_forward(alphas[t], alphas[t - 1], jumps, emitted, states)
            continue
        alphas[t, PADDING:PADDING + blocks_of(states) * BLOCK] = NEVER
        for s in range(min(2, states)):
            alphas[t, PADDING + s] = emitted[s]

    last, before_last = alphas[steps - 1, PADDING + states - 1], alphas[steps - 1, PADDING + states - 2]  # padding if alone
    top = larger(last, before_last)
    loss = -(top + log(exp(last - top) + exp(before_last - top)))
    beta[:states] = NEVER
    for s in range(max(0, states - 2), states):
        beta[s] = 0.0
    for t in range(steps - 1, -1, -1):
        state_probabilities(alphas[t], beta, loss, states)
        blank = 0.0
        for s in range(0, states, 2):
            blank += alphas[t, PADDING + s]
        dz[t, BLANK] -= blank
        for j in range(len(labels)):
            dz[t, labels[j]] -= alphas[t, PADDING + 2 * j + 1]
        for k in range(z.shape[1]):
            dz[t, k] *= weight
        emit(emitted, z[t], labels, normalizers[t])
        for s in range(blocks_of(states) * BLOCK):
            after[s] = beta[s] + emitted[s]
        step_backward(beta, after, jumps, states)
    return weight * loss


@jit
def distance_of_likeliest(z, labels, row):
    """Return the edit distance from the target to the labels of the likeliest path of z. row (labels + 1,): memory."""
    for j in range(len(labels) + 1):
        row[j] = j
    written, before = 0, BLANK
    for t in range(len(z)):
        best = 0
        for k in range(1, z.shape[1]):
            if z[t, k] > z[t, best]:
                best = k
        if best != BLANK and best != before:
            written += 1
            diagonal, row[0] = row[0], written
            for j in range(len(labels)):
                replaced = diagonal + (labels[j] != best)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, min(diagonal, row[j]) + 1)
        before = best
    return row[len(labels)]
