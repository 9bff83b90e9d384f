"""Which pixels of a sample matter for a class: saliency maps and Grad-CAM, beside the sample."""

import numpy as np

from ..canvas import COLORS, FROM_ZERO, color_bar, given_or_new, plain
from ..names import layer_name, one_sample
from ..sheet import as_picture, pixels_shape, without_ticks
from .attribution import class_activation_map, class_gradient

GAP = 0.08  # between the sample and the map, as a part of the width of one
HEAT = "inferno"


def saliency(net, x, label=None, ax=None, *, shape=None):
    """Draw how strongly the score of a class depends on each pixel of a sample, beside the sample.

    The map is the largest |∂ score / ∂ x| over the channels of a pixel (Simonyan et al. 2014); `class_gradient` computes it.
    For a series it is drawn behind the lines of its features.

    Parameters
    ----------
    net : Network
    x : array
        One sample, of the shape that the network takes.
    label : int, optional
        The class; by default the one predicted.
    ax : matplotlib.axes.Axes, optional
    shape : tuple (height, width), optional
        For a network that takes flat samples: the shape of their image.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If x is not one sample, or there is no such class.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Conv2D, Dense, Flatten, Network, plot
    >>> net = Network([Conv2D(8, 3, "relu"), Flatten(), Dense(10, "softmax")], inputs=(8, 8, 1))
    >>> ax = plot.saliency(net, np.random.default_rng(0).normal(size=(8, 8, 1)), 3)
    """
    gradient, label = class_gradient(net, x, label)
    sample = one_sample(net, x)[0]
    if sample.ndim == 1:
        if shape is None:
            raise ValueError(f"x has {sample.size} features in one axis; give the shape of their image, "
                             "shape=(height, width)")
        sides = *pixels_shape("shape", shape, sample.size, "this network"), 1
        sample, gradient = sample.reshape(sides), gradient.reshape(sides)
    elif shape is not None:
        raise ValueError(f"shape is {shape!r}; it is for networks that take flat samples, and this one takes {sample.shape}")
    values = np.abs(gradient).max(axis=-1)
    words = f"largest |∂ score of {words_for(net, label)} / ∂ {'step' if sample.ndim == 2 else 'pixel'}|"
    return draw(ax, sample, values, "saliency", words, over=False)


def grad_cam(net, x, label=None, ax=None, *, layer=None):
    """Draw the Grad-CAM of a class (Selvaraju et al. 2017): where in a sample the features for that class are.

    The map has the pixels of a layer's output. It is interpolated and laid over the sample. Zero everywhere means that no
    channel of the layer speaks for the class.

    Parameters
    ----------
    net : Network
    x : array
        One sample, of the shape that the network takes: (height, width, channels), or (steps, features).
    label : int, optional
        The class; by default the one predicted.
    ax : matplotlib.axes.Axes, optional
    layer : int, optional
        The layer whose output is weighted. By default the last convolution, with the normalization and activation that
        follow it.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If x is not one sample, there is no such class or layer, or the output of the layer has no pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Conv2D, Dense, Flatten, Network, plot
    >>> net = Network([Conv2D(8, 3, "relu"), Flatten(), Dense(10, "softmax")], inputs=(8, 8, 1))
    >>> ax = plot.grad_cam(net, np.random.default_rng(0).normal(size=(8, 8, 1)), 3)
    """
    values, label, layer = class_activation_map(net, x, label, layer)
    sample = one_sample(net, x)[0]
    if sample.ndim == 1:
        raise ValueError(f"a sample of this network has {sample.size} features in one axis; Grad-CAM is laid over images or "
                         "series, and class_activation_map returns its numbers")
    words = f"Grad-CAM of {words_for(net, label)}, layer {layer_name(net, layer)}"
    return draw(ax, sample, values, "Grad-CAM", words, over=True)


def words_for(net, label):
    """Return how a class, or an output that is none, is named in a label."""
    return f"{'output' if net.objective.head.classes is None else 'class'} {label}"


def draw(ax, sample, values, name, words, *, over):
    """Draw a map (height, width) or (steps,) of a sample, from zero to its largest number; over: whether over the sample."""
    top = float(values.max()) or 1.0
    if sample.ndim == 2:
        return draw_series(ax, sample, np.atleast_2d(values if values.ndim == 1 else values.max(axis=0)), top, words)
    height, width = sample.shape[:2]
    values = np.atleast_2d(values)
    ax = without_ticks(given_or_new(ax, width=7.0, height=min(9.0, 0.7 + 2.9 * height / width)))
    left, right = (0, width, height, 0), (width * (1 + GAP), width * (2 + GAP), height, 0)
    picture = as_picture(sample)
    drawn = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
    ax.imshow(picture, extent=left, **drawn)
    if over:
        ax.imshow(picture if picture.ndim == 2 else picture.mean(axis=-1), extent=right, **drawn)
    heat = ax.imshow(values, extent=right, cmap=HEAT if over else FROM_ZERO, vmin=0, vmax=top, alpha=0.6 if over else None,
                     interpolation="bilinear" if over else "nearest")
    ax.set(xlim=(0, right[1]), ylim=(height, 0), aspect="equal")
    ax.set_xticks([width / 2, right[0] + width / 2], ["sample", name])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    color_bar(ax, heat, "")
    ax.set_xlabel(words)
    return ax


def draw_series(ax, sample, values, top, words):
    """Draw the features of a series (steps, features) as lines, over a map (1, steps) that spans all of its steps."""
    ax = given_or_new(ax, width=7.0, height=3.2)
    low, high = float(sample.min()), float(sample.max())
    margin = 0.08 * (high - low) or 1.0
    heat = ax.imshow(values, extent=(-0.5, len(sample) - 0.5, low - margin, high + margin), cmap="Greys", vmin=0,
                     vmax=1.5 * top, aspect="auto", interpolation="nearest")  # lines are visible over the darkest
    for feature, line in enumerate(sample.T):
        ax.plot(np.arange(len(sample)), line, color=COLORS[feature % len(COLORS)], linewidth=1.4)
    plain(ax).grid(False)
    ax.set(xlim=(-0.5, len(sample) - 0.5), xlabel=f"step (gray: {words})", ylabel="sample")
    color_bar(ax, heat, "")
    heat.set_clim(0, 1.5 * top)
    heat.colorbar.ax.set_ylim(0, top)
    return ax
