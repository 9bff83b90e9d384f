"""Convolution and its transpose as pure Python loops, over images (batch, height, width, channels).

A window of the kernel's size slides over the image; at each place z = Σ x weight + bias, over the taps of the window and the
channels. Outside the image is padding with zeros, which adds nothing. Groups split the channels: outputs of group g read
only the inputs of group g.
"""

from ..layers.windows import Windows
from .records import shape, to_lists
from .rungs import convolution_windows, transposed_convolution_windows

Images = list[list[list[list[float]]]]
Kernel = list[list[list[list[float]]]]
Vector = list[float]


def connections(rows: Windows, columns: Windows):
    """Return (window row, window column, tap row, tap column, pixel row, pixel column) for all taps inside the image."""
    for r in range(rows.out):
        for c in range(columns.out):
            down, top = rows.taps(r)
            across, left = columns.taps(c)
            for i in down:
                for j in across:
                    yield r, c, i, j, top + i * rows.dilation, left + j * columns.dilation


def images_of(value: Vector, batch: int, height: int, width: int) -> Images:
    """Return images in which every pixel has these channels."""
    return [[[[*value] for _ in range(width)] for _ in range(height)] for _ in range(batch)]


def conv2d_forward(x: Images, weight: Kernel, bias: Vector, stride=1, padding="valid", dilation=1, groups=1) -> Images:
    """Slide a kernel over images: z[r, c, o] = bias[o] + Σᵢⱼₖ x[r s + i d − top, c s + j d − left, k] weight[i, j, k, o].

    Parameters
    ----------
    x : (batch, height, width, in_channels)
    weight : (kernel height, kernel width, in_channels / groups, out_channels)
    bias : (out_channels,)
    stride, dilation : int or (int, int)
        Distances of windows and of taps, down and across.
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right))
        No padding; enough for a window at each stride; or so many pixels.
    groups : int

    Returns
    -------
    z : (batch, windows down, windows across, out_channels)

    Examples
    --------
    >>> x = [[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]]  # one image of 2×3 pixels and one channel
    >>> conv2d_forward(x, weight=[[[[1.0]], [[10.0]]]], bias=[0.5])
    [[[[21.5], [32.5]], [[54.5], [65.5]]]]
    """
    x, weight, bias = to_lists(x), to_lists(weight), to_lists(bias)
    rows, columns = convolution_windows(shape(x), shape(weight), shape(bias), stride, padding, dilation, groups)
    inputs, outputs = len(weight[0][0]), len(bias) // groups  # of each group
    z = images_of(bias, len(x), rows.out, columns.out)
    for n in range(len(x)):
        for r, c, i, j, row, column in connections(rows, columns):
            for o in range(len(bias)):
                first = o // outputs * inputs
                for k in range(inputs):
                    z[n][r][c][o] += x[n][row][column][first + k] * weight[i][j][k][o]
    return z


def conv2d_backward(dz: Images, x: Images, weight: Kernel, stride=1, padding="valid", dilation=1,
                    groups=1) -> tuple[Images, Kernel, Vector]:
    """Compute the gradients of `conv2d_forward` from dz: each product contributes to dx and to dweight.

    Parameters
    ----------
    dz : (batch, windows down, windows across, out_channels)
    x, weight, stride, padding, dilation, groups
        As for `conv2d_forward`.

    Returns
    -------
    dx : (batch, height, width, in_channels)
    dweight : (kernel height, kernel width, in_channels / groups, out_channels)
    dbias : (out_channels,)

    Examples
    --------
    >>> x = [[[[1.0], [2.0], [3.0]]]]
    >>> conv2d_backward([[[[1.0], [2.0]]]], x, weight=[[[[1.0]], [[10.0]]]])
    ([[[[1.0], [12.0], [20.0]]]], [[[[5.0]], [[8.0]]]], [3.0])
    """
    dz, x, weight = to_lists(dz), to_lists(x), to_lists(weight)
    _, height, width, in_channels = shape(x)
    _, _, inputs, out_channels = shape(weight)
    rows, columns = convolution_windows(shape(x), shape(weight), (out_channels,), stride, padding, dilation, groups,
                                        shape(dz))
    outputs = out_channels // groups
    dx = images_of([0.0] * in_channels, len(x), height, width)
    dweight = [[[[0.0] * out_channels for _ in range(inputs)] for _ in line] for line in weight]
    dbias = [0.0] * out_channels
    for n in range(len(x)):
        for r in range(rows.out):
            for c in range(columns.out):
                for o in range(out_channels):
                    dbias[o] += dz[n][r][c][o]
        # forward: z[r, c, o] += x[row, column, k] weight[i, j, k, o]
        for r, c, i, j, row, column in connections(rows, columns):
            for o in range(out_channels):
                first = o // outputs * inputs
                for k in range(inputs):
                    dx[n][row][column][first + k] += dz[n][r][c][o] * weight[i][j][k][o]
                    dweight[i][j][k][o] += x[n][row][column][first + k] * dz[n][r][c][o]
    return dx, dweight, dbias


def conv_transpose2d_forward(x: Images, weight: Kernel, bias: Vector, stride=1, padding="valid", dilation=1,
                             groups=1, output_padding=0) -> Images:
    """Spread each pixel over a window: z[r s + i d − top, c s + j d − left, k] = bias[k] + Σ x[r, c, o] weight[i, j, k, o].

    It equals dx of `conv2d_backward` for dz = x. So the weight has its outputs before its inputs, as in Keras.

    Parameters
    ----------
    x : (batch, height, width, in_channels)
    weight : (kernel height, kernel width, out_channels / groups, in_channels)
    bias : (out_channels,)
    stride, dilation : int or (int, int)
    padding : "valid", "same", int, (int, int) or ((top, bottom), (left, right))
        What is cropped: nothing; to height · stride and width · stride; or so many pixels.
    groups : int
    output_padding : int or (int, int)
        Additional pixels at the bottom and on the right.

    Returns
    -------
    z : (batch, rows, columns, out_channels)

    Examples
    --------
    >>> conv_transpose2d_forward([[[[1.0], [2.0]]]], weight=[[[[1.0]], [[10.0]]]], bias=[0.5], stride=(1, 2))
    [[[[1.5], [10.5], [2.5], [20.5]]]]
    """
    x, weight, bias = to_lists(x), to_lists(weight), to_lists(bias)
    rows, columns = (axis.reversed for axis in transposed_convolution_windows(
        shape(x), shape(weight), shape(bias), stride, padding, dilation, groups, output_padding))
    in_channels, outputs = len(weight[0][0][0]), len(weight[0][0])
    inputs = in_channels // groups  # of each group
    z = images_of(bias, len(x), rows.size, columns.size)
    for n in range(len(x)):
        for r, c, i, j, row, column in connections(rows, columns):
            for o in range(in_channels):
                first = o // inputs * outputs
                for k in range(outputs):
                    z[n][row][column][first + k] += x[n][r][c][o] * weight[i][j][k][o]
    return z


def conv_transpose2d_backward(dz: Images, x: Images, weight: Kernel, stride=1, padding="valid", dilation=1,
                              groups=1, output_padding=0) -> tuple[Images, Kernel, Vector]:
    """Compute the gradients of `conv_transpose2d_forward` from dz.

    Parameters
    ----------
    dz : (batch, rows, columns, out_channels)
    x, weight, stride, padding, dilation, groups, output_padding
        As for `conv_transpose2d_forward`.

    Returns
    -------
    dx : (batch, height, width, in_channels)
    dweight : (kernel height, kernel width, out_channels / groups, in_channels)
    dbias : (out_channels,)

    Examples
    --------
    >>> dz, weight = [[[[1.0], [2.0], [3.0], [4.0]]]], [[[[1.0]], [[10.0]]]]
    >>> conv_transpose2d_backward(dz, [[[[1.0], [2.0]]]], weight, stride=(1, 2))
    ([[[[21.0], [43.0]]]], [[[[7.0]], [[10.0]]]], [10.0])
    """
    dz, x, weight = to_lists(dz), to_lists(x), to_lists(weight)
    _, height, width, in_channels = shape(x)
    outputs, inputs = len(weight[0][0]), in_channels // groups
    rows, columns = (axis.reversed for axis in transposed_convolution_windows(
        shape(x), shape(weight), (outputs * groups,), stride, padding, dilation, groups, output_padding, shape(dz)))
    dx = images_of([0.0] * in_channels, len(x), height, width)
    dweight = [[[[0.0] * in_channels for _ in range(outputs)] for _ in line] for line in weight]
    dbias = [0.0] * (outputs * groups)
    for n in range(len(x)):
        for row in range(rows.size):
            for column in range(columns.size):
                for k in range(len(dbias)):
                    dbias[k] += dz[n][row][column][k]
        # forward: z[row, column, k] += x[r, c, o] weight[i, j, k, o]
        for r, c, i, j, row, column in connections(rows, columns):
            for o in range(in_channels):
                first = o // inputs * outputs
                for k in range(outputs):
                    dx[n][r][c][o] += dz[n][row][column][first + k] * weight[i][j][k][o]
                    dweight[i][j][k][o] += x[n][r][c][o] * dz[n][row][column][first + k]
    return dx, dweight, dbias
