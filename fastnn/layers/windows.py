"""Sizes of convolution, transposed convolution and pooling: the position and number of the windows along each axis.

Along one axis a window covers `kernel` elements, `dilation` apart. From the first to the last of them it spans

    span = dilation (kernel − 1) + 1

elements. Windows begin `stride` apart, the first one `before` elements ahead of the data. Tap k of window i reads element
i stride + k dilation − before; elements outside the data are padding. The number of windows is

    out = (size + before + after − span) // stride + 1

A transposed convolution is the reverse: its inputs are the windows, and the number of its outputs is

    out = (size − 1) stride + span − before − after + output_padding

Layers, the naive, vectorized and compiled functions, ONNX and error messages all take their sizes from here.
"""

from dataclasses import dataclass

import numpy as np

from ..checks import shown, whole_number

NAMED = "valid", "same", "causal"
# NumPy's names of paddings by an image's own pixels; the keys are also those of PyTorch
BORDERS = {"reflect": "reflect", "edge": "edge", "replicate": "edge", "wrap": "wrap", "circular": "wrap"}
MOST = 2**31 - 1  # largest kernel, stride, dilation or padding


@dataclass(frozen=True)
class Windows:
    """The windows of one axis.

    Attributes
    ----------
    size, out : int
        The number of inputs and of outputs. There is one window for each output, or in a transposed convolution for each
        input.
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
        """The number of elements from the first to the last tap of a window."""
        return span_of(self.kernel, self.dilation)

    @property
    def reversed(self):
        """The windows of the corresponding convolution, for a transposed one: size and out are exchanged."""
        return Windows(self.out, self.size, self.kernel, self.stride, self.dilation, self.before, self.after)

    @property
    def reached_after(self):
        """The number of elements behind the data that the last window reaches."""
        return max(0, (self.out - 1) * self.stride + self.span - self.before - self.size)

    @property
    def incomplete(self):
        """Whether the last window reaches beyond the padding, as it may with `ceil_mode`."""
        return self.reached_after > self.after

    def taps(self, window):
        """Return the range of the taps of a window that lie within the data, and the position of its tap 0."""
        start = window * self.stride - self.before
        first = max(0, -(start // self.dilation))
        return range(first, max(first, min(self.kernel, -((start - self.size) // self.dilation)))), start


def span_of(kernel, dilation):
    return dilation * (kernel - 1) + 1


def single(size=1):
    """Return the windows of an axis without a kernel: the height of a series, which is an image of height 1."""
    return Windows(size, size)


def is_sequence(value):
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def per_axis(where, value, axes, least=1):
    """Return a whole number for each axis, from one number for all axes or a tuple."""
    if not is_sequence(value):
        return (whole_number(where, value, least, MOST),) * axes
    if len(value) != axes:
        several = "" if axes == 1 else f", or {axes} of them: (height, width)"
        raise ValueError(f"{where} is {shown(value)}; give a whole number{several}")
    return tuple(whole_number(f"{where}[{axis}]", number, least, MOST) for axis, number in enumerate(value))


def padding_of(where, value, axes, named=NAMED):
    """Return a padding as layers store it: one of the names in `named`, or a pair (before, after) for each axis.

    value: a name, one number for all sides, a number for each axis, or the pairs. For one axis it may be the pair itself.
    """
    if isinstance(value, str):
        name = value.lower()  # TensorFlow writes "SAME"
        if name not in named:
            words = [repr(word) for word in named]
            known = f" {', '.join(words[:-1])} or {words[-1]}, or" if words else ""
            raise ValueError(f"{where} is {shown(value)}; it must be{known} numbers{padding_hint(name, axes)}")
        return name
    given = (value,) * axes if not is_sequence(value) else tuple(value)
    if axes == 1 and len(given) == 2:
        given = (given,)
    sides = [tuple(side) if is_sequence(side) else (side, side) for side in given]
    if len(given) != axes or any(len(side) != 2 for side in sides):
        shape = "a (before, after)" if axes == 1 else "((top, bottom), (left, right))"
        words = f"one of {', '.join(map(repr, named))}, " if named else ""
        raise ValueError(f"{where} is {shown(value)}; give {words}a whole number, "
                         + (f"{axes} of them: (height, width), " if axes > 1 else "") + f"or {shape}")
    return tuple(tuple(whole_number(where, number, 0, MOST) for number in side) for side in sides)


def padding_hint(name, axes):
    """Return what replaces a padding that other libraries have, for an error."""
    if name in BORDERS:
        if axes == 1:
            return f"; for such a border give it np.pad(x, ..., mode={BORDERS[name]!r}) of each series"
        return f"; for such a border put Pad2D(..., {BORDERS[name]!r}) before it"
    return {"causal": "; 'causal' is for one axis, as Conv1D has",
            "full": "; 'full' is padding=kernel_size - 1 without dilation"}.get(name, "")


def shorter(value):
    """Return the shortest equivalent of a padding or of a number for each axis, for the repr of a layer."""
    if isinstance(value, str):
        return value
    if isinstance(value[0], (tuple, list)) and all(before == after for before, after in value):
        value = tuple(before for before, after in value)
    if len({*value}) == 1 and not isinstance(value[0], tuple):
        return value[0]
    return value[0] if len(value) == 1 else value


def lists(value):
    """Convert tuples to lists, for JSON: the config of a layer."""
    return [lists(each) for each in value] if isinstance(value, tuple) else value


def same_padding(size, kernel, stride, dilation, lower=False):
    """Return (before, after) such that there are ⌈size / stride⌉ windows, as in TensorFlow, Keras and ONNX.

    If the total is odd, the end has one more; with `lower` (ONNX's SAME_LOWER) the beginning.
    """
    total = max(0, span_of(kernel, dilation) - 1 - (size - 1) % stride)
    return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)


def axis_padding(padding, axis, size, kernel, stride, dilation):
    """Return (before, after) of one axis."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span_of(kernel, dilation) - 1, 0
    if padding in ("same", "same_lower"):
        return same_padding(size, kernel, stride, dilation, lower=padding == "same_lower")
    return padding[axis]


def windows(sizes, kernel, stride, dilation, padding, ceil_mode=False):
    """Return the windows of each axis of a convolution or a pooling.

    Parameters
    ----------
    sizes, kernel, stride, dilation : tuple of int
        One number for each axis.
    padding : str or tuple of (int, int)
        "valid", "same", "causal", "same_lower", or (before, after) for each axis.
    ceil_mode : bool
        Whether an incomplete window at the end counts, unless it would begin in the padding (as in PyTorch and ONNX).

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
    """Return `windows`; raise an error if one covers padding only, because it has neither a maximum nor a mean."""
    found = windows(sizes, kernel, stride, dilation, padding, ceil_mode)
    for axis, which in zip(found, ("height", "width"), strict=False):
        # the windows that begin in the padding, and those that end in it
        first_whole, last_whole = -(-axis.before // axis.stride), (axis.size + axis.before - axis.span) // axis.stride
        for i in [*range(min(first_whole, axis.out)), *range(max(0, last_whole + 1), axis.out)]:
            taps, start = axis.taps(i)
            if not taps:
                what = f"the {which} of {axis.size} pixels" if len(found) > 1 else f"the series of {axis.size} steps"
                raise ValueError(f"window {i} begins at {start} and spans {axis.span}, of which {what} has nothing: it "
                                 f"would be padding alone; padding is {axis.before} + {axis.after}, take less of it")
    return found


def does_not_fit(sizes, kernel, dilation, axis, before, after):
    """Return the error message for a window that is larger than the data, with its arithmetic."""
    what, unit = ("image", "pixels") if len(sizes) > 1 else ("series", "steps")
    dilated = f" with dilation {'×'.join(map(str, dilation if len({*dilation}) > 1 else dilation[:1]))}" \
        if max(dilation) > 1 else ""
    where = f" of {('height', 'width')[axis]}" if len(sizes) > 1 else ""
    span = span_of(kernel[axis], dilation[axis])
    first = len(sizes) > 1 and sizes[0] in (1, 3) and sizes[1] >= 16  # as in PyTorch
    order = "; images are (height, width, channels) here: are its channels first?" if first else ""
    return (f"a {'×'.join(map(str, kernel))} kernel{dilated} spans {span} {unit}{where}; the {what} has "
            f"{sizes[axis]} + {before + after} padding; take a smaller kernel, or padding='same'{order}")


def transposed_windows(sizes, kernel, stride, dilation, padding, output_padding):
    """Return the windows of each axis of a transposed convolution, which computes `out` numbers from `size` windows.

    Parameters
    ----------
    sizes, kernel, stride, dilation : tuple of int
        One number for each axis.
    padding : str or tuple of (int, int)
        How much of the result is cropped: "valid" for nothing, "same" to a length of size · stride, or (before, after) for
        each axis.
    output_padding : tuple of int
        The number of additional elements at the end of the result, less than the stride or the dilation.

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
    """Return the (padding, output_padding) of a transposed convolution with `out` outputs, for ONNX's output_shape.

    upper: whether, of an odd total, one more is cropped at the end (SAME_UPPER), not at the beginning.
    """
    padding, more = [], []
    for size, wanted, k, s, d in zip(sizes, out, kernel, stride, dilation, strict=True):
        total = (size - 1) * s + span_of(k, d) - wanted
        less = max(total, 0) // 2
        padding.append((less, max(total, 0) - less) if upper else (max(total, 0) - less, less))
        more.append(max(-total, 0))
    return tuple(padding), tuple(more)


def check_reflection(name, mode, sizes, padding):
    """Raise an error for more reflected pixels than there are beside the outermost one."""
    for size, sides, which in zip(sizes, padding, ("height", "width"), strict=True):
        if mode == "reflect" and max(sides) >= size:
            raise ValueError(f"{name} reflects {max(sides)} pixels, and of the {which} of {size} there are {size - 1} "
                             "beside the outermost; take less padding, or mode='edge'")


def image_shape(layer, shape):
    """Check that a sample is an image, and return its (height, width, channels)."""
    if len(shape) != 3:
        repair = {1: f"put a Reshape((height, width, channels)) of {shape[0]} numbers before it",
                  2: f"put a Reshape(({', '.join(map(str, shape))}, 1)) before it"}.get(
                      len(shape), "put a Reshape((height, width, channels)) before it")
        raise ValueError(f"{layer!r} takes images (height, width, channels), and here a sample has the shape {shape}; "
                         f"{repair}")
    return shape


def series_shape(layer, shape):
    """Check that a sample is a series, and return (1, steps, features): to the kernels it is an image of height 1."""
    if len(shape) != 2:
        to = f"({shape[0]}, 1)" if len(shape) == 1 else "(steps, features)"
        raise ValueError(f"{layer!r} takes series (steps, features), and here a sample has the shape {shape}; put a "
                         f"Reshape({to}) before it")
    return (1, *shape)
