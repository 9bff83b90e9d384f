"""A recurrent layer in both directions, as a block of two layers and a join."""

from dataclasses import replace

from ...checks import one_of, refuse_class, shown
from ...checks.other_arguments import takes_others
from ..blocks import Block, apply
from ..joins import Add, Average, Concatenate, Multiply
from .recurrent import Recurrent

JOINS = {"concat": Concatenate, "sum": Add, "mul": Multiply, "ave": Average}


class Bidirectional(Block):
    """A recurrent layer from the first step to the last, and another one from the last to the first (Schuster and Paliwal
    1997), each with its own parameters.

    With return_sequences=True a step has the states of both directions at that step. Otherwise the last states are joined:
    that of the last step, and that of the first.

    Parameters
    ----------
    layer : SimpleRNN, GRU or LSTM
        The layer from the first step to the last; that of the other direction has the same options.
    merge : {"concat", "sum", "mul", "ave"}, default "concat"
        How the outputs are joined: one behind the other, 2 · out_features in all; or their sum, product or average.

    Examples
    --------
    >>> from fastnn import GRU, Bidirectional, Dense, Network
    >>> net = Network([Bidirectional(GRU(8)), Dense(2, "softmax")], inputs=(None, 3))
    >>> net.layers[:3]
    (GRU(8), GRU(8, reverse=True), Concatenate())
    >>> net.parameters["3.weight"].shape
    (16, 2)
    """

    @takes_others("layer")
    def __init__(self, layer, merge="concat"):
        refuse_class("Bidirectional(layer)", layer, Recurrent)
        if not isinstance(layer, Recurrent):
            raise ValueError(f"Bidirectional(layer) is {shown(layer)}; it must be a SimpleRNN, a GRU or an LSTM")
        if layer.reverse:
            raise ValueError(f"Bidirectional(layer) is {layer!r}; leave reverse=True out: it makes the layer of the other "
                             "direction")
        self.layer, self.merge = layer, one_of("Bidirectional(merge=...)", merge, tuple(JOINS))
        self.parts = layer, merge

    def output_shape(self, shape):
        """Return the shape of the output for samples of this shape."""
        *steps, features = self.layer.output_shape(shape)
        return *steps, features * (2 if self.merge == "concat" else 1)

    def expand(self, nodes, site):
        both = (apply(each, nodes, site) for each in (self.layer, replace(self.layer, reverse=True)))
        return apply(JOINS[self.merge](), tuple(both), site)

    def __repr__(self):
        return f"Bidirectional({self.layer!r}{f', {self.merge!r}' if self.merge != 'concat' else ''})"
