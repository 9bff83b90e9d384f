"""How work is cut into parts."""

from .jit import jit


@jit(inline=True)
def share(size, part, parts, grain):
    """Where part number `part` of `parts` begins and ends, in whole grains but for the last."""
    if parts == 1:
        return 0, size
    grains = (size + grain - 1) // grain
    return min(part * grains // parts * grain, size), min((part + 1) * grains // parts * grain, size)
