"""Networks from the layers that the walk of a foreign graph has found."""

import re
from collections import Counter
from copy import copy
from dataclasses import replace

import numpy as np

from ..layers import Activation, Bidirectional, Flatten, Input, is_ragged, output_shape
from .any_length import by_step, check_network
from .chain import Entry, is_open
from .order import in_order, sources_of
from .walk import WITHOUT_WEIGHTS, takes_features


def network_of(network_type, walked, last):
    """Return the network of a walk. last: its last layers by the names of outputs."""
    layers = chain_to(*last.values()) if len(last) == 1 and len(walked.entries) == 1 else None
    return of_graph(network_type, walked, last) if layers is None else of_chain(network_type, walked, layers)


def chain_to(layer):
    """Return all layers up to one as a list; None if there are branches."""
    layers = []
    while not isinstance(layer, Entry):
        layers.append(layer)
        sources = set(layer.source) if isinstance(layer.source, tuple) else {layer.source}
        if len(sources) > 1 or (isinstance(layer.source, tuple) and not layer.parameters):
            return None
        layer, = sources
    return layers[::-1]


def of_chain(network_type, walked, found):
    entry, = walked.entries.values()
    layers, inputs = [(layer.spec, parameters_of(layer)) for layer in found], entry.network_shape
    if not layers:
        inputs = entry.inputs or entry.sizes
    elif is_ragged(inputs):
        layers = over_time(layers, inputs)
    elif not any(parameters or isinstance(layer, WITHOUT_WEIGHTS) for layer, parameters in layers):
        raise ValueError("its graph has no layers with weights")
    if len(inputs) > 1 and not is_ragged(inputs) and (not layers or takes_features(layers[0][0], inputs)):
        layers.insert(0, (Flatten(), {}))
    if not layers:
        raise ValueError("its graph has no layers with weights")
    network = network_type([layer for layer, _ in layers], inputs, dtype=walked.dtype or walked.input_dtype)
    index = 0
    for layer, parameters in layers:
        for name, array in parameters.items():
            number, _, own = name.rpartition(".")  # the number of a direction of a bidirectional layer
            network.vectors.by_name[f"{index + int(number or 0)}.{own}"][...] = array
        index += 3 if isinstance(layer, Bidirectional) else 1  # two layers and a join
    check_network(network, walked)
    return network


def over_time(layers, shape):
    """Return the layers of a chain as those of sequences of a shape."""
    found = []
    for layer, parameters in layers:
        found.append(by_step(layer, parameters, shape))
        layer, _ = found[-1]
        shape = layer.output_shape(shape) if isinstance(layer, Bidirectional) else output_shape(layer, shape)
    return found


def parameters_of(layer):
    """Return the parameters of a layer, complete if it is attention whose output no matrix multiplies."""
    if not is_open(layer):
        return layer.parameters
    width = layer.spec.out_features
    return layer.parameters | {"output_weight": np.eye(width), "output_bias": np.zeros(width)}


def of_graph(network_type, walked, last):
    inputs = {entry: Input(entry.network_shape, name=identifier(entry.name, "input")) for entry in walked.entries.values()}
    nodes, parameters, bases = dict(inputs), {}, {}
    order = in_order([*last.values()])
    uses = Counter(layer.stage for layer in order if layer.stage is not None)
    for number, layer in enumerate(order):
        sources = layer.source if isinstance(layer.source, tuple) else (layer.source,)
        if len(set(sources)) == 1 and layer.parameters:  # what attends to itself
            sources = sources[:1]
        given = [nodes[source] for source in sources]
        spec, own = by_step(copy(layer.spec), parameters_of(layer), given[0].shape)  # a copy, since a call is of one object
        name = f"{type(spec).__name__.lower()}_{number}"
        if uses[layer.stage] > 1 and layer.stage is not None:  # one product with several activations
            if layer.stage not in bases:
                bases[layer.stage] = replace(spec, activation="identity")(*given, name=name)
                parameters[name] = own
            base = bases[layer.stage]
            nodes[layer] = base if spec.activation == "identity" else Activation(spec.activation)(base)
            continue
        if len(sources) == 1 and sources[0] in inputs and not isinstance(spec, Bidirectional) and \
                not is_ragged(given[0].shape) and takes_features(spec, given[0].shape):
            given = [Flatten()(given[0])]
        nodes[layer] = spec(*given, name=name)
        if own:
            parameters[name] = own
    if not parameters:
        raise ValueError("its graph has no layers with weights")
    unread = [entry.name for entry, node in inputs.items() if not any(entry in sources_of(layer) for layer in order)]
    if unread:
        raise ValueError(f"no output depends on its input {unread[0]!r}")
    outputs = {identifier(name, "output"): nodes[layer] for name, layer in last.items()}
    if len({id(node) for node in outputs.values()} & {id(node) for node in inputs.values()}):
        raise ValueError("one of its outputs is an input")
    network = network_type(inputs=[*inputs.values()], outputs=next(iter(outputs.values())) if len(outputs) == 1 else outputs,
                           dtype=walked.dtype or walked.input_dtype)
    for name, arrays in parameters.items():
        for own, array in arrays.items():
            network.vectors.by_name[f"{name}.{own}"][...] = array
    check_network(network, walked)
    return network


def identifier(name, kind):
    """Return the name of an input or output of a graph as one that a network can have."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", name).strip("_")
    return name if name[:1].isalpha() else f"{kind}_{name}".rstrip("_")
