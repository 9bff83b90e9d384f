"""Networks written to ONNX files. Each layer adds its operators itself, by its method `onnx`, and so does each activation.

The file also holds the architecture as fastnn's own data, under the key "fastnn" of its metadata, so that reading it again
gives the same network: the same layers, loss and initializers.
"""

import json
import os

from ..checks import an_instance, path_name
from ..formats.atomic_file import write_whole
from .graph import Graph
from .library import library

KEY = "fastnn"


def export(network, path: str | os.PathLike) -> None:
    """Write `network` to an ONNX file, whole or not at all; `network.to_onnx(path)` is the same.

    The file takes "input" (batch, inputs), or `(batch, *shape)`, and gives "output" (batch, outputs), what `network.forward`
    gives, both in the network's dtype. Of a float64 network nothing passes through float32: where ONNX's own operators
    would, several others stand for one.

    Parameters
    ----------
    network : Network
    path : path of the file to write

    Raises
    ------
    ValueError
        If a layer, or an activation that you registered, has no ONNX form; nothing is written then.
    """
    from ..network.network import Network

    model = to_model(an_instance("network", network, Network))
    library().checker.check_model(model, full_check=True)
    write_whole(path_name("path", path), [model.SerializeToString()])


def to_model(network, exact=True):
    """The network as an ONNX ModelProto; `exact` as of `Graph`."""
    graph, value = Graph(network.dtype, exact), "input"
    for index, layer in enumerate(network.layers):
        start = f"{index}."
        arrays = {**network.parameters, **network.state}
        parameters = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        with graph.within(index):
            value = layer.onnx(graph, value, parameters)
    model = graph.model(network, value)
    library().helper.set_model_props(model, {KEY: json.dumps(network.config())})
    return model
