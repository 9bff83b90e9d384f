"""What pictures call the layers of a network."""

import numpy as np

from ..checks import an_instance, shown
from ..network.network import Network


def of_network(net):
    """`net` if it is a network."""
    return an_instance("net", net, Network)


def layer_name(net, index):
    """What a layer is called in pictures: its index, its type, and its activation if it has one."""
    layer = net.layers[index]
    return f"{index}  {type(layer).__name__}{'' if layer.activation == 'identity' else ' ' + layer.activation}"


def layer_index(net, layer):
    """`layer` as an index from 0; from the last backwards where it is negative, as in a list."""
    count = len(of_network(net).layers)
    if isinstance(layer, bool) or not isinstance(layer, (int, np.integer)) or not -count <= layer < count:
        raise ValueError(f"layer is {shown(layer)}; this network has the layers 0 to {count - 1}: give the number of one")
    return int(layer) % count
