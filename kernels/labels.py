"""From outputs to labels: the likeliest class of each sample, or for each of several probabilities which side of a half."""

from .jit import jit


@jit(cached=True)
def likeliest(out, labels):
    """labels (samples,) = the first of the largest numbers of each row of out (samples, classes).

    Returns the number of the first row that holds a NaN, from which on there are no labels, or −1.
    """
    for i in range(out.shape[0]):
        label = 0
        for j in range(out.shape[1]):
            if out[i, j] != out[i, j]:
                return i
            if out[i, j] > out[i, label]:
                label = j
        labels[i] = label
    return -1


@jit(cached=True)
def above_half(out, labels):
    """labels (samples, outputs) = 1 where out (samples, outputs) is at least a half, else 0; returns as `likeliest` does."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            if out[i, j] != out[i, j]:
                return i
            labels[i, j] = 1 if out[i, j] >= 0.5 else 0
    return -1
