"""Names of layers, and single samples, in pictures."""

import math

import numpy as np

from ..checks import an_instance, shown
from ..network.network import Network
from ..samples.arrays import any_array
from ..samples.features import features


def of_network(net):
    """Return `net` if it is a network, else raise ValueError."""
    return an_instance("net", net, Network)


def layer_name(net, index):
    """Return the name of a layer in pictures: its index, its type, and its activation if it has one."""
    layer = net.layers[index]
    return f"{index}  {type(layer).__name__}{'' if layer.activation == 'identity' else ' ' + layer.activation}"


def layer_index(net, layer):
    """Return `layer` as an index from 0; negative numbers count from the last, as in a list."""
    count = len(of_network(net).layers)
    # NumPy's integers include spans of time
    if isinstance(layer, (bool, np.timedelta64)) or not isinstance(layer, (int, np.integer)) or not -count <= layer < count:
        raise ValueError(f"layer is {shown(layer)}; this network has the layers 0 to {count - 1}: give the number of one")
    return int(layer) % count


def one_sample(net, x):
    """Return one sample as (1, *shape) in the dtype of the network, or in uint8 if it is an image of that."""
    shape = of_network(net).shapes[0]
    given = any_array("x", x)
    if given.shape not in (shape, (1, *shape)):
        hint = ""
        if given.shape[1:] == shape:
            hint = "; give one sample, x[0]"
        elif len(shape) == 3 and given.shape == (shape[2], *shape[:2]):
            hint = "; its channels come first: give x.transpose(1, 2, 0)"
        elif given.size == math.prod(shape):
            hint = f"; if its numbers lie in that order, give x.reshape({', '.join(map(str, shape))})"
        raise ValueError(f"x has shape {given.shape}; it must be one sample of the network, of shape {shape}{hint}")
    return features(given.reshape(1, *shape), shape, net.dtype)
