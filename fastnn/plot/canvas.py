"""Figures, colors, frames and files of the pictures."""

from pathlib import Path

import numpy as np

from ..checks import path_name, real_number, shown, whole_number
from .room import fit_labels, in_lines, inches

# colors that color-blind readers can distinguish (Okabe and Ito 2008), and markers that differ without color
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
MARKERS = "o^sDvPX*"
INK, PALE = "#444444", "#dddddd"  # colors of minor lines and letters, and of grids
ABOUT_ZERO, FROM_ZERO = "RdBu_r", "cividis"  # color maps: blue below zero, red above; dark at zero, light for large values
DOTS_PER_INCH = 150


def axes(rows=1, columns=1, width=6.0, height=4.5, *, shows=True):
    """Make a Figure, `width` × `height` inches, with one Axes, or with an array of rows × columns.

    A notebook shows the Figure below the cell that makes it, with all that the cell draws; elsewhere no window opens.
    shows: False leaves it to the caller to show it in a notebook.
    """
    rows, columns = whole_number("rows", rows), whole_number("columns", columns)
    for name, side in (("width", width), ("height", height)):
        if not 0 < real_number(side) < np.inf:
            raise ValueError(f"{name} is {shown(side)}; it must be a number of inches above 0")
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError('pictures need Matplotlib; install it with: pip install "fastnn-numba[plot]"') from error
    from .notebook import Axes, Figure, show_after_cell

    figure = Figure(figsize=(width, height), layout="constrained")
    made = figure.subplots(rows, columns, subplot_kw={"axes_class": Axes})
    if shows:
        show_after_cell(figure)
    return made


def given_or_new(ax, width=6.0, height=4.5):
    """Return the given Axes, or those of a new Figure, `width` × `height` inches."""
    if ax is None:
        return axes(width=width, height=height)
    return one_axes(ax, ", or None for a new Figure")


def one_axes(ax, otherwise=""):
    """Return `ax` if it is one Axes, else raise ValueError."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise ValueError(f"ax is {shown(ax)}; it must be one Axes, such as plt.subplots()[1]{otherwise}")
    return ax


def save_picture(path, draw):
    """Save the figure of the Axes that `draw()` returns, and return a line with the file name.

    Without Matplotlib, the line says how to install it, so that the command does not fail.
    """
    path = Path(path_name("path", path))
    try:
        ax = draw()
    except ImportError as error:
        return f"no picture: {error}"
    path.parent.mkdir(parents=True, exist_ok=True)
    ax.figure.savefig(path, dpi=DOTS_PER_INCH)
    return f"picture: {path}"


def class_colors(classes):
    """Return a color for each class, (classes, 3) red, green, blue from 0 to 1."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(COLORS[label % len(COLORS)]) for label in range(whole_number("classes", classes))])


def plain(ax):
    """Remove the upper and right sides of the frame, add a light grid, and break labels that do not fit into lines."""
    fit_labels(one_axes(ax))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def whole_numbers(axis):
    """Restrict the ticks of an axis to integers."""
    axis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def class_marker(label):
    """Return the marker of a class; classes with the same color have different markers."""
    return MARKERS[(label + label // len(COLORS)) % len(MARKERS)]


def color_bar(ax, image, label):
    """Draw a color bar beside the Axes, and break labels that do not fit into lines."""
    fit_labels(ax)
    label = in_lines(label, inches(ax)[1])
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02).outline.set_visible(False)
