"""What the score of a class depends on: its gradient to the input, and its class activation map.

The score of a class is its logit, the number before softmax or sigmoid. With one sigmoid output z, the score of class 1 is z
and that of class 0 is −z. For outputs that are not probabilities, the score is the output itself.

    gradient      ∂ score / ∂ x (Simonyan, Vedaldi and Zisserman 2014)
    Grad-CAM      max(0, Σₖ αₖ Aₖ), where Aₖ is channel k of a layer's output and αₖ the mean of ∂ score / ∂ Aₖ over
                  its pixels (Selvaraju et al. 2017)

Layers behave as in prediction.
"""

import math
from dataclasses import replace

import numpy as np

from ...checks import shown, whole_number
from ...jit import input_gradients, pullback
from ...layers import Activation, BatchNorm, Conv1D, DepthwiseConv2D, Dropout, GroupNorm, LayerNorm
from ...network.layer_outputs import layer_outputs
from ...network.network import Network
from ...network.predicting import label_numbers
from ..names import layer_index, one_sample
from ..predictions.classes import refuse_positions
from .filters import KERNELS

KEEP_PIXELS = Activation, BatchNorm, Dropout, GroupNorm, LayerNorm  # they belong to the convolution before them


def class_gradient(net, x, label=None):
    """Return the gradient of the score of a class to a sample, and the class.

    Parameters
    ----------
    net : Network
    x : array
        One sample, of the shape that the network takes.
    label : int, optional
        The class, or for outputs that are not classes, the output; by default the one predicted.

    Returns
    -------
    gradient : array of the shape of a sample
    label : int

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, plot
    >>> net = Network([Dense(2, "softmax")], inputs=2)
    >>> net.parameters["0.weight"][:] = [[1, 2], [3, 4]]
    >>> plot.class_gradient(net, [1.0, -1.0], 1)
    (array([2., 4.], dtype=float32), 1)
    """
    x = one_sample(net, x).astype(net.dtype)
    label = class_of(net, x, label)
    return gradient_from(net, x, 0, label)[0], label


def class_activation_map(net, x, label=None, layer=None):
    """Return the Grad-CAM of a class for a sample, the class, and the layer.

    Parameters
    ----------
    net, x, label
        As for `class_gradient`.
    layer : int, optional
        The layer whose output is weighted, with pixels or steps; of one that is used several times, the last use. By default
        the last convolution, with the normalization and activation that follow it.

    Returns
    -------
    map : array (height, width) or (steps,)
        Not negative; as large as the output of the layer.
    label, layer : int

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Conv2D, Dense, Flatten, Network, plot
    >>> net = Network([Conv2D(8, 3, "relu"), Flatten(), Dense(10, "softmax")], inputs=(8, 8, 1))
    >>> values, label, layer = plot.class_activation_map(net, np.ones((8, 8, 1)), 3)
    >>> values.shape, label, layer
    ((6, 6), 3, 0)
    """
    x = one_sample(net, x)
    step = last_with_pixels(net) if layer is None else last_use(net, layer_index(net, layer))
    shape, layer = net.shapes[step + 1], net.wiring.steps[step].index
    if len(shape) not in (2, 3) or net.wiring.outputs == (step + 1,):
        raise ValueError(f"layer {layer}, {net.layers[layer]!r}, gives samples of shape {shape}; Grad-CAM weights the "
                         "channels of a layer before the last whose output has pixels or steps: give such a layer, or None")
    label = class_of(net, x, label)
    outputs = layer_outputs(net, x)[step]
    if is_in_order(net):
        gradient = gradient_from(net, outputs, step + 1, label)[0]
        weights = gradient.reshape(-1, shape[-1]).mean(axis=0, dtype=np.float64)
    else:
        weights = gradient_of_channels(net, x, step, label) / math.prod(shape[:-1])
    return np.maximum(outputs[0] @ weights, 0), label, layer


def is_in_order(net):
    """Return whether the layers follow one another, each used once."""
    return all(step.index == number and step.reads == (number,) for number, step in enumerate(net.wiring.steps))


def last_use(net, index):
    """Return the number of the step that uses a layer last."""
    return max(number for number, step in enumerate(net.wiring.steps) if step.index == index)


def gradient_of_channels(net, x, step, label):
    """Return the gradient of the score of a class to each channel of a step's output, summed over its pixels, in float64.

    That is the gradient of a bias that is added there, by a convolution of the size 1 that changes nothing else.
    """
    layers, place, shape = scoring_layers(net), step + 1, net.shapes[step + 1]
    bias = DepthwiseConv2D(1) if len(shape) == 3 else Conv1D(shape[-1], 1, groups=shape[-1])
    uses = [[use.index, [number + (number > place or (number == place and later > step)) for number in use.reads]]
            for later, use in enumerate(net.wiring.steps)]
    uses.insert(place, [len(layers), [place]])
    order = list(dict.fromkeys(index for index, _ in uses))  # layers stand in the order of their uses
    config = {"layers": [(*layers, bias)[index].config() for index in order],
              "names": ["added" if index == len(layers) else f"layer{index}" for index in order],
              "inputs": [["input", list(net.shapes[0])]], "steps": [[order.index(index), reads] for index, reads in uses],
              "outputs": [["output", net.wiring.outputs[0] + 1]], "loss": "squared_error", "dtype": net.dtype}
    scores = Network.with_zeros(config)
    for views, own in ((net.vectors.parameters, scores.parameters), (net.vectors.state, scores.state)):
        for numbered, view in views.numbered.items():
            own[f"layer{numbered}"][...] = view
    scores.parameters["added.weight"][...] = 1
    gradients = np.zeros(scores.vectors.parameters.size, net.dtype)
    x = np.ascontiguousarray(x, net.dtype)
    pullback(scores.compiled(), x, direction_of(net, label), np.empty_like(x), gradients)
    return scores.vectors.parameters.split(gradients)["added.bias"].astype(np.float64)


def direction_of(net, label):
    """Return the gradient (1, outputs) of the score of a class to the outputs of a network of scores."""
    direction = np.zeros((1, net.outputs), net.dtype)
    direction[0, 0 if net.objective.head.binary else label] = -1 if net.objective.head.binary and label == 0 else 1
    return direction


def gradient_from(net, x, first, label):
    """Return the gradient of the score of a class to x, the inputs (1, *shape) of layer number `first`."""
    scores = scores_from(net, first)
    gradient, x = np.empty(x.shape, net.dtype), np.ascontiguousarray(x, net.dtype)
    input_gradients(scores.compiled(), x, direction_of(net, label), gradient)
    return gradient


def scores_from(net, first):
    """Return the network of the layers from number `first` on (0 if they branch), with the scores of classes as outputs."""
    layers = scoring_layers(net)
    if is_in_order(net):
        scores = Network(layers[first:], net.shapes[first], loss="squared_error", dtype=net.dtype)
        for views, own in ((net.vectors.parameters, scores.parameters), (net.vectors.state, scores.state)):
            for name, view in own.items():
                index, _, rest = name.partition(".")
                view[...] = views.numbered[f"{int(index) + first}.{rest}"]
        return scores
    config = {**net.config(), "layers": [layer.config() for layer in layers], "loss": "squared_error"}
    scores = Network.with_zeros(config)
    scores.vectors.set_copies(*net.vectors.copies())
    return scores


def scoring_layers(net):
    """Return the layers with scores as their outputs, instead of probabilities."""
    layers, (number,), wiring = list(net.layers), net.wiring.outputs, net.wiring
    while number > wiring.inputs and wiring.steps[number - wiring.inputs].layer.is_view:
        number, = wiring.steps[number - wiring.inputs].reads
    index, layer, *_ = wiring.steps[number - wiring.inputs]
    if net.objective.head.classes is not None and layer.activation in ("softmax", "sigmoid"):
        if sum(step.index == index for step in wiring.steps) > 1:
            raise ValueError(f"the last layer, {layer!r}, is used elsewhere in the network too, and there its outputs are "
                             "probabilities, not scores; end with a layer of its own")
        layers[index] = replace(layer, activation="identity")
    return layers


def class_of(net, x, label):
    """Return the class, given one or None for the one predicted for x (1, *shape)."""
    refuse_positions("this picture", net)
    head = net.objective.head
    count = 2 if head.binary else net.outputs
    if label is None:
        return int(label_numbers(net, x)[0] if head.one_label else np.argmax(net.forward(x)[0]))
    label = whole_number("label", label, least=0)
    if label >= count:
        raise ValueError(f"label is {shown(label)}; this network has the {'outputs' if head.classes is None else 'classes'} "
                         f"0 to {count - 1}")
    return label


def last_with_pixels(net):
    """Return the number of the last use of a convolution, or of what alone reads it: a normalization, an activation."""
    steps, readers = net.wiring.steps, net.wiring.readers
    found = [number for number, step in enumerate(steps) if isinstance(step.layer, KERNELS)]
    if not found:
        raise ValueError("this network has no convolution, whose channels Grad-CAM weights; use plot.saliency, for "
                         "any network")
    number = found[-1]
    while readers[number + 1] == 1:
        reader = next((k for k, step in enumerate(steps) if number + 1 in step.reads), len(steps))
        if reader >= len(steps) - 1 or not isinstance(steps[reader].layer, KEEP_PIXELS):
            break
        number = reader
    return number
