"""What a network says of samples: outputs, what they predict, and how well that fits."""

import numpy as np

from ..fitting.divergence import DivergenceError, how_to_be_finite
from ..program import EvaluationProgram, PredictionProgram
from ..runtime.threads import resolve_threads
from ..samples.features import features
from ..samples.metrics import work_out


def forward(network, X, threads, idle_programs):
    """The network's outputs (samples, outputs).

    idle_programs: {plan: programs that are at rest}, of earlier predictions; this one leaves its own there.
    """
    X = features(X, network.shapes[0], network.dtype, least=0, finite=False)
    if len(X) == 0:
        return np.empty((0, network.outputs), network.dtype)
    plan = PredictionProgram.plan(network, len(X), resolve_threads(threads))
    idle = idle_programs.setdefault(plan, [])  # taking from and adding to a list is safe between threads
    program = idle.pop() if idle else PredictionProgram(network, *plan)
    try:
        return program.forward(X)
    finally:
        if not idle:
            idle.append(program)


def predictions(network, outputs):
    """What outputs (samples, outputs) predict, in the form of `Network.predict`."""
    predicted, unsound = network.objective.head.predictions(outputs)
    if unsound >= 0:
        raise DivergenceError(f"the outputs for X[{unsound}] are NaN, so there is no label; {how_to_be_finite(network)}")
    return predicted


def check_probabilities(head):
    """Refuse a head whose outputs are no probabilities."""
    if not head.probabilities:
        raise ValueError("this network's outputs are values, not probabilities; use predict, or a last layer with softmax "
                         "or sigmoid")


def evaluate(network, data, metrics, threads):
    """{metric: value} of checked data; metrics: further ones, as `choose` gives them."""
    loss, accuracy = EvaluationProgram(network, data, threads).evaluate()
    return network.objective.head.report(loss, accuracy) | work_out(network, data, metrics, threads)
