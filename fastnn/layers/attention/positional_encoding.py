"""Sines and cosines of the position of each step, added to it."""

from dataclasses import dataclass

import numpy as np

from ...kernels.layers.attention.positional_encoding import BASE, add_positions_row, positions_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class PositionalEncoding(Layer):
    """Add to each step of a sequence a code of its position, so that attention can tell steps apart (Vaswani et al. 2017).

    Feature 2k of step t gets sin(t / 10000^(2k / features)), and feature 2k + 1 the cosine. Steps are counted from 0, and
    their number has no limit. The layer has no parameters.

    Examples
    --------
    >>> from fastnn import Attention, Embedding, PositionalEncoding, GlobalAveragePool, Dense, Network
    >>> net = Network([Embedding(1000, 16), PositionalEncoding(), Attention(), GlobalAveragePool(), Dense(2, "softmax")],
    ...               inputs=(None,))
    >>> net.shapes[2]
    (None, 16)
    """

    functions = ("positional_encoding_forward",)

    def __repr__(self):
        return "PositionalEncoding()"

    def works_over_time(self, shape):
        return True

    def output_shape(self, shape):
        if shape == (None,):
            raise ValueError(f"{self!r} takes sequences of features, and here a sample is a sequence of tokens, "
                             "inputs=(None,); put an Embedding before it")
        if len(shape) != 2:
            raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample has the shape {shape}; give "
                             "inputs=(None, features) for sequences of any length, (steps, features) for those of one")
        return shape

    def kept_between_steps(self, shape):
        raise ValueError(f"{self!r} counts the steps of whole sequences")

    def lower(self, program, index, x, activation):
        given, x = x, program.steps_of(x)
        with program.on(x.axis):
            a = program.tensor_like(x)
        with program.on(None):
            table = program.arena.take(max(x.axis.longest, 1) * x.features)
            place = {"axis": x.axis.place, "table": table, "features": x.features}
            program.emit(positions_row(program.dtype, **place))
            parts = program.parts(x.axis.rows * x.features, NUMBERS_PER_PART)
            program.emit(add_positions_row(program.dtype, parts, x=x.offset, a=a.offset, **place))
        return program.like(a, given)

    def onnx(self, graph, x, parameters):
        steps, features = graph.shape
        columns = np.arange(features)
        angles = np.arange(steps)[:, None] * frequencies(columns)
        return graph("Add", x, graph.tensor("positions", np.where(columns % 2, np.cos(angles), np.sin(angles))))

    def onnx_over_time(self, graph, x, parameters):
        # in float64, as the layer has it
        columns = np.arange(graph.shape[-1])
        steps = graph("Unsqueeze", graph("Cast", graph.axes[0].positions, to="float64"), graph.integers("features", [1]))
        angles = graph("Mul", steps, graph.tensor("frequencies", frequencies(columns), "float64"))
        codes = graph("Where", graph.tensor("odd", columns % 2, bool), graph("Cos", angles), graph("Sin", angles))
        return graph("Add", x, graph("Cast", codes, to=graph.dtype))


def frequencies(columns):
    """Return the angle of one step for each feature."""
    return np.exp(-np.log(BASE) * (columns - columns % 2) / len(columns))
