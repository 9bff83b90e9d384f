"""Division of work into parts."""

from .jit import jit


@jit(inline=True)
def share(size, part, parts, grain):
    """Return the beginning and end of part number `part` of `parts`, in multiples of `grain` except at the end."""
    if parts == 1:
        return 0, size
    grains = (size + grain - 1) // grain
    return min(part * grains // parts * grain, size), min((part + 1) * grains // parts * grain, size)
