"""What pictures are drawn on and with: figures, colors, frames, files."""

from pathlib import Path

import numpy as np

from ..checks import path_name, real_number, shown, whole_number

# colors that stay apart for the color-blind (Okabe and Ito 2008), and markers that stay apart without color
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
MARKERS = "o^sDvPX*"
INK, PALE = "#444444", "#dddddd"  # of lines and letters beside the point, and of grids
ABOUT_ZERO, FROM_ZERO = "RdBu_r", "cividis"  # color maps: blue below zero, red above; dark at zero, light far from it
DOTS_PER_INCH = 150


def axes(rows=1, columns=1, width=6.0, height=4.5):
    """Make a Figure, `width` × `height` inches, with one Axes, or with an array of rows × columns.

    In a notebook the Figure is shown below the cell that makes it, with all that is drawn in the cell; elsewhere no window
    opens.
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
    show_after_cell(figure)
    return made


def given_or_new(ax, width=6.0, height=4.5):
    """The Axes given, or those of a new Figure, `width` × `height` inches."""
    if ax is None:
        return axes(width=width, height=height)
    return one_axes(ax, ", or None for a new Figure")


def one_axes(ax, otherwise=""):
    """`ax` if it is one Axes."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise ValueError(f"ax is {shown(ax)}; it must be one Axes, such as plt.subplots()[1]{otherwise}")
    return ax


def save_picture(path, draw):
    """Save the figure of the Axes that `draw()` returns, and return a line that says where it is.

    Without Matplotlib the line says how to get it: a command's work is done even where its picture cannot be.
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
    """A color a class as (classes, 3) red, green, blue from 0 to 1."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(COLORS[label % len(COLORS)]) for label in range(whole_number("classes", classes))])


def plain(ax):
    """Take the frame's upper and right sides away, and lay a light grid behind."""
    one_axes(ax).spines[["top", "right"]].set_visible(False)
    ax.grid(color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def whole_numbers(axis):
    """Let an axis have ticks at whole numbers alone, be it a single one."""
    axis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def class_marker(label):
    """The marker of a class: those that share a color differ in it."""
    return MARKERS[(label + label // len(COLORS)) % len(MARKERS)]


def color_bar(ax, image, label):
    """Draw beside the Axes which color stands for which number."""
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02).outline.set_visible(False)
