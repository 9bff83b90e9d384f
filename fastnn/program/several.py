"""Programs of networks with several inputs or outputs: gathering, losses, predictions.

The sources of a call are those of the inputs in order, then for each output its targets and its weights.
"""

import numpy as np

from ..kernels.interpreter import batch as batches
from ..kernels.interpreter import several as kernels
from ..kernels.interpreter.criterion import loss_numbers, loss_rows
from ..kernels.interpreter.steps import copy_steps_row
from ..kernels.interpreter.table import COUNTS, HITS, LOSSES, RESULTS, RESULTS_OF_EACH
from ..layers.ragged import is_ragged
from ..runtime.memory import aligned
from ..runtime.threads import GATHERED_PER_PART, NUMBERS_PER_PART
from ..samples.sequences import Sequences
from ..samples.several import enter_inputs, enter_sources, sources_of_inputs
from ..samples.steps import offsets_of
from .base import Tensor, address
from .criterion import Criterion
from .forward import EvaluationProgram, ForwardProgram
from .training import shape_of_results

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
    network, dtype = program.network, program.dtype
    objectives, batch, places = network.objectives, program.samples, []
    if network.gives_steps:
        emit_step_criterion(program, normalize)
        return
    several, common = len(objectives) > 1, program.data.have_common_weights
    for number, (objective, factor) in enumerate(zip(objectives, network.loss_factors, strict=True)):
        head = objective.head
        outputs = head.count * head.outputs
        place = {"targets": program.arena.take(batch * outputs), "weights": program.arena.take(batch * head.count)}
        places.append(place)
        program.emit(kernels.gather_targets_row(
            dtype, parts_of(program, head, GATHERED_PER_PART), **place, **head.sizes, normalize=normalize,
            source=network.wiring.inputs + 2 * number, reports=0 if number else 1 if common else 2, factor=factor,
        ))
    scores_of_each = lower_graph(program, input_tensors(program), [objective.on_logits for objective in objectives])
    for number, (objective, scores, place) in enumerate(zip(objectives, scores_of_each, places, strict=True)):
        head = objective.head
        outputs, shared = head.count * head.outputs, parts_of(program, head, NUMBERS_PER_PART)
        accuracy = head.accuracy_row(dtype, shared, scores=scores.offset, logits=objective.on_logits, **place)
        if accuracy is not None:  # before the loss, which overwrites the targets
            program.emit(accuracy)
        gradient = program.arena.take(batch * outputs) if scores.gradient is None else scores.gradient
        for row in loss_rows(
            dtype, objective.training_loss, parts=program.parts(batch * outputs, NUMBERS_PER_PART), sum_parts=shared,
            losses=program.arena.take(batch * loss_numbers(dtype, head.count)), scores=scores.offset, gradient=gradient,
            **head.sizes, **place,
        ):
            program.emit(row)
        if several:
            program.emit(kernels.keep_results_row(dtype, number, accuracy is not None))
    if several:
        program.emit(kernels.sum_losses_row(dtype, len(objectives)))


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
        for a in lower_graph(self, input_tensors(self), [False] * len(network.wiring.outputs)):
            if a.axis is not None:
                self.emit(copy_steps_row(self.dtype, axis=a.axis.place, a=a.offset, out_features=a.features,
                                         source=network.wiring.inputs))
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
        network, samples = self.network, len(X)
        if network.gives_steps:
            return [self.forward_steps(X)]
        widths = [network.widths[tensor] for tensor in network.wiring.outputs]
        out = np.empty(samples * sum(widths), self.dtype)
        self.sources = enter_inputs(self.call, X)
        self.call["outputs"] = address(out)
        self.run_samples(samples)
        ends, shapes = np.cumsum(widths) * samples, [network.shapes[tensor] for tensor in network.wiring.outputs]
        return [out[end - width * samples:end].reshape(samples, *shape)
                for end, width, shape in zip(ends, widths, shapes, strict=True)]

    def forward_steps(self, X):
        """Return the only output, at each step of sequences."""
        offsets = offsets_of(self.network.steps_of_outputs(X.lengths))
        out = np.empty((offsets[-1], self.network.outputs), self.dtype)
        self.sources = enter_sources(self.call, [*sources_of_inputs(X), (0, address(offsets), 0, 0)])
        self.call["outputs"] = address(out)
        self.run_samples(len(X))
        return Sequences(out, offsets)


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
        self.totals = [data.total_weight] if network.gives_steps else data.total_weights

    def evaluate(self):
        """Return (mean loss, accuracy), or (mean loss, [(its loss, its accuracy) of each output])."""
        self.run_samples(self.data.samples, self.results)
        penalty = self.penalties.value(self.network.vectors.parameters.flat)
        if len(self.totals) == 1:
            loss, hits, count = self.results[[LOSSES, HITS, COUNTS]].sum(axis=1)
            return float(loss / self.totals[0]) + penalty, float(hits / max(count, 1))
        own = self.results[RESULTS:].sum(axis=1).reshape(-1, RESULTS_OF_EACH)
        each = [(float(loss / total), float(hits / max(count, 1)))
                for (loss, hits, count), total in zip(own, self.totals, strict=True)]
        return sum(loss for loss, _ in each) + penalty, each
