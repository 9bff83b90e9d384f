"""Masks of dropout that are held over a sequence (Gal and Ghahramani 2016): one number for each feature of a sequence.

mask (batch, features), in the arena: 0 for features that are dropped, 1 / (1 − rate) for others. Element
e = sample · features + feature of a step is drawn as in `dropout`, so a mask is the dropout of ones.
"""

from ...compiling.jit import Kernel, view
from ...compiling.record import FLOAT, INTEGERS, UNSIGNED
from ...interpreter.table import Kind
from ..randomness.dropout import dropping, threshold, word_of

HELD_MASK = Kind("held_mask", "mask", "features", threshold=UNSIGNED, factor=FLOAT, word=INTEGERS, ahead=UNSIGNED)


def build(dtype):
    drop = dropping(dtype)

    def held_mask(row, call, part, parts):
        mask = view(call.arena, row.mask, call.batch * row.features)
        mask[:] = 1
        drop(mask, mask, word_of(row), call.first, row.features, 0, row.threshold, row.factor, True)

    return held_mask


held_mask = Kernel("held_mask", build, HELD_MASK.arguments)


def held_mask_row(dtype, *, mask, features, rate, word, ahead=0):
    """Return the row that draws a mask. word: address of a 64-bit integer; ahead: what is added to it."""
    return HELD_MASK.row({"forward": (held_mask.address(dtype), 1)}, mask=mask, features=features,
                         threshold=threshold(rate), factor=1 / (1 - rate), word=word, ahead=ahead)
