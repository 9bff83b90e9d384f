"""Series cut into windows, for truncated backpropagation through time: which windows are a batch.

A batch has `batch` places. A series takes a place and stays there, a window in each batch, until it ends; then another one
takes the place. So the state of a place carries over from batch to batch. The longest series come first, so that places that
have nothing left to do, which then have an empty window, are few.

How many windows stand where is the same in every epoch. Shuffled, series of as many windows change places. If all have the
same number, these are all series: with one window each, the batches are those of a fit without windows.
"""

from dataclasses import replace
from heapq import heapify, heapreplace

import numpy as np

from ..held_out import rows_alone
from .sequences import Sequences


class CutSeries:
    """Data of series, cut into windows of at most `steps` steps.

    Attributes
    ----------
    series : int
        The number of series.
    batch : int
        The number of windows in a batch.
    data : Data
        The windows in the order of the first epoch; a window of no steps stands where a place has nothing left to do.
    begins : array of int64
        Of each window in memory, whether it begins its series.
    """

    def __init__(self, data, steps, batch):
        data = rows_alone(data)
        counts = np.maximum(-(-data.lengths // steps), 1)  # a series without steps is one window
        self.series, self.batch = len(counts), min(batch, len(counts))
        # the first window of each series; the last number is that of the empty one
        self.first = np.concatenate([[0], np.cumsum(counts)])
        self.counts, self.places = counts, places(counts, self.batch)
        self.begins = np.zeros(self.first[-1] + 1, np.int64)
        self.begins[self.first] = 1
        X, targets = data.X, data.targets
        self.data = replace(data, X=Sequences(X.values, cut(X.offsets, counts, steps)),
                            targets=replace(targets, offsets=cut(targets.offsets, counts, steps)),
                            rows=self.order(np.arange(self.series)))

    def order(self, series):
        """Return the number of the window at each place of each batch, one batch after the other.

        series: the numbers of all series, in the order of an epoch.
        """
        taken = series[np.argsort(-self.counts[series], kind="stable")]
        number, window = self.places
        return np.where(number < 0, self.first[-1], self.first[taken[number]] + window).ravel()


def cut(offsets, counts, steps):
    """Return the offsets of the windows of all series, and behind them of one without steps."""
    windows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)  # the number in its series
    return np.concatenate([np.repeat(offsets[:-1], counts) + windows * steps, offsets[-1:], offsets[-1:]])


def places(counts, batch):
    """Return (number, window), each (batches, batch): which series stands where, by length, and which of its windows.

    number is −1 where a place has nothing left to do.
    """
    longest_first = -np.sort(-counts)
    free = [(0, place) for place in range(batch)]  # from which batch on each place is free
    heapify(free)
    taken = []
    for count in longest_first.tolist():
        begin, place = free[0]
        heapreplace(free, (begin + count, place))
        taken.append((begin, place, count))
    number = np.full((max(end for end, _ in free), batch), -1)
    window = np.zeros_like(number)
    for k, (begin, place, count) in enumerate(taken):
        number[begin:begin + count, place] = k
        window[begin:begin + count, place] = np.arange(count)
    return number, window
