"""Weights and activations of a layer as images."""

import numpy as np

from ...network.layer_outputs import layer_outputs
from ..canvas import ABOUT_ZERO, FROM_ZERO, color_bar, given_or_new, whole_numbers
from ..names import layer_index, step_index, step_names
from ..sheet import columns_for, pixels_shape, sheet, without_ticks


def weight_image(net, layer=0, ax=None, *, shape=None):
    """Draw the weight of a layer (in_features, out_features) as an image, or as one image for each output.

    Parameters
    ----------
    net : Network
    layer : int
        The layer, from 0; negative numbers count from the last.
    ax : matplotlib.axes.Axes, optional
    shape : tuple (height, width), optional
        If the layer's inputs are pixels, row by row, the shape of their image: the weights of each output are then drawn as
        such an image, side by side.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no such layer, it has no weight, or `shape` does not have in_features pixels.

    Examples
    --------
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([Dense(30, "relu"), Dense(10, "softmax")], inputs=64)
    >>> ax = plot.weight_image(net)
    >>> ax = plot.weight_image(net, shape=(8, 8))
    """
    index = layer_index(net, layer)
    weight = net.vectors.parameters.numbered.get(f"{index}.weight")
    if weight is None:
        with_weight = [name.split(".")[0] for name in net.vectors.parameters.numbered if name.endswith(".weight")]
        raise ValueError(f"layer {index}, {net.layers[index]!r}, has no weight; "
                         f"{'layers that have: ' + ', '.join(with_weight) if with_weight else 'no layer here has'}")
    if weight.ndim != 2:
        raise ValueError(f"layer {index}, {net.layers[index]!r}, has weights of shape {weight.shape}; draw its filters with "
                         "plot.filters(net, layer)")
    label = f"{net.graph.names[index]}.weight"
    if shape is None:
        return image(weight, ax, label, xlabel="output of the layer", ylabel="input of the layer")
    mosaic = tiles(weight, shape)
    return without_ticks(image(mosaic, ax, label, aspect="equal", height=0.2 + 4.9 * mosaic.shape[0] / mosaic.shape[1]))


def activation_image(net, X, layer=-1, ax=None):
    """Draw the output of a layer for each sample as an image (samples, features), as in prediction.

    Parameters
    ----------
    net : Network
    X : array (samples, inputs)
    layer : int
        The layer, from 0; negative numbers count from the last.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no such layer, or X does not fit the network.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([Dense(30, "relu"), Dense(10, "softmax")], inputs=64)
    >>> ax = plot.activation_image(net, np.random.default_rng(0).normal(size=(50, 64)), layer=0)
    """
    index = step_index(net, layer)
    outputs = layer_outputs(net, X)[index]
    return image(outputs.reshape(len(outputs), -1), ax, f"output of layer {step_names(net)[index]}", xlabel="feature",
                 ylabel="sample")


def image(values, ax, label, *, xlabel="", ylabel="", aspect="auto", height=4.5):
    """Draw a matrix: white at zero, blue below, red above; or, without negative values, dark at zero. NaN is white."""
    ax = given_or_new(ax, height=height)
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    below = bool((values < 0).any())
    drawn = ax.imshow(np.clip(values, -largest, largest), cmap=ABOUT_ZERO if below else FROM_ZERO,
                      vmin=-largest if below else 0, vmax=largest, aspect=aspect, interpolation="nearest")
    for axis in (ax.xaxis, ax.yaxis):
        whole_numbers(axis)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.spines[:].set_visible(False)
    color_bar(ax, drawn, label)
    return ax


def tiles(weight, shape):
    """Return the columns of weight (in_features, out_features) as a sheet of images of a shape, separated by NaN."""
    height, width = pixels_shape("shape", shape, len(weight), "this layer")
    return sheet(weight.T.reshape(-1, height, width), columns_for(weight.shape[1], height, width))
