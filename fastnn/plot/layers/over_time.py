"""What a network makes of a sequence, step by step: the states of a layer, and how far back its score looks."""

from dataclasses import replace

import numpy as np

from ...checks import an_instance
from ...layers import is_ragged
from ...layers.recurrence.recurrent import Recurrent
from ...network.network import Network
from ...samples.data import samples_of
from ...samples.series.sequences import Sequences
from ..canvas import ABOUT_ZERO, MARKERS, color_bar, given_or_new, plain, whole_numbers
from ..names import of_network, step_index, step_names
from ..room import in_lines, inches, legend
from .attention import batch_of_one, checked_labels, label_axis
from .attribution import class_gradient


def hidden_states(net, x, layer=None, ax=None, *, steps=None):
    """Draw the states of a layer over the steps of a sequence: a row for each unit, a column for each step.

    Red is above zero, blue below. A row that keeps its color carries something along; one that flickers follows its input.

    Parameters
    ----------
    net : Network
        One with one input.
    x : array
        One sequence: (steps, features), or tokens (steps,).
    layer : int, optional
        The layer, by its number as in `Network.summary`; by default the first recurrent one. It is any layer with an output
        at each step, or a recurrent one, also where it gives its last state only.
    ax : matplotlib.axes.Axes, optional
    steps : list, optional
        Labels of the steps, such as words; by default their numbers.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no such layer, it has no steps, or x is not one sequence.

    Examples
    --------
    >>> from fastnn import Dense, Embedding, GRU, Network, plot
    >>> net = Network([Embedding(5, 8), GRU(16), Dense(2, "softmax")], inputs=(None,))
    >>> ax = plot.hidden_states(net, [1, 4, 2], steps=["so", "it", "goes"])
    """
    number = first_recurrent(net) if layer is None else step_index(net, layer)
    states = network_to(net, number).forward(batch_of_one(net, x))[0]
    labels = checked_labels("steps", steps, len(states))
    ax = given_or_new(ax, width=min(12.0, max(5.0, 2.0 + 0.16 * len(states))),
                      height=min(8.0, max(2.2, 1.2 + 0.1 * states.shape[1])))
    largest = float(np.abs(states[np.isfinite(states)]).max(initial=0)) or 1.0
    image = ax.imshow(states.T, cmap=ABOUT_ZERO, vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    label_axis(ax.xaxis, labels, below=True)
    whole_numbers(ax.yaxis)
    ax.set(xlabel="step", ylabel="unit", title=in_lines(step_names(net)[number], inches(ax)[0], 12.0))
    ax.spines[:].set_visible(False)
    color_bar(ax, image, "state")
    return ax


def gradient_over_time(net, x, label=None, ax=None, *, name=None):
    """Draw how much the score of a class depends on each step of a sequence: ‖∂ score / ∂ x(t)‖₂.

    In a recurrent network whose gradients vanish, the line falls towards the first steps: what was long ago is not learned
    from. Draw several networks on the same Axes to compare them.

    Parameters
    ----------
    net : Network
        One with one input of numbers, and one output a sequence.
    x : array (steps, features)
        One sequence.
    label : int, optional
        The class, or for outputs that are not classes, the output; by default the one predicted. Of a class it is the logit
        whose gradient is drawn.
    ax : matplotlib.axes.Axes, optional
    name : str, optional
        The name of the line in the legend.

    Returns
    -------
    matplotlib.axes.Axes
        With a logarithmic scale, unless all gradients are zero. A gradient of zero among others has no point.

    Raises
    ------
    ValueError
        If the network takes tokens or gives outputs at each step, or x is not one sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import LSTM, Dense, Network, SimpleRNN, plot
    >>> x, ax = np.ones((50, 3)), None
    >>> for layer in (SimpleRNN(16), LSTM(16)):
    ...     net = Network([layer, Dense(1)], inputs=(None, 3), seed=0)
    ...     ax = plot.gradient_over_time(net, x, ax=ax, name=repr(layer))
    """
    if name is not None:
        an_instance("name", name, str)
    of_network(net)
    if len(net.graph.inputs) == 1:  # otherwise what follows says so
        X = samples_of(net, batch_of_one(net, x))
        x = X.steps if isinstance(X, Sequences) else X[0]
    gradient, _ = class_gradient(of_one_length(net, x), x, label)
    if gradient.ndim != 2:
        raise ValueError(f"this network takes samples of shape {gradient.shape}, and this picture is of sequences: give a "
                         "network with inputs=(None, features) or (steps, features)")
    norms = np.sqrt(np.square(gradient, dtype=np.float64).sum(axis=1))
    ax = given_or_new(ax)
    if norms.any():
        ax.set_yscale("log")
    ax.plot(np.where(norms > 0, norms, np.nan) if norms.any() else norms, label=name, linewidth=1.6,
            marker=MARKERS[len(ax.lines) % len(MARKERS)], markersize=3.5)
    whole_numbers(ax.xaxis)
    ax.set(xlabel="step", ylabel="norm of the gradient of the score")
    if name is not None:
        legend(ax)
    return plain(ax)


def first_recurrent(net):
    """Return the number of the first use of a recurrent layer."""
    for number, step in enumerate(of_network(net).wiring.steps):
        if isinstance(step.layer, Recurrent):
            return number
    raise ValueError("this network has no recurrent layer; give layer=..., the number of one with an output at each step")


def network_to(net, number):
    """Return the network of the steps up to one that gives its output at each step, with the same parameters."""
    if len(net.graph.inputs) > 1:
        raise ValueError("this network has several inputs; this picture is of a network with one: give such a network")
    steps, layers = net.wiring.steps[:number + 1], dict(enumerate(net.layers))
    last = steps[number].index
    if isinstance(layers[last], Recurrent):
        layers[last] = replace(layers[last], return_sequences=True)
    shape = net.shapes[number + 1]
    if len(shape) != 2 and not (isinstance(layers[last], Recurrent) and len(net.shapes[0]) < 3):
        raise ValueError(f"layer {number}, {net.layers[last]!r}, gives samples of shape {shape}, without steps; give the "
                         "number of a recurrent layer, or of one with an output at each step")
    needed, places = {number + 1}, {0: 0}  # the tensors that lead there, and their numbers in the new network
    for k in range(number, -1, -1):
        needed |= set(steps[k].reads) if k + 1 in needed else set()
    for k in sorted(needed - {0}):
        places[k] = len(places)
    steps = [step.with_reads([places[k] for k in step.reads]) for k, step in enumerate(steps, 1) if k in needed]
    return remade(net, layers, steps, places[number + 1], shape=net.shapes[0], loss="squared_error")


def remade(net, layers, steps, output, *, shape, loss):
    """Return the network of some steps of another one, with its parameters: for samples of a shape, with one output."""
    order = list(dict.fromkeys(step.index for step in steps))
    made = Network.with_zeros({
        "layers": [layers[index].config() for index in order], "names": [f"layer{index}" for index in order],
        "inputs": [["input", list(shape)]], "outputs": [["output", output]], "loss": loss, "dtype": net.dtype,
        "steps": [[order.index(step.index), list(step.reads)] for step in steps]})
    for views, own in ((net.vectors.parameters, made.parameters), (net.vectors.state, made.state)):
        for name, view in own.items():
            view[...] = views.numbered[name.removeprefix("layer")]
    return made


def of_one_length(net, x):
    """Return the network for sequences as long as x (steps, features); itself, if it takes samples of one shape."""
    shape = net.shapes[0]
    if len(net.graph.inputs) > 1 or not is_ragged(shape):
        return net
    if len(shape) == 1:
        raise ValueError("this network takes tokens, which have no gradient; give one whose input are the vectors")
    return remade(net, dict(enumerate(net.layers)), net.wiring.steps, *net.wiring.outputs, shape=(len(x), *shape[1:]),
                  loss=net.config()["loss"])
