"""Names of layers in pictures."""

import numpy as np

from ..checks import an_instance, shown
from ..network.network import Network


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
    if isinstance(layer, bool) or not isinstance(layer, (int, np.integer)) or not -count <= layer < count:
        raise ValueError(f"layer is {shown(layer)}; this network has the layers 0 to {count - 1}: give the number of one")
    return int(layer) % count
