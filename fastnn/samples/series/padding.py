"""A warning where an array of sequences looks padded: padding given as it is would be learned from as if it were data.

Rows of one repeated number that many sequences end with, but do not begin with (or the other way around), are taken for
padding. Data that are often constant, such as counts that are mostly 0, are so at both ends.
"""

import numpy as np

from ...checks.caller_warning import warn_caller

MOST = 1000  # sequences that are looked at, evenly spaced
MANY = 0.1  # the fraction of sequences with padding from which on a warning is given


def warn_of_padding(found):
    """Warn if sequences, which are all of one length, look like the rows of a padded array."""
    lengths = found.lengths
    if len(found) < 2 or lengths[0] < 3 or not (lengths == lengths[0]).all():
        return
    some = np.linspace(0, len(found) - 1, min(len(found), MOST)).astype(np.int64)
    steps = found.steps.reshape(len(found), lengths[0], -1)[some]
    for where, array in (("end", steps), ("begin", steps[:, ::-1])):
        value, runs = repeated_at_end(array)
        if value is None:
            continue
        others = run_lengths((array[:, ::-1] == value).all(axis=-1))
        if (runs > 1).sum() > 1 and (runs > 1).mean() >= MANY and runs.mean() > 2 * others.mean() + 1:
            step = "tokens" if found.values.ndim == 1 else "steps"
            repair = "Sequences.from_padded(X, lengths)" if where == "end" else "Sequences.from_padded(X, mask=mask)"
            warn_caller(
                f"X looks padded: {(runs > 1).mean():.0%} of its sequences {where} with {step} that are all {value}, and "
                f"these would be learned from like all others. Give {repair} without them, or, if they are data, a "
                "fastnn.Sequences")
            return


def repeated_at_end(steps):
    """Return (the number that most sequences repeat in their last steps, in how many); None if there is none."""
    last, before = steps[:, -1], steps[:, -2]
    repeated = (last == last[:, :1]).all(axis=-1) & (last == before).all(axis=-1)
    values, counts = np.unique(last[repeated, 0], return_counts=True)
    if not len(values):
        return None, None
    value = values[counts.argmax()]
    return value, run_lengths((steps == value).all(axis=-1))


def run_lengths(at):
    """Return how many of the last elements of each row are True."""
    return np.logical_and.accumulate(at[:, ::-1], axis=1).sum(axis=1)
