"""A table of numbers as a heat map."""

import numpy as np

from ..checks import an_instance, several, shown
from ..samples.arrays import real_array
from .canvas import FROM_ZERO, color_bar, given_or_new
from .room import fit_row_labels, fit_tick_labels, letters_of_cells


def heat_map(values, rows, columns, ax=None, *, label="", form="{:.3f}"):
    """Draw a table of numbers as colors, with each number written in its cell.

    Parameters
    ----------
    values : array (rows, columns)
        Cells that are not finite stay white.
    rows, columns : list
        Labels of the rows and columns.
    ax : matplotlib.axes.Axes, optional
    label : str
        The label of the numbers.
    form : str
        The format of a number.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the values are not a table, the labels do not fit its shape, or the format is not valid for a number.

    Examples
    --------
    >>> from fastnn import plot
    >>> ax = plot.heat_map([[0.91, 0.93], [0.94, 0.97]], rows=[16, 64], columns=["sigmoid", "relu"], label="accuracy")
    """
    values, rows, columns = real_array("values", values, "float64"), several("rows", rows), several("columns", columns)
    an_instance("label", label, str)
    if values.ndim != 2 or values.shape != (len(rows), len(columns)) or values.size == 0:
        raise ValueError(f"values has shape {values.shape}; with {len(rows)} rows and {len(columns)} columns it must be "
                         f"({len(rows)}, {len(columns)}), and not empty")
    texts = written(form, values)
    ax = given_or_new(ax, width=1.6 + 0.85 * values.shape[1], height=1.2 + 0.5 * values.shape[0])
    finite = np.isfinite(values)
    least, most = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 1.0)
    image = ax.imshow(np.where(finite, values, np.nan), cmap=FROM_ZERO, aspect="auto", vmin=least, vmax=most)
    middle = least / 2 + most / 2
    letters = letters_of_cells(ax, *values.shape, texts.flat)
    for (row, column), text in np.ndenumerate(texts) if letters else ():  # too small to be read: the colors remain
        ax.text(column, row, text, ha="center", va="center", fontsize=letters,
                color="white" if finite[row, column] and values[row, column] < middle else "black")
    ax.set_xticks(range(len(columns)), columns)
    fit_tick_labels(ax, columns)
    ax.set_yticks(range(len(rows)), rows)
    fit_row_labels(ax, len(rows))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    color_bar(ax, image, label)
    return ax


def written(form, values):
    """Return numbers as texts, an array of the same shape."""
    try:
        return np.array([form.format(float(value)) for value in values.flat], object).reshape(values.shape)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"form is {shown(form)}; it must be text that writes a number, such as '{{:.3f}}'") from error
