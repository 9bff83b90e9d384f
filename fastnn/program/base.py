"""What all programs share: tensors in an arena, and the rows that take a batch through a network's layers."""

import math
from dataclasses import dataclass, replace

from ..kernels.activations import activations
from ..kernels.compiling.objects import address
from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.table import make_table
from ..layers import applied_activations
from ..runtime.memory import Arena
from ..runtime.threads import parts
from .penalties import Penalties


@dataclass
class Tensor:
    """A stretch of the arena: (batch, *shape) numbers at `offset`, their gradient at `gradient` (None: not wanted).

    from_data: whether it is no stretch of the arena: the samples are read where they lie.
    """

    offset: int
    shape: tuple[int, ...]
    gradient: int | None = None
    from_data: bool = False

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
        self.outputs = []  # the tensor that each layer gives
        self.gathered = None  # the tensor of the batch
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
        brought = self.tensor_like(x)
        self.emit(batches.gather_row(self.dtype, 1, x=brought.offset, in_features=x.features))
        return brought

    def scratch(self, numbers):
        """A stretch that any row may use while it runs."""
        if numbers > self._scratch_size:
            self._scratch, self._scratch_size = self.arena.take(numbers), numbers
        return self._scratch

    def emit(self, row):
        self.rows.append(row)

    def emit_update(self, **matrix):
        """Parameters that training updates; of no concern to others."""

    def emit_last(self, row):
        """A row of what layers remember from step to step, for when nothing is left that could stop a step; likewise."""

    def emit_penalty(self, start, size, l1, l2):
        """Have the loss count so many parameters from number `start` on: l1 Σ |w| + l2 Σ w²."""
        if l1 or l2:
            self.penalties.add(start, size, l1, l2)

    def parts(self, work, per_part):
        return parts(work, per_part, self.threads)

    def input_tensor(self):
        return Tensor(self.arena.take(self.batch * self.network.inputs), self.network.shapes[0])

    def is_gathered(self, x):
        """Whether a tensor is that of the batch, in whatever shape."""
        return self.gathered is not None and not x.from_data and x.offset == self.gathered.offset

    def lower_layers(self, x, on_logits):
        """Emit the layers; with `on_logits` the last activation is left to the loss."""
        layers = self.network.layers
        applied = applied_activations(layers)
        if on_logits:
            applied[max(index for index, name in enumerate(applied) if name != "identity")] = "identity"
        for index, (layer, name) in enumerate(zip(layers, applied, strict=True)):
            x = layer.lower(self, index, x, None if name == "identity" else activations[name])
            self.outputs.append(x)
        return x

    def make_table(self):
        """Put the rows into the memory where kernels find them."""
        self.table, self.rows = make_table(self.rows)
