"""The graph of a network: its layers and their names, what each reads, and the shape of every tensor.

A traversal puts nodes in order: depth first from the outputs, in the order given, and from each layer through what it reads,
in the order given; a layer comes after all that it reads. Layers without a name are called by their number in this order.
Initial weights and random words follow it too, so they depend on the graph alone.
"""

from dataclasses import dataclass
from functools import cached_property

from ..checks import shown
from ..layers import Activation, input_shape, is_features, is_ragged, layer_from_config, seen_by, shapes
from ..layers.node import Node, Site, checked_name, output_shape
from .wiring import Chain, Step, Wiring


@dataclass(frozen=True)
class Graph:
    """The structure of a network.

    Attributes
    ----------
    layers : tuple of Layer
        One for each set of parameters.
    names : tuple of str
        Their names.
    shapes : list of tuple
        The shape of a sample of each tensor: of the inputs, then of the output of each step.
    taken : list
        For each layer the shape that it takes, as in `seen_by`, or a tuple of shapes for one that joins.
    wiring : Wiring
    inputs, outputs : tuple of str
        The names of the inputs and outputs.
    """

    layers: tuple
    names: tuple
    shapes: list
    taken: list
    wiring: Wiring
    inputs: tuple
    outputs: tuple

    @property
    def is_chain(self):
        """Whether it is a list of layers, of which nothing has a name."""
        return isinstance(self.wiring, Chain)

    @cached_property
    def last_layers(self):
        """For each output the last layer that computes something: its result, in any shape, is the output."""
        return tuple(step.layer for step in map(self.wiring.computing_step, self.wiring.outputs))

    def least_steps(self, tensor):
        """Return the least number of steps of a sequence of an input that all layers can take."""
        least = [0] * len(self.shapes)
        for number, step in reversed([*enumerate(self.wiring.steps, self.wiring.inputs)]):
            for each in step.reads:
                if is_ragged(self.shapes[each]):
                    least[each] = max(least[each], step.layer.steps_needed(self.shapes[each], least[number]))
        return least[tensor]

    @cached_property
    def takes_any_length(self):
        """Whether no layer has a largest number of steps."""
        return all(step.layer.most_steps(self.shapes[step.reads[0]]) is None for step in self.wiring.steps)

    def check_lengths(self, lengths):
        """Refuse sequences with more steps than a layer takes. lengths: those of the input, or a list with those of each."""
        if self.takes_any_length:
            return
        for step, given in zip(self.wiring.steps, self.steps_of_all(lengths), strict=True):
            most = step.layer.most_steps(self.shapes[step.reads[0]])
            if most is not None and given is not None and len(given) and given.max() > most:
                sample = int(given.argmax())
                raise ValueError(f"X[{sample}] has {given[sample]} steps at layer {self.names[step.index]}, {step.layer!r}, "
                                 f"which takes at most {most}; cut it, or make the layer for more")

    def steps_of_all(self, lengths):
        """Return the numbers of steps that the first tensor has which each step of the wiring reads, None without steps."""
        found = [*lengths] if isinstance(lengths, list) else [lengths]
        given = []
        for step in self.wiring.steps:
            shape, own = self.shapes[step.reads[0]], found[step.reads[0]]
            given.append(own if is_ragged(shape) else None)
            found.append(step.layer.steps_after(shape, own) if is_ragged(shape) else None)
        return given

    def steps_of_outputs(self, lengths, number=0):
        """Return the numbers of steps of an output, for an array of those of the input, or a list with that of each."""
        found = [*lengths] if isinstance(lengths, list) else [lengths]
        for step in self.wiring.steps:
            shape, given = self.shapes[step.reads[0]], found[step.reads[0]]
            found.append(step.layer.steps_after(shape, given) if is_ragged(shape) else None)
        return found[self.wiring.outputs[number]]

    def check_last_axis(self):
        """Refuse a softmax over another axis than the last one of the outputs, as a loss of the logits takes it to be."""
        steps, first = self.wiring.steps, self.wiring.inputs
        for number in self.wiring.outputs:
            last = self.shapes[number]
            while steps[number - first].layer.is_view and steps[number - first].reads[0] >= first:
                number, = steps[number - first].reads
            layer, computed = steps[number - first].layer, self.shapes[number]
            if layer.activation_record.rowwise and computed[-1] != last[-1]:
                raise ValueError(f"{layer!r} applies {layer.activation} over its last axis, of {computed[-1]}, and the "
                                 f"outputs have the shape {last}: put Activation({layer.activation!r}) behind the layers "
                                 "that change the shape")

    def tokens(self, tensor):
        """Return the size of the vocabulary of an input; None if it is none of tokens."""
        if self.shapes[tensor] != (None,):
            return None
        return min(step.layer.tokens for step in self.wiring.steps if tensor in step.reads)

    @cached_property
    def multiply_adds(self):
        """The approximate number of multiply-adds of a sample, or of a step."""
        if self.is_chain:
            return sum(layer.multiply_adds(shape) for layer, shape in zip(self.layers, self.taken, strict=True))
        return sum(step.layer.multiply_adds(self.taken[step.index]) for step in self.wiring.steps)

    def named(self, numbered):
        """Return a name such as "encoder.weight" for "0.weight", the name by the layer's number."""
        number, _, name = numbered.partition(".")
        return f"{self.names[int(number)]}.{name}"

    def parameter_shapes(self):
        """Return the shapes of all parameters by number and name, {"0.weight": shape, …}, in memory order."""
        return {f"{index}.{name}": own for index, (layer, shape) in enumerate(zip(self.layers, self.taken, strict=True))
                for name, own in layer.parameter_shapes(shape).items()}

    def state_shapes(self):
        """Return the shapes of the state of all layers by number and name, in memory order."""
        return {f"{index}.{name}": own for index, (layer, shape) in enumerate(zip(self.layers, self.taken, strict=True))
                for name, own in layer.state_shapes(shape).items()}

    def expected_arrays(self, shapes):
        """Return {public name: shape} of `parameter_shapes()` or `state_shapes()`."""
        return {self.named(name): shape for name, shape in shapes.items()}

    def layer_of(self, name):
        """Return the number of the layer of a parameter, by its public name."""
        fitting = [number for number, own in enumerate(self.names) if name.startswith(f"{own}.")]
        return max(fitting, key=lambda number: len(self.names[number]))

    def config(self):
        """Return the architecture as plain data."""
        layers = [layer.config() for layer in self.layers]
        if self.is_chain:
            shape = self.shapes[0]
            return {"layers": layers, "inputs": shape[0] if is_features(shape) else list(shape)}
        return {
            "layers": layers, "names": list(self.names),
            "inputs": [[name, list(shape)] for name, shape in zip(self.inputs, self.shapes, strict=False)],
            "steps": [[step.index, list(step.reads)] for step in self.wiring.steps],
            "outputs": [[name, tensor] for name, tensor in zip(self.outputs, self.wiring.outputs, strict=True)],
        }


UNNAMED = ("input",), ("output",)


def chain_of(layers, shape):
    """Return the graph of layers that each read the output of the one before."""
    found = shapes(layers, shape)
    taken = found[:-1] if shape[0] is not None else [*map(seen_by, layers, found)]
    return Graph(layers, tuple(map(str, range(len(layers)))), found, taken, Chain(layers), *UNNAMED)


def graph_of(inputs, outputs):
    """Return the graph from input nodes to output nodes, each given as one, a list or a dict by name."""
    (input_names, inputs), (output_names, outputs) = named_nodes("inputs", inputs), named_nodes("outputs", outputs)
    if len({*map(id, inputs)}) < len(inputs):
        raise ValueError("inputs has a node twice; give each input once")
    order = traversal(inputs, outputs)
    number = {id(node): count for count, node in enumerate([*inputs, *order])}
    layers, indices = sets_of_parameters(order)
    names = layer_names(order, indices, len(layers), input_names)
    reads = [tuple([number[id(each)] for each in node.reads]) for node in order]
    tensors = tuple([number[id(node)] for node in outputs])
    if is_plain(inputs, reads, tensors, order, layers, input_names, output_names):
        return chain_of(tuple(layers), inputs[0].shape)
    wiring = Wiring(len(inputs), steps_of(len(inputs), order, indices, reads, tensors), tensors)
    first = dict(zip(reversed(indices), reversed(order), strict=True))  # the first node of each layer
    taken = [taken_by(layer, first[index].reads) for index, layer in enumerate(layers)]
    return Graph(tuple(layers), names, [node.shape for node in (*inputs, *order)], taken, wiring, input_names, output_names)


def taken_by(layer, reads):
    """Return the shape that a layer takes where it reads these nodes, or a tuple of shapes if it joins."""
    return tuple(seen_by(layer, node.shape) for node in reads) if layer.joins else seen_by(layer, reads[0].shape)


def is_plain(inputs, reads, tensors, order, layers, input_names, output_names):
    """Return whether nodes say no more than a list of layers would: no names, each layer reads the one before."""
    if (input_names, output_names) != UNNAMED or tensors != (len(order),) or len(layers) != len(order):
        return False
    in_a_row = reads == [(number,) for number in range(len(order))] and not any(node.layer.joins for node in order)
    return in_a_row and all(node.name is None for node in (*inputs, *order))


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
        owner = owners.setdefault(id(node.layer), node.site.owner)
        if owner is not node.site.owner:
            raise ValueError(f"{node.layer!r} is called twice in this graph, on {listed(order, node.layer)}: for one set of "
                             "parameters, make a Shared(layer) and call that; for two sets, make a new object for each call")
        index = numbers.setdefault(node.key, len(layers))
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


def steps_of(inputs, order, indices, reads, outputs):
    """Return the steps, with the activation that the rows of each apply, as `applied_activations` for a list of layers.

    A step applies that of an `Activation` that is the only reader of its output.
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
    return tuple(map(Step, indices, layers, reads, applied))


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


def is_graph(config):
    """Return whether a config is that of a graph, not of a list of layers."""
    return "steps" in config


def graph_from_config(config):
    """Return the graph of `Network.config()`, which may come from a file."""
    if is_graph(config):
        return graph_of(*nodes_from_config(config))
    layers = tuple(layer_from_config(f"layers[{index}]", each) for index, each in enumerate(config["layers"]))
    return chain_of(layers, input_shape(config["inputs"]))
