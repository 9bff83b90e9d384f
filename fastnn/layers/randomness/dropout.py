"""Dropout."""

from dataclasses import dataclass

from ...checks import number_in_range, true_or_false
from ...kernels.layers.randomness.dropout import advance_row, dropout_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class Dropout(Layer):
    """Set elements to 0 at random in training, each with probability `rate` (Srivastava et al. 2014).

    The others are divided by 1 − rate, so that the expected value stays the same. In prediction and evaluation nothing is
    dropped or scaled. Which elements are dropped depends on the network's seed and on its number of steps, not on threads.

    Parameters
    ----------
    rate : float
        In [0, 1).
    channels : bool, default False
        Whether to drop whole channels, the last axis of a sample, because neighboring pixels of an image
        (height, width, channels) are strongly correlated (spatial dropout, Tompson et al. 2015).

    Examples
    --------
    >>> from fastnn import Dense, Dropout, Network
    >>> net = Network([Dense(64, "relu"), Dropout(0.5), Dense(3, "softmax")], inputs=4)
    """

    rate: float
    channels: bool = False
    can_be_last = False
    functions = "dropout_forward", "dropout_backward"

    def __post_init__(self):
        object.__setattr__(self, "rate", number_in_range("Dropout(rate=...)", self.rate, 0.0, 1.0))
        object.__setattr__(self, "channels", true_or_false("Dropout(channels=...)", self.channels))

    @property
    def draws(self):
        return self.rate > 0

    def __repr__(self):
        return f"Dropout({self.rate!r}{', channels=True' * self.channels})"

    def lower(self, program, index, x, activation):
        if self.rate == 0 or not program.as_in_training:
            return x
        x = program.in_arena(x)
        a, (word, ahead) = program.tensor_like(x), program.random_word(index)
        program.emit(dropout_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient, features=x.features, rate=self.rate, word=word, ahead=ahead,
            channels=x.shape[-1] if self.channels else 0,
        ))
        program.emit_last(advance_row(program.dtype, word))
        return a

    def onnx(self, graph, x, parameters):
        return x  # in prediction it does nothing

    def config(self):
        return {"layer": "Dropout", "rate": self.rate, **({"channels": True} if self.channels else {})}
