"""Arrays that detect writes outside them."""

import numpy as np

BAND = 67  # numbers on either side: more than a vector, and odd, so that nothing is aligned by luck
MARK = -12345.0


class Guarded:
    """A copy of an array between two bands of marked numbers in one block of memory."""

    def __init__(self, array):
        self.block = np.full(array.size + 2 * BAND, MARK, array.dtype)
        self.array = self.block[BAND:-BAND].reshape(array.shape)
        self.array[...] = array

    def intact(self):
        """Return whether nothing was written outside of `array`."""
        return bool((self.block[:BAND] == MARK).all() and (self.block[-BAND:] == MARK).all())


def filled(shape, dtype):
    """Return a guarded array filled with nan, whose elements must all be overwritten."""
    return Guarded(np.full(shape, np.nan, dtype))


def results_of(module, monkeypatch):
    """A fixture's generator: every result array of the module lies between bands and starts as nan."""
    made = []

    def empty(shape, dtype):
        made.append(filled(shape, dtype))
        return made[-1].array

    monkeypatch.setattr(module, "empty", empty)
    yield made
    assert all(each.intact() for each in made)
