"""The long short-term memory."""

from dataclasses import dataclass, field

import numpy as np

from ...checks import number_in_range
from ..base import register
from .onnx import recurrent_nodes
from .recurrent import Recurrent

LARGEST = 1e30


@register
@dataclass(frozen=True, repr=False)
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000): cₜ = f cₜ₋₁ + i g, hₜ = o tanh cₜ.

    With the gates i = σ(x Wi + h Ui + bi), f and o likewise, and g = tanh(x Wg + h Ug + bg). Sequences (steps, features), of
    one length or of any, become the last state h, (out_features,). The states before the first step are zero, or learned, or
    given in a graph: `LSTM(64)(x, initial_state=(h, c))`.

    The parameters "weight" (in_features, 4 · out_features), "recurrent_weight" (out_features, 4 · out_features) and "bias"
    (4 · out_features,) have the gates in the order i, f, g, o, as in Keras.

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
        its steps and all gates (Gal and Ghahramani 2016); cells stay whole. Prediction drops nothing.
    learned_state : bool, default False
        Whether the state before the first step is learned: the parameter "initial_state" (2 · out_features,), h and
        c behind it, the same for all sequences.
    peepholes : bool, default False
        Whether the gates see the cell (Gers and Schmidhuber 2000): p c is added to i and f before σ, and p cₜ to o. The
        parameter "peepholes" (3 · out_features,) has those of i, f and o.
    return_cells : bool, default False
        Whether to give the cells c behind the states h, 2 · out_features in all: `last[:64]` and `last[64:]` of a node, or
        `last` as a whole for the `initial_state` of another LSTM.
    forget_bias : float, default 1
        The initial bias of f: a new network keeps what its cells hold (Jozefowicz et al. 2015).
    initializer : str, default "glorot_uniform"
        The initializer of "weight", of each gate by itself. The recurrent weights of each gate are orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, LSTM, Network
    >>> net = Network([LSTM(16, return_sequences=True), LSTM(16), Dense(2, "softmax")], inputs=(None, 3))
    >>> net.predict_proba([np.zeros((4, 3)), np.ones((2, 3))]).shape
    (2, 2)
    """

    peepholes: bool = field(default=False, kw_only=True)
    return_cells: bool = field(default=False, kw_only=True)
    forget_bias: float = field(default=1.0, kw_only=True)
    functions = "lstm_forward", "lstm_backward"
    torch = "LSTM"

    def __post_init__(self):
        super().__post_init__()
        self.settle("forget_bias", number_in_range("LSTM(forget_bias=...)", self.forget_bias, -LARGEST))

    @property
    def gives_cells(self):
        return self.return_cells

    @property
    def cell(self):
        return "lstm_peephole" if self.peepholes else "lstm"

    def parameter_shapes(self, shape):
        found = super().parameter_shapes(shape)
        return found | ({"peepholes": (3 * self.out_features,)} if self.peepholes else {})

    def initial_parameters(self, shape, generator, activation):
        found = super().initial_parameters(shape, generator, activation)
        bias = np.zeros((4, self.out_features))
        bias[1] = self.forget_bias
        return found | {"bias": bias.ravel()} | ({"peepholes": 0.0} if self.peepholes else {})

    def onnx(self, graph, x, parameters):
        return recurrent_nodes(graph, x, self, "LSTM", [0, 3, 1, 2], parameters)
