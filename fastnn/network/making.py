"""What a network is made from: the graph of its arguments or of a config, and what its outputs are."""

from collections.abc import Mapping

from ..architecture.from_config import is_graph, nodes_from_config
from ..architecture.from_nodes import graph_of
from ..architecture.graph import chain_of
from ..checks import one_of, refuse_class, shown
from ..layers import Block, CustomLayer, Layer, Node, input_shape, is_ragged, layers_from_config, row_shape
from ..layers import layers as layer_types
from ..layers.blocks import listed_nodes
from ..layers.custom.custom_layer import check_registered

NOT_OF_STEPS = ("loss 'ctc' takes a network of one input and one output that has outputs at each step of sequences of any "
                "length: give inputs=(None, features), and leave out layers that make one row of a sequence")


def structure(layers, inputs, outputs):
    """Return the graph of a network's arguments."""
    if layers is None and outputs is None:
        raise ValueError("layers is missing; give a list, such as [Dense(1)], or the inputs and outputs of a graph")
    if inputs is None:
        refuse_parts(layers)
        raise ValueError("inputs is None; give the number of features of a sample, inputs=X.shape[1], or the shape of one, "
                         "inputs=X.shape[1:]")
    if outputs is not None:
        if layers is not None:
            raise ValueError("layers and outputs are both given; outputs are those of a graph, whose layers are called on "
                             "nodes: leave one of them out")
        return graph_of(inputs, outputs)
    if isinstance(layers, Node):
        raise ValueError(f"layers is {shown(layers)}, a node; a graph is Network(inputs=x, outputs=h)")
    layers = tuple(layers) if isinstance(layers, (list, tuple)) else (layers,)
    if not layers:
        raise ValueError("layers is empty; give at least one, such as [Dense(1)]")
    kinds, plain = (Block, *layer_types.records.values()), True
    for index, layer in enumerate(layers):
        if not isinstance(layer, kinds):
            if isinstance(layer, CustomLayer):
                check_registered(layer)
            if isinstance(layer, Node):
                raise ValueError(f"layers[{index}] is a node, {layer!r}; nodes make a graph: Network(inputs=…, outputs=…)")
            refuse_class(f"layers[{index}]", layer, kinds)
            refuse_part(f"layers[{index}]", layer)
        if isinstance(layer, Block) or (layer.joins and layer.least == 1):
            plain = False
    if plain and not isinstance(inputs, Node):
        return chain_of(layers, input_shape(inputs))
    return graph_of(*listed_nodes(layers, inputs))


def refuse_parts(layers):
    """Raise an error for the first of some layers that is none; such an error says more than one about missing inputs."""
    if isinstance(layers, (list, tuple)):
        for index, layer in enumerate(layers):
            if not isinstance(layer, (Block, Layer, type)):
                refuse_part(f"layers[{index}]", layer)


def refuse_part(where, part):
    """Raise an error for something among the layers that is none."""
    repair = "it must be a layer, such as Dense(64, 'relu')"
    if isinstance(part, Node):
        repair = ("in a list of layers the shape of a sample is an argument, Network([...], inputs=4), and a graph is "
                  "Network(inputs=x, outputs=h)")
    elif isinstance(part, (list, tuple)):
        repair = "give one list, such as [*block, Dense(1)]"
    elif isinstance(part, int):
        repair += "; a network is Network([Dense(16, 'relu'), Dense(1)], inputs=4)"
    elif isinstance(part, str):
        repair += ", or Activation('relu')"
    elif hasattr(part, "forward") or hasattr(part, "call"):
        repair += "; one of your own is a subclass of fastnn.CustomLayer"
    raise ValueError(f"{where} is {shown(part)}; {repair}")


def arguments_of(config):
    """Return (layers, inputs, other arguments) of the network that `config` describes."""
    given = config if isinstance(config, Mapping) else {}
    missing = [name for name in ("layers", "inputs", "loss", "dtype") if name not in given]
    if missing:
        raise ValueError(f"config is {shown(config)}, without {missing[0]!r}; it must be what Network.config() gives")
    options = {name: config[name] for name in ("loss", "dtype", "mean") if name in config}
    if is_graph(config):
        inputs, outputs = nodes_from_config(config)
        return None, inputs, {**options, "outputs": outputs}
    return layers_from_config(config["layers"]), config["inputs"], options


def checked_mean(network, mean):
    """Return what the loss of a network is the mean of; "sequences" is for outputs at each step of sequences."""
    mean = one_of("mean", mean, ("steps", "sequences"))
    if mean == "sequences":
        if any(head.kind == "label sequences" for head in network.heads):
            raise ValueError("mean is 'sequences', and the loss 'ctc' is that of a sequence already; leave mean out")
        if not any(network.step_outputs):
            raise ValueError("mean is 'sequences'; that is for outputs at each step of sequences of any length, "
                             "inputs=(None, ...), of which this network has none: leave mean out")
    return mean


def ends_of(graph):
    """Return (names, last activations, shapes of a row, whether each is read once) of the outputs."""
    activations, shapes = [], []
    for last, tensor in zip(graph.last_layers, graph.wiring.outputs, strict=True):
        shape = graph.shapes[tensor]
        if not last.can_be_last:
            raise ValueError(f"the last layer is {last!r}, whose outputs are no prediction; end with another, "
                             "such as Dense(1)")
        layer = graph.wiring.steps[tensor - graph.wiring.inputs].layer
        if is_ragged(shape) and len(shape) != 2:
            raise ValueError(f"the last layer, {layer!r}, gives outputs of shape {shape}; those of "
                             "steps must have one axis: end with Flatten(), or with Flatten() and a Dense layer")
        shapes.append(row_shape(shape))
        activations.append(last.activation_record)
    return graph.outputs, activations, shapes, [*map(graph.wiring.is_read_once, graph.wiring.outputs)]


def check_objectives(graph, objectives, gives_steps):
    """Refuse losses that the shapes of the outputs do not fit; gives_steps: whether there is one, at steps of sequences."""
    for objective in objectives:
        if not gives_steps and objective.head.kind == "label sequences":
            raise ValueError(NOT_OF_STEPS)
        if objective.on_logits:
            graph.check_last_axis()
