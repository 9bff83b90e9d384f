"""Gaussian noise in training."""

from dataclasses import dataclass

from ...checks import number_in_range
from ...kernels.layers.randomness.dropout import advance_row
from ...kernels.layers.randomness.gaussian_noise import gaussian_noise_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class GaussianNoise(Layer):
    """Add Gaussian noise to all inputs in training. In prediction the layer does nothing.

    The noise of a step depends on the network's seed and the number of its training steps, not on threads.

    Parameters
    ----------
    deviation : float
        The standard deviation of the noise.

    Examples
    --------
    >>> from fastnn import Dense, GaussianNoise, Network
    >>> net = Network([GaussianNoise(0.1), Dense(3, "softmax")], inputs=4)
    """

    deviation: float
    can_be_last = False
    functions = ("gaussian_noise_forward",)

    def __post_init__(self):
        deviation = number_in_range("GaussianNoise(deviation=...)", self.deviation, 0.0)
        object.__setattr__(self, "deviation", deviation)

    @property
    def draws(self):
        return self.deviation > 0

    def __repr__(self):
        return f"GaussianNoise({self.deviation!r})"

    def lower(self, program, index, x, activation):
        if self.deviation == 0 or not program.as_in_training:
            return x
        x = program.in_arena(x)
        a, (word, ahead) = program.tensor_like(x), program.random_word(index)  # x and a share the gradient
        program.emit(gaussian_noise_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            features=x.features, deviation=self.deviation, word=word, ahead=ahead,
        ))
        program.emit_last(advance_row(program.dtype, word))
        return a

    def onnx(self, graph, x, parameters):
        return x  # no noise in prediction
