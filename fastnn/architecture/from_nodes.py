"""Graphs of nodes, which calls of layers have made.

A traversal puts nodes in order: depth first from the outputs, in the order given, and from each layer through what it reads,
in the order given; a layer comes after all that it reads. Layers without a name are called by their number in this order.
Initial weights and random words follow it too, so they depend on the graph alone.
"""

from ..checks import shown
from ..layers import Activation, seen_by
from ..layers.node import Node, checked_name
from .graph import UNNAMED, Graph, chain_of
from .wiring import Step, Wiring


def graph_of(inputs, outputs):
    """Return the graph from input nodes to output nodes, each given as one, a list or a dict by name."""
    (input_names, inputs), (output_names, outputs) = named_nodes("inputs", inputs), named_nodes("outputs", outputs)
    if len({*map(id, inputs)}) < len(inputs):
        raise ValueError("inputs has a node twice; give each input once")
    if (input_names, output_names) == UNNAMED and (plain := plain_layers(inputs[0], outputs[0])):
        return chain_of(plain, inputs[0].shape)
    order = traversal(inputs, outputs)
    number = {id(node): count for count, node in enumerate([*inputs, *order])}
    layers, indices = sets_of_parameters(order)
    names = layer_names(order, indices, len(layers), input_names)
    reads = [tuple([number[id(each)] for each in node.reads]) for node in order]
    tensors = tuple([number[id(node)] for node in outputs])
    wiring = wiring_of(len(inputs), order, indices, reads, tensors)
    first = dict(zip(reversed(indices), reversed(order), strict=True))  # the first node of each layer
    taken = [taken_by(layer, first[index].reads) for index, layer in enumerate(layers)]
    return Graph(tuple(layers), names, [node.shape for node in (*inputs, *order)], taken, wiring, input_names, output_names)


def taken_by(layer, reads):
    """Return the shape that a layer takes where it reads these nodes, or a tuple of shapes if it joins."""
    return tuple(seen_by(layer, node.shape) for node in reads) if layer.joins else seen_by(layer, reads[0].shape)


def plain_layers(first, node):
    """Return the layers from one node to another if a list describes them, else (): none has a name or is called twice."""
    layers = {}
    while node.layer is not None and node.name is None and len(node.reads) == 1 and not node.layer.joins \
            and id(node.layer) not in layers:
        layers[id(node.layer)] = node.layer
        node, = node.reads
    return tuple(reversed(layers.values())) if node is first and node.name is None else ()


def named_nodes(what, given):
    """Return (names, nodes) of inputs or outputs."""
    one = what[:-1]
    if isinstance(given, Node):
        names = [(given.name if one == "input" else None) or one]
        nodes = [given]
    elif isinstance(given, dict):
        names, nodes = [checked_name(name) for name in given], [*given.values()]
        if None in names:
            raise ValueError(f"{what} has the name None; give each a name")
    elif isinstance(given, (list, tuple)):
        nodes = [*given]
        names = [getattr(node, "name", None) or (one if len(nodes) == 1 else f"{one}_{k}") for k, node in enumerate(nodes)]
    else:
        nodes = [given]
    for node in nodes:
        if not isinstance(node, Node):
            raise ValueError(f"{what} of a graph is {shown(given)}; it must be a node, or a list or dict of nodes, which "
                             "Input(shape) and calls of layers give")
    if not nodes:
        raise ValueError(f"{what} is empty; give at least one node")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two of the {what} are called {name!r}; give each a name of its own")
    return tuple(names), nodes


def traversal(inputs, outputs):
    """Return the nodes of layers in order, see the module; refuse inputs that are missing, or that lead to no output."""
    done, opened, order = {*map(id, inputs)}, set(), []
    for output in outputs:
        if output.layer is None:
            raise ValueError(f"{output!r} is an output and an input; apply a layer to it")
        stack = [output]
        while stack:
            node = stack[-1]
            if id(node) in done:
                stack.pop()
                continue
            if node.layer is None:
                raise ValueError(f"the outputs depend on {node!r}, which is not among the inputs; add it to `inputs`")
            waiting = None
            for each in node.reads:
                if id(each) not in done:
                    waiting = each
                    break
            if waiting is None:
                done.add(id(node))
                order.append(stack.pop())
            elif id(waiting) in opened:
                raise ValueError(f"{waiting!r} depends on its own output; a graph has no cycles")
            else:
                opened.add(id(node))
                stack.append(waiting)
    read = {id(each) for node in order for each in node.reads}
    for node in inputs:
        if id(node) not in read:
            raise ValueError(f"no output depends on the input {node!r}; connect it, or leave it out of `inputs`")
    return order


def sets_of_parameters(order):
    """Return (layers, for each node the number of its layer); nodes of one `Shared` have the same number."""
    numbers, owners, layers, indices = {}, {}, [], []
    for node in order:
        owner = owners.setdefault(id(node.layer), node.owner)
        if owner is not node.owner:
            raise ValueError(f"{node.layer!r} is called twice in this graph, on {listed(order, node.layer)}: for one set of "
                             "parameters, make a Shared(layer) and call that; for two sets, make a new object for each call")
        index = numbers.setdefault((node.owner, node.number), len(layers))
        if index == len(layers):
            layers.append(node.layer)
        else:
            check_same_parameters(node, order[indices.index(index)])
        indices.append(index)
    return layers, indices


def listed(order, layer):
    return " and on ".join(", ".join(map(repr, node.reads)) for node in order if node.layer is layer)


def check_same_parameters(node, first):
    """Refuse a second call of shared parameters on a shape for which they would have another size."""
    shape, other = (taken_by(node.layer, each.reads) for each in (node, first))
    if (node.layer.parameter_shapes(shape) != node.layer.parameter_shapes(other)
            or node.layer.state_shapes(shape) != node.layer.state_shapes(other)):
        raise ValueError(f"{node.layer!r} is shared by calls on shapes {other} and {shape}, for which it has parameters of "
                         "other sizes; give both the same shape, or make a new object for each call")


def layer_names(order, indices, count, input_names):
    """Return the name of each layer: the one given, else its number."""
    names = [None] * count
    for node, index in zip(order, indices, strict=True):
        if node.name is not None and names[index] not in (None, node.name):
            raise ValueError(f"{node.layer!r} is shared, and called {names[index]!r} and {node.name!r}; it has one set of "
                             "parameters: give one name, at its first call")
        names[index] = names[index] or node.name
    given = [*input_names, *filter(None, names)]
    for name in given if len({*given}) < len(given) else ():
        if given.count(name) > 1:
            raise ValueError(f"two layers or inputs are called {name!r}; give each a name of its own")
    return tuple([name or str(index) for index, name in enumerate(names)])


def wiring_of(inputs, order, indices, reads, outputs):
    """Return the wiring of nodes in order, with the activation that the rows of each step apply.

    A step applies that of an `Activation` that is the only reader of its output, as in `applied_activations`.
    """
    layers, readers = [node.layer for node in order], [0] * (inputs + len(order))
    for own in (outputs, *reads):
        for tensor in own:
            readers[tensor] += 1
    applied = [layer.activation for layer in layers]
    for number, (layer, own) in enumerate(zip(layers, reads, strict=True)):
        before = own[0] - inputs
        if isinstance(layer, Activation) and before >= 0 and readers[own[0]] == 1 \
                and layers[before].takes_activation and applied[before] == "identity":
            applied[before], applied[number] = applied[number], "identity"
    return Wiring.of_nodes(inputs, tuple(map(Step, indices, layers, reads, applied)), outputs, readers)
