"""A chain of layers, put together value by value while a foreign graph is walked.

    stage    z = x @ weight + bias of the layer before, its activation not yet known
    signal   a function of one stage's z, known by its values on `PROBE`

Scales and shifts of each feature (standardized inputs, batch normalization as it is in use) are folded into the product
beside them. A weight of fewer than two axes is such a scale: a diagonal matrix.
"""

from dataclasses import dataclass

import numpy as np

from ..layers import Activation, Dense, LayerNorm
from .recognition import PROBE, recognize

LARGEST_SCALING = 4096  # features of a scaling with no product beside it, which becomes a layer of a matrix


class UnknownForm(ValueError):
    """What a node computes has no place in a chain of dense layers; the message begins with "it" for the node."""


class UnknownNode(ValueError):
    """The same, the message naming the node."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A finished layer, `spec` with its parameters by name, after `source`, another one or None for the network's input."""

    source: "Layer | None"
    spec: object
    parameters: dict


@dataclass(frozen=True, eq=False)
class Stage:
    """z = x @ weight + bias, with x the output of `source`, or the network's input where that is None."""

    source: Layer | None
    features: int
    weight: np.ndarray
    bias: np.ndarray

    def affine(self, scale, shift):
        """The stage of scale · z + shift, each a number or one a feature."""
        return Stage(self.source, self.features, self.weight * scale, self.bias * scale + shift)

    def is_in_file(self):
        """Whether the file holds numbers for each of the features: else a small one could ask for any number of them."""
        source = self.source
        while source is not None and not source.parameters:
            source = source.source
        return source is not None or self.features <= max(self.weight.size, LARGEST_SCALING)

    def absorbed(self):
        """This stage, its scale and shift taken into those of a layer normalization right before it."""
        source = self.source
        if self.weight.ndim == 2 or source is None or not isinstance(source.spec, LayerNorm):
            return self
        scale, shift = (source.parameters[name] for name in ("scale", "shift"))
        parameters = {"scale": scale * self.weight, "shift": shift * self.weight + self.bias}
        return scaled(Layer(source.source, source.spec, parameters), self.features)

    def finish(self, activation):
        """The layer of this stage and an activation."""
        self = self.absorbed()
        weight = self.weight
        if is_nothing(self):
            return self.source if activation == "identity" else Layer(self.source, Activation(activation), {})
        if weight.ndim < 2:
            if self.features > LARGEST_SCALING:
                raise UnknownForm(f"it scales {self.features} features with no product beside it to fold that into")
            weight = np.diag(np.broadcast_to(weight, self.features))
        bias = np.broadcast_to(self.bias, self.features)
        return Layer(self.source, Dense(self.features, activation), {"weight": weight, "bias": bias})


@dataclass(frozen=True, eq=False)
class Signal:
    """A function of a stage's z.

    Attributes
    ----------
    stage : Stage
    shape : tuple of int
        Its sizes but for the batch.
    values : array
        What it makes of PROBE, in place of z.
    node : str
        What gave it, for errors.
    last : (function of an array, Signal) or None
        The node alone that gave it, and the signal that it was applied to.
    """

    stage: Stage
    shape: tuple
    values: np.ndarray
    node: str = ""
    last: tuple | None = None

    @property
    def plain(self):
        return self.values is PROBE

    def form(self):
        """(activation record, α, β) such that this signal is α g(z) + β."""
        found = recognize(self.values)
        if found is None:
            raise UnknownNode(f"{self.node}, cannot be taken: what it makes of the layer before it is no activation that "
                              "fastnn has")
        return found

    def parted(self):
        """This signal; where its nodes together are no activation, as that of the last node alone, on a stage of its own."""
        if self.last is None or recognize(self.values) is not None:
            return self
        function, before = self.last
        return Signal(before.settled(), self.shape, function(PROBE), self.node)

    def settled(self):
        """The stage whose z this signal is."""
        if self.plain:
            return self.stage
        parted = self.parted()
        record, scale, shift = parted.form()
        if record.name == "identity":
            return parted.stage.affine(scale, shift)
        return scaled(parted.stage.finish(record.name), self.stage.features, scale, shift)

    def product(self, weight, bias):
        """The signal of self @ weight + bias."""
        if self.shape != (len(weight),):
            raise UnknownForm(f"it multiplies {self.shape} numbers a sample with a matrix {weight.shape}")
        stage = self.settled()
        if stage.weight.ndim == 2:
            stage = scaled(stage.finish("identity"), stage.features)
        stage = stage.absorbed()
        bias = np.broadcast_to(stage.bias, len(weight)) @ weight + bias
        features = weight.shape[1]
        return Signal(Stage(stage.source, features, stage.weight.reshape(-1, 1) * weight, bias), (features,), PROBE)

    def affine(self, scale, shift):
        """The signal of scale · self + shift."""
        return Signal(self.settled().affine(scale, shift), self.shape, PROBE)

    def layers(self):
        """All layers up to this signal as the network's output: [(layer, {name: parameter}), …]."""
        parted = self if self.plain else self.parted()
        if self.plain or parted.form()[0].name == "identity":
            last = parted.settled().finish("identity")
        else:
            record, scale, shift = parted.form()
            last = parted.stage.finish(record.name)
            if (scale, shift) != (1.0, 0.0):
                last = scaled(last, self.stage.features, scale, shift).finish("identity")
        found = []
        while last is not None:
            found.append((last.spec, last.parameters))
            last = last.source
        return found[::-1]


def scaled(source, features, scale=1.0, shift=0.0):
    """The stage scale · x + shift of what `source` gives."""
    return Stage(source, features, np.float64(scale), np.float64(shift))


def is_nothing(stage):
    """Whether the stage hands on what it gets."""
    return stage.weight.ndim < 2 and bool(np.all(stage.weight == 1) and np.all(stage.bias == 0))
