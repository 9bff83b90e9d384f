"""Pooling in pure Python loops, over images (batch, height, width, channels): the maximum or the mean of each window."""

from .convolution import Images, connections, images_of
from .records import shape, to_lists
from .rungs import check_da, pooling_windows


def max_pool2d_forward(x: Images, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False) -> Images:
    """Compute the maximum of each window, channel by channel. NaN counts as larger than any number.

    Parameters
    ----------
    x : (batch, height, width, channels)
    kernel_size : int or (int, int)
    stride : int or (int, int), optional
        By default `kernel_size`, so that windows are adjacent.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right))
    dilation : int or (int, int)
    ceil_mode : bool
        Whether to add a window for pixels at the end that do not fill one.

    Returns
    -------
    a : (batch, windows down, windows across, channels)

    Examples
    --------
    >>> max_pool2d_forward([[[[1.0], [2.0], [5.0], [4.0]]]], kernel_size=(1, 2))
    [[[[2.0], [5.0]]]]
    """
    x = to_lists(x)
    rows, columns = pooling_windows(shape(x), kernel_size, stride, padding, dilation, ceil_mode)
    a = images_of([None] * len(x[0][0][0]), len(x), rows.out, columns.out)
    for n in range(len(x)):
        for r, c, _, _, row, column in connections(rows, columns):
            for k, number in enumerate(x[n][row][column]):
                largest = a[n][r][c][k]
                if largest is None or number > largest or number != number:
                    a[n][r][c][k] = number
    return a


def max_pool2d_backward(da: Images, x: Images, kernel_size, stride=None, padding="valid", dilation=1,
                        ceil_mode=False) -> Images:
    """Compute the gradient of `max_pool2d_forward` from da: da at the first maximum of each window, 0 elsewhere.

    Parameters
    ----------
    da : (batch, windows down, windows across, channels)
    x, kernel_size, stride, padding, dilation, ceil_mode
        As for `max_pool2d_forward`.

    Returns
    -------
    dx : (batch, height, width, channels)

    Examples
    --------
    >>> max_pool2d_backward([[[[1.0], [3.0]]]], [[[[2.0], [2.0], [5.0], [6.0]]]], kernel_size=(1, 2))
    [[[[1.0], [0.0], [0.0], [3.0]]]]
    """
    da, x = to_lists(da), to_lists(x)
    batch, height, width, channels = shape(x)
    rows, columns = pooling_windows(shape(x), kernel_size, stride, padding, dilation, ceil_mode)
    check_da(shape(da), shape(x), rows, columns)
    places = images_of([None] * channels, batch, rows.out, columns.out)  # the position of the maximum of each window
    dx = images_of([0.0] * channels, batch, height, width)
    for n in range(batch):
        for r, c, _, _, row, column in connections(rows, columns):
            for k, number in enumerate(x[n][row][column]):
                place = places[n][r][c][k]
                if place is None or number > x[n][place[0]][place[1]][k] or number != number:
                    places[n][r][c][k] = row, column
        for r in range(rows.out):
            for c in range(columns.out):
                for k in range(channels):
                    row, column = places[n][r][c][k]
                    dx[n][row][column][k] += da[n][r][c][k]
    return dx


def counts(rows, columns, r, c, count_padding):
    """Return the divisor of a window: the number of its taps within the image, or within it and its padding."""
    taps = []
    for axis, window in ((rows, r), (columns, c)):
        inside, start = axis.taps(window)
        end = axis.size + axis.after
        taps.append(sum(start + tap * axis.dilation < end for tap in range(axis.kernel)) if count_padding else len(inside))
    return taps[0] * taps[1]


def average_pool2d_forward(x: Images, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False,
                           count_padding=False) -> Images:
    """Compute the mean of each window, channel by channel.

    Parameters
    ----------
    x, kernel_size, stride, padding, dilation, ceil_mode
        As for `max_pool2d_forward`.
    count_padding : bool
        Whether the padding counts as zeros.

    Returns
    -------
    a : (batch, windows down, windows across, channels)

    Examples
    --------
    >>> average_pool2d_forward([[[[1.0], [2.0], [5.0], [4.0]]]], kernel_size=(1, 2))
    [[[[1.5], [4.5]]]]
    """
    x = to_lists(x)
    rows, columns = pooling_windows(shape(x), kernel_size, stride, padding, dilation, ceil_mode)
    channels = len(x[0][0][0])
    a = images_of([0.0] * channels, len(x), rows.out, columns.out)
    for n in range(len(x)):
        for r, c, _, _, row, column in connections(rows, columns):
            for k in range(channels):
                a[n][r][c][k] += x[n][row][column][k]
        for r in range(rows.out):
            for c in range(columns.out):
                for k in range(channels):
                    a[n][r][c][k] /= counts(rows, columns, r, c, count_padding)
    return a


def average_pool2d_backward(da: Images, x: Images, kernel_size, stride=None, padding="valid", dilation=1, ceil_mode=False,
                            count_padding=False) -> Images:
    """Compute the gradient of `average_pool2d_forward` from da: an equal share for each pixel of the window.

    Parameters
    ----------
    da : (batch, windows down, windows across, channels)
    x : (batch, height, width, channels)
        Only its shape is used.
    kernel_size, stride, padding, dilation, ceil_mode, count_padding
        As for `average_pool2d_forward`.

    Returns
    -------
    dx : (batch, height, width, channels)

    Examples
    --------
    >>> average_pool2d_backward([[[[1.0], [3.0]]]], [[[[2.0], [2.0], [5.0], [6.0]]]], kernel_size=(1, 2))
    [[[[0.5], [0.5], [1.5], [1.5]]]]
    """
    da, x = to_lists(da), to_lists(x)
    batch, height, width, channels = shape(x)
    rows, columns = pooling_windows(shape(x), kernel_size, stride, padding, dilation, ceil_mode)
    check_da(shape(da), shape(x), rows, columns)
    dx = images_of([0.0] * channels, batch, height, width)
    for n in range(batch):
        for r, c, _, _, row, column in connections(rows, columns):
            for k in range(channels):
                dx[n][row][column][k] += da[n][r][c][k] / counts(rows, columns, r, c, count_padding)
    return dx
