"""The confusion matrix of a classifier, drawn by scikit-learn."""

import numpy as np

from ...checks import several, true_or_false
from ...network.predicting import label_numbers
from ..canvas import given_or_new
from ..room import SMALLEST, fit_row_labels, fit_tick_labels, inches, letters_of_cells
from .classes import true_labels


def confusion_matrix(net, X, y, ax=None, *, labels=None, normalize=False):
    """Draw the number of samples for each true class (rows) and predicted class (columns).

    Needs scikit-learn too: pip install "fastnn-numba[plot,sklearn]".

    Parameters
    ----------
    net : Network
        A classifier with one class for each sample.
    X : array (samples, inputs)
    y : array (samples,) or (samples, classes)
        Labels, or one-hot.
    ax : matplotlib.axes.Axes, optional
    labels : list, optional
        The names of the classes, 0 first; by default those that the network knows, or numbers.
    normalize : bool
        Whether to draw fractions of each true class instead of counts; a class without samples has fractions of 0.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the network is not such a classifier, or the data or labels do not fit it.

    Examples
    --------
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([Dense(2, "softmax")], inputs=1)
    >>> ax = plot.confusion_matrix(net, [[-1.0], [0.5], [2.0]], [0, 1, 1], labels=["cold", "warm"])
    """
    y = true_labels("confusion_matrix", net, X, y)
    classes = max(net.outputs, 2)
    labels = net.class_names or range(classes) if labels is None else several("labels", labels)
    if len(labels) != classes:
        raise ValueError(f"labels has {len(labels)} entries; this network has {classes} classes: give one each")
    counts = np.bincount(classes * y + label_numbers(net, X), minlength=classes**2).reshape(classes, classes)
    if true_or_false("normalize", normalize):
        counts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side, display = 2.2 + 0.5 * classes, matrix_display()(counts, display_labels=labels)
    ax = given_or_new(ax, width=side + 0.8, height=side)
    display.plot(ax=ax, cmap="Blues", values_format=".2f" if normalize else "d", colorbar=False)
    letters = letters_of_cells(ax, classes, classes, [text.get_text() for text in display.text_.flat], 10.0)
    for text in display.text_.flat:
        text.set(fontsize=letters or SMALLEST, visible=letters is not None)
    cell = min(inches(ax)) / classes
    fit_tick_labels(ax, labels, cell)
    fit_row_labels(ax, classes, cell)
    ax.tick_params(length=0, pad=5)
    ax.spines[:].set_visible(False)
    return ax


def matrix_display():
    """Return scikit-learn's class for drawing the matrix."""
    try:
        from sklearn.metrics import ConfusionMatrixDisplay
    except ImportError as error:
        raise ImportError('a confusion matrix is drawn by scikit-learn; install it with: '
                          'pip install "fastnn-numba[plot,sklearn]"') from error
    return ConfusionMatrixDisplay
