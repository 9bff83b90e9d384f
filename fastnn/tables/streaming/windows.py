"""The order of training: random row groups, mixed in windows of rows.

The row groups are put in a random order and dealt to at most LANES lanes. Each lane reads its groups one after another, and
a window consists of an equal number of consecutive rows of each, so that it mixes rows of several places of the file;
training shuffles the rows of a window. If the file is in an order, such as by time, small row groups mix better: about
100,000 rows each. The order depends on the seed, the pass and the row groups, and on nothing else.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np

from .parquet import pyarrow

LANES = 8
ROWS, BYTES = 2**17, 2**26  # of a window: of the file, and of its matrix of features


def rows_of(features):
    """Return the number of rows of a window, for a number of features."""
    return max(LANES, min(ROWS, BYTES // (4 * max(features, 1))))


def lanes_of(stream, seed):
    """Return the row groups of each lane, in their order."""
    order = np.random.default_rng(seed).permutation(len(stream.starts) - 1)
    count = max(1, min(LANES, len(order)))
    return [order[lane::count] for lane in range(count)]


def count(stream, rows, seed):
    """Return the number of windows of a pass."""
    lanes, sizes = lanes_of(stream, seed), np.diff(stream.starts)
    return max(-(-int(sizes[lane].sum()) // (rows // len(lanes))) for lane in lanes)


def windows(stream, rows, columns, seed):
    """Yield (numbers, Arrow table) of about `rows` rows: all rows of the stream once, in the order of a seed."""
    arrow, _ = pyarrow()
    order = lanes_of(stream, seed)
    lanes = [stream.pieces(rows // len(order), groups=lane.tolist(), columns=columns) for lane in order]
    try:
        while True:
            found = [piece for piece in (next(lane, None) for lane in lanes) if piece is not None]
            if not found:
                return
            yield np.concatenate([numbers for numbers, _ in found]), arrow.concat_tables(table for _, table in found)
    finally:
        for lane in lanes:
            lane.close()


class Buffers:
    """Memory for the matrices of windows: two in turn, one in use while the next is written.

    New memory for each window would cost more time than the numbers in it, since the system clears its pages.
    """

    def __init__(self, features):
        self.features, self.parts = features, [np.empty((0, features), np.float32)] * 2

    def take(self, rows):
        """Return a matrix of at least so many rows, that of the window before last."""
        part = self.parts.pop(0)
        if len(part) < rows:
            part = np.empty((rows, self.features), np.float32)
        self.parts.append(part)
        return part


def ahead(work, items):
    """Yield work(item) for each item of a generator; the next one is computed in a thread in the meantime."""
    def step():
        item = next(items, None)
        return None if item is None else (work(item),)

    with closing(items), ThreadPoolExecutor(1) as pool:
        coming = pool.submit(step)
        while (found := coming.result()) is not None:
            coming = pool.submit(step)
            yield found[0]
