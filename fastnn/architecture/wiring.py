"""The graph of a network: its steps, and the tensors that they read."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..layers import Layer, applied_activations


class Step(NamedTuple):
    """One use of a layer.

    Attributes
    ----------
    index : int
        The index of the layer's parameters, state and random words. Steps with the same index share them; each draws
        random numbers of its own.
    layer : Layer
    reads : tuple of int
        The indices of the tensors that it reads. The network's inputs come first, then the output of each step.
    activation : str
        The name of the activation that its rows compute.
    """

    index: int
    layer: Layer
    reads: tuple
    activation: str = "identity"

    def with_activation(self, name):
        """Return the same use whose rows compute another activation."""
        return self._replace(activation=name)

    def with_reads(self, reads):
        """Return the same use that reads other tensors."""
        return self._replace(reads=reads)


@dataclass(frozen=True)
class Wiring:
    """The steps of a network, each after those whose outputs it reads.

    Attributes
    ----------
    inputs : int
        The number of input tensors.
    steps : tuple of Step
    outputs : tuple of int
        The indices of the tensors that are the network's outputs.
    """

    inputs: int
    steps: tuple
    outputs: tuple

    def __post_init__(self):
        tensors = self.inputs + len(self.steps)
        for number, step in enumerate(self.steps, self.inputs):
            if min(step.reads, default=0) < 0 or max(step.reads, default=-1) >= number:
                raise ValueError(f"step {number - self.inputs}, {step.layer!r}, reads tensors {step.reads}; it can read "
                                 f"those from 0 to {number - 1}, which stand before it")
        if not all(0 <= tensor < tensors for tensor in self.outputs):
            raise ValueError(f"outputs are the tensors {self.outputs}; the last one is number {tensors - 1}")
        if 0 in self.readers:
            number = self.readers.index(0)
            what = f"input {number}" if number < self.inputs else f"the output of {self.steps[number - self.inputs].layer!r}"
            raise ValueError(f"nothing reads {what}, tensor {number}; leave it out, or make it an output")

    @classmethod
    def of_nodes(cls, inputs, steps, outputs, readers):
        """Return the wiring of steps that are known to be in order; it is fast to make."""
        wiring = cls.__new__(cls)
        wiring.__dict__.update(inputs=inputs, steps=steps, outputs=outputs, readers=readers)
        return wiring

    @cached_property
    def readers(self):
        """The number of readers of each tensor. The loss is a reader of the outputs."""
        counts = [0] * (self.inputs + len(self.steps))
        for read in (self.outputs, *[step.reads for step in self.steps]):
            for tensor in read:
                counts[tensor] += 1
        return counts

    @cached_property
    def has_several_readers(self):
        """Whether any tensor has several readers."""
        return max(self.readers) > 1

    @cached_property
    def used_again(self):
        """For each step, whether a later one has the same index."""
        last = {step.index: number for number, step in enumerate(self.steps)}
        return [last[step.index] > number for number, step in enumerate(self.steps)]

    @cached_property
    def to_logits(self):
        """The same wiring without the last activation before its only output, which the loss computes.

        No other step reads the output of that activation, because every other tensor leads to the output.
        """
        return self.without_activations([True])

    def without_activations(self, chosen):
        """Return the same wiring without the last activation before the chosen outputs, a bool for each."""
        steps = [*self.steps]
        for number, without in zip(self.outputs, chosen, strict=True):
            if not without:
                continue
            while self.steps[number - self.inputs].activation == "identity":
                number, = self.steps[number - self.inputs].reads
            steps[number - self.inputs] = steps[number - self.inputs].with_activation("identity")
        return self.with_steps(tuple(steps))

    def is_read_once(self, tensor):
        """Return whether only one reader has an output, and everything back to the last activation before it."""
        while tensor >= self.inputs and self.readers[tensor] == 1:
            step = self.steps[tensor - self.inputs]
            if step.activation != "identity" or len(step.reads) != 1:
                return True
            tensor, = step.reads
        return False

    def computing_step(self, tensor):
        """Return the step that computes a tensor: its result, in any shape, is the tensor."""
        step = self.steps[tensor - self.inputs]
        while step.layer.is_view and step.reads[0] >= self.inputs:
            step = self.steps[step.reads[0] - self.inputs]
        return step

    def with_steps(self, steps):
        """Return the same wiring with other steps, which read the same tensors."""
        return Wiring(self.inputs, steps, self.outputs)


class Chain(Wiring):
    """The wiring of layers that each read the output of the one before. Every network has one, so it is fast to make."""

    has_several_readers = False

    def __init__(self, layers):
        count = len(layers)
        self.enter(tuple(map(Step, range(count), layers, [(index,) for index in range(count)], applied_activations(layers))))

    def enter(self, steps):
        count = len(steps)
        self.__dict__.update(inputs=1, steps=steps, outputs=(count,), readers=[1] * (1 + count), used_again=[False] * count)

    def with_steps(self, steps):
        chain = Chain.__new__(Chain)
        chain.enter(steps)
        return chain
