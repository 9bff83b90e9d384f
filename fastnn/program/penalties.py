"""The penalties on the weights of a network: their rows in a table, and their value."""

from itertools import accumulate

import numpy as np

from ..kernels.elementwise.blocks import LANES, block_count
from ..kernels.training.penalty import penalty_loss_row, penalty_row, weight_penalty_kernel
from ..runtime.memory import block_sums


class Penalties:
    """Parts of the flat vector that have a penalty, in order; `shared`: whether it is divided by the batch's weight."""

    def __init__(self, dtype):
        self.dtype, self.shared = dtype, False
        self.stretches, self.strengths = [], []

    def add(self, start, size, l1, l2):
        """Add a penalty l1 Σ |w| + l2 Σ w² on `size` parameters from element `start`."""
        self.stretches.append((start, size))
        self.strengths.append(np.array([l1, l2], np.float64))

    def rows(self, arena, parts, once):
        """Return (rows before those of the network, rows after them); none if there are no penalties.

        arena: allocates the sums. parts: a function from a number of weights to the number of parts of their row. once: as
        for `penalty_loss_row`.
        """
        if not self.stretches:
            return [], []
        blocks = [block_count(size) for _, size in self.stretches]
        block = LANES * np.dtype(np.float64).itemsize // arena.dtype.itemsize  # in elements of the arena
        sums, before = arena.take(sum(blocks) * block), []
        firsts = accumulate(blocks, initial=0)
        for (start, size), (l1, l2), first in zip(self.stretches, self.strengths, firsts, strict=False):
            before.append(penalty_row(self.dtype, parts(size), start=start, size=size, sums=sums + first * block, l1=l1,
                                      l2=l2, shared=self.shared))
        return before, [penalty_loss_row(self.dtype, sums=sums, blocks=sum(blocks), once=once, shared=self.shared)]

    def value(self, flat):
        """Return the sum of all penalties of the parameters in the flat vector."""
        return sum(weight_penalty(flat[start:start + size], strengths)
                   for (start, size), strengths in zip(self.stretches, self.strengths, strict=True))


def weight_penalty(weight, strengths):
    """l1 Σ |w| + l2 Σ w² of a contiguous array; strengths is [l1, l2] in float64."""
    out = np.zeros(1)
    weight_penalty_kernel(weight.dtype.name, out, block_sums(weight.size), weight, strengths, weight.size)
    return float(out[0])
