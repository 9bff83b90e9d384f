"""The decision boundary of a classifier in a plane."""

import numpy as np

from ...samples.arrays import any_array
from ...samples.features import features
from ..canvas import INK, class_colors, class_marker, given_or_new
from ..names import of_network
from ..room import legend
from .classes import true_labels

TINT = 0.35  # fraction of a class's color in its region; the rest is white
MANY = 6  # with more classes than these, the legend is beside the picture
GRID = 300  # points along each side


def decision_boundary(net, X, y, ax=None):
    """Draw the predicted class of a classifier with two features in the plane, and the samples.

    The closer a color is to white or to a mixture, the less certain the prediction. On the lines, two classes are equally
    probable.

    Parameters
    ----------
    net : Network
        A classifier with two inputs.
    X : array (samples, 2)
    y : array (samples,) or (samples, classes)
        Labels, or one-hot.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the network does not have two inputs or is not a classifier, or the data do not fit it.

    Examples
    --------
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([Dense(8, "tanh"), Dense(2, "softmax")], inputs=2)
    >>> ax = plot.decision_boundary(net, [[0, 0], [1, 1], [0, 1], [1, 0]], [0, 0, 1, 1])
    """
    shape = any_array("X", X).shape
    if of_network(net).shapes[0] != (2,) or len(shape) != 2 or shape[1] != 2:
        raise ValueError(f"decision_boundary draws a plane: it takes a network of 2 inputs, not {net.config()['inputs']}, "
                         f"and X (samples, 2), not {shape}")
    y, X = true_labels("decision_boundary", net, X, y), features(X, (2,), "float64")
    ax = given_or_new(ax, width=5.6, height=5)
    extent = np.ptp(X, axis=0)
    margin = np.where(extent > 0, 0.05 * extent, 0.5)
    (left, bottom), (right, top) = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
    probabilities = class_probabilities(net, np.column_stack([across.ravel(), up.ravel()]))
    colors = class_colors(probabilities.shape[1])
    # over white, each class in its color with its probability as opacity (sigmoids need not sum to 1)
    ground = np.clip(1 - TINT * probabilities @ (1 - colors), 0, 1)
    ax.imshow(ground.reshape(GRID, GRID, 3), extent=(left, right, bottom, top), origin="lower", aspect="auto",
              interpolation="bilinear")
    for label in range(probabilities.shape[1]):
        lead = probabilities[:, label] - np.delete(probabilities, label, axis=1).max(axis=1)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead.reshape(GRID, GRID), levels=[0], colors=INK, linewidths=0.9)
    for label in np.unique(y):
        here = y == label
        ax.scatter(*X[here].T, s=11, color=colors[label], marker=class_marker(label), linewidth=0.3,
                   edgecolor="white", label=f"class {label}")
    place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if len(np.unique(y)) > MANY else {"loc": "upper right"}
    legend(ax, frameon=True, framealpha=0.9, markerscale=1.6, handletextpad=0.2, borderpad=0.4, **place)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(left, right), ylim=(bottom, top))
    return ax


def class_probabilities(net, X):
    """Return the probability of every class (samples, classes), for one sigmoid output too."""
    probabilities = of_network(net).predict_proba(X).astype(np.float64)
    return np.column_stack([1 - probabilities, probabilities]) if probabilities.shape[1] == 1 else probabilities
