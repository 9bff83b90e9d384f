"""A convolution that reads relu of a batch normalization which is not stored: it normalizes samples when it reads them.

Both the windows and the gradient of the weight read them, and backward the normalization computes relu again. So training
keeps one array a layer instead of two, which more often stays in a cache: a step of DS-CNN, MobileNet 0.25 or ResNet-8 takes
5 % less. A part normalizes some whole samples at a time, into its own scratch memory, to the bits they would have in the
arena. To sum over samples there too, instead of in a phase of the normalization, made steps slower by 2 to 8 %.
"""

from numba import types

from ...compiling.jit import REAL, Kernel, address_of, calls, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES
from ...products.convolution.one_tap import one_tap_lines
from ..normalization.batch_norm import BATCH_NORM
from ..normalization.batch_norm_pixels import INSTEAD
from ..normalization.lines import normalizing

ROUND = 16  # numbers: what is normalized begins on a cache line


def build_normalize(dtype):
    item, normalize = ITEM_BYTES[dtype], normalizing(dtype)

    def normalize_lines(to, x, constants, line, lines):
        """to = relu of normalized x, lines of so many numbers. constants: address of means, inverses, scales and shifts."""
        inverses, scales, shifts = constants + item * line, constants + 2 * item * line, constants + 3 * item * line
        normalize((0, x, constants, inverses, scales, shifts, line, lines, to))

    return normalize_lines


normalize_lines = Kernel("normalize_lines", build_normalize, lambda dtype: (types.intp,) * 5)
call_normalize = calls(normalize_lines)


@jit(inline=True)
def samples_at_once(row):
    """The number of samples to normalize at a time: of a kernel of one tap, as many as fill its tiles."""
    return one_tap_lines(row.height * row.width) if row.one_tap != 0 else row.together


@jit(inline=True)
def normalized_size(samples, numbers):
    """The number of elements of scratch for samples of so many numbers; they are the last ones of a part's scratch."""
    return (samples * numbers + ROUND - 1) // ROUND * ROUND


def normalized_input(dtype):
    """The compiled function that returns the address of samples: the given one, or where they are normalized in scratch."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def read(row, call, scratch, samples, x):
        """scratch: the address of the part's. x: that of the samples in memory."""
        if row.normalized == 0:
            return x
        numbers = row.height * row.width * row.channels
        to = scratch + item * (row.scratch_size - normalized_size(samples_at_once(row), numbers))
        constants = address_of(view(call.arena, row.normalized, 1))
        call_normalize(number(to), (to, x, constants, row.line, samples * numbers // row.line))
        return to

    return read


def normalization_of(rows, x, channels):
    """Return the row that, in training, has just normalized what is at offset x, with relu, for one reader; else None."""
    last = next(reversed(rows), None)
    if (last is None or last.dtype is not BATCH_NORM.dtype or not last["of_samples"] or last["relu"] != INSTEAD
            or last["a"] != x or last["activated"] != x or last["features"] != channels):
        return None
    return last


def normalize_when_read(normalization):
    """Return the operands of a convolution that reads x through this row, which then computes it no more."""
    if normalization is None:
        return {"normalized": 0, "line": 0}
    normalization["forward"] = 0, 0
    line = normalization["features"] * normalization["group"]
    return {"x": normalization["x"], "normalized": normalization["means"], "line": line}
