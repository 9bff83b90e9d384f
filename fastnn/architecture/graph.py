"""The graph of a network: its layers and their names, what each reads, and the shape of every tensor."""

from dataclasses import dataclass
from functools import cached_property

from ..layers import is_features, is_ragged, seen_by, shapes
from .wiring import Chain, Wiring


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
