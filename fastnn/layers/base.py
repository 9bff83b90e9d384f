"""What a layer is: a frozen specification, of which `fastnn.program` makes rows of the table."""

from dataclasses import fields

from ..kernels.activations import activations
from ..kernels.compiling.registry import Registry


class Layer:
    """Base of the layers, saying what most of them say: the shape stays, and nothing is learned.

    The shape of a tensor is that of one sample's numbers: (features,), (height, width, channels), …

    A subclass is a frozen dataclass, whose fields are what its constructor takes.

    Attributes
    ----------
    activation : str
        The name of the activation that comes last in it.
    takes_activation : bool
        Whether its rows can apply the activation of an `Activation` layer that follows.
    mixes_samples : bool
        Whether in training an output depends on the other samples of the batch.
    draws : bool
        Whether in training it draws random numbers.
    can_be_last : bool
        Whether what it gives can be outputs of a network.
    functions : tuple of str
        The functions that compute it, under the same name on each of the three rungs.
    torch : str or None
        The PyTorch module whose weights `load_torch` reads for it, or None if it has none to read.
    is_view : bool
        Whether it only gives another shape to the same numbers, so that what the layer before computes is the result.
    """

    activation = "identity"
    takes_activation = False
    mixes_samples = False
    draws = False
    can_be_last = True
    functions = ()
    torch = None
    is_view = False

    @property
    def activation_record(self):
        return activations[self.activation]

    def output_shape(self, shape):
        """The shape that it gives for a sample of this one; ValueError for one that it does not take."""
        return shape

    def parameter_shapes(self, shape):
        """The shapes of its parameters by name, in the order in which they lie in memory."""
        return {}

    def initial_parameters(self, shape, generator, activation):
        """First values of its parameters, float64 arrays or numbers by name; `activation` is what it is to apply."""
        return {}

    def state_shapes(self, shape):
        """The shapes of what it remembers beside its parameters, likewise."""
        return {}

    def initial_state(self):
        """First values of what it remembers, numbers by name."""
        return {}

    def lower(self, program, index, x, activation):
        """Emit the rows of this layer, number `index`, for the tensor x; return the tensor that they give.

        activation: the record to apply, None for none (the layer before has applied it, or a loss on the logits stands for
        it).
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it is computed; give it a method `lower`")

    def onnx(self, graph, x, parameters):
        """Add the operators of this layer for the value x to an `fastnn.onnx.graph.Graph`; return the value they give.

        parameters: its parameters and state as arrays, by name.
        """
        raise ValueError(f"{self!r} has no ONNX form; give {type(self).__name__} a method onnx(graph, x, parameters)")

    def config(self):
        """What `Network.load` needs to make it again."""
        return {"layer": type(self).__name__} | {field.name: getattr(self, field.name) for field in fields(self)}


class View(Layer):
    """Base of the layers whose output is their input's memory, in another shape; so is its gradient."""

    is_view = True

    def lower(self, program, index, x, activation):
        return x.reshaped(self.output_shape(x.shape))


def features_of(layer, shape):
    """How many features there are, for a layer that takes one axis of them."""
    if len(shape) != 1:
        raise ValueError(f"{layer!r} takes one axis of features, and here a sample has the shape {shape}; put a Flatten() "
                         "before it")
    return shape[0]


layers = Registry("layer", type)


def register(cls):
    """Class decorator: make a layer known by its name."""
    layers.records[cls.__name__] = cls
    return cls


def registered_activation(given):
    """The name of an activation, given by its name or its record."""
    record = activations.resolve(given)
    if activations.get(record.name) is not record:
        raise ValueError(f"activation {record.name!r} is not registered; register it with fastnn.register_activation")
    return record.name
