"""The walk over the steps of sequences of any length, forward and back.

x holds the steps of all sequences, one sequence after the other; sequence i has the rows offsets[i] … offsets[i + 1] − 1. At
each step all sequences that still live are computed together.
"""

import numpy as np

from ..records import real


def sigmoid(z):
    """1 / (1 + e^−z), computed from tanh, which does not overflow."""
    return 0.5 * np.tanh(0.5 * z) + 0.5


def steps_of(offsets, reverse):
    """Return for each step the sequences that live and their rows; backwards, the last row of a sequence is its first."""
    lengths = np.diff(offsets)
    steps = []
    for t in range(lengths.max(initial=0)):
        living = np.flatnonzero(lengths > t)
        steps.append((living, offsets[living] + (lengths[living] - 1 - t if reverse else t)))
    return steps


def through_time(step, x, offsets, states, masks, return_sequences, reverse, count=1):
    """Run a cell over all steps; states: the first ones (samples, out), a list. Returns the outputs, and what steps keep.

    step(x, read, *states) -> (states, what to keep); masks: of x, and of h in `read`, which the recurrent product reads.
    count: of how many of the states an output consists.
    """
    states, kept = [state.copy() for state in states], []
    outputs = np.empty((len(x), count * states[0].shape[1]), x.dtype)
    for living, rows in steps_of(offsets, reverse):
        given = [state[living] for state in states]
        found, saved = step(masked(x[rows], masks[0], living), masked(given[0], masks[1], living), *given)
        for state, new in zip(states, found, strict=True):
            state[living] = new
        outputs[rows] = np.concatenate(found[:count], axis=1)
        kept.append((living, rows, saved))
    return outputs if return_sequences else np.concatenate(states[:count], axis=1), kept


def masked(rows, mask, living):
    """Return the rows of the living sequences times their masks, if there are any."""
    return rows if mask is None else rows * mask[living]


def back_through_time(back, da, kept, dx, dstates, masks, return_sequences, count=1):
    """Run back through time, back(*dstates, kept) -> (dx, dread, *dstates).

    dstates: zeros of the shape of the states, which become the gradients of the first ones.
    """
    das = np.split(da, count, axis=1)
    if not return_sequences:
        for dstate, own in zip(dstates, das, strict=False):
            dstate += own
    for living, rows, saved in reversed(kept):
        given = [dstate[living] for dstate in dstates]
        if return_sequences:
            given[:count] = [dstate + own[rows] for dstate, own in zip(given, das, strict=False)]
        dx[rows], dread, *found = back(*given, saved)
        dx[rows] = masked(dx[rows], masks[0], living)
        found[0] = found[0] + masked(dread, masks[1], living)
        for dstate, new in zip(dstates, found, strict=True):
            dstate[living] = new


def first_states(initial, samples, features, count, dtype):
    """Return the states before the first steps, `count` arrays (samples, features)."""
    if initial is None:
        return [np.zeros((samples, features), dtype) for _ in range(count)]
    return list(np.split(initial, count, axis=1))


def prepared(x, offsets, *arrays):
    """Return arrays of one dtype; None is kept."""
    x = real(x)
    return x, np.asarray(offsets, np.int64), *(None if array is None else np.asarray(real(array), x.dtype)
                                               for array in arrays)


def gradients(back, da, x, states, kept, initial, masks, return_sequences, given=1):
    """Return (dx, and the gradient of `initial` if it is given)."""
    dx, dstates = np.zeros_like(x), [np.zeros_like(state) for state in states]
    back_through_time(back, da, kept, dx, dstates, masks, return_sequences, given)
    return dx, () if initial is None else (np.concatenate(dstates, axis=1),)
