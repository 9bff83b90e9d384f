"""RNN, GRU and LSTM in foreign graphs.

ONNX has the steps before the samples: X (steps, batch, features), Y (steps, directions, batch, units), and Y_h (directions,
batch, units), unless `layout` says otherwise. A graph moves these axes before and behind the operator; `StepsFirst` and
`States` stand for the values between.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..layers import GRU, LSTM, Bidirectional, SimpleRNN
from .any_length import Filled, Lengths
from .arrangement import BATCH
from .chain import Layer, Signal, UnknownForm
from .images import applied, image, transpose
from .registry import AdditionalOutput, StepsFirst, constant, operator


class BothDirections(Bidirectional):
    """A `Bidirectional` in a chain of layers. Its parameters begin with the number of their direction: "0.weight"."""

    @property
    def out_features(self):
        return 2 * self.layer.out_features


def with_sequences(spec):
    """Return a recurrent layer that gives the states of all steps."""
    if isinstance(spec, BothDirections):
        return BothDirections(replace(spec.layer, return_sequences=True))
    return replace(spec, return_sequences=True)


@dataclass(frozen=True, eq=False)
class States:
    """The states of a recurrent layer, of all steps or the last ones.

    Attributes
    ----------
    source, shape : the chain up to the layer, and the shape (steps, features) of what it gives
    spec, parameters : the layer, with return_sequences=False, and its parameters
    axes : str
        The order of its axes: T for steps, D for directions, B for the batch and H for units.
    """

    source: object
    shape: tuple
    spec: object
    parameters: dict
    axes: str

    def settled(self, walk, node):
        """Return the signal, if the batch stands first and the directions are gone."""
        if self.axes == "BH":
            return applied(self.source, self.spec, self.shape, self.parameters)
        if self.axes not in ("BTH", "BHT"):
            return self
        made = applied(self.source, with_sequences(self.spec), self.shape, self.parameters)  # the units before the steps
        return made if self.axes == "BHT" else transpose(walk, node, made, perm=[0, 2, 1])

    def transposed(self, walk, node, perm):
        return replace(self, axes="".join(self.axes[axis] for axis in perm or reversed(range(len(self.axes))))).settled(
            walk, node)

    def reshaped(self, walk, node, given):
        """Return the states with the directions behind each other, where a node joins their axis and that of the units."""
        axes, sizes = self.axes.replace("DH", "H"), {"T": self.shape[0], "B": walk.batch, "H": self.spec.out_features}
        if not self.axes.endswith("DH") or len(given) != len(axes) or not all(
                n in (-1, sizes[axis]) or (n == 0 and axis != "H") or (n == BATCH and axis == "B")
                for axis, n in zip(axes, given, strict=True)):
            raise UnknownForm("it changes the shape of states other than by joining directions and units, the units "
                              "last")
        return replace(self, axes=axes).settled(walk, node)

    def squeezed(self, walk, node, axes):
        places = {axis % len(self.axes) for axis in axes}
        if {self.axes[place] for place in places} != {"D"} or isinstance(self.spec, BothDirections):
            raise UnknownForm("it takes away another axis than that of the directions")
        return replace(self, axes=self.axes.replace("D", "")).settled(walk, node)

    def sizes_by_axis(self, batch):
        """Return the sizes of its axes, given what stands for the batch."""
        both = isinstance(self.spec, BothDirections)
        units = self.spec.out_features // (2 if both and "D" in self.axes else 1)
        sizes = {"T": self.shape[0], "D": 2 if both else 1, "B": batch, "H": units}
        return [sizes[axis] for axis in self.axes]

    def picked(self, walk, node, index, axis):
        """Return the last states, where a node picks the step computed last, or those of a direction."""
        if index.ndim == 0 and self.axes[axis] == "D":
            return self.of_direction(int(index)).settled(walk, node)
        if isinstance(self.spec, BothDirections):
            raise UnknownForm("it picks a step of two directions, whose last steps are the last and the first; take Y_h, of "
                              "both directions")
        last = 0 if self.spec.reverse else self.shape[0] - 1
        if index.ndim == 0 and self.axes[axis] == "T" and int(index) % self.shape[0] == last:
            if walk.lengths and last:
                raise UnknownForm("it picks the last step of a padded batch, which shorter sequences do not have; take Y_h")
            return replace(self, axes=self.axes.replace("T", "")).settled(walk, node)
        raise UnknownForm("it picks something else than the step computed last")

    def of_direction(self, number):
        """Return the states of one direction by its number."""
        axes = self.axes.replace("D", "")
        if not isinstance(self.spec, BothDirections):
            if number not in (0, -1):
                raise UnknownForm(f"it picks direction {number} of one")
            return replace(self, axes=axes)
        if number not in (-2, -1, 0, 1):
            raise UnknownForm(f"it picks direction {number} of two")
        start = f"{number % 2}."
        own = {name.removeprefix(start): array for name, array in self.parameters.items() if name.startswith(start)}
        return replace(self, axes=axes, spec=replace(self.spec.layer, reverse=bool(number % 2)), parameters=own)


def series(walk, node, x, layout):
    """Return (source, shape): the chain up to x, which gives series of this shape (steps, features)."""
    if isinstance(x, StepsFirst) and not layout:
        x = x.signal
    elif isinstance(x, States) and x.axes == "TBH" and not layout:
        return Layer(x.source, with_sequences(x.spec), x.parameters), (x.shape[0], x.spec.out_features)
    elif not (isinstance(x, Signal) and layout):
        raise UnknownForm("its input has the steps before the samples, and a network's input the samples first; export it "
                          "with batch_first=True")
    if len(x.shape) != 2:
        raise UnknownForm(f"it takes samples of shape {x.shape}; layers here take series (steps, features)")
    return image(walk, transpose(walk, node, x, perm=[0, 2, 1]))


def ours(array, order):
    """Return a parameter with our gates and axes. order: of each of our gates the number of ONNX'."""
    return np.concatenate([np.split(array, len(order))[number] for number in order]).T


def recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, initial, order, make, direction, layout,
              second_bias=False, peepholes=None):
    """Return the values (Y, Y_h). make: the layer, from its number of units and its direction."""
    if any(each.number if isinstance(each, Filled) else each is not None and np.any(constant(each, "first state"))
           for each in initial):
        raise UnknownForm("it has states before the first step; layers here begin at zero")
    word = direction.decode() if isinstance(direction, bytes) else direction
    weight, recurrent_weight = constant(weight, "weight"), constant(recurrent_weight, "recurrent weight")
    bias = np.zeros((len(weight), 2 * weight.shape[1]), weight.dtype) if bias is None else constant(bias, "bias")
    each = []
    for own, own_recurrent, own_bias in zip(weight, recurrent_weight, bias, strict=True):
        first, second = (ours(part, order) for part in np.split(own_bias, 2))
        each.append({"weight": ours(own, order), "recurrent_weight": ours(own_recurrent, order)})
        each[-1] |= {"bias": first, "recurrent_bias": second} if second_bias else {"bias": first + second}
    for parameters, peephole in zip(each, () if peepholes is None else constant(peepholes, "peepholes"), strict=False):
        i, o, f = np.split(peephole, 3)
        parameters["peepholes"] = np.concatenate([i, f, o])
    source, shape = series(walk, node, x, layout)
    if walk.lengths and not isinstance(lengths, Lengths):
        raise UnknownForm("it does not heed the lengths of sequences, which are an input of the graph")
    if lengths is not None and not walk.lengths and np.any(constant(lengths, "lengths") != shape[0]):
        raise UnknownForm("it has lengths of its own; layers here run through all steps of a series")
    spec, parameters = make(recurrent_weight.shape[2], reverse=word == "reverse"), each[0]
    if parameters["weight"].shape != spec.parameter_shapes(shape)["weight"]:
        raise UnknownForm(f"its weight does not fit steps of {shape[-1]} features")
    if word == "bidirectional":
        spec = BothDirections(spec)
        parameters = {f"{number}.{name}": array for number, own in enumerate(each) for name, array in own.items()}
    states = States(source, shape, spec, parameters, "BTDH" if layout else "TDBH")
    return states, replace(states, axes="BDH" if layout else "DBH")


def directions_of(direction):
    return 2 if direction in ("bidirectional", b"bidirectional") else 1


def named(activations, usual):
    """Refuse activations other than the usual ones."""
    given = [each.decode() if isinstance(each, bytes) else each for each in activations or usual]
    if given != usual:
        raise UnknownForm(f"its activations are {given}; the layer here has {usual}")


@operator("RNN", without_effect=["hidden_size"])
def simple(walk, node, x, weight, recurrent_weight, bias=None, lengths=None, initial=None, *, direction="forward", layout=0,
           activations=None):
    names = [each.decode() if isinstance(each, bytes) else each for each in activations or ["Tanh"] * 2]
    name = names[0]
    if names[directions_of(direction) - 1] != name:
        raise UnknownForm(f"its directions have different activations, {names}")
    known = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid"}
    if name not in known:
        raise UnknownForm(f"its activation is {name}; the layer here is read with {', '.join(known)}")

    def make(out_features, reverse):
        return SimpleRNN(out_features, reverse=reverse, nonlinearity=known[name])

    return recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, [initial], [0], make, direction, layout)


@operator("GRU", without_effect=["hidden_size"])
def gated(walk, node, x, weight, recurrent_weight, bias=None, lengths=None, initial=None, *, direction="forward", layout=0,
          linear_before_reset=0, activations=None):
    named(activations, ["Sigmoid", "Tanh"] * directions_of(direction))
    after = bool(linear_before_reset)

    def make(out_features, reverse):
        return GRU(out_features, reverse=reverse, reset_after=after)

    return recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, [initial], [0, 1, 2], make, direction, layout,
                     second_bias=after)


@operator("LSTM", without_effect=["hidden_size"])
def long_memory(walk, node, x, weight, recurrent_weight, bias=None, lengths=None, initial=None, cells=None, peepholes=None,
                *, direction="forward", layout=0, activations=None, input_forget=0):
    named(activations, ["Sigmoid", "Tanh", "Tanh"] * directions_of(direction))
    if input_forget:
        raise UnknownForm("its gates of input and forgetting are one")

    def make(out_features, reverse):
        return LSTM(out_features, reverse=reverse, peepholes=peepholes is not None)

    y, last = recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, [initial, cells], [0, 2, 3, 1], make,
                        direction, layout, peepholes=peepholes)
    return y, last, AdditionalOutput(walk.here)
