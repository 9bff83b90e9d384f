"""The last step of each sequence."""

from dataclasses import dataclass

from ...kernels.layers.sequences.last_step import last_step_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import register
from .over_time import OverTime


@register
@dataclass(frozen=True)
class LastStep(OverTime):
    """Take the last step of each sequence.

    A sequence (steps, features) becomes (features,). Sequences must not be empty.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, LastStep, Network
    >>> net = Network([Dense(8, "tanh"), LastStep(), Dense(2, "softmax")], inputs=(None, 3))
    >>> net.predict_proba([np.zeros((4, 3)), np.ones((2, 3))]).shape
    (2, 2)
    """

    functions = "last_step_forward", "last_step_backward"

    def kept_between_steps(self, shape):
        return {}

    def lower_step(self, program, index, x, activation, kept):
        return x

    def lower(self, program, index, x, activation):
        x = program.steps_of(x)
        with program.on(None):
            a = program.tensor(x.shape)
            program.emit(last_step_row(
                program.dtype, program.parts(x.axis.rows * x.features, NUMBERS_PER_PART), axis=x.axis.place, x=x.offset,
                a=a.offset, dx=x.gradient, da=a.gradient, features=x.features,
            ))
        return a

    def onnx(self, graph, x, parameters):
        return graph("Gather", x, graph.tensor("last", -1, "int64"), axis=1)

    def onnx_over_time(self, graph, x, parameters):
        last = graph("Sub", graph.axes[0].lengths, graph.integers("one", 1))
        return graph("GatherND", x, graph("Unsqueeze", last, graph.integers("axis", [1])), batch_dims=1)
