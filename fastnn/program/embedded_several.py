"""Lowering a network of several inputs or outputs to a `Model` for compiled code."""

import math

import numpy as np

from ..kernels.compiling.objects import WORD
from ..kernels.embedded import several as embedded
from ..kernels.embedded.ends import FORM, FORM_SIZES, MOST_AXES
from ..kernels.embedded.model import layout_of
from ..kernels.embedded.several import PLACE
from ..kernels.embedded.several_calls import SEVERAL_INPUTS
from ..kernels.embedded.walk import FEW, LARGEST, MODEL
from ..kernels.interpreter.criterion import loss_numbers, loss_rows
from ..kernels.interpreter.several import keep_results_row, sum_losses_row
from ..kernels.interpreter.table import RESULTS, RESULTS_OF_EACH
from ..layers import is_ragged
from .base import Tensor
from .embedded_section import WHOLE_NUMBERS, Section, forward_capacity, model_of, words_of
from .several import lower_graph

NO_STEPS = ("this network has inputs of any number of steps; compiled code runs them in memory for the longest sequence: "
            "give its number of steps, as in network.compiled(steps=100)")


class SeveralSection(Section):
    """The rows of a network, and where its inputs and outputs are: `places` has a `PLACE` for each."""

    def __init__(self, network, capacity, steps=None):
        self.largest_batch = [(steps, steps)] * network.wiring.inputs
        self.places = [PLACE.new(axis=-1) for _ in range(network.wiring.inputs + len(network.wiring.outputs))]
        super().__init__(network, capacity)

    def place_end(self, number, **offsets):
        """Record offsets in the arena of an input or output."""
        for name, offset in offsets.items():
            self.places[number][name] = self.bytes_of(offset)

    def input_tensors(self, gradients=False):
        """Return a tensor for each input; gradients: with memory for its gradient."""
        tensors = []
        for number, shape in enumerate(self.network.shapes[:self.network.wiring.inputs]):
            if is_ragged(shape):
                axis, shape = self.new_axis(*self.largest_batch[number]), shape[1:]
                x = Tensor(0, shape, axis=axis)
                x.offset = self.arena.take(axis.rows * x.features)
                self.place_end(number, axis=axis.place)
            else:
                x = self.tensor(shape) if gradients else Tensor(self.arena.take(self.batch * math.prod(shape)), shape)
            self.place_end(number, numbers=x.offset)
            if gradients:
                self.place_end(number, gradient=x.gradient)
            tensors.append(x)
        return tensors

    def words(self):
        return np.concatenate([super().words(), *map(words_of, self.places)])


class ForwardSection(SeveralSection):
    def lower(self):
        network = self.network
        outputs = lower_graph(self, self.input_tensors(), [False] * len(network.wiring.outputs))
        for number, a in enumerate(outputs, network.wiring.inputs):
            self.place_end(number, numbers=self.in_arena(a).offset)
            if a.axis is not None:
                self.place_end(number, axis=a.axis.place)


class PullbackSection(SeveralSection):
    training = True

    def lower(self):
        network = self.network
        outputs = lower_graph(self, self.input_tensors(gradients=True), [False] * len(network.wiring.outputs))
        for number, a in enumerate(outputs, network.wiring.inputs):
            self.place_end(number, gradient=a.gradient)
        self.place(spare_gradients=self.arena.take(network.vectors.parameters.size))


class LossSection(SeveralSection):
    """The sum of the losses of the outputs, and its gradients; its rows include the penalties on the weights."""

    training = True

    def lower(self):
        network, batch = self.network, self.batch
        objectives, several = network.objectives, len(network.objectives) > 1
        scores_of_each = lower_graph(self, self.input_tensors(), [objective.on_logits for objective in objectives])
        for number, (objective, scores) in enumerate(zip(objectives, scores_of_each, strict=True)):
            head = objective.head
            outputs = head.count * head.outputs
            own = {"targets": self.arena.take(batch * outputs), "weights": self.arena.take(batch * head.count)}
            self.place_end(network.wiring.inputs + number, **own)
            gradient = self.arena.take(batch * outputs) if scores.gradient is None else scores.gradient
            losses = self.arena.take(batch * loss_numbers(self.dtype, head.count))
            for row in loss_rows(self.dtype, objective.training_loss, parts=1, sum_parts=1, losses=losses,
                                 scores=scores.offset, gradient=gradient, **head.sizes, **own):
                self.emit(row)
            if several:
                self.emit(keep_results_row(self.dtype, number, False))
        if several:
            self.emit(sum_losses_row(self.dtype, len(objectives)))
        before, after = self.penalties.rows(self.arena, lambda size: 1, once=True)
        self.rows = [*before, *self.rows, *after]
        results = RESULTS + RESULTS_OF_EACH * network.several_outputs
        self.place(results=self.arena.take(results * batch * WORD // self.arena.dtype.itemsize))


def forms_of(network):
    """Return the words of a `FORM` for each input, and of those for each output."""
    graph, wiring, forms = network.graph, network.wiring, []
    for tensor in (*range(wiring.inputs), *wiring.outputs):
        shape, has_steps = network.shapes[tensor], is_ragged(network.shapes[tensor])
        sizes = shape[1:] if has_steps else shape
        form = FORM.new(features=math.prod(sizes), has_steps=has_steps, axes=len(sizes), factor=1.0)
        words_of(form)[FORM_SIZES:FORM_SIZES + len(sizes[:MOST_AXES])] = sizes[:MOST_AXES]
        if has_steps and tensor < wiring.inputs:
            form["least_steps"], form["tokens"] = max(1, graph.least_steps(tensor)), graph.tokens(tensor) or 0
        forms.append(form)
    for form, head, factor in zip(forms[wiring.inputs:], network.heads, network.loss_factors, strict=True):
        form["labels"], form["positions"], form["factor"] = WHOLE_NUMBERS[head.whole_numbers], head.count, factor
    return (np.concatenate([*map(words_of, own)]) for own in (forms[:wiring.inputs], forms[wiring.inputs:]))


def compiled_several(network, gradients, steps):
    """Return the model of a network of several inputs or outputs; steps: of its longest sequence, None without any."""
    dtype, ragged = network.dtype, any(map(is_ragged, network.shapes[:network.wiring.inputs]))
    if ragged and steps is None:
        raise ValueError(NO_STEPS)
    if steps is not None and not ragged:
        raise ValueError(f"steps is {steps}, and no input of this network has any number of steps; leave it out")
    if ragged:
        lengths = [np.array([steps]) if is_ragged(shape) else None for shape in network.shapes[:network.wiring.inputs]]
        try:
            network.graph.check_lengths(lengths if network.wiring.inputs > 1 else lengths[0])
        except ValueError as error:
            raise ValueError(f"steps is {steps}: {error}") from None
    one = ForwardSection(network, 1, steps)
    sections = {"one": one, "many": one if ragged else ForwardSection(network, forward_capacity(network, one))}
    inputs, outputs = forms_of(network)
    head = MODEL.new(layout=layout_of(dtype), inputs=SEVERAL_INPUTS, outputs=SEVERAL_INPUTS, most_steps=steps or 0,
                     size=network.vectors.parameters.size, input_count=network.wiring.inputs,
                     output_count=len(network.wiring.outputs), forward=embedded.several_forward_kernel.address(dtype))
    if gradients and not ragged:
        head["gradients"] = embedded.several_gradients_kernel.address(dtype)
        head["pullback"] = embedded.several_pullback_kernel.address(dtype)
        sections |= {"loss_few": LossSection(network, FEW), "loss_many": LossSection(network, LARGEST),
                     "pull_few": PullbackSection(network, FEW), "pull_many": PullbackSection(network, LARGEST)}
    parts = {"shape": np.array([-1 if size is None else size for size in network.shapes[0]], np.int64),
             **{name: section.words() for name, section in sections.items()},
             "input_forms": inputs, "output_forms": outputs}
    return model_of(network, head, parts)
