"""To which steps of a source a layer of attention attends, for one sample."""

from collections.abc import Mapping

import numpy as np

from ...checks import several, shown
from ...layers import is_ragged
from ...network.attention_weights import attention_weights
from ...samples.series.sequences import Sequences
from ..canvas import color_bar, given_or_new, whole_numbers
from ..names import of_network
from ..room import fit_row_labels, fit_tick_labels

MOST_LABELS = 80  # more would overlap


def attention(net, x, layer=None, ax=None, *, head=None, queries=None, steps=None):
    """Draw the weights of a layer of attention for one sample: a row for each query, a column for each step of the source.

    The weights of a row sum to 1. Light is small, dark is large.

    Parameters
    ----------
    net : Network
    x : array, or dict of arrays by input
        One sample: (steps, features), or the tokens (steps,) of each input.
    layer : str or int, optional
        Its name, or its number as in `Network.summary`; by default the only layer of attention.
    ax : matplotlib.axes.Axes, optional
    head : int, optional
        The head, from 0; negative numbers count from the last. By default the mean of all heads.
    queries, steps : list, optional
        Labels of the rows and of the columns, such as words; by default their numbers.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If x is not one sample, there is no such layer or head, or there are not as many labels as rows or columns.

    Examples
    --------
    >>> from fastnn import Attention, Dense, Embedding, LastStep, Network, plot
    >>> net = Network([Embedding(5, 8), Attention(causal=True), LastStep(), Dense(2, "softmax")], inputs=(None,))
    >>> ax = plot.attention(net, [1, 4, 2], steps=["a", "b", "c"])
    """
    weights, = attention_weights(of_network(net), batch_of_one(net, x), layer)
    heads, *shape = weights.shape
    if head is None:
        drawn, words = weights.mean(axis=0), "weight" if heads == 1 else f"weight, mean of {heads} heads"
    else:
        if isinstance(head, (bool, np.timedelta64)) or not isinstance(head, (int, np.integer)) or not -heads <= head < heads:
            raise ValueError(f"head is {shown(head)}; this layer has the heads 0 to {heads - 1}: give the number of one")
        drawn, words = weights[head], f"weight of head {int(head) % heads}"
    labels = [checked_labels(name, given, count)
              for name, given, count in zip(("queries", "steps"), (queries, steps), shape, strict=True)]
    ax = given_or_new(ax, height=min(9.0, max(1.8, 1.0 + 0.22 * shape[0])))
    largest = float(drawn[np.isfinite(drawn)].max(initial=0)) or 1.0
    image = ax.imshow(drawn, cmap="Blues", vmin=0, vmax=largest, aspect="auto", interpolation="nearest")
    for axis, names, below in zip((ax.yaxis, ax.xaxis), labels, (False, True), strict=True):
        label_axis(axis, names, below)
    ax.set(xlabel="step of the source", ylabel="query")
    ax.spines[:].set_visible(False)
    color_bar(ax, image, words)
    return ax


def checked_labels(name, given, count):
    """Return labels as texts, None for numbers."""
    if given is None:
        return None
    labels = [str(label) for label in several(name, given)]
    if len(labels) != count:
        raise ValueError(f"{name} has {len(labels)} labels and the picture {count} of them; give one for each")
    return labels


def label_axis(axis, names, below):
    """Label the rows or columns of an image; None for their numbers. below: whether they stand below."""
    if names is None or len(names) > MOST_LABELS:
        whole_numbers(axis)
        return
    axis.set_ticks(range(len(names)), names)
    axis.set_tick_params(length=0)
    if below:
        fit_tick_labels(axis.axes, names)
    else:
        fit_row_labels(axis.axes, len(names))


def batch_of_one(net, x):
    """Return samples of a network, or of each input, from one sample."""
    if not isinstance(x, Mapping):
        return one_sample_of(x, net.shapes[0])
    return {name: one_sample_of(given, net.input_shapes.get(name, ()), f"x[{name!r}]") for name, given in x.items()}


def one_sample_of(given, shape, name="x"):
    """Return samples that contain the given one alone."""
    if isinstance(given, Sequences):
        samples = len(given)
    else:
        try:
            axes = np.ndim(given)
        except ValueError:  # several sequences of unequal lengths
            axes = len(shape) + 1
        if axes == len(shape):
            return [given] if is_ragged(shape) else np.asarray(given)[None]
        samples = len(given) if axes else 1
    if samples != 1:
        raise ValueError(f"{name} has {samples} samples; give one, {name}[0]")
    return given
