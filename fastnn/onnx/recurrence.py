"""RNN, GRU and LSTM in foreign graphs.

ONNX has the steps before the samples: X (steps, batch, features), Y (steps, directions, batch, units), and Y_h (directions,
batch, units), unless `layout` says otherwise. A graph moves these axes before and behind the operator; `StepsFirst` and
`States` stand for the values between.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..layers import GRU, LSTM, SimpleRNN
from .chain import Layer, Signal, UnknownForm
from .images import applied, image, transpose
from .registry import AdditionalOutput, StepsFirst, constant, operator


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
        if self.axes != "BTH":
            return self
        made = applied(self.source, replace(self.spec, return_sequences=True), self.shape, self.parameters)
        return transpose(walk, node, made, perm=[0, 2, 1])

    def transposed(self, walk, node, perm):
        return replace(self, axes="".join(self.axes[axis] for axis in perm or reversed(range(len(self.axes))))).settled(
            walk, node)

    def squeezed(self, walk, node, axes):
        places = {axis % len(self.axes) for axis in axes}
        if {self.axes[place] for place in places} != {"D"}:
            raise UnknownForm("it takes away another axis than that of the directions")
        return replace(self, axes=self.axes.replace("D", "")).settled(walk, node)

    def picked(self, walk, node, index, axis):
        """Return the last states, where a node picks the step computed last."""
        last = 0 if self.spec.reverse else self.shape[0] - 1
        if index.ndim == 0 and self.axes[axis] == "T" and int(index) % self.shape[0] == last:
            return replace(self, axes=self.axes.replace("T", "")).settled(walk, node)
        if index.ndim == 0 and self.axes[axis] == "D" and int(index) == 0:
            return replace(self, axes=self.axes.replace("D", "")).settled(walk, node)
        raise UnknownForm("it picks something else than the step computed last")


def series(walk, node, x, layout):
    """Return (source, shape): the chain up to x, which gives series of this shape (steps, features)."""
    if isinstance(x, StepsFirst) and not layout:
        x = x.signal
    elif isinstance(x, States) and x.axes == "TBH" and not layout:
        return Layer(x.source, replace(x.spec, return_sequences=True), x.parameters), (x.shape[0], x.spec.out_features)
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
              second_bias=False):
    """Return the values (Y, Y_h). make: the layer, from its number of units and its direction."""
    if any(each is not None and np.any(constant(each, "first state")) for each in initial):
        raise UnknownForm("it has states before the first step; layers here begin at zero")
    word = direction.decode() if isinstance(direction, bytes) else direction
    if word == "bidirectional":
        raise UnknownForm("it is bidirectional, which is no chain of layers; make the network with Bidirectional here, and "
                          "copy the weights")
    weight, recurrent_weight = constant(weight, "weight")[0], constant(recurrent_weight, "recurrent weight")[0]
    bias = np.zeros(2 * len(weight), weight.dtype) if bias is None else constant(bias, "bias")[0]
    first, second = (ours(part, order) for part in np.split(bias, 2))
    parameters = {"weight": ours(weight, order), "recurrent_weight": ours(recurrent_weight, order)}
    parameters |= {"bias": first, "recurrent_bias": second} if second_bias else {"bias": first + second}
    source, shape = series(walk, node, x, layout)
    if lengths is not None and np.any(constant(lengths, "lengths") != shape[0]):
        raise UnknownForm("it has lengths of its own; layers here run through all steps of a series")
    spec = make(recurrent_weight.shape[1], reverse=word == "reverse")
    if parameters["weight"].shape != spec.parameter_shapes(shape)["weight"]:
        raise UnknownForm(f"its weight does not fit steps of {shape[-1]} features")
    states = States(source, shape, spec, parameters, "BTDH" if layout else "TDBH")
    return states, replace(states, axes="BDH" if layout else "DBH")


def named(activations, usual):
    """Refuse activations other than the usual ones."""
    given = [each.decode() if isinstance(each, bytes) else each for each in activations or usual]
    if given != usual:
        raise UnknownForm(f"its activations are {given}; the layer here has {usual}")


@operator("RNN", without_effect=["hidden_size"])
def simple(walk, node, x, weight, recurrent_weight, bias=None, lengths=None, initial=None, *, direction="forward", layout=0,
           activations=None):
    name, = [each.decode() if isinstance(each, bytes) else each for each in activations or ["Tanh"]][:1]
    known = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid"}
    if name not in known:
        raise UnknownForm(f"its activation is {name}; the layer here is read with {', '.join(known)}")

    def make(out_features, reverse):
        return SimpleRNN(out_features, reverse=reverse, nonlinearity=known[name])

    return recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, [initial], [0], make, direction, layout)


@operator("GRU", without_effect=["hidden_size"])
def gated(walk, node, x, weight, recurrent_weight, bias=None, lengths=None, initial=None, *, direction="forward", layout=0,
          linear_before_reset=0, activations=None):
    named(activations, ["Sigmoid", "Tanh"])
    after = bool(linear_before_reset)

    def make(out_features, reverse):
        return GRU(out_features, reverse=reverse, reset_after=after)

    return recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, [initial], [0, 1, 2], make, direction, layout,
                     second_bias=after)


@operator("LSTM", without_effect=["hidden_size"])
def long_memory(walk, node, x, weight, recurrent_weight, bias=None, lengths=None, initial=None, cells=None, peepholes=None,
                *, direction="forward", layout=0, activations=None, input_forget=0):
    named(activations, ["Sigmoid", "Tanh", "Tanh"])
    if input_forget:
        raise UnknownForm("its gates of input and forgetting are one")

    def make(out_features, reverse):
        return LSTM(out_features, reverse=reverse, peepholes=peepholes is not None)

    y, last = recurrent(walk, node, x, weight, recurrent_weight, bias, lengths, [initial, cells], [0, 2, 3, 1], make,
                        direction, layout)
    if peepholes is not None:
        i, o, f = np.split(constant(peepholes, "peepholes")[0], 3)
        parameters = y.parameters | {"peepholes": np.concatenate([i, f, o])}
        y, last = (replace(each, parameters=parameters) for each in (y, last))
    return y, last, AdditionalOutput(walk.here)
