"""An activation as a separate layer: a = g(x)."""

import math
from dataclasses import dataclass

from ..kernels.layers.activate import activation_row
from ..kernels.layers.normalization.batch_norm_pixels import takes_over, with_activation
from ..runtime.threads import NUMBERS_PER_PART
from .base import Layer, register, registered_activation


@register
@dataclass(frozen=True)
class Activation(Layer):
    """An activation as a layer: a = g(x).

    Directly after a `Dense` without an activation it gives the same bits as that `Dense` with this activation, also as the
    last layer, where the loss is computed from the logits. Use it if another layer stands between the two. "softmax" is over
    the last axis of a sample, such as the channels of a pixel.

    Parameters
    ----------
    activation : str or Activation
        The name of g, one of `fastnn.activations`.

    Examples
    --------
    >>> from fastnn import Activation, BatchNorm, Dense, Network
    >>> net = Network([Dense(64), BatchNorm(), Activation("relu"), Dense(10), Activation("softmax")], inputs=4)
    >>> net.loss
    'cross_entropy'
    """

    activation: str
    takes_activation = True
    functions = ()  # the records have the functions, under their own names

    def __post_init__(self):
        object.__setattr__(self, "activation", registered_activation(self.activation))

    def __repr__(self):
        return f"Activation({self.activation!r})"

    def lower(self, program, index, x, activation):
        if activation is None:
            return x
        x = program.in_arena(x)
        wiring = program.network.wiring
        alone = not (program.keeps_outputs or wiring.has_several_readers or len(wiring.outputs) > 1)
        if alone and program.training and takes_over(program.rows, x.offset, activation):
            return x
        a = program.tensor_like(x)
        positions = math.prod(x.shape[:-1]) if activation.rowwise else 1  # softmax is over the last axis
        row = activation_row(program.dtype, activation, program.parts(program.batch * x.features, NUMBERS_PER_PART),
                             z=x.offset, a=a.offset, dz=a.gradient, features=x.features // positions, positions=positions)
        if program.emitted_last is not None:
            row = with_activation(program.emitted_last, row, activation, alone and not program.training)
        if row["forward"]["kernel"] or row["backward_first"]["kernel"]:
            program.emit(row)
        return a

    def onnx(self, graph, x, parameters):
        return graph.activation(self.activation_record, x)
