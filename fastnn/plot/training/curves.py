"""Learning curves: a metric by epoch."""

from collections.abc import Mapping

import numpy as np

from ...checks import shown
from ...fitting.history import floats
from ..canvas import COLORS, given_or_new, plain, whole_numbers
from ..room import legend, log_if_wide


def learning_curves(history, ax=None, metric="loss"):
    """Draw a metric of the training data by epoch, and that of the validation data if it was recorded.

    Parameters
    ----------
    history : History
        The result of `Network.fit`, or a similar mapping.
    ax : matplotlib.axes.Axes, optional
    metric : str
        "loss" (on a logarithmic scale if it changes by a factor of 4 or more), "accuracy", or another that was recorded.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the metric was not recorded.

    Examples
    --------
    >>> from fastnn import plot
    >>> ax = plot.learning_curves({"loss": [1.0, 0.5, 0.3], "val_loss": [1.1, 0.7, 0.6]})
    """
    if not isinstance(history, Mapping):
        raise ValueError(f"history is {shown(history)}; it must be a History, such as net.history, or a mapping like it")
    if not isinstance(metric, str):
        raise ValueError(f"metric is {shown(metric)}; it must be the name of one that was recorded, such as 'loss'")
    if metric not in history or (np.ndim(history[metric]) and not len(history[metric])):
        names = ", ".join(map(str, history)) or "no epochs"
        raise ValueError(f"metric {metric!r} was not recorded; recorded were {names}: give a history that has it")
    curves = {name: floats(f"history[{name!r}]", history[name]) for name in (metric, f"val_{metric}") if name in history}
    ax = given_or_new(ax)
    for name, label, style in ((metric, "training", "-"), (f"val_{metric}", "validation", "--")):
        if name in curves:
            epochs = np.arange(1, len(curves[name]) + 1)
            ax.plot(epochs, curves[name], style, color=COLORS[style == "--"], linewidth=1.6, label=label,
                    marker="o" if len(epochs) == 1 else None)  # a single point has no line
    if metric == "loss":
        log_if_wide(ax, *curves.values())
    whole_numbers(ax.xaxis)
    ax.set(xlabel="epoch", ylabel=metric)
    legend(ax)
    return plain(ax)
