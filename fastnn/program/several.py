"""Programs of networks with several inputs or outputs: gathering, losses, predictions.

The sources of a call are those of the inputs in order, then for each output its targets and its weights.
"""

import math

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.interpreter import batch as batches
from ..kernels.interpreter import several as kernels
from ..kernels.interpreter.criterion import loss_numbers, loss_rows
from ..kernels.interpreter.steps import copy_steps_row
from ..kernels.interpreter.table import RESULTS_OF_EACH
from ..kernels.training.population import sum_results_kernel, sum_results_of_each_kernel
from ..layers.ragged import is_ragged
from ..runtime.memory import aligned
from ..runtime.threads import GATHERED_PER_PART, NUMBERS_PER_PART
from ..samples.metrics import ACCURACY
from ..samples.series.sequences import Sequences
from ..samples.series.steps import offsets_of
from ..samples.several import enter_sources, sources_of_inputs
from .base import Tensor, address
from .criterion import Criterion
from .forward import EvaluationProgram, ForwardProgram
from .results import shape_of_results

MOST_SEQUENCES = 32  # samples of a chunk in which sequences may all be among the longest


def input_tensors(program):
    """Return the tensor of each input, after the rows that gather the batch."""
    tensors, network = [], program.network
    for number in range(network.wiring.inputs):
        shape, axis = network.shapes[number], None
        if is_ragged(shape):
            shape, axis = shape[1:], program.new_axis(*program.largest_batch[number])
        x = Tensor(0, shape, axis=axis)
        x.offset = program.arena.take((program.samples if axis is None else axis.rows) * x.features)
        if axis is None:
            parts = program.parts(program.samples * x.features, GATHERED_PER_PART)
            program.emit(kernels.gather_input_row(program.dtype, parts, x=x.offset, source=number, features=x.features))
        else:
            program.emit_steps(x, source=number)
        tensors.append(x)
    return tensors


def lower_graph(program, xs, without_activations):
    """Emit the rows of all layers; return the tensors of the outputs. without_activations: of which outputs."""
    wiring = program.network.wiring
    return program.lower_steps(wiring.without_activations(without_activations), xs)


def emit_criteria(program, normalize):
    """Emit the rows of a step from the samples to the loss."""
    network = program.network
    if network.gives_steps:
        emit_step_criterion(program, normalize)
        return
    several, criteria = len(network.objectives) > 1, criteria_of(program, normalize)
    scores_of_each = lower_graph(program, input_tensors(program), [objective.on_logits for objective in network.objectives])
    for number, (criterion, scores) in enumerate(zip(criteria, scores_of_each, strict=True)):
        emit_loss(program, criterion, scores)
        if several:
            program.emit(kernels.keep_results_row(program.dtype, number, ACCURACY in criterion.objective.head.metrics))
    if several:
        program.emit(kernels.sum_losses_row(program.dtype, len(network.objectives)))


def criteria_of(program, normalize):
    """Return the Criterion of each output, after the rows that gather the targets of samples.

    The first row says what weights the batch counts with in the mean of an epoch: those of the samples, if all outputs have
    the same, else 1 each.
    """
    network, dtype, criteria = program.network, program.dtype, []
    common = program.data.have_common_weights and not any(network.step_outputs)
    for number, (objective, factor) in enumerate(zip(network.objectives, network.loss_factors, strict=True)):
        source, reports = network.wiring.inputs + 2 * number, 0 if number else 1 if common else 2
        criterion = Criterion(program, source, objective, reports=reports, factor=factor)
        criterion.normalize = normalize
        if not network.step_outputs[number]:
            program.emit(kernels.gather_targets_row(
                dtype, parts_of(program, objective.head, GATHERED_PER_PART), targets=criterion.targets,
                weights=criterion.weights, source=source, normalize=normalize, reports=reports, factor=factor,
                **criterion.sizes))
        criteria.append(criterion)
    return criteria


def emit_loss(program, criterion, scores):
    """Emit the rows of accuracy and loss of one output."""
    if scores.axis is not None:
        criterion.emit_accuracy(scores)
        criterion.emit_loss(scores)
        return
    dtype, batch, objective = program.dtype, program.samples, criterion.objective
    outputs, place = criterion.outputs, {"targets": criterion.targets, "weights": criterion.weights}
    shared = parts_of(program, objective.head, NUMBERS_PER_PART)
    accuracy = objective.head.accuracy_row(dtype, shared, scores=scores.offset, logits=objective.on_logits, **place)
    if accuracy is not None:  # before the loss, which overwrites the targets
        program.emit(accuracy)
    gradient = program.arena.take(batch * outputs) if scores.gradient is None else scores.gradient
    for row in loss_rows(
        dtype, objective.training_loss, parts=program.parts(batch * outputs, NUMBERS_PER_PART), sum_parts=shared,
        losses=program.arena.take(batch * loss_numbers(dtype, objective.head.count)), scores=scores.offset,
        gradient=gradient, **criterion.sizes, **place,
    ):
        program.emit(row)


def parts_of(program, head, numbers):
    """Return how many parts share the rows of an output: 1, or as many as its positions are worth, of `numbers` each."""
    return program.parts(program.samples * head.count * head.outputs, numbers) if head.positions else 1


def emit_step_criterion(program, normalize):
    """Emit the rows of a step where there is one output, at each step of sequences."""
    criterion = Criterion(program, source=program.network.wiring.inputs)
    criterion.normalize = normalize
    scores, = lower_graph(program, input_tensors(program), [criterion.objective.on_logits])
    criterion.emit_accuracy(scores)
    criterion.emit_loss(scores)


def plan_of_inputs(network, X, samples, threads, rows=None):
    """Return (samples of a chunk, number of threads, largest batch of each input)."""
    chunk, workers = ForwardProgram.plan(network, samples, threads)
    if any(map(is_ragged, network.shapes[:network.wiring.inputs])):
        chunk = min(chunk, MOST_SEQUENCES)
    return chunk, workers, X.largest_batches(chunk, rows)


class SeveralPrediction(ForwardProgram):
    """Compute the outputs of a network with several inputs or outputs; used again by one Python thread at a time."""

    def __init__(self, network, chunk, workers, largest_batch):
        super().__init__(network, chunk, workers)
        self.largest_batch, before = largest_batch, 0
        for number, a in enumerate(lower_graph(self, input_tensors(self), [False] * len(network.wiring.outputs))):
            if a.axis is not None:
                self.emit(copy_steps_row(self.dtype, axis=a.axis.place, a=a.offset, out_features=a.features,
                                         source=network.wiring.inputs + number))
                continue
            self.emit(batches.copy_out_row(self.dtype, a=a.offset, out_features=a.features, before=before))
            before += a.features
        self.finish()

    @staticmethod
    def plan_of(network, X, threads):
        """Return the arguments of a program that predicts X."""
        chunk, workers, largest = plan_of_inputs(network, X, len(X), threads)
        rounded = tuple(each and tuple(1 << (size - 1).bit_length() for size in each) for each in largest)
        return chunk, workers, rounded

    def forward(self, X):
        """Return the outputs (samples, outputs) of each output, a list; Sequences where they have steps."""
        samples, outputs = len(X), self.new_outputs(X)
        widths = [0 if isinstance(own, Sequences) else math.prod(own.shape[1:]) for own in outputs]
        together = np.empty(samples * sum(widths), self.dtype)  # of outputs without steps, one after the other
        sources = [(address(own.values), address(own.offsets), 0, 0) if isinstance(own, Sequences) else (0, 0, 0, 0)
                   for own in outputs]
        self.sources = enter_sources(self.call, [*sources_of_inputs(X), *sources])
        self.call["outputs"] = address(together)
        self.run_samples(samples)
        ends = np.cumsum(widths) * samples
        return [own if isinstance(own, Sequences) else together[end - width * samples:end].reshape(own.shape)
                for own, end, width in zip(outputs, ends, widths, strict=True)]

    def new_outputs(self, X):
        """Return memory for each output: Sequences where they have steps."""
        network, made = self.network, []
        for number, tensor in enumerate(network.wiring.outputs):
            if network.step_outputs[number]:
                offsets = offsets_of(network.steps_of_outputs(X.lengths, number))
                made.append(Sequences(np.empty((offsets[-1], network.widths[tensor]), self.dtype), offsets))
            else:
                made.append(np.empty((len(X), *network.shapes[tensor]), self.dtype))
        return made


class SeveralEvaluation(EvaluationProgram):
    """Compute the loss of every sample and output, and whether its prediction is correct."""

    def __init__(self, network, data, threads):
        chunk, workers, largest = plan_of_inputs(network, data.X, data.samples, threads, data.rows)
        ForwardProgram.__init__(self, network, chunk, workers)
        self.data, self.largest_batch = data, largest
        emit_criteria(self, normalize=False)
        self.finish()
        data.enter(self.call, data.rows)
        self.results = aligned(shape_of_results(network.several_outputs, data.samples), "float64")
        self.weights = np.array(data.total_weights, np.float64)
        self.weight = self.weights[0]

    def evaluate(self):
        """Return (mean loss, accuracy), or (mean loss, [(its loss, its accuracy) of each output])."""
        self.run_samples(self.data.samples, self.results)
        samples, penalty = self.data.samples, self.penalties.value(self.network.vectors.parameters.flat)
        if len(self.weights) == 1:
            sums = np.zeros(3)
            sum_results_kernel(ANY, sums, self.results, samples)
            return float(sums[0] / self.weight) + penalty, float(sums[1] / max(sums[2], 1))
        own = np.zeros((len(self.weights), RESULTS_OF_EACH))
        sum_results_of_each_kernel(ANY, own, self.results, samples, len(own))
        each = [(float(loss / weight), float(hits / max(count, 1)))
                for (loss, hits, count), weight in zip(own, self.weights, strict=True)]
        total = 0.0
        for loss, _ in each:  # sum() compensates its rounding since Python 3.12, as a population does not
            total += loss
        return total + penalty, each
