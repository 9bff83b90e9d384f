"""A diagram of a network: circles for features and lines for weights, and blocks of planes for the channels of images."""

import numpy as np

from ...checks import whole_number
from ...layers import is_ragged
from ..canvas import COLORS, INK, given_or_new
from ..names import of_network
from ..room import LETTER, inches
from .blocks import LEAST_ROWS, block_places, draw_block, draw_join, draw_window
from .graph_diagram import graph_diagram

COLUMN, ROW = 1.5, 0.36  # inches between columns, and between circles
RADIUS = 0.12  # of a circle, in inches
GAP, SPACING = 0.12, 1.25  # inches above the labels; the distance of their lines, as a part of the size of a letter
LABEL = 0.75  # inches below the columns for their labels
SOME = 16  # steps drawn of sequences of any length
LETTERS, EASY, SMALLEST = 8.0, 6.0, 4.5  # points: of letters with room, easily legible, and hardly legible


def network_diagram(net, ax=None, *, most=12):
    """Draw the features before the first layer and after each layer as columns of circles, and weights as lines.

    A line is blue for a positive weight, and orange and dashed for a negative one; its width shows the magnitude. Layers
    without weights connect each feature to itself. For a layer with many features, the first and the last are drawn.

    Images are blocks, with a plane for each channel and at most `most` planes, whose size shows the height and the width.
    Series are blocks as well, with a flat plane for each feature. A small square on a block is the window of the next layer,
    with lines to the pixel that is computed from it.

    A network that branches or joins has a box for each layer instead, with lines to the layers that read it.

    Parameters
    ----------
    net : Network
    ax : matplotlib.axes.Axes, optional
    most : int
        The largest number of circles in a column, and of planes in a block.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from fastnn import Conv2D, Dense, Flatten, MaxPool2D, Network, plot
    >>> ax = plot.network_diagram(Network([Dense(8, "tanh"), Dense(3, "softmax")], inputs=4))
    >>> ax = plot.network_diagram(Network([Conv2D(6, 5, "relu"), MaxPool2D(2), Flatten(), Dense(10, "softmax")],
    ...                                   inputs=(28, 28, 1)))
    """
    most = whole_number("most", most, least=2)
    if not of_network(net).graph.is_chain:
        return graph_diagram(net, ax, room)
    sizes = [" × ".join("steps" if size is None else str(size) for size in shape) for shape in net.shapes]
    shapes = [some_steps(shape) for shape in net.shapes]
    columns = [shown(shape[0], most) if len(shape) == 1 else None for shape in shapes]
    rows = max(len(column[0]) + column[1] if column else LEAST_ROWS for column in columns)
    width, height = COLUMN * len(columns), ROW * rows + LABEL
    scale = 1.0 if ax is None else with_labels(ax, width, height)
    ax = given_or_new(ax, width=width, height=height)
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    middle = LABEL + ROW * rows / 2
    largest = max((max(shape[:-1]) for shape in shapes if len(shape) > 1), default=1)
    xs = [COLUMN * (k + 0.5) for k in range(len(columns))]
    places = [column_places(x, middle, *column) if column else
              block_places(x, middle, shape, most, largest, min(COLUMN, ROW * rows) - 0.25)
              for x, column, shape in zip(xs, columns, shapes, strict=True)]
    for index, layer in enumerate(net.layers):
        before, behind = places[index], places[index + 1]
        if columns[index] and columns[index + 1]:
            weight = net.parameters.get(f"{index}.weight")
            draw_lines(ax, before, behind, weight)
        elif columns[index] or columns[index + 1]:
            draw_join(ax, before, behind)
        else:
            draw_window(ax, layer, shapes[index], before, behind)
    names = ["inputs", *(type(layer).__name__ for layer in net.layers)]
    activations = ["", *(layer.activation if layer.activation != "identity" else "" for layer in net.layers)]
    for k, (x, column) in enumerate(zip(xs, columns, strict=True)):
        color = "white" if k == 0 else "#e8f1fa"
        if column is None:
            draw_block(ax, places[k], color)
        else:
            draw_circles(ax, places[k], color)
            if column[1]:
                ax.text(x, middle, "⋮", ha="center", va="center", fontsize=14 * scale, color=INK)
    below = max(0.0, inches(ax)[1] / scale - height)  # room that the columns leave in Axes of other proportions
    for labels in ([*zip(names, sizes, activations, strict=True)], [(size,) for size in sizes]):
        if write_labels(ax, xs, labels, scale, below):  # otherwise the sizes alone, or nothing
            break
    return ax


def write_labels(ax, xs, labels, scale, below):
    """Write a label of several lines below each column, at two heights in turn if they are too long to be side by side.

    below: room under that of the labels, in the units of the Axes. Return False, and write nothing, if no legible size fits.
    """
    longest = max(len(line) for label in labels for line in label)
    lines = max(len(list(filter(None, label))) for label in labels)
    sizes = []
    for levels in (1, 2):
        deep = GAP + levels * lines * SPACING * LETTERS / 72 / scale  # what letters of the usual size need
        sizes.append(min(LETTERS, levels * 72 * COLUMN * scale / LETTER / longest,
                         LETTERS * (LABEL + below - GAP) / (deep - GAP)))
    size, levels = (sizes[0], 1) if sizes[0] >= min(EASY, sizes[1]) else (sizes[1], 2)
    if size < SMALLEST:
        return False
    line = SPACING * size / 72 / scale
    for k, (x, label) in enumerate(zip(xs, labels, strict=True)):
        ax.text(x, LABEL - GAP - k % levels * lines * line, "\n".join(filter(None, label)), ha="center", va="top",
                linespacing=SPACING, fontsize=size)
    ax.set_ylim(bottom=min(0.0, LABEL - GAP - levels * lines * line))
    return True


def some_steps(shape):
    """Return the shape of a sequence of any length with some steps, for drawing; other shapes unchanged."""
    return (SOME, *(shape[1:] or (1,))) if is_ragged(shape) else shape


def room(ax, width, height):
    """Return the ratio of the Axes' size to width × height inches, for scaling circles and letters."""
    across, up = given_or_new(ax).get_window_extent().size / ax.figure.dpi
    return min(1.0, across / width, up / height)


def with_labels(ax, width, height):
    """Return that ratio, smaller where the labels below columns would not be legible otherwise."""
    scale, up = room(ax, width, height), inches(ax)[1]
    deep = 3 * SPACING * EASY / 72 + GAP * scale
    return scale if LABEL * scale >= deep or up < 3 * deep else min(scale, (up - deep) / (height - LABEL))


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
