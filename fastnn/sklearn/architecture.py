"""The network that an estimator's parameters describe, and its initial weights.

It has the estimator's `layers`, or those that `hidden_layer_sizes` and its like describe, and an output layer.
Dropout and normalization are separate layers around the dense layers:

    Dense → Dropout                                     without normalization
    Dense("identity") → BatchNorm or LayerNorm → Activation → Dropout      with it
"""

import math

import numpy as np

import fastnn

from ..layers import Dense, input_shape
from .network import EstimatorNetwork
from .parameters import each_layer

RECORD_NAMES = {"logistic": "sigmoid"}  # scikit-learn's names of activations with other names here
NORMALIZATION = {"batch": "BatchNorm", "layer": "LayerNorm"}


def optional_layer(name, parameter):
    """Return a layer type by name, or raise an error that names the parameter that needs it."""
    if not hasattr(fastnn, name):
        raise ValueError(f"{parameter} needs the layer fastnn.{name}, which this version does not have; leave it out")
    return getattr(fastnn, name)


def for_each(name, given, count):
    """Return a list with one entry for each of `count` hidden layers."""
    values = each_layer(given)
    if not hasattr(given, "__iter__") or isinstance(given, str):
        return values * count
    if len(values) != count:
        raise ValueError(f"{name} has {len(values)} entries; there are {count} hidden layers: give {count}, or a single one")
    return values


def describe(estimator, outputs, out_activation):
    """Return (layers, ends): the layers, and for each hidden layer the index of the layer with its outputs.

    outputs: their number, or a list with that of each of several targets, whose layers are not among those returned.
    """
    if isinstance(outputs, list):
        return hidden_layers(estimator)
    output = Dense(outputs, RECORD_NAMES.get(out_activation, out_activation))
    if estimator.layers is not None and estimator.inputs is None:
        layers = list(estimator.layers)
        last = layers[-1]
        if isinstance(last, Dense) and (last.out_features, last.activation) == (outputs, output.activation):
            return layers, list(range(len(layers) - 1))
        if isinstance(last, Dense) and last.activation == "softmax":
            raise ValueError(f"the last of `layers` is {last!r}, but y needs {output!r}; leave it out, and the output "
                             "layer is added")
        return [*layers, output], list(range(len(layers)))
    layers, ends = hidden_layers(estimator)
    return [*layers, output], ends


def hidden_layers(estimator):
    """Return (layers, ends) without an output layer."""
    if estimator.layers is not None and estimator.inputs is None:
        return list(estimator.layers), list(range(len(estimator.layers)))
    layers, ends = [], []
    widths = each_layer(estimator.hidden_layer_sizes)
    activations = for_each("activation", estimator.activation, len(widths))
    dropouts = for_each("dropout", estimator.dropout, len(widths))
    for width, activation, dropout in zip(widths, activations, dropouts, strict=True):
        activation = RECORD_NAMES.get(activation, activation)
        if estimator.normalization is None:
            layers.append(Dense(width, activation))
        else:
            normalize = optional_layer(NORMALIZATION[estimator.normalization], "normalization")
            layers += [Dense(width), normalize(), optional_layer("Activation", "normalization")(activation)]
        ends.append(len(layers) - 1)
        if dropout > 0:
            layers.append(optional_layer("Dropout", "dropout")(dropout))
    return layers, ends


def sample_shape(given, X):
    """Return the shape of a sample. given: the estimator's `input_shape`; None for the shape of the rows of X."""
    shape = np.shape(X)[1:] if given is None else given
    return input_shape(shape) if shape else shape  # scikit-learn refuses an X without features


def build(layers, inputs, *, loss, dtype, activation, generator):
    """Return a new network with weights and biases from U(±√(6 / (fan_in + fan_out))), or with 2 for logistic `activation`.

    They are drawn as in scikit-learn, in its order: the same generator gives the same weights.
    """
    dropping = any(type(layer).__name__ == "Dropout" for layer in layers)
    seed = int(generator.randint(2**31)) if dropping else 0  # for dropout; the weights are drawn below
    network = EstimatorNetwork(layers, inputs, loss=loss, dtype=dtype, seed=seed)
    factor = 2.0 if isinstance(activation, str) and RECORD_NAMES.get(activation, activation) == "sigmoid" else 6.0
    for weight, bias in zip(network.weights, network.biases, strict=True):
        limit = math.sqrt(factor / sum(weight.shape))
        weight[...] = generator.uniform(-limit, limit, weight.shape)
        bias[...] = generator.uniform(-limit, limit, bias.shape)
    return network


def check_outputs(network):
    """Refuse a network with outputs at each step, since an estimator has one target for each sample."""
    if network.gives_steps:
        raise ValueError(f"the last of `layers`, {network.layers[-2]!r}, gives outputs at each step, and an estimator "
                         "learns one target for each sample: end `layers` with a recurrent layer that gives its last state, "
                         "with LastStep() or with GlobalAveragePool(); targets at steps are learned by fastnn.Network")


def build_given(layers, inputs, *, loss, dtype, generator):
    """Return a new network of layers with their own initializers; `inputs` is the shape of a sample."""
    return EstimatorNetwork(layers, inputs, loss=loss, dtype=dtype, seed=int(generator.randint(2**31)))
