"""Scores by each of several hyperparameters."""

import math
from itertools import pairwise

import numpy as np

from ...checks import an_instance, list_of, one_of, real_number, several, whole_number
from ...samples.arrays import real_array
from ...samples.metrics import directed
from ..canvas import COLORS, INK, axes, given_or_new, plain
from ..room import LETTER, ROOM, fit_tick_labels, inches

LETTERS = 36  # letters that fit side by side below a panel
LONG = 3  # powers of ten; longer logarithmic scales have labels at these alone
TICK = 7  # letters of a number below a logarithmic scale, and the gap to the next
WIDE = 10  # ratio of the largest number to the smallest from which on the scale is logarithmic
CATEGORIES, FRACTIONS = 12, 6  # up to so many different numbers, or fractions, are drawn as categories


def score_by(values, scores, ax=None, *, name="", metric=None, mode="auto"):
    """Draw scores by the value of a hyperparameter, one point for each, and their medians.

    Parameters
    ----------
    values : list
        The values of the hyperparameter: numbers or other objects.
    scores : array
        A score for each value; scores that are not finite are crosses at the upper edge.
    ax : matplotlib.axes.Axes, optional
    name : str
        The name of the hyperparameter.
    metric : str, optional
        The name of the score; default "score".
    mode : {"auto", "min", "max"}
        Whether the best score, drawn as a star, is the smallest or the largest. "auto" works for the metrics of a fit, such
        as "val_loss"; without a metric there is no star.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the numbers of scores and values differ, or the direction of the metric is unknown.

    Examples
    --------
    >>> from fastnn import plot
    >>> ax = plot.score_by([0.001, 0.01, 0.1], [0.9, 0.2, 0.4], name="learning_rate", metric="val_loss")
    """
    values, scores = several("values", values), real_array("scores", scores, "float64")
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    an_instance("name", name, str)
    one_of("mode", mode, ("min", "max", "auto"))
    sign = sign_of(metric, mode)
    if scores.shape != (len(values),) or not len(values):
        raise ValueError(f"scores has shape {scores.shape} and there are {len(values)} values; give one score a value, "
                         "and at least one")
    ax = given_or_new(ax)
    kinds = list(dict.fromkeys(map(str, values)))
    continuous = all(math.isfinite(real_number(value)) for value in values) and (
        len(kinds) > (FRACTIONS if any(isinstance(value, float) for value in values) else CATEGORIES))
    if continuous:
        places, middles = np.array(values, np.float64), binned(values)
        if is_even_in_logarithms(places):
            ax.set_xscale("log", subs=(2, 5))
            decades = math.log10(places.max() / places.min())
            if decades < LONG:
                ax.xaxis.set_major_formatter("{x:g}")
                fits = 3 * decades * TICK * LETTER * 10 / 72 < ROOM * inches(ax)[0]  # labels at 1, 2, 5, 10, …
                ax.xaxis.set_minor_formatter("{x:g}" if fits else "")
    else:
        kinds = list(dict.fromkeys(map(str, sorted(values)))) if sortable(values) else kinds
        numbers = np.array([kinds.index(str(value)) for value in values])
        # shift points sideways where they would overlap, in the same way in every drawing
        places = numbers + np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
        middles = [(number - 0.3, number + 0.3, numbers == number) for number in range(len(kinds))]
        labels = [shortened(brief(kind)) for kind in kinds]
        ax.set_xticks(range(len(kinds)), labels)
        fit_tick_labels(ax, labels)
    finite = np.isfinite(scores)
    ax.plot(places[finite], scores[finite], "o", color=COLORS[0], markersize=4, alpha=0.5, markeredgewidth=0)
    if not finite.all():  # draw crosses at the upper edge
        ax.plot(places[~finite], np.ones((~finite).sum()), "x", color=COLORS[1], markersize=5, clip_on=False,
                transform=ax.get_xaxis_transform())
    if finite.any():
        for left, right, chosen in middles:
            if (chosen & finite).any():
                ax.plot([left, right], [np.median(scores[chosen & finite])] * 2, color=INK, linewidth=1.8)
        if sign:
            best = np.argmin(np.where(finite, sign * scores, np.inf))
            ax.plot(places[best], scores[best], "*", color=COLORS[1], markersize=13, markeredgecolor="white")
        # shares of what is right, such as accuracies, are compared by differences
        if sign != -1 and scores[finite].min() > 0 and scores[finite].max() > WIDE * scores[finite].min():
            ax.set_yscale("log")
    ax.set(xlabel=name, ylabel="score" if metric is None else metric)
    return plain(ax)


def sign_of(metric, mode):
    """Return 1 if the best score is the smallest, -1 if it is the largest; None without a metric and a mode."""
    if metric is not None:
        an_instance("metric", metric, str)
    elif mode == "auto":
        return None
    return directed("metric", metric or "", mode, "give mode='max' if larger values are better, or mode='min'").sign


def brief(kind):
    """Return a value as a label: a number with a few digits."""
    try:
        return f"{float(kind):.3g}" if "." in kind or "e" in kind else kind
    except ValueError:
        return kind


def is_even_in_logarithms(numbers):
    """Return whether numbers of several magnitudes are fairly uniform in their logarithms, judged by their median."""
    low, high, median = np.min(numbers), np.max(numbers), np.median(numbers)
    if low <= 0 or high <= WIDE * low:
        return False
    return abs(np.log(median / np.sqrt(low * high))) < abs(np.log(median / ((low + high) / 2)))


def shortened(text):
    """Return a label shortened to at most LETTERS / 2 letters."""
    return text if len(text) <= LETTERS // 2 else text[:LETTERS // 2 - 1] + "…"


def sortable(values):
    return all(isinstance(value, (int, float)) for value in values) or all(isinstance(value, str) for value in values)


def binned(values, bins=8):
    """Return (left, right, which) of bins with about the same number of values."""
    values = np.asarray(values, np.float64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    for left, right in pairwise(edges):
        yield left, right, (values >= left) & ((values < right) | (right == edges[-1]))


def sweep_panels(configurations, scores, metric, columns=3, mode="auto"):
    """Draw a panel of `score_by` for each hyperparameter that varies; return the array of Axes."""
    configurations, columns = list_of("configurations", configurations, dict), whole_number("columns", columns)
    if not configurations or not configurations[0] or len({frozenset(each) for each in configurations}) > 1:
        raise ValueError("configurations have no hyperparameters or different ones; give a dict each, all of the same names")
    if len(scores) != len(configurations):
        raise ValueError(f"scores has {len(scores)} and there are {len(configurations)} configurations; give one score each")
    varying = [name for name in configurations[0] if len({str(each[name]) for each in configurations}) > 1]
    varying = varying or [*configurations[0]][:1]
    columns = min(columns, len(varying))
    rows = math.ceil(len(varying) / columns)
    panels = np.atleast_1d(axes(rows, columns, width=3.6 * columns + 0.4, height=2.9 * rows)).ravel()
    for panel, name in zip(panels, varying, strict=False):
        score_by([each[name] for each in configurations], scores, panel, name=name, metric=metric, mode=mode)
    for number, panel in enumerate(panels[:len(varying)]):
        if number % columns:
            panel.set_ylabel("")
            panel.tick_params(axis="y", which="both", labelleft=False)  # the first panel of the row has the labels
    for panel in panels[len(varying):]:
        panel.remove()
    return panels[:len(varying)]
