"""What each layer of a network gives for some samples."""

from ..layers import Activation
from ..samples.features import features
from .network import Network


def layer_outputs(net, X, threads=None):
    """The outputs of each layer, a list of arrays (samples, features behind the layer), as in prediction.

    Each layer runs as a network of its own on what the layer before gave. The identity behind it lets any layer come last.
    """
    a, outputs = features(X, net.inputs, net.dtype), []
    for index, layer in enumerate(net.layers):
        alone = Network([layer, Activation("identity")], inputs=net.widths[index], loss="squared_error", dtype=net.dtype)
        for views, own in ((net.parameters, alone.parameters), (net.state, alone.state)):
            for name, view in own.items():
                view[...] = views[f"{index}.{name.split('.', 1)[1]}"]
        a = alone.forward(a, threads=threads)
        outputs.append(a)
    return outputs
