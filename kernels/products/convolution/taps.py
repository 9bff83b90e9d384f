"""Which taps of a kernel meet which pixels: the index arithmetic of convolutions.

Tap i of window r reads pixel r s + i d − before, with the stride s and the dilation d, along each axis.
"""

from ...compiling.jit import jit

# With fewer pixels in a line, it is faster to copy them all, and the rows of a tile are lines instead of pixels.
FEW_PIXELS = 8


@jit(inline=True)
def floor_divided(a, b):
    """⌊a / b⌋ for a positive b."""
    return a // b if a >= 0 else -((b - 1 - a) // b)


@jit(inline=True)
def tap_span(kernel, dilation):
    return (kernel - 1) * dilation + 1


@jit(inline=True)
def steps_inside(first, step, count, size):
    """Return (begin, end), the range of the i < count with 0 ≤ first + i step < size."""
    begin = max(0, -floor_divided(first, step))
    return begin, max(begin, min(count, floor_divided(size - 1 - first, step) + 1))


@jit(inline=True)
def whole_range(begin, end, count):
    """Return the range of pixels, among begin … end − 1 with all taps in the image, that are computed in one product.

    A range of fewer than FEW_PIXELS pixels does not pay: then it is empty, and all pixels are copied, with zeros.
    """
    begin, end = min(begin, count), min(end, count)
    return (begin, end) if end - begin >= FEW_PIXELS else (0, 0)


@jit(inline=True)
def range_end(pixel, begin, end, count):
    """Return where the range ends that begins at `pixel`: of pixels with all taps, or of others, read with zeros."""
    if begin <= pixel < end:
        return end
    return begin if pixel < begin else count


@jit
def taps_of_phase(phase, kernel, stride, dilation):
    """Return (first, count, step, distance) of the taps i with i dilation mod stride = phase.

    step: the difference of successive taps i; distance: that of the windows which they read for the same pixel.
    """
    shared, rest = stride, dilation % stride
    while rest > 0:
        shared, rest = rest, shared % rest
    step, first = stride // shared, 0
    while first < min(kernel, step) and first * dilation % stride != phase:
        first += 1
    count = (kernel - first + step - 1) // step if first < min(kernel, step) else 0
    return first, count, step, dilation // shared
