"""What fits into Axes of a given size: labels, letters in cells, legends, and whether a scale is better logarithmic."""

import numpy as np

LETTER = 0.62  # width of a letter, as a part of its size
WIDE = 4.0  # a logarithmic scale is for values of which the largest is so many times the smallest
NARROW = 3.2  # inches; legends of narrower Axes have small letters
ROOM = 0.85  # of the Axes, which shrink when their labels are laid out
SMALLEST = 5.0  # points; smaller letters are not legible


def inches(ax):
    """Return the width and the height of Axes."""
    return ax.get_window_extent().size / ax.figure.dpi


def log_if_wide(ax, *values):
    """Give the y axis a logarithmic scale if the values are above zero and of several magnitudes."""
    values = np.concatenate([np.ravel(each) for each in values])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() >= WIDE * values.min():
        ax.set_yscale("log")


def fit_tick_labels(ax, labels):
    """Turn the labels below the Axes where they would run into each other side by side."""
    size = ax.xaxis.get_ticklabels()[0].get_fontsize() if len(labels) else 0.0
    longest = max((len(str(label)) for label in labels), default=0)
    if (longest + 1.5) * LETTER * size / 72 > inches(ax)[0] / max(1, len(labels)):
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")


def letters_of_cells(ax, rows, columns, texts, size=9.0):
    """Return the size of letters with which texts fit into the cells of a table, in points; None if none is legible."""
    width, height = ROOM * inches(ax)
    longest = max(map(len, texts))
    fitting = min(size, 72 * width / columns / (LETTER * (longest + 1)), 72 * height / rows / 1.4)
    return fitting if fitting >= SMALLEST else None


def legend(ax, **options):
    """Add a legend, with small letters in narrow Axes."""
    small = {"fontsize": 7, "handlelength": 1.2, "borderaxespad": 0.2, "labelspacing": 0.25}
    return ax.legend(**{"frameon": False, **(small if inches(ax)[0] < NARROW else {}), **options})
