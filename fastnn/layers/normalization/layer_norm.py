"""Layer normalization."""

from dataclasses import dataclass

from ...checks import number_in_range
from ...kernels.layers.normalization.layer_norm import layer_norm_row, statistics_size
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class LayerNorm(Layer):
    """Normalize each sample over its features (Ba, Kiros and Hinton 2016): a = scale · x̂ + shift.

    x̂ = (x − mean) / √(variance + epsilon), with the mean and the variance over the features of the sample. Scale and shift
    have one element for each feature. It does the same in training and in prediction. The features are the last axis of a
    sample: each pixel of an image (height, width, channels) is normalized over its channels. For a whole image, use
    `GroupNorm(1)`.

    Parameters
    ----------
    epsilon : float, default 1e-5
        Added to the variance; at least 1e-30.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import LayerNorm, Network
    >>> Network([LayerNorm()], inputs=2, dtype="float64").forward(np.array([[3.0, 7.0]])).round(4)
    array([[-1.,  1.]])
    """

    epsilon: float = 1e-5
    functions = "layer_norm_forward", "layer_norm_backward"
    torch = "LayerNorm"

    def __post_init__(self):
        object.__setattr__(self, "epsilon", number_in_range("LayerNorm(epsilon=...)", self.epsilon, 1e-30))

    def parameter_shapes(self, shape):
        return {"scale": shape[-1:], "shift": shape[-1:]}

    def initial_parameters(self, shape, generator, activation):
        return {"scale": 1.0, "shift": 0.0}

    def lower(self, program, index, x, activation):
        x = program.in_arena(x)
        a, features, pixels = program.tensor(x.shape, gradient=x.gradient), x.shape[-1], x.features // x.shape[-1]
        program.emit(layer_norm_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient or 0, statistics=program.arena.take(statistics_size(features, pixels, program.batch)),
            batch=program.batch, scale=program.offsets[f"{index}.scale"], features=features, pixels=pixels,
            epsilon=self.epsilon,
        ))
        program.emit_update(start=program.offsets[f"{index}.scale"], rows=2, columns=features, parts=1)
        return a

    def onnx(self, graph, x, parameters):
        scale, shift = (graph.tensor(name, array) for name, array in parameters.items())
        if not graph.exact:
            return graph("LayerNormalization", x, scale, shift, axis=-1, epsilon=self.epsilon)
        axis = graph.tensor("axis", [-1], "int64")
        distance = graph("Sub", x, graph("ReduceMean", x, axis))
        variance = graph("ReduceMean", graph("Mul", distance, distance), axis)
        normalized = graph("Div", distance, graph("Sqrt", graph("Add", variance, self.epsilon)))
        return graph("Add", graph("Mul", normalized, scale), shift)
