"""Graphs from `Network.config()`, plain data that may come from a file."""

from ..checks import shown
from ..layers import input_shape, layer_from_config
from ..layers.node import Node, Site, checked_name, output_shape
from .from_nodes import graph_of
from .graph import chain_of


def graph_from_config(config):
    """Return the graph of `Network.config()`, which may come from a file."""
    if is_graph(config):
        return graph_of(*nodes_from_config(config))
    layers = tuple(layer_from_config(f"layers[{index}]", each) for index, each in enumerate(config["layers"]))
    return chain_of(layers, input_shape(config["inputs"]))


def is_graph(config):
    """Return whether a config is that of a graph, not of a list of layers."""
    return "steps" in config


def nodes_from_config(config):
    """Return (inputs, outputs), dicts of nodes, from the `config()` of a graph, which may come from a file."""
    layers = [layer_from_config(f"layers[{index}]", each) for index, each in enumerate(config["layers"])]
    names = [None if name == str(index) else checked_name(name) for index, name in enumerate(config["names"])]
    if len(names) != len(layers):
        raise ValueError(f"names has {len(names)} entries; there are {len(layers)} layers")
    inputs = {name: Node(None, (), input_shape(shape, f"the shape of input {shown(name)}"), checked_name(name))
              for name, shape in config["inputs"]}
    tensors, sites, called = [*inputs.values()], {}, [index for index, _ in config["steps"]]
    for index, reads in config["steps"]:
        if not isinstance(index, int) or not 0 <= index < len(layers):
            raise ValueError(f"a step uses layer {shown(index)}; there are {len(layers)}")
        if not all(isinstance(tensor, int) and 0 <= tensor < len(tensors) for tensor in reads):
            raise ValueError(f"a step of {layers[index]!r} reads tensors {shown(reads)}; it can read those from 0 to "
                             f"{len(tensors) - 1}, which stand before it")
        layer, read = layers[index], tuple(tensors[tensor] for tensor in reads)
        if not read:
            raise ValueError(f"a step of {layer!r} reads no tensors")
        site = sites.setdefault(index, Site(layer, shares=called.count(index) > 1))
        tensors.append(Node(layer, read, output_shape(layer, read), names[index], site))
    for name, tensor in config["outputs"]:
        if not isinstance(tensor, int) or not 0 <= tensor < len(tensors):
            raise ValueError(f"output {shown(name)} is tensor {shown(tensor)}; there are {len(tensors)}")
    outputs = {name: tensors[tensor] for name, tensor in config["outputs"]}
    if graph_of(inputs, outputs).config()["steps"] != config["steps"]:
        raise ValueError("its layers are not in the order of their graph")
    return inputs, outputs
