"""Layers: frozen specifications, one a file. A layer says what parameters and state it has, and emits rows of the table."""

from itertools import accumulate

from .activation import Activation
from .base import Layer, layers, register
from .batch_norm import BatchNorm
from .dense import Dense
from .dropout import Dropout
from .layer_norm import LayerNorm

__all__ = ["Activation", "BatchNorm", "Dense", "Dropout", "Layer", "LayerNorm", "applied_activations", "layers",
           "layers_from_config", "named_shapes", "parameter_shapes", "register", "state_shapes", "widths"]


def layers_from_config(configs):
    """The layers that a list of their `config()` describes."""
    return [layers[options["layer"]](**{name: value for name, value in options.items() if name != "layer"})
            for options in configs]


def widths(layers, inputs):
    """How many features there are before the first layer and behind each."""
    return list(accumulate(layers, lambda in_features, layer: layer.output_features(in_features), initial=inputs))


def named_shapes(layers, inputs, shapes):
    """{"0.weight": shape, …} from `shapes(layer, in_features)`, which gives those of one layer by name."""
    return {f"{index}.{name}": shape
            for index, (layer, in_features) in enumerate(zip(layers, widths(layers, inputs), strict=False))
            for name, shape in shapes(layer, in_features).items()}


def parameter_shapes(layers, inputs):
    """The shapes of all parameters of a network by name ("0.weight", …), in the order in which they lie in memory."""
    return named_shapes(layers, inputs, lambda layer, in_features: layer.parameter_shapes(in_features))


def state_shapes(layers, inputs):
    """The shapes of all that a network remembers beside its parameters ("1.running_mean", …), likewise."""
    return named_shapes(layers, inputs, lambda layer, in_features: layer.state_shapes(in_features))


def applied_activations(layers):
    """The name of the activation that each layer's rows apply.

    An `Activation` right behind a layer whose rows can apply one, and apply none, is left to these: `Dense(10)` and
    `Activation("softmax")` are the rows of `Dense(10, "softmax")`, and `Activation` has none.
    """
    applied = [layer.activation for layer in layers]
    for index in range(1, len(layers)):
        before = layers[index - 1]
        if isinstance(layers[index], Activation) and before.takes_activation and applied[index - 1] == "identity":
            applied[index - 1], applied[index] = applied[index], "identity"
    return applied
