"""Chunks of sequences in a forward pass: cut so that those of a chunk have together a limited number of steps."""

import numpy as np

from ..runtime.threads import FLOPS_PER_PART, parts

MOST_SAMPLES, MOST_STEPS = 252, 4096  # of a chunk
CHUNK_BYTES = 1 << 24  # the size of the activations of a chunk


def chunks_of(network, lengths, threads):
    """Return (most samples of a chunk, number of threads, (most steps of a chunk, steps of the longest sequence))."""
    steps, longest = int(lengths.sum()), int(lengths.max(initial=0))
    workers = parts(2 * steps * network.multiply_adds, FLOPS_PER_PART, min(threads, len(lengths)))
    per_step = np.dtype(network.dtype).itemsize * (network.inputs + 2 * sum(network.widths[1:]))
    most = max(1, min(MOST_STEPS, CHUNK_BYTES // per_step))
    return min(MOST_SAMPLES, len(lengths)), workers, (max(longest, min(most, steps), 1), max(longest, 1))


def cuts_of(lengths, most_samples, most_steps, workers):
    """Return where chunks of at most so many samples and steps begin, and where the last one ends.

    A sequence of more steps than `most_steps` is a chunk of its own. Threads share chunks, so there are several for each.
    """
    ends = np.concatenate([[0], np.cumsum(lengths)])
    if workers > 1:
        most_steps = max(1, min(most_steps, int(ends[-1]) // (2 * workers)))
    cuts = [0]
    while cuts[-1] < len(lengths):
        last = int(np.searchsorted(ends, ends[cuts[-1]] + most_steps, side="right")) - 1
        cuts.append(max(cuts[-1] + 1, min(last, cuts[-1] + most_samples)))
    return np.array(cuts, np.int64)
