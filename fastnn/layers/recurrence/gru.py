"""The gated recurrent unit."""

from dataclasses import dataclass, field

from ..base import register
from .onnx import recurrent_nodes
from .recurrent import Recurrent


@register
@dataclass(frozen=True, repr=False)
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014): hₜ = z hₜ₋₁ + (1 − z) n.

    With the gates z = σ(x Wz + h Uz + bz) and r = σ(x Wr + h Ur + br), n = tanh(x Wn + bn + r (h Un + b'n)). Sequences
    (steps, features), of one length or of any, become the last state (out_features,). The state before the first step is
    zero, or learned, or given in a graph: `GRU(64)(x, initial_state=h)`.

    The parameters "weight" (in_features, 3 · out_features), "recurrent_weight" (out_features, 3 · out_features), "bias" and
    "recurrent_bias" (3 · out_features,) have the gates in the order z, r, n, as in Keras.

    Parameters
    ----------
    out_features : int
        The number of units.
    return_sequences : bool, default False
        Whether to give the states of all steps, (steps, out_features): for another recurrent layer, or outputs per step.
    reverse : bool, default False
        Whether to run from the last step to the first.
    dropout, recurrent_dropout : float, default 0
        In training, the probability with which a feature of the inputs, and a unit of the state, is set to 0 in the products
        of the gates; the others are divided by 1 − rate. What is dropped is drawn for each sequence, and is the same for all
        its steps and all gates (Gal and Ghahramani 2016); the h of z h stays whole. Prediction drops nothing.
    learned_state : bool, default False
        Whether the state before the first step is learned: the parameter "initial_state" (out_features,), the same for all
        sequences.
    reset_after : bool, default True
        Whether r multiplies the product h Un + b'n, as in cuDNN, Keras and PyTorch. Otherwise it multiplies h, as Cho et al.
        have it: n = tanh(x Wn + bn + (r h) Un), and there is no "recurrent_bias".
    initializer : str, default "glorot_uniform"
        The initializer of "weight", of each gate by itself. The recurrent weights of each gate are orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, GRU, Network
    >>> net = Network([GRU(16), Dense(2, "softmax")], inputs=(None, 3))
    >>> net.predict_proba([np.zeros((4, 3)), np.ones((2, 3))]).shape
    (2, 2)
    """

    reset_after: bool = field(default=True, kw_only=True)
    functions = "gru_forward", "gru_backward"
    torch = "GRU"

    @property
    def cell(self):
        return "gru" if self.reset_after else "gru_before"

    def parameter_shapes(self, shape):
        found = super().parameter_shapes(shape)
        return found | ({"recurrent_bias": found["bias"]} if self.reset_after else {})

    def initial_parameters(self, shape, generator, activation):
        found = super().initial_parameters(shape, generator, activation)
        return found | ({"recurrent_bias": 0.0} if self.reset_after else {})

    def onnx(self, graph, x, parameters):
        return recurrent_nodes(graph, x, self, "GRU", [0, 1, 2], parameters, linear_before_reset=int(self.reset_after))
