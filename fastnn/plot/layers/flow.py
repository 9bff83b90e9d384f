"""The norms of the gradients of the layers."""

import numpy as np

from ..canvas import COLORS, INK, given_or_new, plain
from ..names import layer_name, of_network
from ..room import log_if_wide


def gradient_flow(net, X, y, ax=None, *, sample_weight=None, training=False):
    """Draw the norm of the gradient of each layer, ‖∂loss/∂parameters‖₂ over all its parameters, first layer to last.

    If the line falls steeply towards the first layers, gradients vanish; if it rises, they explode.

    Parameters
    ----------
    net : Network
        It is not changed.
    X, y, sample_weight
        As for `Network.fit`.
    ax : matplotlib.axes.Axes, optional
    training : bool
        Whether layers behave as in training, as in `Network.loss_and_gradients`.

    Returns
    -------
    matplotlib.axes.Axes
        With a logarithmic scale, unless all gradients are zero or of about the same size. A zero gradient among others is a
        hollow marker below the scale.

    Raises
    ------
    ValueError
        If the network has no parameters, or the data do not fit it.

    Examples
    --------
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([*[Dense(8, "sigmoid")] * 5, Dense(1)], inputs=1)
    >>> ax = plot.gradient_flow(net, [[0.0], [1.0]], [0.0, 1.0])
    """
    if not of_network(net).parameters:
        raise ValueError("this network has no parameters, so no gradients; give one with a layer that learns, such as Dense")
    norms = layer_norms(net, net.loss_and_gradients(X, y, sample_weight=sample_weight, training=training)[1])
    names, norms = [layer_name(net, index) for index in norms], np.array(list(norms.values()))
    ax = given_or_new(ax, width=max(4.0, 2.0 + 0.55 * len(names)))
    places, zero = np.arange(len(names)), norms == 0
    heights = norms.copy()
    if zero.any() and not zero.all():
        ax.set_yscale("log")
        heights[zero] = norms[~zero].min() / 10
    log_if_wide(ax, norms)
    ax.plot(places, np.where(zero, np.nan, heights), color=COLORS[0], linewidth=1.6, zorder=2)
    ax.scatter(places, heights, color=["white" if none else COLORS[0] for none in zero], edgecolor=COLORS[0], zorder=3)
    for place in places[zero]:
        ax.annotate("0", (place, heights[place]), (0, 6), textcoords="offset points", ha="center", color=INK)
    ax.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor")
    ax.set(ylabel="norm of the gradient", xlim=(-0.5, len(names) - 0.5))
    return plain(ax)


def layer_norms(net, gradients):
    """Return the Euclidean norm of all gradients of a layer, by its index, from arrays by name ("0.weight", …)."""
    squares = {}
    for name, gradient in gradients.items():
        index = net.graph.layer_of(name)
        squares[index] = squares.get(index, 0.0) + float(np.square(gradient, dtype=np.float64).sum())
    return {index: square**0.5 for index, square in squares.items()}
