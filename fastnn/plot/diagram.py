"""A diagram of a network, with circles for features and lines for weights."""

import numpy as np

from ..checks import whole_number
from .canvas import COLORS, INK, given_or_new
from .names import of_network

COLUMN, ROW = 1.5, 0.36  # inches between columns, and between circles
RADIUS = 0.12  # of a circle, in inches
LABEL = 0.75  # inches below the columns for their labels
SMALLEST = 4.5  # points; smaller letters are not legible


def network_diagram(net, ax=None, *, most=12):
    """Draw the features before the first layer and after each layer as columns of circles, and weights as lines.

    A line is blue for a positive weight, and orange and dashed for a negative one; its width shows the magnitude. Layers
    without weights connect each feature to itself. For a layer with many features, the first and the last are drawn.

    Parameters
    ----------
    net : Network
    ax : matplotlib.axes.Axes, optional
    most : int
        How many circles a column may have.
        The largest number of circles in a column.
    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from fastnn import Dense, Network, plot
    >>> ax = plot.network_diagram(Network([Dense(8, "tanh"), Dense(3, "softmax")], inputs=4))
    """
    most = whole_number("most", most, least=2)
    columns = [shown(width, most) for width in of_network(net).widths]
    rows = max(len(features) + gap for features, gap in columns)
    width, height = COLUMN * len(columns), ROW * rows + LABEL
    scale = 1.0 if ax is None else room(ax, width, height)
    ax = given_or_new(ax, width=width, height=height)
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    middle = LABEL + ROW * rows / 2
    places = [column_places(COLUMN * (k + 0.5), middle, *column) for k, column in enumerate(columns)]
    for index in range(len(net.layers)):
        draw_lines(ax, places[index], places[index + 1], net.parameters.get(f"{index}.weight"))
    names = ["inputs", *(type(layer).__name__ for layer in net.layers)]
    sizes = [" × ".join(map(str, shape)) for shape in net.shapes]
    activations = ["", *(layer.activation if layer.activation != "identity" else "" for layer in net.layers)]
    for k, (column, (_, gap)) in enumerate(zip(places, columns, strict=True)):
        draw_circles(ax, column, color="white" if k == 0 else "#e8f1fa")
        x = COLUMN * (k + 0.5)
        if gap:
            ax.text(x, middle, "⋮", ha="center", va="center", fontsize=14 * scale, color=INK)
        ax.text(x, LABEL - 0.12, f"{names[k]}\n{sizes[k]}\n{activations[k]}", ha="center", va="top", linespacing=1.25,
                fontsize=max(SMALLEST, 8 * scale))
    return ax


def room(ax, width, height):
    """Return the ratio of the Axes' size to width × height inches, for scaling circles and letters."""
    across, up = given_or_new(ax).get_window_extent().size / ax.figure.dpi
    return min(1.0, across / width, up / height)


def shown(width, most):
    """Return which of `width` features are drawn, and whether there is a gap between the first and the last of them."""
    if width <= most:
        return list(range(width)), False
    half = most // 2
    return [*range(half), *range(width - half, width)], True


def column_places(x, middle, features, gap):
    """Return the positions of the circles of a column, {feature: (x, y)}, feature 0 on top."""
    slots = len(features) + gap
    half = len(features) // 2
    return {feature: (x, middle + ROW * ((slots - 1) / 2 - slot - (gap and slot >= half)))
            for slot, feature in enumerate(features)}


def draw_lines(ax, before, behind, weight):
    """Draw lines between two columns, one for each weight (in_features, out_features), or for each feature without one."""
    from matplotlib.collections import LineCollection

    if weight is None:
        pairs, sizes = [(i, i) for i in before if i in behind], None
    else:
        pairs = [(i, j) for i in before for j in behind]
        sizes = np.array([weight[pair] for pair in pairs], np.float64)
    lines = [(before[i], behind[j]) for i, j in pairs]
    if sizes is None:
        ax.add_collection(LineCollection(lines, colors=INK, linewidths=0.7, zorder=1), autolim=False)
        return
    largest = np.abs(sizes[np.isfinite(sizes)]).max(initial=0.0) or 1.0
    shares = np.minimum(np.abs(sizes) / largest, 1.0)  # infinity has the widest line, NaN no line
    for sign, color, style in ((sizes >= 0, COLORS[0], "solid"), (sizes < 0, COLORS[1], (0, (4, 1.5)))):
        chosen = np.flatnonzero(sign)
        if not len(chosen):
            continue
        ax.add_collection(LineCollection(
            [lines[k] for k in chosen], colors=color, linestyles=[style], linewidths=0.2 + 1.6 * shares[chosen],
            alpha=0.25 + 0.6 * shares[chosen], zorder=1), autolim=False)


def draw_circles(ax, places, color):
    """Draw a column of circles over the lines."""
    from matplotlib.patches import Circle

    for place in places.values():
        ax.add_patch(Circle(place, RADIUS, facecolor=color, edgecolor=INK, linewidth=0.9, zorder=2))
