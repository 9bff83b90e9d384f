"""What fits into Axes of a given size: labels, letters in cells, legends, and whether a scale is better logarithmic."""

import math
import textwrap

import numpy as np

LETTER = 0.62  # width of a letter, as a part of its size
WIDE = 4.0  # a logarithmic scale is for values of which the largest is so many times the smallest
NARROW = 3.2  # inches; legends of narrower Axes have small letters
ROOM = 0.85  # of the Axes, which shrink when their labels are laid out
SMALLEST = 5.0  # points; smaller letters are not legible
TURN = 40  # degrees by which labels are rotated that do not fit side by side


def inches(ax):
    """Return the width and the height of Axes."""
    return ax.get_window_extent().size / ax.figure.dpi


def log_if_wide(ax, *values):
    """Give the y axis a logarithmic scale if the values are above zero and of several magnitudes."""
    values = np.concatenate([np.ravel(each) for each in values])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() >= WIDE * values.min():
        ax.set_yscale("log")


def fit_tick_labels(ax, labels, cell=None):
    """Turn the labels below the Axes where they would run into each other side by side, with smaller letters if need be.

    cell: the room of a label, in inches; by default its part of the width.
    """
    labels = list(map(str, labels))
    cell = inches(ax)[0] / max(1, len(labels)) if cell is None else cell
    size = ax.xaxis.get_ticklabels()[0].get_fontsize() if labels else 0.0
    if (max(map(len, labels), default=0) + 1.5) * LETTER * size / 72 > cell:
        size = max(SMALLEST, min(size, ROOM * 72 * cell * math.sin(math.radians(TURN))))
        for label in ax.get_xticklabels():
            label.set(rotation=TURN, ha="right", rotation_mode="anchor", fontsize=size)


def fit_row_labels(ax, count, cell=None):
    """Make the labels beside the Axes so small that they do not run into each other."""
    cell = inches(ax)[1] / max(1, count) if cell is None else cell
    for label in ax.get_yticklabels():
        label.set_fontsize(max(SMALLEST, min(label.get_fontsize(), ROOM * 72 * cell / 1.1)))


def fit_labels(ax):
    """Break the labels of both axes into lines where they are longer than the Axes."""
    for label, side in zip((ax.xaxis.label, ax.yaxis.label), inches(ax), strict=True):
        label.set_text(in_lines(label.get_text(), side, label.get_fontsize()))


def in_lines(text, side, size=10.0):
    """Return a text broken into lines that fit along Axes of a side, in inches, with letters of a size."""
    letters = max(8, int(72 * ROOM * side / (LETTER * size)))
    return textwrap.fill(text, letters, break_long_words=False, break_on_hyphens=False) if len(text) > letters else text


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
