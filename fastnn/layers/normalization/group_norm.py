"""Group normalization."""

from dataclasses import dataclass

from ...checks import number_in_range, whole_number
from ...kernels.layers.normalization.group_norm import group_norm_row, statistics_size
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class GroupNorm(Layer):
    """Normalize groups of channels of each sample (Wu and He 2018): a = scale · x̂ + shift.

    x̂ = (x − mean) / √(variance + epsilon), with the mean and variance of all pixels and channels of a group. The channels
    are the last axis of a sample, and adjacent ones form a group. Scale and shift have one number for each channel. It does
    the same in training and in prediction, for any size of a batch. One group normalizes each sample as a whole; as many
    groups as channels normalize each channel of a sample (instance normalization).

    Parameters
    ----------
    groups : int
        The number of groups, which must divide the number of channels.
    epsilon : float, default 1e-5
        Added to the variance; at least 1e-30.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import GroupNorm, Network
    >>> Network([GroupNorm(2)], inputs=4, dtype="float64").forward(np.array([[3.0, 7.0, 1.0, 2.0]])).round(4)
    array([[-1.,  1., -1.,  1.]])
    """

    groups: int
    epsilon: float = 1e-5
    functions = "group_norm_forward", "group_norm_backward"
    torch = "GroupNorm"

    def __post_init__(self):
        object.__setattr__(self, "groups", whole_number("GroupNorm(groups=...)", self.groups))
        object.__setattr__(self, "epsilon", number_in_range("GroupNorm(epsilon=...)", self.epsilon, 1e-30))

    def output_shape(self, shape):
        if shape[-1] % self.groups:
            raise ValueError(f"{self!r} takes a number of channels that {self.groups} groups divide, and here a sample has "
                             f"the shape {shape}, with {shape[-1]} channels")
        return shape

    def parameter_shapes(self, shape):
        return {"scale": shape[-1:], "shift": shape[-1:]}

    def initial_parameters(self, shape, generator, activation):
        return {"scale": 1.0, "shift": 0.0}

    def lower(self, program, index, x, activation):
        x, channels, pixels = program.in_arena(x), x.shape[-1], x.features // x.shape[-1]
        a, scale = program.tensor(x.shape, gradient=x.gradient), program.offsets[f"{index}.scale"]
        statistics = program.arena.take(statistics_size(channels, pixels, program.batch))
        program.emit(group_norm_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient or 0, statistics=statistics, batch=program.batch, scale=scale, pixels=pixels, channels=channels,
            groups=self.groups, epsilon=self.epsilon,
        ))
        program.emit_update(start=scale, rows=2, columns=channels, parts=1)
        return a

    def onnx(self, graph, x, parameters):
        # the operator of ONNX has a scale for each channel only since opset 21
        shape, sizes = graph.shape, [0, -1, self.groups, graph.shape[-1] // self.groups]
        axes = graph.tensor("axes", [1, 3], "int64")
        grouped = graph("Reshape", x, graph.tensor("grouped", sizes, "int64"))
        distance = graph("Sub", grouped, graph("ReduceMean", grouped, axes))
        variance = graph("ReduceMean", graph("Mul", distance, distance), axes)
        normalized = graph("Div", distance, graph("Sqrt", graph("Add", variance, self.epsilon)))
        scale, shift = (graph.tensor(name, array) for name, array in parameters.items())
        whole = graph("Reshape", normalized, graph.tensor("whole", [0, *shape], "int64"))
        return graph("Add", graph("Mul", whole, scale), shift)
