"""Padding, up-sampling, rescaling and normalization of images, as pure Python loops."""

from ..checks import one_of
from ..layers.windows import check_reflection, padding_of, per_axis
from .convolution import Images, images_of
from .records import each_number, shape, to_lists
from .rungs import check_images

Vector = list[float]


def zero_pad2d_forward(x: Images, padding) -> Images:
    """Pad images with zeros.

    Parameters
    ----------
    x : (batch, height, width, channels)
    padding : int, (int, int) or ((top, bottom), (left, right))

    Returns
    -------
    a : (batch, top + height + bottom, left + width + right, channels)

    Examples
    --------
    >>> zero_pad2d_forward([[[[1.0]]]], padding=((0, 0), (1, 2)))
    [[[[0.0], [1.0], [0.0], [0.0]]]]
    """
    x = to_lists(x)
    batch, height, width, channels = check_images("x", shape(x))
    (top, bottom), (left, right) = padding_of("padding", padding, 2, ())
    a = images_of([0.0] * channels, batch, top + height + bottom, left + width + right)
    for n in range(batch):
        for r in range(height):
            for c in range(width):
                a[n][top + r][left + c] = x[n][r][c]
    return a


def zero_pad2d_backward(da: Images, padding) -> Images:
    """Compute the gradient of `zero_pad2d_forward` from da: da without its padding.

    Parameters
    ----------
    da : (batch, top + height + bottom, left + width + right, channels)
    padding
        As for `zero_pad2d_forward`.

    Returns
    -------
    dx : (batch, height, width, channels)
    """
    da = to_lists(da)
    (top, bottom), (left, right) = padding_of("padding", padding, 2, ())
    check_images("da", shape(da), top + bottom + 1, left + right + 1)
    return [[line[left:len(line) - right] for line in image[top:len(image) - bottom]] for image in da]


def pad2d_forward(x: Images, padding, mode="constant", value=0.0) -> Images:
    """Pad images with a number, or with their own pixels.

    Parameters
    ----------
    x : (batch, height, width, channels)
    padding : int, (int, int) or ((top, bottom), (left, right))
    mode : {"constant", "edge", "reflect", "wrap"}
        As in `numpy.pad`.
    value : float, default 0
        The number for "constant".

    Returns
    -------
    a : (batch, top + height + bottom, left + width + right, channels)

    Examples
    --------
    >>> pad2d_forward([[[[1.0], [2.0]]]], ((0, 0), (1, 2)), "wrap")
    [[[[2.0], [1.0], [2.0], [1.0], [2.0]]]]
    """
    x = to_lists(x)
    _, height, width, channels = check_images("x", shape(x))
    (top, bottom), (left, right) = sides = padding_of("padding", padding, 2, ())
    check_reflection("this padding", mode, (height, width), sides)
    rows = [padded_from(r, height, mode) for r in range(-top, height + bottom)]
    columns = [padded_from(c, width, mode) for c in range(-left, width + right)]
    return [[[[value] * channels if r < 0 or c < 0 else list(image[r][c]) for c in columns] for r in rows] for image in x]


def pad2d_backward(da: Images, padding, mode="constant") -> Images:
    """Compute the gradient of `pad2d_forward` from da: for each pixel the sum over its copies.

    Parameters
    ----------
    da : (batch, top + height + bottom, left + width + right, channels)
    padding, mode
        As for `pad2d_forward`.

    Returns
    -------
    dx : (batch, height, width, channels)
    """
    da = to_lists(da)
    (top, bottom), (left, right) = sides = padding_of("padding", padding, 2, ())
    batch, out_height, out_width, channels = check_images("da", shape(da), top + bottom + 1, left + right + 1)
    height, width = out_height - top - bottom, out_width - left - right
    check_reflection("this padding", mode, (height, width), sides)
    dx = images_of([0.0] * channels, batch, height, width)
    for n in range(batch):
        for i in range(out_height):
            r = padded_from(i - top, height, mode)
            for j in range(out_width):
                c = padded_from(j - left, width, mode)
                if r >= 0 and c >= 0:
                    dx[n][r][c] = [one + other for one, other in zip(dx[n][r][c], da[n][i][j], strict=True)]
    return dx


def padded_from(position, size, mode):
    """Return which of `size` elements is at a position outside them or inside, or -1 for none."""
    one_of("mode", mode, ("constant", "edge", "reflect", "wrap"))
    if 0 <= position < size:
        return position
    if mode == "constant":
        return -1
    if mode == "edge":
        return min(max(position, 0), size - 1)
    if mode == "reflect":
        return abs(position) if position < 0 else 2 * (size - 1) - position
    return position % size


def up_sample2d_forward(x: Images, size) -> Images:
    """Repeat each pixel `size` times down and across.

    Parameters
    ----------
    x : (batch, height, width, channels)
    size : int or (int, int)

    Returns
    -------
    a : (batch, down · height, across · width, channels)

    Examples
    --------
    >>> up_sample2d_forward([[[[1.0], [2.0]]]], size=(1, 2))
    [[[[1.0], [1.0], [2.0], [2.0]]]]
    """
    x = to_lists(x)
    _, height, width, _ = check_images("x", shape(x))
    down, across = per_axis("size", size, 2)
    return [[[image[r // down][c // across] for c in range(across * width)] for r in range(down * height)] for image in x]


def up_sample2d_backward(da: Images, size) -> Images:
    """Compute the gradient of `up_sample2d_forward` from da: for each pixel the sum over its copies.

    Parameters
    ----------
    da : (batch, down · height, across · width, channels)
    size : int or (int, int)

    Returns
    -------
    dx : (batch, height, width, channels)

    Examples
    --------
    >>> up_sample2d_backward([[[[1.0], [2.0], [3.0], [4.0]]]], size=(1, 2))
    [[[[3.0], [7.0]]]]
    """
    da = to_lists(da)
    down, across = per_axis("size", size, 2)
    batch, height, width, channels = check_images("da", shape(da), down, across, multiples=True)
    dx = images_of([0.0] * channels, batch, height // down, width // across)
    for n in range(batch):
        for r in range(height):
            for c in range(width):
                for k in range(channels):
                    dx[n][r // down][c // across][k] += da[n][r][c][k]
    return dx


def rescale_forward(x, scale: float, offset: float = 0.0):
    """Compute scale · x + offset, elementwise.

    Examples
    --------
    >>> rescale_forward([[1.0, 2.0]], scale=10.0, offset=0.5)
    [[10.5, 20.5]]
    """
    return each_number(lambda number: number * scale + offset, to_lists(x))


def rescale_backward(da, scale: float, offset: float = 0.0):
    """Compute the gradient of `rescale_forward` from da: dx = scale · da."""
    return each_number(lambda number: number * scale, to_lists(da))


def normalize_forward(x, mean: Vector, scale: Vector):
    """Compute (x − mean) · scale for each channel. The channels are the last axis of x.

    Examples
    --------
    >>> normalize_forward([[3.0, 8.0]], mean=[1.0, 4.0], scale=[1.0, 0.5])
    [[2.0, 2.0]]
    """
    x, mean, scale = to_lists(x), to_lists(mean), to_lists(scale)
    if isinstance(x[0], list):
        return [normalize_forward(each, mean, scale) for each in x]
    return [(x[c] - mean[c]) * scale[c] for c in range(len(x))]


def normalize_backward(da, scale: Vector):
    """Compute the gradient of `normalize_forward` from da: dx = scale · da, channel by channel."""
    da, scale = to_lists(da), to_lists(scale)
    if isinstance(da[0], list):
        return [normalize_backward(each, scale) for each in da]
    return [da[c] * scale[c] for c in range(len(da))]
