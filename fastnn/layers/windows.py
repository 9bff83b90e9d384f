"""Sizes of convolution, transposed convolution and pooling: where the windows of each axis lie, and how many there are.

On one axis a window covers `kernel` numbers that stand `dilation` apart, so that it spans

    span = dilation (kernel − 1) + 1

numbers, and windows begin `stride` apart, the first one `before` numbers ahead of the data. Tap k of window i reads number
i stride + k dilation − before; what lies outside the data is padding. There are

    out = (size + before + after − span) // stride + 1

windows. A transposed convolution goes the other way: its inputs are the windows, and it gives

    out = (size − 1) stride + span − before − after + output_padding

Layers, the three rungs, ONNX and errors all take sizes from here.
"""

from dataclasses import dataclass

import numpy as np

from ..checks import shown, whole_number

NAMED = "valid", "same", "causal"
MOST = 2**31 - 1  # of a kernel, stride, dilation or padding


@dataclass(frozen=True)
class Windows:
    """The windows of one axis.

    Attributes
    ----------
    size, out : int
        How many numbers come in, and how many go out: one a window, or in a transposed convolution the reverse.
    kernel, stride, dilation : int
    before, after : int
        The padding at the beginning and at the end.
    """

    size: int
    out: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def span(self):
        """How many numbers a window reaches over, those between its taps included."""
        return span_of(self.kernel, self.dilation)

    @property
    def reversed(self):
        """Those of the convolution that a transposed one undoes: what goes in there comes out here."""
        return Windows(self.out, self.size, self.kernel, self.stride, self.dilation, self.before, self.after)

    def taps(self, window):
        """The range of taps of a window that lie within the data, and the number that its tap 0 reads (or would read)."""
        start = window * self.stride - self.before
        first = max(0, -(start // self.dilation))
        return range(first, max(first, min(self.kernel, -((start - self.size) // self.dilation)))), start


def span_of(kernel, dilation):
    return dilation * (kernel - 1) + 1


def single(size=1):
    """The windows of an axis that nothing slides along: the height of a series, which is an image of height 1."""
    return Windows(size, size)


def per_axis(where, value, axes, least=1):
    """A whole number for each axis, from one for all of them or a tuple."""
    if not isinstance(value, (tuple, list, np.ndarray)):
        return (whole_number(where, value, least, MOST),) * axes
    if len(value) != axes:
        several = "" if axes == 1 else f", or {axes} of them: (height, width)"
        raise ValueError(f"{where} is {shown(value)}; give a whole number{several}")
    return tuple(whole_number(f"{where}[{axis}]", number, least, MOST) for axis, number in enumerate(value))


def padding_of(where, value, axes, named=NAMED):
    """A padding as layers keep it: one of the words `named`, or a pair (before, after) for each axis.

    A caller may give a number for all sides, a number for each axis, or the pairs; for one axis also its pair alone.
    """
    if isinstance(value, str):
        if value not in named:
            words = [repr(word) for word in named]
            known = f" {', '.join(words[:-1])} or {words[-1]}, or" if words else ""
            hint = "; 'causal' is for one axis, as Conv1D has" if value == "causal" else ""
            raise ValueError(f"{where} is {shown(value)}; it must be{known} numbers{hint}")
        return value
    given = (value,) * axes if not isinstance(value, (tuple, list, np.ndarray)) else tuple(value)
    if axes == 1 and len(given) == 2:
        given = (given,)
    sides = [tuple(side) if isinstance(side, (tuple, list, np.ndarray)) else (side, side) for side in given]
    if len(given) != axes or any(len(side) != 2 for side in sides):
        shape = "a (before, after)" if axes == 1 else "((top, bottom), (left, right))"
        words = f"one of {', '.join(map(repr, named))}, " if named else ""
        raise ValueError(f"{where} is {shown(value)}; give {words}a whole number, "
                         + (f"{axes} of them: (height, width), " if axes > 1 else "") + f"or {shape}")
    return tuple(tuple(whole_number(where, number, 0, MOST) for number in side) for side in sides)


def shorter(value):
    """A number for each axis, or a padding, in the fewest words that mean the same: for the repr of a layer."""
    if isinstance(value, str):
        return value
    if isinstance(value[0], (tuple, list)) and all(before == after for before, after in value):
        value = tuple(before for before, after in value)
    if len({*value}) == 1 and not isinstance(value[0], tuple):
        return value[0]
    return value[0] if len(value) == 1 else value


def lists(value):
    """Tuples as lists, as JSON has them: for the config of a layer."""
    return [lists(each) for each in value] if isinstance(value, tuple) else value


def same_padding(size, kernel, stride, dilation, lower=False):
    """(before, after) such that there is a window for each stride begun, as TensorFlow, Keras and ONNX have it.

    An odd number goes to the end, or with `lower` (ONNX's SAME_LOWER) to the beginning.
    """
    total = max(0, span_of(kernel, dilation) - 1 - (size - 1) % stride)
    return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)


def axis_padding(padding, axis, size, kernel, stride, dilation):
    """(before, after) of one axis."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span_of(kernel, dilation) - 1, 0
    if padding in ("same", "same_lower"):
        return same_padding(size, kernel, stride, dilation, lower=padding == "same_lower")
    return padding[axis]


def windows(sizes, kernel, stride, dilation, padding, ceil_mode=False):
    """The windows of each axis of a convolution or a pooling.

    Parameters
    ----------
    sizes, kernel, stride, dilation : tuple of int
        One number an axis.
    padding : str or tuple of (int, int)
        "valid", "same", "causal", "same_lower", or (before, after) for each axis.
    ceil_mode : bool
        Whether numbers at the end that do not fill a window have one too, unless it would begin in the padding (PyTorch's
        rule, and ONNX's).

    Examples
    --------
    >>> windows((6,), (3,), (2,), (1,), "same")
    (Windows(size=6, out=3, kernel=3, stride=2, dilation=1, before=0, after=1),)
    >>> [axis.out for axis in windows((28, 28), (5, 5), (1, 1), (1, 1), "valid")]
    [24, 24]
    """
    found = []
    for axis, (size, k, s, d) in enumerate(zip(sizes, kernel, stride, dilation, strict=True)):
        before, after = axis_padding(padding, axis, size, k, s, d)
        left = size + before + after - span_of(k, d)
        out = (-(-left // s) if ceil_mode else left // s) + 1
        if ceil_mode and (out - 1) * s >= size + before:
            out -= 1
        if out < 1:
            raise ValueError(does_not_fit(sizes, kernel, dilation, axis, before, after))
        found.append(Windows(size, out, k, s, d, before, after))
    return tuple(found)


def pool_windows(sizes, kernel, stride, dilation, padding, ceil_mode):
    """`windows`, each with some of the data in it: of padding alone there is neither a maximum nor a mean."""
    found = windows(sizes, kernel, stride, dilation, padding, ceil_mode)
    for axis, which in zip(found, ("height", "width"), strict=False):
        # those that begin in the padding, and those that end in it
        first_whole, last_whole = -(-axis.before // axis.stride), (axis.size + axis.before - axis.span) // axis.stride
        for i in [*range(min(first_whole, axis.out)), *range(max(0, last_whole + 1), axis.out)]:
            taps, start = axis.taps(i)
            if not taps:
                what = f"the {which} of {axis.size} pixels" if len(found) > 1 else f"the series of {axis.size} steps"
                raise ValueError(f"window {i} begins at {start} and spans {axis.span}, of which {what} has nothing: it "
                                 f"would be padding alone; padding is {axis.before} + {axis.after}, take less of it")
    return found


def does_not_fit(sizes, kernel, dilation, axis, before, after):
    """The arithmetic of a window that is larger than the data."""
    what, unit = ("image", "pixels") if len(sizes) > 1 else ("series", "steps")
    dilated = f" with dilation {'×'.join(map(str, dilation if len({*dilation}) > 1 else dilation[:1]))}" \
        if max(dilation) > 1 else ""
    where = f" of {('height', 'width')[axis]}" if len(sizes) > 1 else ""
    span = span_of(kernel[axis], dilation[axis])
    return (f"a {'×'.join(map(str, kernel))} kernel{dilated} spans {span} {unit}{where}; the {what} has "
            f"{sizes[axis]} + {before + after} padding; take a smaller kernel, or padding='same'")


def transposed_windows(sizes, kernel, stride, dilation, padding, output_padding):
    """The windows of each axis of a transposed convolution, which gives `out` numbers for `size` windows.

    Parameters
    ----------
    sizes, kernel, stride, dilation : tuple of int
        One number an axis.
    padding : str or tuple of (int, int)
        How much of the result is cut off: "valid" for nothing, "same" for what leaves size · stride, or (before, after) for
        each axis.
    output_padding : tuple of int
        How much longer the result is at the end, less than the stride or the dilation.

    Examples
    --------
    >>> transposed_windows((5,), (3,), (2,), (1,), "same", (0,))
    (Windows(size=5, out=10, kernel=3, stride=2, dilation=1, before=0, after=1),)
    """
    found = []
    for axis, (size, k, s, d, more) in enumerate(zip(sizes, kernel, stride, dilation, output_padding, strict=True)):
        if more >= max(s, d) and more > 0:
            raise ValueError(f"output_padding is {more}; it must be less than the stride, {s}, or the dilation, {d}")
        span = span_of(k, d)
        if padding == "same":
            if more:
                raise ValueError(f"output_padding is {more}; with padding='same' the result has size · stride numbers, and "
                                 "output_padding must be 0")
            before, out = max(0, span - s) // 2, size * s
            after = max(0, span - s) - before
        else:
            before, after = axis_padding(padding, axis, size, k, s, d)
            out = (size - 1) * s + span - before - after + more
        if out < 1:
            raise ValueError(f"({size} − 1) · stride {s} + span {span} − padding {before + after} + output_padding {more} = "
                             f"{out} {'pixels' if len(sizes) > 1 else 'steps'}; take less padding")
        found.append(Windows(size, out, k, s, d, before, after))
    return tuple(found)


def padding_for(sizes, out, kernel, stride, dilation, upper):
    """The (padding, output_padding) of a transposed convolution that gives `out`, as ONNX's output_shape asks.

    upper: whether an odd number is cut off at the end (SAME_UPPER), not at the beginning.
    """
    padding, more = [], []
    for size, wanted, k, s, d in zip(sizes, out, kernel, stride, dilation, strict=True):
        total = (size - 1) * s + span_of(k, d) - wanted
        less = max(total, 0) // 2
        padding.append((less, max(total, 0) - less) if upper else (max(total, 0) - less, less))
        more.append(max(-total, 0))
    return tuple(padding), tuple(more)


def image_shape(layer, shape):
    """(height, width, channels) of a sample, for a layer that takes images."""
    if len(shape) != 3:
        repair = {1: f"put a Reshape((height, width, channels)) of {shape[0]} numbers before it",
                  2: f"put a Reshape(({', '.join(map(str, shape))}, 1)) before it"}.get(
                      len(shape), "put a Reshape((height, width, channels)) before it")
        raise ValueError(f"{layer!r} takes images (height, width, channels), and here a sample has the shape {shape}; "
                         f"{repair}")
    return shape


def series_shape(layer, shape):
    """(1, steps, features) of a sample, for a layer that takes series: to its rows, an image of height 1."""
    if len(shape) != 2:
        to = f"({shape[0]}, 1)" if len(shape) == 1 else "(steps, features)"
        raise ValueError(f"{layer!r} takes series (steps, features), and here a sample has the shape {shape}; put a "
                         f"Reshape({to}) before it")
    return (1, *shape)
