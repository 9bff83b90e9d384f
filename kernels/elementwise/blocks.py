"""Σ l1 |x| + l2 x² of a long vector, with the same bits for any number of threads.

The vector is cut into blocks of one size; a thread has whole blocks. A block is summed in lanes, in float64: lane j has
every LANES-th number from number j on. Then the upper half of the lanes is added to the lower, again and again, and at the
end the blocks are added up in order. So no sum depends on the number of threads, and the loops over lanes are vector code.
"""

import numpy as np

from ..compiling.jit import jit

BLOCK, LANES = 4096, 128  # numbers


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
def stretch(begin, end, size):
    """(first number, how many) of the blocks begin to end of a vector of `size` numbers."""
    return begin * BLOCK, max(min(end * BLOCK, size) - begin * BLOCK, 0)


@jit
def add_up(sums):
    """The sum over all blocks."""
    total = 0.0
    for b in range(len(sums)):
        total += sums[b, 0]
    return total
