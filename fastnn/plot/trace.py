"""What each layer of a network gives for some samples."""

from ..checks import features
from ..layers import Activation
from ..network import Network


def layer_outputs(net, X):
    """The outputs of each layer, a list of arrays (samples, features behind the layer), as in prediction.

    Each layer runs as a network of its own on what the layer before gave. The identity behind it lets any layer come last.
    """
    a, outputs = features(X, net.inputs, net.dtype), []
    for index, layer in enumerate(net.layers):
        alone = Network([layer, Activation("identity")], inputs=net.widths[index], loss="squared_error", dtype=net.dtype)
        for views, own in ((net.parameters, alone.parameters), (net.state, alone.state)):
            for name, view in own.items():
                view[...] = views[f"{index}.{name.split('.', 1)[1]}"]
        a = alone.forward(a)
        outputs.append(a)
    return outputs


def layer_name(net, index):
    """What a layer is called in pictures: its index, its type, and its activation if it has one."""
    layer = net.layers[index]
    return f"{index}  {type(layer).__name__}{'' if layer.activation == 'identity' else ' ' + layer.activation}"


def layer_index(net, layer):
    """`layer` as an index from 0; from the last backwards where it is negative, as in a list."""
    count = len(net.layers)
    if isinstance(layer, bool) or not isinstance(layer, int) or not -count <= layer < count:
        raise ValueError(f"layer is {layer!r}; this network has the layers 0 to {count - 1}")
    return layer % count
