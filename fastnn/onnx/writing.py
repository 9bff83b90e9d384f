"""Export of networks to ONNX files. The method `onnx` of each layer and activation adds its operators.

The file also contains the architecture in fastnn's own format, under the key "fastnn" of its metadata, so that `load`
returns the same network: the same layers, loss and initializers.
"""

import json
import os

from ..checks import an_instance, path_name
from ..formats.atomic_file import write_whole
from ..layers import is_ragged
from .graph import Graph
from .library import library

KEY = "fastnn"


def export(network, path: str | os.PathLike) -> None:
    """Write `network` to an ONNX file, atomically; `network.to_onnx(path)` is the same.

    The input is "input" (batch, inputs), or `(batch, *shape)`, and the output "output" (batch, outputs); several have their
    own names. Outputs are equal to those of `network.forward`. All are in the network's dtype. For a float64 network,
    nothing passes through float32: several operators replace those of ONNX that would.

    Parameters
    ----------
    network : Network
    path : path of the file to write

    Raises
    ------
    ValueError
        If a layer, or a registered activation, has no ONNX form; nothing is written then.
    """
    from ..network.network import Network

    model = to_model(an_instance("network", network, Network))
    library().checker.check_model(model, full_check=True)
    write_whole(path_name("path", path), [model.SerializeToString()])


def to_model(network, exact=True):
    """Return the network as an ONNX ModelProto; `exact` as for `Graph`."""
    if any(map(is_ragged, network.shapes)):
        raise ValueError(f"this network takes sequences of any length, inputs={network.shapes[0]}, and an ONNX file samples "
                         "of one shape; make the network again with a number of steps instead of None, and copy the "
                         "parameters")
    graph = Graph(network.dtype, exact)
    values = [*graph.names_of_inputs(network)]
    arrays, names = {**network.vectors.parameters.numbered, **network.vectors.state.numbered}, network.graph.names
    begun = set()
    for number, (index, layer, reads, _) in enumerate(network.wiring.steps):
        start = f"{index}."
        parameters = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        graph.shape = network.shapes[reads[0]]
        with graph.within(f"{names[index]}.call_{number}" if index in begun else names[index]):
            given = [values[tensor] for tensor in reads]
            alone = len(given) == 1 and not layer.joins
            values.append(layer.onnx(graph, given[0] if alone else given, parameters))
        begun.add(index)
    model = graph.model(network, [values[tensor] for tensor in network.wiring.outputs])
    library().helper.set_model_props(model, {KEY: json.dumps(network.config())})
    return model
