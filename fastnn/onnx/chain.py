"""Layers, built value by value during the walk of a foreign graph.

    entry    an input of the graph
    layer    a layer with its parameters, and what it reads: an entry, a layer, or several of them
    stage    z = x @ weight + bias of a layer whose activation is not known yet
    signal   a function of the z of a stage, represented by its values on `PROBE`

Scales and shifts of features (standardized inputs, batch normalization as in prediction) are folded into the adjacent
product. A weight with fewer than two axes is such a scale: a diagonal matrix.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..layers import Activation, Conv1D, Dense, Flatten, LayerNorm, MultiHeadAttention, Rescale, Reshape
from .recognition import PROBE, departure, recognize, recognize_near

LARGEST_SCALING = 4096  # features of a scaling without an adjacent product, which becomes a layer with a matrix


class UnknownForm(ValueError):
    """Raised if a node does not fit into a chain of dense layers; the message begins with "it" for the node."""


class UnknownNode(ValueError):
    """Raised as `UnknownForm`, with the name of the node in the message."""


@dataclass(eq=False)
class Entry:
    """An input of the graph.

    Attributes
    ----------
    name : str
    sizes : tuple of int
        The shape of a sample in the graph.
    inputs : tuple of int or None
        That of the network's input, None until a node decides it: as it is, or with the channels last.
    steps : int or None
        The number of steps that stands for any, where it is open.
    tokens : bool
        Whether its numbers are tokens.
    """

    name: str
    sizes: tuple
    inputs: tuple | None = None
    steps: int | None = None
    tokens: bool = False
    made: dict = field(default_factory=dict, init=False, repr=False)

    @property
    def shape(self):
        """The shape of a sample of the network's input."""
        return self.inputs or (math.prod(self.sizes),)

    @property
    def network_shape(self):
        """The same, with None for an open number of steps."""
        if self.tokens:
            return (None,)
        if self.steps is None:
            return self.shape
        if self.shape[0] != self.steps or len(self.shape) == 1:
            raise ValueError(f"its input {self.name!r} has an open number of steps, and is read as one row; export it with "
                             "a number of steps")
        return None, *self.shape[1:]

    def once(self, key, make):
        """Return `make()`, made when a key is asked for the first time."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]


@dataclass(frozen=True, eq=False)
class Layer:
    """A complete layer, `spec` with its parameters by name; it reads `source`: an entry, a layer, or a tuple of them.

    stage: the stage whose activation it applies, None for others.
    """

    source: "Layer | Entry | tuple"
    spec: object
    parameters: dict
    stage: "Stage | None" = None


@dataclass(frozen=True, eq=False)
class Stage:
    """z = x @ weight + bias, where x is what `source` gives, an entry or a layer.

    Where `shape` is (steps, features), this product is that of each step.
    """

    source: Layer | Entry
    features: int
    weight: np.ndarray
    bias: np.ndarray
    shape: tuple | None = None  # of a sample of z that does not have one axis alone, with channels last
    made: dict = field(default_factory=dict, init=False, repr=False)  # what has been made of it, so that it is made once

    def affine(self, scale, shift):
        """Return the stage scale · z + shift; each is a number or one number for each feature."""
        return replace(self, weight=self.weight * scale, bias=self.bias * scale + shift)

    def once(self, key, make):
        """Return `make()`, made when a key is asked for the first time: several nodes that read a value share its layers."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    @property
    def by_steps(self):
        """Whether it multiplies or scales the features of each step of (steps, features)."""
        return self.shape is not None and len(self.shape) == 2 and any(
            np.ndim(each) == 2 or np.shape(each) == self.shape[1:] for each in (self.weight, self.bias))

    def flat(self):
        """Return this stage with one axis of features."""
        if self.shape is None:
            return self
        if self.by_steps:
            return self.once("flat", lambda: scaled(self.finish("identity"), self.features, shape=self.shape)).flat()
        source = self.once("flattened", lambda: Layer(self.source, Flatten(), {}))
        return replace(self, source=source, shape=None)

    def shaped(self, shape):
        """Return the last layer up to this stage, whose outputs have the given shape of a sample."""
        finished = self.finish("identity")
        if isinstance(finished, Entry) or shape == (self.shape or (self.features,)):
            return finished
        return self.once(shape, lambda: Layer(finished, Reshape(shape), {}))

    def is_in_file(self):
        """Return whether the file has a number for each feature; otherwise a small file could demand any number of them."""
        return self.weight.size >= self.features or not is_bare(self.source) or self.features <= LARGEST_SCALING

    def absorbed(self):
        """Return this stage with its scale and shift moved into a layer normalization directly before it."""
        source = self.source
        if self.weight.ndim == 2 or isinstance(source, Entry) or not isinstance(source.spec, LayerNorm):
            return self
        scale, shift = (source.parameters[name] for name in ("scale", "shift"))
        parameters = {"scale": scale * self.weight, "shift": shift * self.weight + self.bias}
        layer = self.once("absorbed", lambda: Layer(source.source, source.spec, parameters))
        return scaled(layer, self.features, shape=self.shape)

    def finish(self, activation):
        """Return the layer of this stage with an activation, or what it reads if it does nothing to that."""
        return self.once(activation, lambda: self.finished(activation))

    def finished(self, activation):
        stage = self.absorbed()
        weight = stage.weight
        if is_identity(stage):
            return stage.source if activation == "identity" else Layer(stage.source, Activation(activation), {})
        if stage.by_steps:
            return stage.finished_by_steps(activation)
        if stage.shape is not None:
            if weight.ndim or np.ndim(stage.bias):
                raise UnknownForm(f"it scales samples of shape {stage.shape} by different numbers; no layer does that")
            rescaled = self.once("rescaled", lambda: Layer(stage.source, Rescale(float(weight), float(stage.bias)), {}))
            return rescaled if activation == "identity" else Layer(rescaled, Activation(activation), {})
        if weight.ndim < 2:
            weight = diagonal(weight, stage.features)
        bias = np.broadcast_to(stage.bias, stage.features)
        return Layer(stage.source, Dense(stage.features, activation), {"weight": weight, "bias": bias}, self)

    def finished_by_steps(self, activation):
        """Return the layer where each step is multiplied by itself."""
        features, weight = self.shape[-1], self.weight
        if weight.ndim < 2:
            weight = diagonal(weight, features)
        bias = np.broadcast_to(self.bias, features)
        if is_open(self.source):  # attention whose output is not multiplied yet
            spec, parameters = self.source.spec, self.source.parameters | {"output_weight": weight, "output_bias": bias}
            closed = Layer(self.source.source, replace(spec, out_features=features), parameters)
            return closed if activation == "identity" else Layer(closed, Activation(activation), {})
        return Layer(self.source, Conv1D(features, 1, activation), {"weight": weight[None], "bias": bias}, self)


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
    otherwise : function or None
        It returns the signal of the layers that compute the value if its nodes together are no activation.
    """

    stage: Stage
    shape: tuple
    values: np.ndarray
    node: str = ""
    last: tuple | None = None
    memory: np.ndarray | None = None
    otherwise: Callable | None = None
    made: dict = field(default_factory=dict, init=False, repr=False)

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
        if (self.last is None and self.otherwise is None) or recognize(self.values) is not None:
            return self
        if "split" not in self.made:
            if self.last is None:
                self.made["split"] = self.otherwise()
            else:
                function, before = self.last
                self.made["split"] = Signal(before.as_stage(), self.shape, function(PROBE), self.node, memory=self.memory)
        return self.made["split"]

    def as_stage(self):
        """Return the stage whose z is this signal."""
        if self.plain:
            return self.stage
        if "stage" not in self.made:
            self.made["stage"] = self.new_stage()
        return self.made["stage"]

    def new_stage(self):
        split_last = self.split_last()
        if split_last.plain:
            return split_last.stage
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

    def last_layer(self):
        """Return the layer of this signal, as an output of the network."""
        if self.memory is not None and (self.memory != np.arange(len(self.memory))).any():
            raise UnknownForm("the channels of its outputs come before their pixels; transpose them before flattening them")
        split_last = self if self.plain else self.split_last()
        if split_last.plain or split_last.form()[0].name == "identity":
            last = split_last.as_stage().finish("identity")
        else:
            record, scale, shift = split_last.form()
            last = split_last.stage.finish(record.name)
            if (scale, shift) != (1.0, 0.0):
                last = scaled(last, self.stage.features, scale, shift, split_last.stage.shape).finish("identity")
        if isinstance(last, Entry) or self.shape == (split_last.stage.shape or (self.stage.features,)):
            return last
        if len(self.shape) > 1:
            return Layer(last, Reshape(self.shape), {})
        return last if split_last.stage.shape is None else Layer(last, Flatten(), {})


def is_bare(source):
    """Whether all that comes to a layer has no parameters: then a small file could demand any number of them."""
    while not isinstance(source, Entry):
        if isinstance(source, tuple):
            return all(map(is_bare, source))
        if source.parameters:
            return False
        source = source.source
    return True


def is_open(source):
    """Whether a layer is attention whose output is still to be multiplied by a weight."""
    return isinstance(source, Layer) and isinstance(source.spec, MultiHeadAttention) and "output_weight" not in \
        source.parameters


def diagonal(weight, features):
    """Return the matrix that scales features."""
    if features > LARGEST_SCALING:
        raise UnknownForm(f"it scales {features} features with no product beside it to fold that into")
    return np.diag(np.broadcast_to(weight, features))


def scaled(source, features, scale=1.0, shift=0.0, shape=None):
    """Return the stage scale · x + shift of the output x of `source`."""
    return Stage(source, features, np.float64(scale), np.float64(shift), shape)


def is_identity(stage):
    """Return whether the stage is the identity."""
    return stage.weight.ndim < 2 and bool(np.all(stage.weight == 1) and np.all(stage.bias == 0))
