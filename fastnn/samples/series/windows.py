"""Windows of a series as samples, without copying them."""

import numpy as np

from ...checks import shown, whole_number
from ..arrays import any_array
from .sequences import Sequences


class Windows(Sequences):
    """Sequences of one length that may overlap in one array, as `fastnn.windows` makes them.

    Sequence i is `values[offsets[i]:offsets[i] + length]`. It can be given as X wherever `Sequences` can; `copied()` returns
    them with steps of their own.

    Parameters
    ----------
    values : array `(steps, *shape)`
    starts : array of int (sequences,)
        Where each begins; they must increase.
    length : int
        The number of steps of each.
    """

    def __init__(self, values, starts, length):
        starts = np.asarray(starts, np.int64)
        self.values, self.length = values, length
        self.offsets = np.append(starts, starts[-1] + length if len(starts) else 0)  # steps are from the first to the last
        self.offsets.flags.writeable = False

    @property
    def starts(self):
        return self.offsets[:-1]

    @property
    def lengths(self):
        return np.full(len(self), self.length)

    @property
    def window(self):
        return self.length

    def with_values(self, values):
        return Windows(values, self.starts, self.length)

    def with_steps(self, steps):
        return Windows(self.checked_steps(steps), self.starts - self.offsets[0], self.length)

    def to_padded(self, value=0):
        return self.values[self.starts[:, None] + np.arange(self.length)]

    def copied(self):
        return Sequences.of_lengths(self.to_padded().reshape(-1, *self.values.shape[1:]), self.lengths)

    def __getitem__(self, which):
        numbers = self.numbers_of(which)
        if numbers.ndim == 0:
            return self.values[self.starts[numbers]:self.starts[numbers] + self.length]
        chosen = Windows(self.values, self.starts[numbers], self.length)
        return chosen if (np.diff(numbers) > 0).all() else chosen.copied()

    def __repr__(self):
        return super().__repr__().replace("Sequences", "Windows", 1)


def windows(series, steps, *, ahead=0, stride=1, targets=None):
    """Return the windows of a series as samples, and what follows each of them as targets.

    The windows are not copied: X refers to the series, however many windows there are. It is for networks of sequences,
    inputs=(None, features), or (None,) for tokens.

    Parameters
    ----------
    series : array (length,) or `(length, *features)`, or list of such arrays
        Numbers or tokens. Numbers of the network's dtype stay where they are; others are converted once, as a series. Of a
        list, each array is a series of its own: they are copied into one, and no window reaches from one into the next.
    steps : int
        The length of a window.
    ahead : int, default 0
        How many steps after a window are to be predicted. If 0, only the windows are returned.
    stride : int, default 1
        The distance between the beginnings of windows.
    targets : array (length,) or (length, k), or list of such arrays, optional
        Another series of the same length, to be predicted instead of `series` itself.

    Returns
    -------
    X : Windows
    y : array (windows, ahead), or (windows, ahead · k)
        If `ahead` is not 0. The numbers of a step are adjacent.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> X, y = fastnn.windows(np.arange(8.0), 4, ahead=2)
    >>> X
    Windows(3 of 4 steps, each a float64)
    >>> X[0], y[0]
    (array([0., 1., 2., 3.]), array([4., 5.]))
    >>> fastnn.windows(np.arange(8.0), 4)[-1]  # from which the steps behind the end are predicted
    array([4., 5., 6., 7.])
    """
    if is_several(series):
        return windows_of_several(series, targets, steps, ahead=ahead, stride=stride)
    series = any_array("series", series)
    if series.ndim == 0:
        raise ValueError(f"series is {shown(series)}; it must be an array (steps,) or (steps, features)")
    steps, stride = whole_number("steps", steps), whole_number("stride", stride)
    ahead = whole_number("ahead", ahead, least=0)
    if targets is not None and ahead == 0:
        raise ValueError("targets are given, and ahead is 0; say with ahead how many steps of them follow a window")
    found = series if targets is None else any_array("targets", targets)
    if found.ndim == 0 or len(found) != len(series):
        raise ValueError(f"targets has shape {found.shape}; series has {len(series)} steps, and targets must have as many")
    if len(series) < steps + ahead:
        raise ValueError(f"series has {len(series)} steps; a window of {steps} and {ahead} ahead need {steps + ahead}: make "
                         "them shorter, or give a longer series")
    starts = np.arange(0, len(series) - steps - ahead + 1, stride)
    X = Windows(series, starts, steps)
    if ahead == 0:
        return X
    following = found[starts[:, None] + np.arange(steps, steps + ahead)]
    return X, following.reshape(len(starts), -1)


def is_several(series):
    """Return whether it is a list of arrays or columns, each a series; a list of lists is an array (steps, features)."""
    return isinstance(series, Sequences) or (isinstance(series, (list, tuple)) and len(series) > 0 and all(
        getattr(each, "ndim", 0) > 0 for each in series))


def windows_of_several(series, targets, steps, *, ahead, stride):
    """Return what `windows` does for several series, of which no window reaches from one into the next."""
    if targets is not None and len(targets) != len(series):
        raise ValueError(f"targets has {len(targets)} series; series has {len(series)}, and targets must have as many")
    found = []
    for number, own in enumerate(series):
        try:
            found.append(windows(own, steps, ahead=ahead, stride=stride,
                                 targets=None if targets is None else targets[number]))
        except ValueError as error:
            raise ValueError(f"series[{number}]: {error}") from None
    parts = found if ahead == 0 else [X for X, _ in found]
    values = Sequences([X.values for X in parts])
    starts = np.concatenate([X.starts + begin for X, begin in zip(parts, values.offsets, strict=False)])
    X = Windows(values.values, starts, parts[0].length)
    return X if ahead == 0 else (X, np.concatenate([y for _, y in found]))
