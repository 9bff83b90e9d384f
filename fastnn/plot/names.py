"""Names of layers, and single samples, in pictures."""

import math

import numpy as np

from ..checks import an_instance, shown
from ..layers import is_ragged
from ..network.describing import tensor_names
from ..network.network import Network
from ..samples.arrays import any_array
from ..samples.features import features, transposed


def of_network(net):
    """Return `net` if it is a network, else raise ValueError."""
    return an_instance("net", net, Network)


def layer_name(net, index):
    """Return the name of a layer in pictures: its index, its type, and its activation if it has one."""
    layer, name = net.layers[index], net.graph.names[index]
    return f"{name}  {type(layer).__name__}{'' if layer.activation == 'identity' else ' ' + layer.activation}"


def step_names(net):
    """Return the name in pictures of each use of a layer, in order."""
    names = tensor_names(net.graph)[net.wiring.inputs:]
    return [layer_name(net, step.index).replace(net.graph.names[step.index], name, 1)
            for step, name in zip(net.wiring.steps, names, strict=True)]


def layer_index(net, layer):
    """Return the number of a layer from 0, as it stands in `Network.layers`; negative numbers count from the last."""
    return checked_index(len(of_network(net).layers), layer)


def step_index(net, layer):
    """Return the number of a layer from 0, as it stands in `Network.summary`; negative numbers count from the last."""
    return checked_index(len(of_network(net).wiring.steps), layer)


def checked_index(count, layer):
    # NumPy's integers include spans of time
    if isinstance(layer, (bool, np.timedelta64)) or not isinstance(layer, (int, np.integer)) or not -count <= layer < count:
        raise ValueError(f"layer is {shown(layer)}; this network has the layers 0 to {count - 1}: give the number of one")
    return int(layer) % count


def sample_shape(net):
    """Return the shape of a sample of a network that has one input; raise an error for sequences of any length."""
    if len(of_network(net).graph.inputs) > 1:
        raise ValueError("this network has several inputs; this picture is of a network with one: give such a network")
    shape = net.shapes[0]
    if is_ragged(shape):
        raise ValueError(f"this network takes sequences of any length, inputs={shape}; this picture is of samples of one "
                         "shape: make the network again with a number of steps instead of None")
    return shape


def one_sample(net, x):
    """Return one sample as (1, *shape) in the dtype of the network, or in uint8 if it is an image of that."""
    shape = sample_shape(net)
    given = any_array("x", x)
    if given.shape not in (shape, (1, *shape)):
        hint = ""
        if given.shape[1:] == shape:
            hint = "; give one sample, x[0]"
        elif len(shape) == 3 and given.shape == (shape[2], *shape[:2]):
            hint = f"; its channels come first: give {transposed('x', x, 1, 2, 0)}"
        elif given.size == math.prod(shape):
            hint = f"; if its numbers lie in that order, give x.reshape({', '.join(map(str, shape))})"
        raise ValueError(f"x has shape {given.shape}; it must be one sample of the network, of shape {shape}{hint}")
    return features(given.reshape(1, *shape), shape, net.dtype)
