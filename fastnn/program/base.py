"""What all programs share: tensors in an arena, and the rows that take a batch through a network's layers."""

import math
from dataclasses import dataclass, replace

from ..kernels.activations import activations
from ..kernels.compiling.objects import address
from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.table import make_table
from ..kernels.layers.add import add_gradient_row
from ..runtime.memory import Arena
from ..runtime.threads import NUMBERS_PER_PART, parts
from .penalties import Penalties


@dataclass
class Tensor:
    """A stretch of the arena: (batch, *shape) numbers at `offset`, their gradient at `gradient` (None: not wanted).

    from_data: whether it is no stretch of the arena: the samples are read where they lie.
    adds: whether a layer that reads it is to add to its gradient, which a reader further down the table has written.
    """

    offset: int
    shape: tuple[int, ...]
    gradient: int | None = None
    from_data: bool = False
    adds: bool = False

    @property
    def features(self):
        """How many numbers a sample has."""
        return math.prod(self.shape)

    def reshaped(self, shape):
        """The same memory, and gradient, in another shape."""
        return replace(self, shape=shape)


__all__ = ["Program", "Tensor", "address"]


class Program:
    """The rows that take a batch through a network's layers; subclasses add what comes before and after."""

    training = False  # whether a backward pass follows
    as_in_training = False  # whether layers behave as in training: dropping, normalizing by the batch
    keeps_state = False  # whether a step changes what layers remember: running statistics, random numbers

    def __init__(self, network, batch, threads):
        self.network, self.batch, self.threads = network, batch, threads
        self.dtype, self.offsets = network.dtype, network.vectors.parameters.offsets
        self.arena, self.rows, self.penalties = Arena(network.dtype), [], Penalties(network.dtype)
        self.outputs = []  # the tensor that each step gives
        self.gathered = self.brought = None  # the tensor of the batch; of samples that are read where they lie, in the arena
        self.unread = {}  # {where a gradient with several readers begins: how many of them are still to be lowered}
        self.used_again = False  # whether a later step has the parameters of the one that is being lowered
        self._scratch, self._scratch_size = None, 0

    def tensor(self, shape, gradient=None):
        """A new tensor of the arena; when training with a gradient, its own or the one given."""
        numbers = self.batch * math.prod(shape)
        if self.training and gradient is None:
            gradient = self.arena.take(numbers)
        return Tensor(self.arena.take(numbers), shape, gradient)

    def tensor_like(self, x):
        """A tensor of x's shape that shares x's gradient, or lack of one: for a layer that turns one into the other."""
        return Tensor(self.arena.take(self.batch * x.features), x.shape, x.gradient)

    def before_activation(self, shape):
        """A tensor that only the activation behind it reads, at once: without a backward pass all layers share one."""
        return self.tensor(shape) if self.training else Tensor(self.scratch(self.batch * math.prod(shape)), shape)

    def in_arena(self, x):
        """x in the arena: samples that are read where they lie are brought there, by a row of their own."""
        if not x.from_data:
            return x
        if self.brought is None:
            self.brought = self.tensor_like(x)
            self.emit(batches.gather_row(self.dtype, 1, x=self.brought.offset, in_features=x.features))
        return self.brought.reshaped(x.shape)

    def scratch(self, numbers):
        """A stretch that any row may use while it runs."""
        if numbers > self._scratch_size:
            self._scratch, self._scratch_size = self.arena.take(numbers), numbers
        return self._scratch

    def emit(self, row):
        if self.used_again:
            row["accumulate"] = 1
        self.rows.append(row)

    def emit_update(self, **matrix):
        """Parameters that training updates; of no concern to others."""

    def emit_last(self, row):
        """A row of what layers remember from step to step, for when nothing is left that could stop a step; likewise."""

    def emit_penalty(self, start, size, l1, l2):
        """Have the loss count so many parameters from number `start` on: l1 Σ |w| + l2 Σ w²."""
        if (l1 or l2) and not self.used_again:
            self.penalties.add(start, size, l1, l2)

    def parts(self, work, per_part):
        return parts(work, per_part, self.threads)

    def input_tensor(self):
        return Tensor(self.arena.take(self.batch * self.network.inputs), self.network.shapes[0])

    def is_gathered(self, x):
        """Whether a tensor is that of the batch, in whatever shape."""
        return self.gathered is not None and not x.from_data and x.offset == self.gathered.offset

    def lower_layers(self, x, on_logits):
        """Emit the layers and return the tensor of the outputs; with `on_logits` the last activation is left to the loss."""
        wiring = self.network.wiring
        output, = self.lower_steps(wiring.to_logits if on_logits else wiring, [x])
        return output

    def lower_steps(self, wiring, inputs):
        """Emit the rows of all steps for the tensors of the inputs; return the tensors of the outputs.

        The backward pass walks up the table. So where a tensor has several readers, the last in the table is the first to
        reach its gradient, and writes it; the others add. Likewise for parameters that several steps use.
        """
        tensors = [*inputs]
        for tensor, readers in zip(tensors, wiring.readers, strict=False):
            self.expect(tensor, readers)
        for step, used_again in zip(wiring.steps, wiring.used_again, strict=True):
            self.used_again = used_again
            given = [self.read(tensors[number], step.layer) for number in step.reads]
            activation = None if step.activation == "identity" else activations[step.activation]
            a = step.layer.lower(self, step.index, given if step.layer.joins else given[0], activation)
            self.expect(a, wiring.readers[len(tensors)])
            tensors.append(a)
        self.used_again = False
        self.outputs = tensors[len(inputs):]
        return [self.read(tensors[number]) for number in wiring.outputs]

    def expect(self, x, readers):
        """Note how many readers of a tensor are to come, if there are several: of its gradient, so views count with it."""
        if x.gradient is not None and (readers > 1 or x.gradient in self.unread):
            self.unread[x.gradient] = self.unread.get(x.gradient, 0) + readers

    def read(self, x, layer=None):
        """The tensor x as the next of its readers may use it. layer: None for the loss, which writes the gradient."""
        if x.gradient not in self.unread:
            return x
        self.unread[x.gradient] -= 1
        if self.unread[x.gradient] == 0 or (layer is not None and layer.is_view):
            return x
        return replace(x, adds=True) if layer is not None and layer.adds_gradient else self.branch(x)

    def branch(self, x):
        """The tensor x with a gradient of its own, which a row adds to that of x: for a reader that can only write it."""
        own = replace(x, gradient=self.arena.take(self.batch * x.features))
        self.emit(add_gradient_row(self.dtype, self.parts(self.batch * x.features, NUMBERS_PER_PART), dx=x.gradient,
                                   da=own.gradient, features=x.features))
        return own

    def make_table(self):
        """Put the rows into the memory where kernels find them."""
        self.table, self.rows = make_table(self.rows)
