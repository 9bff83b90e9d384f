"""Σ l1 |x| + l2 x² of a long vector, with the same bits for any number of threads.

The vector is cut into blocks of one size, and each thread sums whole blocks. A block is summed in float64 in LANES lanes:
lane j holds the sum of elements j, j + LANES, j + 2 LANES, …. The upper half of the lanes is then added to the lower half
until one lane is left. Finally the sums of the blocks are added in order. So no sum depends on the number of threads, and
the loops over lanes are vector code.
"""

import numpy as np

from ..compiling.jit import jit

BLOCK, LANES = 4096, 128  # elements


def block_count(size):
    return -(-size // BLOCK)


@jit
def sum_blocks(sums, x, l1, l2, begin, end):
    """sums[b, 0] = Σ l1 |x| + l2 x² over block b, for the blocks begin to end. sums (blocks, LANES) holds the lanes."""
    for b in range(begin, end):
        lanes, block = sums[b], x[b * BLOCK:min((b + 1) * BLOCK, len(x))]
        for j in range(LANES):
            lanes[j] = 0.0
        for top in range(0, len(block), LANES):
            few = block[top:top + LANES]
            for j in range(len(few)):
                number = np.float64(few[j])
                lanes[j] += l1 * abs(number) + l2 * number * number
        half = LANES // 2
        while half > 0:
            for j in range(half):
                lanes[j] += lanes[half + j]
            half //= 2


@jit(inline=True)
def block_range(begin, end, size):
    """Return (first element, number of elements) of the blocks begin to end of a vector of `size` elements."""
    return begin * BLOCK, max(min(end * BLOCK, size) - begin * BLOCK, 0)


@jit
def add_blocks(sums):
    """Return the sum over all blocks."""
    total = 0.0
    for b in range(len(sums)):
        total += sums[b, 0]
    return total
