"""The program of a search for likely sequences, see `kernels.interpreter.decoding`.

A network is given the tokens chosen so far. What does not depend on them, such as an encoder, is computed once. Where every
layer behind them computes step by step from what it kept, a step computes the last token only; the numbers are those of the
whole sequence, to the bit. Otherwise a step computes all tokens so far again.
"""

from dataclasses import replace

import numpy as np

from ..architecture.wiring import Step
from ..kernels.interpreter import decoding as kernels
from ..kernels.interpreter.axes import measure_row
from ..kernels.interpreter.several import gather_input_row
from ..layers import is_ragged
from ..layers.recurrence.recurrent import Recurrent
from ..layers.sequences.embedding import Embedding
from ..runtime.threads import launch
from ..samples.several import enter_inputs
from .base import Program, Tensor, address

MOST_HYPOTHESES = 32  # of a chunk


def fed_input(network):
    """Return the number of the input whose steps are those of the output: which gets the tokens chosen so far."""
    wiring, tensor = network.wiring, network.wiring.outputs[0]
    while tensor >= wiring.inputs:
        tensor = wiring.steps[tensor - wiring.inputs].reads[0]
    return tensor


def dependent_tensors(wiring, tensor):
    """Return the set of tensors that depend on one."""
    found = {tensor}
    for number, step in enumerate(wiring.steps, wiring.inputs):
        if found & {*step.reads}:
            found.add(number)
    return found


def steps_behind(network, dependent):
    """Return the steps whose outputs depend on the tokens chosen so far."""
    wiring = network.wiring
    return [step for number, step in enumerate(wiring.steps, wiring.inputs) if number in dependent]


def needs_one_step(network, step, dependent):
    """Return whether a step, at a token, needs nothing but what is computed there and what it kept."""
    layer, shapes, further = step.layer, network.shapes, {*step.reads[1:]} & dependent
    if isinstance(layer, Recurrent):
        return layer.return_sequences and not layer.reverse and step.reads[0] in dependent and not further
    given = tuple(shapes[tensor] for tensor in step.reads) if layer.joins else shapes[step.reads[0]]
    if isinstance(layer, Embedding) or not layer.works_over_time(given):
        return True
    # attention of the steps to a sequence that does not depend on them
    return layer.joins and len(step.reads) > 1 and step.reads[0] in dependent and not further


def looking_ahead(network):
    """Return a layer whose outputs at a token depend on later tokens, which are not written yet then, or None."""
    dependent = dependent_tensors(network.wiring, fed_input(network))
    for step in steps_behind(network, dependent):
        causal = getattr(step.layer, "causal", False) or getattr(step.layer, "padding", None) == "causal"
        if not causal and not needs_one_step(network, step, dependent):
            return step.layer
    return None


class Search:
    """The memory of a search of `capacity` hypotheses, `width` of a sentence, of at most `most` tokens."""

    def __init__(self, capacity, width, most):
        sentences = capacity // width
        self.control, self.totals = np.zeros(2, np.int64), np.zeros(capacity)
        self.alive, self.parents = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
        self.tokens = np.zeros((2, capacity, most), np.int64)
        self.best, self.chosen = np.zeros(width), np.zeros((2, width), np.int64)
        self.found_counts = np.zeros(sentences, np.int64)
        self.found_scores, self.found_totals = np.zeros((sentences, width)), np.zeros((sentences, width))
        self.found_lengths = np.zeros((sentences, width), np.int64)
        self.found_tokens = np.zeros((sentences, width, most), np.int64)

    def addresses(self):
        return {name: address(array) for name, array in vars(self).items()}


class DecodingProgram(Program):
    """Search for likely sequences; used again by one Python thread at a time.

    Parameters
    ----------
    network : Network
        With an output of probabilities at each step, and further inputs than the one of these steps.
    sentences, width : int
        The largest number of samples of a chunk, and of hypotheses for each.
    most : int
        The largest number of tokens of a result.
    boundary : int
    largest_batch : tuple
        As `Inputs.largest_batches` returns it, for sentences · width samples.
    power : float
    """

    def __init__(self, network, sentences, width, most, boundary, largest_batch, power):
        super().__init__(network, sentences * width, threads=1)
        self.sentences, self.width, self.fed = sentences, width, fed_input(network)
        self.largest_batch, self.moved, self.states = largest_batch, [], []
        wiring = network.wiring
        self.dependent = dependent_tensors(wiring, self.fed)
        self.whole = not all(self.goes_step_by_step(step) for step in steps_behind(network, self.dependent))
        self.tensors = {}
        longest = most if self.whole else 1
        for step in steps_behind(network, self.dependent):
            limit = step.layer.most_steps(network.shapes[step.reads[0]])
            if limit is not None and most > limit:
                raise ValueError(f"most is {most}, and {step.layer!r} takes at most {limit} steps; give most={limit}")
        axis = self.new_axis(self.samples * longest, longest)
        self.emit(measure_row(self.dtype, axis=axis.place, steps=1))
        for number in range(wiring.inputs):
            self.tensors[number] = self.given_tensor(number, axis)
        self.lower_all(dependent=False)
        self.to_samples()
        first, self.rows = self.rows, []
        self.lower_all(dependent=True)
        self.to_samples()
        a = self.tensors[wiring.outputs[0]]
        self.search = Search(self.samples, width, most)
        self.state_words = np.array(self.states, np.int64).reshape(-1, kernels.STATE)
        begin, choose = kernels.decoding_rows(
            self.dtype, axis=axis.place, x=self.tensors[self.fed].offset, scores=a.offset, classes=a.features, width=width,
            capacity=self.samples, boundary=boundary, most=most, whole=self.whole, states=address(self.state_words),
            state_count=len(self.states), power=power, **self.search.addresses())
        first += [*self.moved, begin]
        step_rows = [*self.rows, choose]
        self.rows = first + step_rows
        self.make_table()
        self.memory = self.arena.allocate()
        self.order = np.zeros(self.samples, np.int64)
        self.frame = kernels.DECODE.new(table=address(self.table), first_rows=len(first), step_rows=len(step_rows),
                                        control=address(self.search.control))
        call = self.frame["call"]
        call["parameters"], call["arena"] = address(network.vectors.parameters.flat), address(self.memory)
        call["order"], call["samples"] = address(self.order), self.samples
        self.network = None  # a program that the network keeps must not keep the network

    def goes_step_by_step(self, step):
        """Return whether a step of the network needs nothing of a sequence but the step at hand and what it kept."""
        return needs_one_step(self.network, step, self.dependent)

    def given_tensor(self, number, axis):
        """Return the tensor of an input, after the rows that gather it."""
        shape, program_axis = self.network.shapes[number], None
        if number == self.fed:
            return Tensor(self.arena.take(axis.rows), shape[1:], axis=axis)
        if is_ragged(shape):
            shape, program_axis = shape[1:], self.new_axis(*self.largest_batch[number])
        x = Tensor(0, shape, axis=program_axis)
        x.offset = self.arena.take((self.samples if program_axis is None else program_axis.rows) * x.features)
        if program_axis is None:
            self.emit(gather_input_row(self.dtype, 1, x=x.offset, source=number, features=x.features))
        else:
            self.emit_steps(x, source=number)
        return x

    def to_samples(self):
        """Let rows that follow begin with rows that are samples, however often they run."""
        if self.emitted_axis is not None:
            self.go_to_axis()

    def lower_all(self, dependent):
        """Emit the rows of the steps that depend on the tokens chosen so far, or of the others."""
        wiring = self.network.wiring
        for number, step in enumerate(wiring.steps, wiring.inputs):
            if (number in self.dependent) != dependent:
                continue
            given = [self.tensors[tensor] for tensor in step.reads]
            if dependent and not self.whole and isinstance(step.layer, Recurrent):
                step, given = self.with_state(step, given)
                self.tensors[number] = self.lower_step(step, given)
                self.keep_state(step.layer)
            else:
                self.tensors[number] = self.lower_step(step, given)

    def with_state(self, step, given):
        """Return a step of a recurrent layer, and what it reads, with the state that it kept as its first one."""
        layer, size = step.layer, step.layer.state_size
        kept = self.arena.take(self.samples * size)
        origin = kernels.ZEROS, 0
        if len(given) > 1:
            with self.on(None):
                origin = kernels.TENSOR, self.in_arena(given[1]).offset
        elif layer.learned_state:
            origin = kernels.PARAMETER, self.offsets[f"{step.index}.initial_state"]
        self.states.append([kept, 0, 0, layer.out_features, layer.states - 1, *origin])
        plain = Step(step.index, replace(layer, learned_state=False), step.reads, step.activation)
        return plain, [given[0], Tensor(kept, (size,))]

    def keep_state(self, layer):
        """Record where the row emitted last leaves its state; the row before it, which packs weights, runs once."""
        row = self.emitted_last
        self.states[-1][kernels.AFTER], self.states[-1][kernels.AFTER_CELLS] = int(row["carry"]), int(row["carry_cells"])
        self.moved.append(self.rows.pop(-2))

    def find_best(self, X):
        """Return for each sample of X its results, the best first: a list of (tokens, log-likelihood)."""
        self.sources = enter_inputs(self.frame["call"], X)
        lengths = next((own for number, own in enumerate(X.lengths) if own is not None and number != self.fed), None)
        by_length = np.arange(len(X)) if lengths is None else np.argsort(lengths, kind="stable")
        found = [None] * len(X)
        for first in range(0, len(X), self.sentences):
            numbers = by_length[first:first + self.sentences]
            count = len(numbers) * self.width
            self.order[:count] = np.repeat(numbers, self.width)
            self.frame["call"]["batch"] = count
            launch(kernels.decode_kernel, self.frame, 1, 0)
            for place, number in enumerate(numbers):
                found[number] = self.results_of(place)
        return found

    def results_of(self, place):
        search = self.search
        return [(search.found_tokens[place, k, :search.found_lengths[place, k]].copy(), float(search.found_totals[place, k]))
                for k in range(search.found_counts[place])]


def rounded_up(number):
    return 1 << (number - 1).bit_length()


def plan_of(network, X, width, most, boundary, power):
    """Return the arguments of a program that searches for X; few different ones, since programs are kept."""
    sentences = min(max(1, MOST_HYPOTHESES // width), rounded_up(len(X)))
    fed, largest = fed_input(network), []
    for number, batch in enumerate(X.largest_batches(sentences)):
        if batch is None or number == fed:
            largest.append(None)
        else:
            steps, longest = max(batch[0], 1), max(batch[1], 1)
            largest.append((rounded_up(max(steps, longest)) * width, rounded_up(longest)))
    return sentences, width, most, boundary, tuple(largest), power
