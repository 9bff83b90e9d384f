"""Chains of layers, built value by value during the walk of a foreign graph.

    stage    z = x @ weight + bias of a layer whose activation is not known yet
    signal   a function of the z of a stage, represented by its values on `PROBE`

Scales and shifts of features (standardized inputs, batch normalization as in prediction) are folded into the adjacent
product. A weight with fewer than two axes is such a scale: a diagonal matrix.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..layers import Activation, Dense, Flatten, LayerNorm, Rescale, Reshape
from .recognition import PROBE, departure, recognize, recognize_near

LARGEST_SCALING = 4096  # features of a scaling without an adjacent product, which becomes a layer with a matrix


class UnknownForm(ValueError):
    """Raised if a node does not fit into a chain of dense layers; the message begins with "it" for the node."""


class UnknownNode(ValueError):
    """Raised as `UnknownForm`, with the name of the node in the message."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A complete layer, `spec` with its parameters by name; its input is `source`, another layer or None for the input."""

    source: "Layer | None"
    spec: object
    parameters: dict


@dataclass(frozen=True, eq=False)
class Stage:
    """z = x @ weight + bias, where x is the output of `source`, or the network's input if that is None."""

    source: Layer | None
    features: int
    weight: np.ndarray
    bias: np.ndarray
    shape: tuple | None = None  # of a sample of z that does not have one axis alone, with channels last

    def affine(self, scale, shift):
        """Return the stage scale · z + shift; each is a number or one number for each feature."""
        return replace(self, weight=self.weight * scale, bias=self.bias * scale + shift)

    def flat(self):
        """Return this stage with one axis of features."""
        flattened = self.source if self.shape is None else Layer(self.source, Flatten(), {})
        return replace(self, source=flattened, shape=None)

    def shaped(self, shape):
        """Return the last layer up to this stage, whose outputs have the given shape of a sample."""
        finished = self.finish("identity")
        if finished is None or shape == (self.shape or (self.features,)):
            return finished
        return Layer(finished, Reshape(shape), {})

    def is_in_file(self):
        """Return whether the file has a number for each feature; otherwise a small file could demand any number of them."""
        source = self.source
        while source is not None and not source.parameters:
            source = source.source
        return source is not None or self.features <= max(self.weight.size, LARGEST_SCALING)

    def absorbed(self):
        """Return this stage with its scale and shift moved into a layer normalization directly before it."""
        source = self.source
        if self.weight.ndim == 2 or source is None or not isinstance(source.spec, LayerNorm):
            return self
        scale, shift = (source.parameters[name] for name in ("scale", "shift"))
        parameters = {"scale": scale * self.weight, "shift": shift * self.weight + self.bias}
        return scaled(Layer(source.source, source.spec, parameters), self.features, shape=self.shape)

    def finish(self, activation):
        """Return the layer of this stage with an activation."""
        self = self.absorbed()
        weight = self.weight
        if is_identity(self):
            return self.source if activation == "identity" else Layer(self.source, Activation(activation), {})
        if self.shape is not None:
            if weight.ndim or np.ndim(self.bias):
                raise UnknownForm(f"it scales samples of shape {self.shape} by different numbers; no layer does that")
            rescaled = Layer(self.source, Rescale(float(weight), float(self.bias)), {})
            return rescaled if activation == "identity" else Layer(rescaled, Activation(activation), {})
        if weight.ndim < 2:
            if self.features > LARGEST_SCALING:
                raise UnknownForm(f"it scales {self.features} features with no product beside it to fold that into")
            weight = np.diag(np.broadcast_to(weight, self.features))
        bias = np.broadcast_to(self.bias, self.features)
        return Layer(self.source, Dense(self.features, activation), {"weight": weight, "bias": bias})


@dataclass(frozen=True, eq=False)
class Signal:
    """A value of the graph: a function g(z), element by element, of the z that a stage computes.

    Attributes
    ----------
    stage : Stage
    shape : tuple of int
        The shape of a sample.
    values : array
        g(PROBE), from which the activation is recognized.
    node : str
        The name of the node that computes the value, for errors.
    last : (function of an array, Signal) or None
        What this node computes by itself, and the signal that it reads.
    memory : array or None
        The index in ONNX's order of each element of a sample, where this library has another order; otherwise None.
    """

    stage: Stage
    shape: tuple
    values: np.ndarray
    node: str = ""
    last: tuple | None = None
    memory: np.ndarray | None = None

    @property
    def plain(self):
        return self.values is PROBE

    def form(self):
        """Return (activation record, α, β) such that this signal is α g(z) + β."""
        found = recognize(self.values)
        if found is None and (near := recognize_near(self.values)) is not None:
            raise UnknownNode(f"{self.node}, cannot be taken: what it makes of the layer before it is {near[0].name} for "
                              f"moderate numbers, and not for {departure(self.values, *near):g}, as where a Clip limits it, "
                              "which no layer here does; export the network without that limit")
        if found is None:
            raise UnknownNode(f"{self.node}, cannot be taken: what it makes of the layer before it is no activation that "
                              "fastnn has")
        return found

    def split_last(self):
        """Return this signal, or if its nodes together are no activation, that of the last node on a stage of its own."""
        if self.last is None or recognize(self.values) is not None:
            return self
        function, before = self.last
        return Signal(before.as_stage(), self.shape, function(PROBE), self.node, memory=self.memory)

    def as_stage(self):
        """Return the stage whose z is this signal."""
        if self.plain:
            return self.stage
        split_last = self.split_last()
        record, scale, shift = split_last.form()
        if record.name == "identity":
            return split_last.stage.affine(scale, shift)
        return scaled(split_last.stage.finish(record.name), self.stage.features, scale, shift, split_last.stage.shape)

    def in_order(self, array):
        """Return an array of one number or row for each number of a sample, from ONNX's order in the order of the chain."""
        return array if self.memory is None else array[self.memory]

    def product(self, weight, bias):
        """Return the signal self @ weight + bias."""
        if self.shape != (len(weight),):
            raise UnknownForm(f"it multiplies {self.shape} numbers a sample with a matrix {weight.shape}")
        stage, weight = self.as_stage().flat(), self.in_order(weight)
        if stage.weight.ndim == 2:
            stage = scaled(stage.finish("identity"), stage.features)
        stage = stage.absorbed()
        bias = np.broadcast_to(stage.bias, len(weight)) @ weight + bias
        features = weight.shape[1]
        return Signal(Stage(stage.source, features, stage.weight.reshape(-1, 1) * weight, bias), (features,), PROBE)

    def affine(self, scale, shift):
        """Return the signal scale · self + shift."""
        return Signal(self.as_stage().affine(scale, shift), self.shape, PROBE, memory=self.memory)

    def layers(self):
        """Return all layers up to this signal, as the output of the network: [(layer, {name: parameter}), …]."""
        if self.memory is not None and (self.memory != np.arange(len(self.memory))).any():
            raise UnknownForm("the channels of its outputs come before their pixels; transpose them before flattening them")
        split_last = self if self.plain else self.split_last()
        if self.plain or split_last.form()[0].name == "identity":
            last = split_last.as_stage().finish("identity")
        else:
            record, scale, shift = split_last.form()
            last = split_last.stage.finish(record.name)
            if (scale, shift) != (1.0, 0.0):
                last = scaled(last, self.stage.features, scale, shift).finish("identity")
        if self.stage.shape is not None and last is not None:
            last = Layer(last, Flatten(), {})
        found = []
        while last is not None:
            found.append((last.spec, last.parameters))
            last = last.source
        return found[::-1]


def scaled(source, features, scale=1.0, shift=0.0, shape=None):
    """Return the stage scale · x + shift of the output x of `source`."""
    return Stage(source, features, np.float64(scale), np.float64(shift), shape)


def is_identity(stage):
    """Return whether the stage is the identity."""
    return stage.weight.ndim < 2 and bool(np.all(stage.weight == 1) and np.all(stage.bias == 0))
