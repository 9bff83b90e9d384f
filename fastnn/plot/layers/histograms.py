"""Histograms of the weights or activations of each layer, one above the other on a common scale."""

import numpy as np

from ...network.layer_outputs import layer_outputs
from ..canvas import COLORS, INK, given_or_new, plain
from ..names import of_network, step_names

BINS = 80
TAIL = 0.1  # percent of the values at either end that may be outside the picture
ROOM = 0.82  # height of the highest histogram, relative to the distance between two


def weight_histograms(net, ax=None):
    """Draw a histogram of the elements of each parameter, first layer on top.

    The text on the right is mean ± standard deviation. Each histogram has its own height; the horizontal scale is common.

    Parameters
    ----------
    net : Network
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the network has no parameters, or one of them is not finite.

    Examples
    --------
    >>> from fastnn import Dense, Network, plot
    >>> ax = plot.weight_histograms(Network([Dense(64, "relu"), Dense(3, "softmax")], inputs=8))
    """
    if not of_network(net).parameters:
        raise ValueError("this network has no parameters; give one with a layer that learns, such as Dense")
    return histograms(net.parameters, [*map(net.graph.layer_of, net.parameters)], ax, "parameter")


def activation_histograms(net, X, ax=None):
    """Draw a histogram of the outputs of each layer over samples and features, first layer on top.

    The text on the right is mean ± standard deviation, and the fraction of zeros if there are any: a relu that is zero for
    all samples is dead. Layers behave as in prediction.

    Parameters
    ----------
    net : Network
    X : array (samples, inputs)
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If X does not fit the network, or an output is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([Dense(64, "relu"), Dense(3, "softmax")], inputs=8)
    >>> ax = plot.activation_histograms(net, np.random.default_rng(0).normal(size=(100, 8)))
    """
    named = dict(zip(step_names(of_network(net)), layer_outputs(net, X), strict=True))
    return histograms(named, range(len(named)), ax, "output of the layer")


def histograms(named, groups, ax, label):
    """Draw arrays by name, first on top; `groups` are numbers that choose their colors."""
    for name, values in named.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds numbers that are not finite, which no histogram can show; give a network and "
                             "data without such")
    ax = given_or_new(ax, width=7.0, height=1.4 + 0.5 * len(named))
    tails = [np.percentile(values, [TAIL, 100 - TAIL]) for values in named.values()]
    left, right = float(np.min(tails)), float(np.max(tails))
    margin = 0.02 * (right - left) or max(0.5, 0.02 * abs(right))
    edges = np.linspace(left - margin, right + margin, BINS + 1)
    for place, (values, group) in enumerate(zip(named.values(), groups, strict=True)):
        counts, _ = np.histogram(values, edges)
        color, bottom = COLORS[group % 2], len(named) - 1 - place
        tops = bottom + ROOM * counts / max(1, counts.max())
        ax.stairs(tops, edges, baseline=bottom, fill=True, color=color, alpha=0.75)
        ax.axhline(bottom, color=color, linewidth=0.6)
        ax.text(1.01, bottom + ROOM / 3, description(values), transform=ax.get_yaxis_transform(), va="center", fontsize=8,
                color=INK)
    ax.set_yticks(np.arange(len(named))[::-1] + ROOM / 3, named)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=label, xlim=(edges[0], edges[-1]), ylim=(-0.1, len(named)))
    plain(ax).grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    return ax


def description(values):
    """Return mean ± standard deviation, and the fraction of zeros if only some values are zero."""
    zeros = np.mean(values == 0)
    text = f"{np.mean(values, dtype=np.float64):.2g} ± {np.std(values, dtype=np.float64):.2g}"
    return f"{text}\n{zeros:.0%} zero" if zeros > 0 else text
