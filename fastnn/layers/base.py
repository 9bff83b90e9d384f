"""The base class of layers: frozen specifications that `fastnn.program` converts to rows of the table."""

import math
from dataclasses import FrozenInstanceError, fields
from functools import wraps

from ..checks.other_arguments import takes_others
from ..checks.other_attributes import ATTRIBUTES, advice_on
from ..checks.other_names import known_name
from ..kernels.activations import activations
from .node import call_layer
from .registry import layers


class Layer:
    """Base class of layers, for a layer that keeps the shape and has no parameters.

    The shape of a tensor is that of one sample: (features,), (height, width, channels), …

    A subclass is a frozen dataclass, whose fields are the arguments of its constructor.

    Attributes
    ----------
    activation : str
        The name of its last activation.
    takes_activation : bool
        Whether its rows can apply the activation of an `Activation` layer that follows.
    mixes_samples : bool
        Whether in training an output depends on the other samples of the batch.
    draws : bool
        Whether it draws random numbers in training.
    can_be_last : bool
        Whether it can be the last layer of a network.
    functions : tuple of str
        The functions that compute it, with the same names in `fastnn.naive`, `fastnn.vectorized` and `fastnn.compiled`.
    torch : str or None
        The PyTorch module whose weights `load_torch` reads for it, or None if it has no weights.
    is_view : bool
        Whether it only changes the shape, so that its result is the memory of the layer before.
    learns_from_data : bool
        Whether the first fit computes its state from X, with a method `learn`.
    joins : bool
        Whether it takes several tensors. `lower` then gets a list of them, and its other methods a tuple of shapes.
    adds_gradient : bool
        Whether its rows can add to the gradient of a tensor that other layers read too (`x.adds`). A layer that can only
        write it, or works in place, gets a gradient of its own, and the program adds that.
    """

    activation = "identity"
    takes_activation = False
    mixes_samples = False
    draws = False
    can_be_last = True
    functions = ()
    torch = None
    is_view = False
    joins = False
    learns_from_data = False
    adds_gradient = False

    def __call__(self, *nodes, name=None):
        """Return the node of its output for nodes of a graph, see `fastnn.Input`.

        Parameters
        ----------
        *nodes : Node
            One; of a layer that joins, several, or a list of them.
        name : str, optional
            Of its parameters and of the layer in `summary`; by default its number in the network.
        """
        return call_layer(self, nodes, name)

    def __getattr__(self, name):
        message = advice_on(ATTRIBUTES["Layer"], name, "a layer")
        raise AttributeError(message or f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def check_further(self, shapes):
        """Refuse nodes that it reads after the first one, by their shapes; a layer that does not join reads none."""
        if shapes:
            raise ValueError(f"{self!r} is called on {1 + len(shapes)} nodes; it takes one")

    @property
    def activation_record(self):
        return activations[self.activation]

    def works_over_time(self, shape):
        """Return whether it works on whole sequences where samples have this shape, which begins with None.

        Its shapes then begin with None too. Every other layer computes step by step, and its shapes are those of a step.
        A layer that joins gets a tuple of shapes; one that works on whole sequences may join some of different lengths.
        """
        return False

    def steps_needed(self, shape, after):
        """Return the least number of steps of a sequence, given the least number `after` that follows it (0 if none)."""
        return after

    def most_steps(self, shape):
        """Return the largest number of steps of a sequence that it takes, None for any."""
        return None

    def steps_after(self, shape, lengths):
        """Return the numbers of steps of the outputs, for sequences of these numbers of steps, an array."""
        return lengths

    def kept_between_steps(self, shape):
        """Return what it keeps of a sequence where steps come one by one: {name: (count of numbers, first value)}.

        The first value is a number, or (name of a parameter, place in it), from which on the numbers are there.
        Raise ValueError if its output at a step depends on later steps. shape: that of sequences, which begins with None.
        """
        if self.works_over_time(shape):
            raise ValueError(f"{self!r} works on whole sequences; give them to predict")
        return {}

    def lower_with(self, following, program, index, x, activation):
        """As `lower`, also for the layer that alone reads its output; return the output of that, or None: not together."""
        return None

    def lower_step(self, program, index, x, activation, kept):
        """As `lower`, for a step of each sequence. kept: the offsets in the arena of what it keeps, by name."""
        return self.lower(program, index, x, activation)

    def output_shape(self, shape):
        """Return the shape of the output for a sample of this shape; raise ValueError if it does not accept the shape."""
        return shape

    def check_functions(self, shape):
        """Raise ValueError if functions of a user's own fail for a sample of this shape; called once, in a new network."""

    def parameter_shapes(self, shape):
        """Return the shapes of its parameters by name, in memory order."""
        return {}

    def initial_parameters(self, shape, generator, activation):
        """Return initial parameters, float64 arrays or numbers by name; `activation` is the activation that it applies."""
        return {}

    def multiply_adds(self, shape):
        """How many products a sample takes, for planning: one for each parameter in most layers."""
        return sum(math.prod(own) for own in self.parameter_shapes(shape).values())

    def state_shapes(self, shape):
        """Return the shapes of its state by name, in memory order."""
        return {}

    def initial_state(self):
        """Return the initial state, numbers by name."""
        return {}

    def lower(self, program, index, x, activation):
        """Emit the rows of this layer, number `index`, for the tensor x; return the tensor of its output.

        activation: the record to apply, or None if there is none, or if the layer before or the loss has applied it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it is computed; give it a method `lower`")

    def onnx(self, graph, x, parameters):
        """Add the operators of this layer for the value x to an `fastnn.onnx.graph.Graph`; return the output value.

        parameters: its parameters and state as arrays, by name. graph.shape: that of a sample of x.
        """
        raise ValueError(f"{self!r} has no ONNX form; give {type(self).__name__} a method onnx(graph, x, parameters)")

    def onnx_over_time(self, graph, x, parameters):
        """As `onnx`, of a layer that works on whole sequences, for the padded value x (batch, steps, …).

        graph.shape begins with None; graph.axes[0] has the lengths, see `fastnn.onnx.padded.Padded`.
        """
        raise ValueError(f"{self!r} has no ONNX form for sequences of any length; give inputs a number of steps instead of "
                         "None, and copy the parameters")

    def onnx_steps(self, graph, y):
        """Return the steps of its output y, of a layer that works on whole sequences and gives sequences."""
        return graph.axes[0]

    def config(self):
        """Return the arguments from which `Network.load` makes the layer again."""
        return {"layer": type(self).__name__} | {field.name: getattr(self, field.name) for field in fields(self)}


class View(Layer):
    """Base class of layers whose output and gradient are the memory of their input, in another shape."""

    is_view = True

    def lower(self, program, index, x, activation):
        return x.reshaped(self.output_shape(x.shape))


def features_of(layer, shape):
    """Return the number of features, for a layer that takes samples with one axis."""
    if len(shape) != 1:
        whole = f" (if {shape[0]} is the number of samples, give inputs={shape[1]})" if len(shape) == 2 else ""
        raise ValueError(f"{layer!r} takes one axis of features, and here a sample has the shape {shape}; put a Flatten() "
                         f"before it{whole}")
    return shape[0]


def refuse_exchanged(layer, option, more="", before=""):
    """Raise an error if an activation stands where a number should be, such as that of outputs, the first argument.

    before, more: the arguments around this one in the example.
    """
    given = getattr(layer, option)
    if isinstance(given, str) and known_name("activation", given, activations):
        name = type(layer).__name__
        raise ValueError(f"{name}({option}=...) is {given!r}; it must be a whole number of at least 1, before the "
                         f"activation: {name}({before}{3 if before else 64}, {more}{given!r})")


def register(cls):
    """Class decorator: register a layer by its name."""
    cls.__init__ = takes_others("layer")(cls.__init__)
    if "__setattr__" in vars(cls):  # of a frozen dataclass
        cls.__setattr__ = saying_what_changes(cls.__setattr__)
    layers.records[cls.__name__] = cls
    return cls


def saying_what_changes(refuse):
    """Return the function that refuses attributes of a layer that is made, with an error that names the repair."""
    @wraps(refuse)
    def set_attribute(layer, name, value):
        try:
            refuse(layer, name, value)
        except FrozenInstanceError:
            repair = ("give fit(..., frozen=['0.*']), by the names in net.parameters" if name == "trainable"
                      else "make another one, and a network of it")
            raise FrozenInstanceError(f"a layer stays as it is made: {layer!r} takes no {name!r}; {repair}") from None

    return set_attribute


def registered_activation(given):
    """Return the name of an activation, given its name or its record; None is the identity, as in Keras."""
    record = activations.resolve("identity" if given is None else given)
    if activations.get(record.name) is not record:
        raise ValueError(f"activation {record.name!r} is not registered; register it with fastnn.register_activation")
    return record.name
