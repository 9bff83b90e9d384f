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
from .padded import Padded

KEY = "fastnn"


def export(network, path: str | os.PathLike) -> None:
    """Write `network` to an ONNX file, atomically; `network.to_onnx(path)` is the same.

    The input is "input" (batch, inputs), or `(batch, *shape)`, and the output "output" (batch, outputs); several have their
    own names. Outputs are equal to those of `network.forward`. All are in the network's dtype. For a float64 network,
    nothing passes through float32: several operators replace those of ONNX that would.

    Sequences of any length are padded behind their last step: "input" is (batch, steps, features), or (batch, steps) of
    int64 for tokens. If a layer looks at several steps, there is an input "lengths" (batch,), int64, with the number of
    steps of each sequence; of several inputs that are sequences, each has its own, "text_lengths" for "text". The padding
    has no effect on the results. Outputs for each step are padded too. If a convolution or a pool has changed the number of
    steps, the lengths are a further output, "output_lengths".

    Parameters
    ----------
    network : Network
    path : path of the file to write

    Raises
    ------
    ValueError
        If a layer, or a registered activation, has no ONNX form; the error names it, and nothing is written.
    """
    from ..network.network import Network

    model = to_model(an_instance("network", network, Network))
    library().checker.check_model(model, full_check=True)
    write_whole(path_name("path", path), [model.SerializeToString()])


def to_model(network, exact=True):
    """Return the network as an ONNX ModelProto; `exact` as for `Graph`."""
    graph, wiring = Graph(network.dtype, exact), network.wiring
    values, axes = [*graph.names_of_inputs(network)], steps_of_inputs(graph, network)
    arrays, names = {**network.vectors.parameters.numbered, **network.vectors.state.numbered}, network.graph.names
    begun = set()
    for number, (index, layer, reads, _) in enumerate(wiring.steps):
        start = f"{index}."
        parameters = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        shape = network.shapes[wiring.inputs + number]
        with graph.within(f"{names[index]}.call_{number}" if index in begun else names[index]):
            given, shapes = ([each[tensor] for tensor in reads] for each in (values, network.shapes))
            graph.shape, graph.axes = shapes[0], tuple(axes[tensor] for tensor in reads)
            alone = len(given) == 1 and not layer.joins
            if not any(map(is_ragged, shapes)):
                values.append(layer.onnx(graph, given[0] if alone else given, parameters))
                axes.append(None)
            elif layer.works_over_time(tuple(shapes) if layer.joins and len(shapes) > 1 else shapes[0]):
                values.append(written_over_time(layer, graph, given[0] if alone else given, parameters))
                axes.append(layer.onnx_steps(graph, values[-1]) if is_ragged(shape) else None)
            else:  # it computes each step as if it were a sample
                axis, graph.shape = graph.axes[0], shapes[0][1:]
                rows = [graph.by_rows(x, own[1:]) for x, own in zip(given, shapes, strict=True)]
                values.append(graph.by_steps(layer.onnx(graph, rows[0] if alone else rows, parameters), axis, shape[1:]))
                axes.append(axis)
        begun.add(index)
    model = graph.model(network, [values[tensor] for tensor in wiring.outputs], axes)
    library().helper.set_model_props(model, {KEY: json.dumps(network.config())})
    return model


def written_over_time(layer, graph, x, parameters):
    try:
        return layer.onnx_over_time(graph, x, parameters)
    except ValueError as error:
        if repr(layer) in str(error):
            raise
        raise ValueError(f"{layer!r} has no ONNX form for sequences of any length: {error}") from None


def steps_of_inputs(graph, network):
    """Return for each input of a network the steps of its sequences, or None if its samples have one shape."""
    names = graph.names_of_inputs(network)
    ragged = [is_ragged(shape) for shape in network.shapes[:network.wiring.inputs]]
    found = []
    for name, has_steps in zip(names, ragged, strict=True):
        alone = sum(ragged) == 1 and "lengths" not in names
        found.append(Padded(graph, "steps" if alone else f"{name}_steps", name, "lengths" if alone else f"{name}_lengths")
                     if has_steps else None)
    return found
