"""Layers: frozen specifications, one a file. A layer says what parameters and state it has, and emits rows of the table."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from itertools import accumulate

from ..checks import shown
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
    return [layer_from_config(f"layers[{index}]", options) for index, options in enumerate(configs)]


def layer_from_config(where, config):
    """The layer that its `config()` describes."""
    if not isinstance(config, Mapping) or "layer" not in config:
        raise ValueError(f"{where} is {shown(config)}; it must be what config() of a layer gives")
    if config["layer"] not in list(layers):
        raise ValueError(f"{where} is an unknown layer {shown(config['layer'])}; the known ones are {', '.join(layers)}")
    options = {name: value for name, value in config.items() if name != "layer"}
    known = {field.name: field.default is MISSING for field in fields(layers[config["layer"]])}
    wrong = [name for name in options if name not in known] or [name for name in known if known[name] > (name in options)]
    if wrong:
        raise ValueError(f"{where}, a {config['layer']}, has {'an unknown' if wrong[0] in options else 'no'} option "
                         f"{shown(wrong[0])}; it must have those of its config(): {', '.join(known)}")
    return layers[config["layer"]](**options)


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
