"""The filters of a convolution, and what a layer makes of a sample, as images."""

import numpy as np

from ...checks import whole_number
from ...layers import Conv1D, Conv2D, ConvTranspose2D, DepthwiseConv2D
from ...network.layer_outputs import layer_outputs
from ..canvas import given_or_new
from ..names import layer_index, layer_name, one_sample
from ..sheet import columns_for, numbered, sheet, without_ticks
from .images import image

KERNELS = Conv1D, Conv2D, ConvTranspose2D, DepthwiseConv2D


def filters(net, layer=None, ax=None, *, most=32):
    """Draw the filters of a convolution, the weights of each output channel, as images.

    Filters of one input channel are drawn row by row, and so are those of three input channels of a network's images, in
    color: gray is zero. Otherwise there is a row for each input channel and a column for each output channel (the reverse
    for a `ConvTranspose2D`). A filter of a `Conv1D` is an image of its features, from top to bottom, by its steps.

    Parameters
    ----------
    net : Network
    layer : int, optional
        The layer, from 0; negative numbers count from the last. By default the first convolution.
    ax : matplotlib.axes.Axes, optional
    most : int
        How many channels are drawn at most: the first ones.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no such layer, or it is no convolution.

    Examples
    --------
    >>> from fastnn import Conv2D, Dense, Flatten, Network, plot
    >>> net = Network([Conv2D(8, 3, "relu"), Conv2D(8, 3, "relu"), Flatten(), Dense(10, "softmax")], inputs=(8, 8, 1))
    >>> ax = plot.filters(net)
    >>> ax = plot.filters(net, 1)
    """
    index = convolution_index(net, layer)
    most = whole_number("most", most)
    label, spec = f"{index}.weight", net.layers[index]
    weight = net.parameters[label]
    inner, outer = weight.shape[-2:]
    if isinstance(spec, Conv1D):
        tiles = weight.transpose(2, 1, 0)[:most]  # (outputs, features, steps)
        return tiled(tiles, ax, label, numbered("filters", outer, len(tiles)))
    if inner == 3 and index_of_pixels(net) == index and not isinstance(spec, ConvTranspose2D):
        tiles = weight.transpose(3, 0, 1, 2)[:most]
        return colored(tiles, ax, f"{numbered('filters', outer, len(tiles))}; gray is zero")
    what = "filters of input channels" if isinstance(spec, ConvTranspose2D) else "filters"
    if inner == 1:
        tiles = weight[:, :, 0].transpose(2, 0, 1)[:most]
        return tiled(tiles, ax, label, numbered(what, outer, len(tiles)))
    tiles = weight.transpose(2, 3, 0, 1)[:most, :most]  # (input channels, output channels, height, width)
    rows, columns = tiles.shape[:2]
    ax = tiled(tiles.reshape(-1, *tiles.shape[2:]), ax, label, "", columns)
    down, across = (("output channel", "input channel") if isinstance(spec, ConvTranspose2D) else
                    ("input channel", "output channel"))
    group = " of a group" if getattr(spec, "groups", 1) > 1 else ""
    for axis, name, count, whole, side in ((ax.yaxis, f"{down}{group}", rows, inner, tiles.shape[2]),
                                           (ax.xaxis, across, columns, outer, tiles.shape[3])):
        step = max(1, -(-count // 8))
        axis.set_ticks([number * (side + 1) + (side - 1) / 2 for number in range(0, count, step)], range(0, count, step))
        axis.set_tick_params(length=0)
        axis.set_label_text(name + (f" (the first {count} of {whole})" if count < whole else ""))
    return ax


def feature_maps(net, x, layer=None, ax=None):
    """Draw the output of a layer for one sample, channel by channel, as in prediction.

    Parameters
    ----------
    net : Network
    x : array
        One sample, of the shape that the network takes: (height, width, channels), or (steps, features). For a series, the
        output is one image of the features, from top to bottom, by the steps.
    layer : int, optional
        The layer, from 0; negative numbers count from the last. By default the first convolution.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If x is not one sample, there is no such layer, or its output has no pixels or steps.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Conv2D, Dense, Flatten, Network, plot
    >>> net = Network([Conv2D(8, 3, "relu"), Flatten(), Dense(10, "softmax")], inputs=(8, 8, 1))
    >>> ax = plot.feature_maps(net, np.random.default_rng(0).normal(size=(8, 8, 1)))
    """
    x = one_sample(net, x)
    index = convolution_index(net) if layer is None else layer_index(net, layer)
    shape, label = net.shapes[index + 1], f"output of layer {layer_name(net, index)}"
    if len(shape) not in (2, 3):
        raise ValueError(f"layer {index}, {net.layers[index]!r}, gives samples of shape {shape}, without pixels or steps; "
                         "for these use plot.activation_image(net, X, layer)")
    output = layer_outputs(net, x)[index][0]
    if len(shape) == 2:
        return image(output.T, ax, label, xlabel="step", ylabel="feature")
    maps = output.transpose(2, 0, 1)
    return tiled(maps, ax, label, numbered("channels", len(maps), len(maps)))


def tiled(tiles, ax, label, xlabel, columns=None):
    """Draw tiles (count, height, width) as one image with a color bar."""
    mosaic = sheet(tiles, columns or columns_for(*tiles.shape))
    ax = without_ticks(image(mosaic, ax, label, aspect="equal", height=height_of(mosaic)))
    ax.set_xlabel(xlabel)
    return ax


def colored(tiles, ax, xlabel):
    """Draw tiles (count, height, width, 3) of weights as colors; zero is gray."""
    largest = float(np.abs(tiles[np.isfinite(tiles)]).max(initial=0.0)) or 1.0
    mosaic = sheet(np.clip(tiles / largest, -1, 1), columns_for(*tiles.shape[:3]))
    ax = without_ticks(given_or_new(ax, height=height_of(mosaic)))
    ax.imshow(np.where(np.isnan(mosaic), 1.0, 0.5 + mosaic / 2), interpolation="nearest")
    ax.spines[:].set_visible(False)
    ax.set_xlabel(xlabel)
    return ax


def height_of(mosaic):
    """Return the height in inches of a Figure, 6 wide, that a mosaic fills."""
    return min(9.0, max(1.6, 0.5 + 4.9 * mosaic.shape[0] / mosaic.shape[1]))


def convolution_index(net, layer=None):
    """Return the index of a convolution: the given layer, or the first one."""
    found = [index for index, each in enumerate(net.layers) if isinstance(each, KERNELS)] if layer is None else []
    if found:
        return found[0]
    index = 0 if layer is None else layer_index(net, layer)
    if layer is None or not isinstance(net.layers[index], KERNELS):
        there = [str(index) for index, each in enumerate(net.layers) if isinstance(each, KERNELS)]
        subject = "this network" if layer is None else f"layer {index}, {net.layers[index]!r},"
        raise ValueError(f"{subject} has no filters; " + (f"give one of the layers that have: {', '.join(there)}" if there
                         else "only convolutions have; for the weights of a Dense layer use plot.weight_image"))
    return index


def index_of_pixels(net):
    """Return the index of the first layer with parameters if only layers of fixed rules are before it."""
    first = min(int(name.split(".")[0]) for name in net.parameters)
    return first if net.shapes[first][-1] == net.shapes[0][-1] else -1
