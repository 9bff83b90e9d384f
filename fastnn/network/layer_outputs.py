"""The output of each layer of a network."""

from ..layers import Activation, Flatten
from ..samples.features import features
from .network import Network


def layer_outputs(net, X, threads=None):
    """Return the outputs of each layer, a list of arrays (samples, *output shape), as in prediction.

    Each layer runs as a network of its own, on the output of the layer before. Layers added after it allow any layer to be
    the last.
    """
    a, outputs = features(X, net.shapes[0], net.dtype), []
    for index, layer in enumerate(net.layers):
        alone = Network([layer, Activation("identity"), Flatten()], inputs=net.shapes[index], loss="squared_error",
                        dtype=net.dtype)
        for views, own in ((net.parameters, alone.parameters), (net.state, alone.state)):
            for name, view in own.items():
                view[...] = views[f"{index}.{name.split('.', 1)[1]}"]
        a = alone.forward(a, threads=threads).reshape(len(a), *net.shapes[index + 1])
        outputs.append(a)
    return outputs
