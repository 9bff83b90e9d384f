"""Pictures of networks and their training. Needs Matplotlib: pip install "fastnn-numba[plot]".

Each function draws on the Axes that it is given and returns them. Given none, it makes a Figure of its own that no window
shows, ready to be saved where there is no screen: `ax.figure.savefig("picture.png")`.
"""

import numpy as np

# colours that stay apart for the colour-blind (Okabe and Ito 2008), and markers that stay apart without colour
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
MARKERS = "o^sDvPX*"
TINT = 0.35  # how much of a class's colour its region has; the rest is white
GRID = 300  # points along each side of a decision boundary
DOTS_PER_INCH = 150


def axes(rows=1, columns=1, width=6.0, height=4.5):
    """Make a Figure, `width` × `height` inches, with one Axes, or with an array of rows × columns."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('pictures need Matplotlib; install it with: pip install "fastnn-numba[plot]"') from error
    return Figure(figsize=(width, height), layout="constrained").subplots(rows, columns)


def save_picture(path, draw):
    """Save the figure of the Axes that `draw()` returns, and return a line that says where it is.

    Without Matplotlib the line says how to get it: a command's work is done even where its picture cannot be.
    """
    try:
        ax = draw()
    except ImportError as error:
        return f"no picture: {error}"
    path.parent.mkdir(parents=True, exist_ok=True)
    ax.figure.savefig(path, dpi=DOTS_PER_INCH)
    return f"picture: {path}"


def decision_boundary(net, X, y, ax=None):
    """Draw which class a classifier of two features sees where, and the samples on top.

    The nearer a colour is to white or to a mixture, the less certain the network. Lines lie where two classes are equally
    probable.

    Parameters
    ----------
    net : Network
        A classifier with two inputs.
    X : array (samples, 2)
    y : array (samples,)
        Integer labels.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    X, y = np.asarray(X), np.asarray(y).astype(np.int64)
    if net.inputs != 2 or X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"decision_boundary draws a plane: it takes a network of 2 inputs, not {net.inputs}, "
                         f"and X (samples, 2), not {X.shape}")
    ax = axes(width=5.6, height=5) if ax is None else ax
    margin = 0.05 * np.ptp(X, axis=0)
    (left, bottom), (right, top) = X.min(axis=0) - margin, X.max(axis=0) + margin
    across, up = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
    probabilities = class_probabilities(net, np.column_stack([across.ravel(), up.ravel()]))
    colors = class_colors(probabilities.shape[1])
    # drawn on a white ground, each class in its colour as far as it is probable
    ground = 1 - TINT * probabilities @ (1 - colors)
    ax.imshow(ground.reshape(GRID, GRID, 3), extent=(left, right, bottom, top), origin="lower", aspect="auto",
              interpolation="bilinear")
    for label in range(probabilities.shape[1]):
        lead = probabilities[:, label] - np.delete(probabilities, label, axis=1).max(axis=1)
        if lead.min() < 0 < lead.max():
            ax.contour(across, up, lead.reshape(GRID, GRID), levels=[0], colors="#444444", linewidths=0.9)
    for label in np.unique(y):
        here = y == label
        ax.scatter(*X[here].T, s=11, color=colors[label], marker=MARKERS[label % len(MARKERS)], linewidth=0.3,
                   edgecolor="white", label=f"class {label}")
    ax.legend(loc="upper right", frameon=True, framealpha=0.9, markerscale=1.6, handletextpad=0.2, borderpad=0.4)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(left, right), ylim=(bottom, top))
    return ax


def class_probabilities(net, X):
    """The probability of every class (samples, classes), of one sigmoid output too."""
    probabilities = net.predict_proba(X).astype(np.float64)
    return np.column_stack([1 - probabilities, probabilities]) if probabilities.shape[1] == 1 else probabilities


def class_colors(classes):
    """A colour a class as (classes, 3) red, green, blue from 0 to 1."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(COLORS[label % len(COLORS)]) for label in range(classes)])


def learning_curves(history, ax=None, metric="loss"):
    """Draw a metric of the training data by epoch, and that of the validation data where it was recorded.

    Parameters
    ----------
    history : History
        What `Network.fit` returned, or a mapping like it.
    ax : matplotlib.axes.Axes, optional
    metric : str
        "loss" (on a logarithmic scale) or "accuracy".

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = axes() if ax is None else ax
    for name, label, style in ((metric, "training", "-"), (f"val_{metric}", "validation", "--")):
        if name in history:
            epochs = np.arange(1, len(history[name]) + 1)
            ax.plot(epochs, history[name], style, color=COLORS[style == "--"], linewidth=1.6, label=label)
    if metric == "loss" and min(history[metric]) > 0:
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel=metric)
    ax.legend(frameon=False)
    return plain(ax)


def heat_map(values, rows, columns, ax=None, *, label="", form="{:.3f}"):
    """Draw a table of numbers as colours, each number written in its cell.

    Parameters
    ----------
    values : array (rows, columns)
    rows, columns : list
        What stands beside and under the table, an entry a row or column.
    ax : matplotlib.axes.Axes, optional
    label : str
        What the numbers are.
    form : str
        How a number is written.

    Returns
    -------
    matplotlib.axes.Axes
    """
    values = np.asarray(values, np.float64)
    ax = axes(width=1.6 + 0.85 * values.shape[1], height=1.2 + 0.5 * values.shape[0]) if ax is None else ax
    image = ax.imshow(values, cmap="cividis", aspect="auto")
    middle = (values.min() + values.max()) / 2
    for (row, column), value in np.ndenumerate(values):
        ax.text(column, row, form.format(value), ha="center", va="center", fontsize=9,
                color="white" if value < middle else "black")
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02).outline.set_visible(False)
    return ax


def plain(ax):
    """Take the frame's upper and right sides away, and lay a light grid behind."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    return ax
