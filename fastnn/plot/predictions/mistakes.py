"""The samples that a classifier gets wrong with the most confidence."""

import math

import numpy as np

from ...checks import several, whole_number
from ...network.predicting import label_numbers
from ...samples.features import features
from ..canvas import COLORS, given_or_new, one_axes
from ..diagrams.diagram import LETTER, SMALLEST
from ..names import sample_shape
from ..room import ROOM, fit_labels, inches
from ..sheet import as_picture, columns_for, limits_of, pixels_shape, without_ticks
from .classes import true_labels

CAPTION = 0.4  # inches above each picture
LARGEST = 9  # points of a caption


def mistakes(net, X, y, ax=None, *, count=20, labels=None, shape=None):
    """Draw the misclassified samples whose predicted class has the largest probability, the largest first.

    The caption of each is "true class → predicted class" and the probability of the latter. Mistakes of high confidence are
    often wrong labels, or kinds of samples that the training data lack.

    Parameters
    ----------
    net : Network
        A classifier with one class for each sample.
    X : array (samples, height, width, channels), (samples, steps, features) or (samples, inputs)
    y : array (samples,) or (samples, classes)
        Labels, or one-hot.
    ax : matplotlib.axes.Axes, optional
    count : int
        How many are drawn at most.
    labels : list, optional
        The names of the classes, 0 first.
    shape : tuple (height, width), optional
        For a network that takes flat samples: the shape of their image.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the network is not such a classifier, or the data or labels do not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Conv2D, Dense, Flatten, Network, plot
    >>> net = Network([Conv2D(4, 3, "relu"), Flatten(), Dense(10, "softmax")], inputs=(8, 8, 1))
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 8, 1))
    >>> ax = plot.mistakes(net, X, np.arange(50) % 10, count=12)
    """
    sample_shape(net)
    y, count = true_labels("mistakes", net, X, y), whole_number("count", count)
    classes = max(net.outputs, 2)
    labels = net.class_names or range(classes) if labels is None else several("labels", labels)
    if len(labels) != classes:
        raise ValueError(f"labels has {len(labels)} entries; this network has {classes} classes: give one each")
    X = features(X, net.shapes[0], net.dtype)
    if X.ndim == 2:
        if shape is None:
            raise ValueError(f"samples of this network have {X.shape[1]} features in one axis; give the shape of their "
                             "image, shape=(height, width)")
        sides = *pixels_shape("shape", shape, X.shape[1], "this network"), 1
    elif shape is not None:
        raise ValueError(f"shape is {shape!r}; it is for networks that take flat samples, and this one takes {X.shape[1:]}")
    else:
        sides = X.shape[1:]
    predicted, probabilities = label_numbers(net, X), net.predict_proba(X)
    confidence = np.where(predicted, probabilities[:, 0], 1 - probabilities[:, 0]) if net.objective.head.binary else \
        probabilities[np.arange(len(X)), predicted]
    wrong = np.flatnonzero(predicted != y)
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    captions = [f"{labels[y[index]]} → {labels[predicted[index]]}\n{percent(confidence[index])}" for index in chosen]
    ax = draw(ax, X[chosen].reshape(len(chosen), *sides), captions)
    ax.set_xlabel(f"{len(wrong)} of {len(y)} samples are wrong (true → predicted, probability)")
    fit_labels(ax)
    return ax


def percent(probability):
    """Return a probability in percent, which is 100 only if it is 1."""
    return f"{100 * probability:.0f} %" if probability < 0.995 or probability == 1 else \
        f"{min(99.9, 100 * probability):.1f} %"


def side_in(ax, count, columns, tall):
    """Return the width of a picture, in inches, of so many in Axes; tall: their height as a part of it."""
    width, height = ROOM * inches(ax)
    return max(0.05, min(width / columns, (height / math.ceil(count / columns) - CAPTION) / tall))


def draw(ax, samples, captions):
    """Draw samples (count, height, width, channels) or (count, steps, features), each below its caption."""
    count = len(samples)
    is_image = samples.ndim == 4
    high, wide = samples.shape[1:3] if is_image else (2, 3)
    columns = columns_for(count, high, wide) if count else 1
    columns = max(1, min(count, max(columns, 5)))
    side = 6.6 / max(columns, 4)  # inches of a picture's width
    if ax is not None and count:
        side, columns = max((side_in(one_axes(ax), count, each, high / wide), each) for each in range(1, count + 1))
    rows = max(1, math.ceil(count / columns))
    tall = side * high / wide
    ax = without_ticks(given_or_new(ax, width=min(7.0, 0.4 + columns * side), height=0.4 + rows * (1.06 * tall + CAPTION)))
    up = 1 + CAPTION / tall  # in heights of a picture
    ax.set(xlim=(-0.03, columns + 0.03), ylim=(rows * up + 0.03, 0), aspect=high / wide)
    ax.spines[:].set_visible(False)
    if not count:
        ax.text(0.5, up / 2, "no mistakes", ha="center", va="center")
        return ax
    room = 72 * side_in(ax, count, columns, high / wide)
    letters = max(len(line) for caption in captions for line in caption.split("\n"))
    size = max(SMALLEST, min(LARGEST, room / (LETTER * letters)))
    limits = limits_of(samples)
    for index, (sample, caption) in enumerate(zip(samples, captions, strict=True)):
        left, top = index % columns, index // columns * up + up - 1
        if is_image:
            ax.imshow(as_picture(sample, limits), extent=(left + 0.03, left + 0.97, top + 0.97, top + 0.03), cmap="gray",
                      vmin=0, vmax=1, interpolation="nearest", aspect=high / wide)
        else:
            low, high_number = limits
            for feature, line in enumerate(sample.T):
                ax.plot(left + np.linspace(0.05, 0.95, len(line)),
                        top + 0.95 - 0.9 * (line.astype(np.float64) - low) / (high_number - low),
                        color=COLORS[feature % len(COLORS)], linewidth=0.9)
        ax.text(left + 0.5, top, caption, ha="center", va="bottom", fontsize=size, linespacing=1.15)
    ax.set(xlim=(-0.03, columns + 0.03), ylim=(rows * up + 0.03, 0))
    return ax
