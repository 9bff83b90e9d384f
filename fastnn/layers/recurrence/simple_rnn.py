"""The simple recurrent layer."""

from dataclasses import dataclass, field

from ...kernels.activations import activations
from ..base import register, registered_activation
from .onnx import recurrent_nodes
from .recurrent import Recurrent


@register
@dataclass(frozen=True, repr=False)
class SimpleRNN(Recurrent):
    """Simple recurrent layer (Elman 1990): hₜ = g(xₜ W + hₜ₋₁ U + b).

    Sequences (steps, features), of one length or of any, become the last state (out_features,). The state before the first
    step is zero, or learned, or given in a graph: `SimpleRNN(64)(x, initial_state=h)`. The parameters are "weight"
    (in_features, out_features), "recurrent_weight" (out_features, out_features) and "bias" (out_features,).

    Parameters
    ----------
    out_features : int
        The number of units.
    return_sequences : bool, default False
        Whether to give the states of all steps, (steps, out_features): for another recurrent layer, or outputs per step.
    reverse : bool, default False
        Whether to run from the last step to the first.
    dropout, recurrent_dropout : float, default 0
        In training, the probability with which a feature of the inputs, and a unit of the state, is set to 0 in their
        products; the others are divided by 1 − rate. What is dropped is drawn for each sequence, and is the same for all
        its steps (Gal and Ghahramani 2016). Prediction drops nothing.
    learned_state : bool, default False
        Whether the state before the first step is learned: the parameter "initial_state" (out_features,), the same for all
        sequences.
    nonlinearity : str or Activation, default "tanh"
        The name of g, one of `fastnn.activations`.
    initializer : str, default "glorot_uniform"
        The initializer of "weight". The recurrent weight is orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, SimpleRNN
    >>> net = Network([SimpleRNN(16, nonlinearity="relu"), Dense(2, "softmax")], inputs=(None, 3))
    >>> net.predict_proba([np.zeros((4, 3)), np.ones((2, 3))]).shape
    (2, 2)
    """

    nonlinearity: str = field(default="tanh", kw_only=True)
    cell = "simple_rnn"
    functions = "simple_rnn_forward", "simple_rnn_backward"
    torch = "RNN"

    def __post_init__(self):
        super().__post_init__()
        activations.resolve(self.nonlinearity)  # None is no nonlinearity
        self.settle("nonlinearity", registered_activation(self.nonlinearity))

    @property
    def step_activation(self):
        return activations[self.nonlinearity]

    def onnx(self, graph, x, parameters):
        names = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}
        if not graph.exact and self.nonlinearity not in names and graph.axes[0] is None:
            raise ValueError(f"{self!r} has no ONNX form in float32: the operator RNN has the activations "
                             f"{', '.join(names)}; a float64 network is written step by step, with any activation")
        return recurrent_nodes(graph, x, self, "RNN", [0], parameters, activations=[names.get(self.nonlinearity)])
