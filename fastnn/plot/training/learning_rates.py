"""The picture of a learning rate finder: the loss by learning rate."""

from ...checks import shown
from ...network.learning_rate_finder import LearningRates
from ..canvas import COLORS, INK, given_or_new, plain
from ..room import legend


def learning_rates(found, ax=None):
    """Draw the loss by learning rate, and a line at the suggested rate.

    Parameters
    ----------
    found : LearningRates
        The result of `fastnn.learning_rate_finder`.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from fastnn import Dense, Network, learning_rate_finder, plot
    >>> from fastnn.datasets import spiral
    >>> X, y = spiral(samples=300, classes=3)
    >>> net = Network([Dense(16, "relu"), Dense(3, "softmax")], inputs=2)
    >>> ax = plot.learning_rates(learning_rate_finder(net, X, y))
    """
    if not isinstance(found, LearningRates):
        raise ValueError(f"found is {shown(found)}; it must be the result of fastnn.learning_rate_finder(net, X, y)")
    ax = given_or_new(ax)
    ax.plot(found.rates, found.losses, ".", color=COLORS[0], alpha=0.35, markersize=4, label="batches")
    ax.plot(found.rates, found.smoothed, color=COLORS[0], linewidth=1.6, label="average")
    ax.axvline(found.suggestion, color=INK, linestyle="--", linewidth=1, label=f"falls fastest at {found.suggestion:.2g}")
    low, high = found.smoothed.min(), max(found.smoothed[0], found.smoothed.min())
    ax.set_ylim(low - 0.15 * (high - low or 1), high + 0.6 * (high - low or 1))  # what explodes leaves the picture
    ax.set_xscale("log")
    ax.set(xlabel="learning rate", ylabel="loss")
    legend(ax)
    return plain(ax)
