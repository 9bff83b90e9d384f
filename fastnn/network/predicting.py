"""Prediction and evaluation: outputs, labels or values, and metrics."""

import numpy as np

from ..fitting.divergence import DivergenceError, advice
from ..layers import row_shape
from ..program import PredictionProgram, SeveralPrediction, evaluation_program
from ..program.several_few import few_of_several
from ..runtime.idle import put_back, take
from ..runtime.threads import resolve_threads
from ..samples.columns import check_columns
from ..samples.data import samples_of
from ..samples.metrics import compute
from ..samples.series.sequences import Sequences


def forward(network, X, threads, idle_programs):
    """Return the network's outputs (samples, *output shape).

    idle_programs: {plan: unused programs} of earlier predictions. The program of this prediction is added at the end.
    """
    if network.has_several and (threads is None or resolve_threads(threads)) and (few := few_of_several(network, X)):
        return by_name(network, few)
    check_columns(network.columns, X)
    X = samples_of(network, X, least=0, finite=False)
    if network.has_several:
        warn_of_scale(network, X)
        return of_several(network, X, threads, idle_programs)
    if len(X) == 0:
        none = np.empty((0, *row_shape(network.shapes[-1])), network.dtype)
        return Sequences(none, [0]) if network.gives_steps else none
    warn_of_scale(network, X)
    plan = PredictionProgram.plan_of(network, X, resolve_threads(threads))
    idle = idle_programs.setdefault(plan, [])
    program = take(idle, PredictionProgram, network, *plan)
    try:
        out = program.forward(X)
        return out if network.gives_steps else out.reshape(-1, *row_shape(network.shapes[-1]))
    finally:
        put_back(idle, program)


def warn_of_scale(network, X):
    """Warn of images on another scale than those that the network was fitted on."""
    if network.fitted_on is not None:
        network.fitted_on.warn_of(X)


def of_several(network, X, threads, idle_programs):
    """Return the outputs of a network with several inputs or outputs; of several outputs, a dict by name."""
    plan = SeveralPrediction.plan_of(network, X, resolve_threads(threads)) if len(X) else None
    if plan is None:
        outputs = [np.empty((0, *head.positions, head.outputs), network.dtype) for head in network.heads]
        outputs = [Sequences(own, [0]) if has_steps else own
                   for own, has_steps in zip(outputs, network.step_outputs, strict=True)]
    else:
        idle = idle_programs.setdefault(plan, [])
        program = take(idle, SeveralPrediction, network, *plan)
        try:
            outputs = program.forward(X)
        finally:
            put_back(idle, program)
    return by_name(network, outputs)


def by_name(network, outputs):
    """Return a list of outputs as a dict by name, or the only one."""
    return dict(zip(network.graph.outputs, outputs, strict=True)) if network.several_outputs else outputs[0]


def predictions(network, outputs):
    """Return the predictions for outputs (samples, *output shape), in the form of `Network.predict`."""
    if isinstance(outputs, Sequences):
        predicted, unsound = network.objective.head.predictions_of(outputs)
    else:
        predicted, unsound = network.objective.head.predictions(outputs)
    if unsound >= 0:
        raise DivergenceError(f"the outputs for X[{unsound}] are NaN, so there is no label; {advice(network)}")
    return predicted


def label_numbers(network, X, threads=None):
    """Return what `Network.predict` does, but the numbers of classes instead of their names."""
    return predictions(network, network.forward(X, threads=threads))


def names_of(names, numbers):
    """Return the names of classes, given numbers of samples, or of steps of sequences; of several outputs by name."""
    if isinstance(names, dict):
        return {output: names_of(names[output], own) if output in names else own for output, own in numbers.items()}
    names = np.array(names)
    return numbers.with_steps(names[numbers.steps]) if isinstance(numbers, Sequences) else names[numbers]


def check_probabilities(head):
    """Raise ValueError if the outputs are not probabilities."""
    if head.kind == "several outputs":
        raise ValueError("predict_proba is for networks with one output; forward returns those of several, by name")
    if not head.probabilities:
        raise ValueError("this network's outputs are values, not probabilities; use predict, or a last layer with softmax "
                         "or sigmoid")


def evaluate(network, data, metrics, threads):
    """Return {metric: value} of checked data; metrics: additional ones, as `choose` returns them."""
    warn_of_scale(network, data.X)
    loss, accuracy = evaluation_program(network, data, threads).evaluate()
    return network.objective.head.report(loss, accuracy) | compute(network, data, metrics, threads)
