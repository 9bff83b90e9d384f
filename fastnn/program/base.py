"""The common part of all programs: tensors in an arena, and the rows of a network's layers."""

import math
from dataclasses import dataclass, replace

from ..kernels.activations import activations
from ..kernels.compiling.objects import address
from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.table import make_table
from ..kernels.layers.joins.add import add_gradient_row
from ..kernels.layers.randomness.dropout import GAMMA
from ..layers.base import Layer
from ..layers.ragged import is_ragged
from ..runtime.memory import Arena
from ..runtime.threads import NUMBERS_PER_PART, parts
from .axes import Axis, Rows
from .penalties import Penalties


@dataclass
class Tensor:
    """An array in the arena: (batch, *shape) elements at `offset`, their gradient at `gradient` (None if not needed).

    axis: what its rows are; None for samples, and then shape is that of a sample. Otherwise shape is that of a step.
    from_data: whether the samples are read from the data instead of the arena.
    adds: whether a layer that reads it adds to its gradient, which a reader later in the table has written.
    """

    offset: int
    shape: tuple[int, ...]
    gradient: int | None = None
    from_data: bool = False
    adds: bool = False
    axis: Axis | None = None

    @property
    def features(self):
        """The number of elements of a row."""
        return math.prod(self.shape)

    def reshaped(self, shape):
        """Return the same memory, and gradient, in another shape."""
        return replace(self, shape=shape)


__all__ = ["Program", "Tensor", "address"]


def check_axes(layer, given):
    """Refuse to join sequences whose numbers of steps may differ."""
    if any(x.axis is not given[0].axis for x in given):
        raise ValueError(f"{layer!r} joins sequences that may have different numbers of steps; join what layers make "
                         "of the same sequences, step by step")


class Program(Rows):
    """The rows of a network's layers for a batch; subclasses add the rows before and after."""

    training = False  # whether a backward pass follows
    as_in_training = False  # whether layers behave as in training: dropout, normalization by the batch
    at_rest = frozenset()  # numbers of layers that behave as in prediction although others train
    largest_batch = None  # of sequences: (steps of the largest batch, steps of the longest sequence)
    keeps_outputs = False  # whether the outputs of all steps are read afterwards
    carried = None  # the states that training by windows of series carries over
    keeps_state = False  # whether a step changes the state of layers: running statistics, random numbers
    emitted_last = None  # the row that was emitted last
    gathered = brought = None  # the tensor of the batch; the arena copy of samples that are read from the data
    used_again = False  # whether a later step has the parameters of the one that is being lowered
    _scratch, _scratch_size = None, 0

    def __init__(self, network, batch, threads):
        super().__init__(samples=batch)
        self.network, self.threads = network, threads
        self.dtype, self.offsets = network.dtype, network.vectors.parameters.offsets
        self.state = network.vectors.state.numbered  # as the offsets, by the number of the layer: "1.running_mean"
        self.arena, self.rows, self.penalties = Arena(network.dtype), [], Penalties(network.dtype)
        self.outputs = []  # the output tensor of each step
        self.readers_left = {}  # {offset of a gradient: readers of its tensors that are not lowered yet}
        self.lent = []  # offsets of memory borrowed for the current step
        self.unread = {}  # {offset of a gradient with several readers: number of readers that are not lowered yet}
        self.drawn = {}  # {layer: number of its uses so far that draw random numbers}

    def tensor(self, shape, gradient=None):
        """Return a new tensor in the arena; when training, with a gradient, its own or the given one."""
        numbers = self.batch * math.prod(shape)
        if self.training and gradient is None:
            gradient = self.arena.borrow(numbers)
        return Tensor(self.arena.take(numbers), shape, gradient, False, False, self.axis)

    def tensor_like(self, x):
        """Return a tensor of x's shape that shares x's gradient, or lack of one: for a layer that overwrites it."""
        return Tensor(self.arena.take(self.batch * x.features), x.shape, x.gradient, axis=self.axis)

    def around_activation(self, shape, activation):
        """Return the tensors z and a = g(z) of a layer that applies an activation, None for a = z.

        Only the activation reads z: without a backward pass all layers share one, and where the derivative needs only a,
        a replaces z in its memory.
        """
        if activation is None or (self.training and not activation.needs_z):
            a = self.tensor(shape)
            return a, a
        if self.training:
            z = self.tensor(shape)
            return z, self.tensor(shape, gradient=z.gradient)
        return Tensor(self.scratch(self.batch * math.prod(shape)), shape, axis=self.axis), self.tensor(shape)

    def borrow(self, numbers):
        """Return memory that only the backward phases of the rows of the current step use."""
        self.lent.append(self.arena.borrow(numbers))
        return self.lent[-1]

    def in_arena(self, x):
        """Return x in the arena; samples that are read from the data are copied there by a separate row."""
        if not x.from_data:
            return x
        if self.brought is None:
            self.brought = self.tensor_like(x)
            self.emit(batches.gather_row(self.dtype, 1, x=self.brought.offset, in_features=x.features))
        return self.brought.reshaped(x.shape)

    def scratch(self, numbers):
        """Return memory that any row may use while it runs."""
        if numbers > self._scratch_size:
            self._scratch, self._scratch_size = self.arena.take(numbers), numbers
        return self._scratch

    def emit(self, row):
        self.emitted_last = row
        if self.emitted_axis is not self.axis:
            self.go_to_axis()
        if self.used_again:
            row["accumulate"] = 1
        self.rows.append(row)

    def emit_update(self, **matrix):
        """Register parameters that training updates; other programs ignore this."""

    def list_of_used(self, index, size):
        """Return (address, begins) of the list of the rows of a parameter that a step uses, `size` integers.

        begins: whether this is the first use of the parameter in the table. The address is 0 where a program computes the
        gradients of all rows.
        """
        return 0, False

    def random_word(self, index):
        """Return (address, ahead) of a use of layer number `index`: it draws from the word at the address plus `ahead`.

        Each use in a step has a word of its own, since it advances the layer's word for the steps to come (`advance_row`).
        """
        uses = self.drawn.get(index, 0)
        self.drawn[index] = uses + 1
        return self.network.vectors.random_word(index), uses * GAMMA % 2**64

    def emit_last(self, row):
        """Emit a row that changes the state of a layer, after all checks that could stop a step; others ignore this."""

    def emit_penalty(self, start, size, l1, l2):
        """Add l1 Σ |w| + l2 Σ w² of `size` parameters from element `start` to the loss."""
        if (l1 or l2) and not self.used_again:
            self.penalties.add(start, size, l1, l2)

    def parts(self, work, per_part):
        return parts(work, per_part, self.threads)

    def input_tensor(self):
        """Return the tensor of the batch's samples, or of their steps, on an axis whose record the gather writes."""
        shape, axis = self.network.shapes[0], None
        if is_ragged(shape):
            shape, axis = shape[1:], self.new_axis(*self.largest_batch)
        rows = self.samples if axis is None else axis.rows
        return Tensor(self.arena.take(rows * self.network.inputs), shape, axis=axis)

    def is_gathered(self, x):
        """Return whether a tensor is the batch, in any shape."""
        return self.gathered is not None and not x.from_data and x.offset == self.gathered.offset

    def lower_layers(self, x, on_logits):
        """Emit the layers and return the tensor of the outputs; with `on_logits`, without the last activation."""
        wiring = self.network.wiring
        output, = self.lower_steps(wiring.to_logits if on_logits else wiring, [x])
        return output

    def lower_steps(self, wiring, inputs):
        """Emit the rows of all steps for the input tensors; return the output tensors.

        The backward pass goes from last row to first. So if a tensor has several readers, the last in the table reaches its
        gradient first and writes it, and the others add. The same holds for parameters that several steps use.

        A gradient is in use from the last reader of its tensors, where the backward pass writes it first, to the step that
        computes them. So as soon as all readers are lowered, steps further down the table can use its memory.
        """
        tensors, readers = [*inputs], wiring.readers
        shared = self.training and wiring.has_several_readers
        if self.training:
            self.readers_left = {}
            for tensor, count in zip(inputs, readers, strict=False):
                self.expect(tensor, count, shared)
        a, done = None, False
        for step, self.used_again in zip(wiring.steps, wiring.used_again, strict=True):
            given = [tensors[number] for number in step.reads]
            if not done:
                these = [self.read(x, step.layer) for x in given] if shared else given
                a = self.lower_two(wiring, step, len(tensors), these)
                done = a is not None
                if not done:
                    a = self.lower_step(step, these)
            else:  # with the step before
                done = False
            if self.training:
                self.expect(a, readers[len(tensors)], shared)
                self.give_back(given)
            tensors.append(a)
        self.used_again = False
        self.outputs = tensors[len(inputs):]
        return [self.read(tensors[number]) for number in wiring.outputs]

    def lower_two(self, wiring, step, tensor, given):
        """Emit the rows of a step and the next one, if they are computed together; return the next one's output, or None.

        tensor: the number of the step's output.
        """
        if type(step.layer).lower_with is Layer.lower_with or self.keeps_outputs or wiring.readers[tensor] > 1:
            return None
        number = tensor + 1 - wiring.inputs
        following = wiring.steps[number] if number < len(wiring.steps) else None
        if following is None or following.reads != (tensor,) or following.activation != "identity":
            return None
        x, = given
        activation = None if step.activation == "identity" else activations[step.activation]
        return step.layer.lower_with(following.layer, self, step.index, x, activation) if self.axis is x.axis else None

    def lower_step(self, step, given):
        """Emit the rows of one step for the tensors that it reads; return the tensor of its output."""
        layer, activation = step.layer, None if step.activation == "identity" else activations[step.activation]
        if len(given) > 1 and layer.joins and not layer.works_over_time(tuple(x.shape for x in given)):
            check_axes(layer, given)
        x = given if layer.joins or len(given) > 1 else given[0]
        if given[0].axis is self.axis and step.index not in self.at_rest:
            return self.lower_layer(step, x, activation)
        in_training = self.as_in_training, self.keeps_state
        if step.index in self.at_rest:
            self.as_in_training = self.keeps_state = False
        with self.on(given[0].axis):
            a = self.lower_layer(step, x, activation)
        self.as_in_training, self.keeps_state = in_training
        return a

    def lower_layer(self, step, x, activation):
        """Emit the rows of one step of the wiring for the tensor x, or a list of them; return the tensor of its output."""
        return step.layer.lower(self, step.index, x, activation)

    def expect(self, x, readers, shared):
        """Record the number of readers of a tensor by its gradient, so that those of a view count too.

        shared: whether any tensor has several readers, which have to add to its gradient.
        """
        gradient = x.gradient
        if gradient is None:
            return
        self.readers_left[gradient] = self.readers_left.get(gradient, 0) + readers
        if shared and (readers > 1 or gradient in self.unread):
            self.unread[gradient] = self.unread.get(gradient, 0) + readers

    def give_back(self, read):
        """Give back the memory that was borrowed for a step, and the gradients of the tensors that no later step reads."""
        for x in read:
            if x.gradient is not None:
                self.readers_left[x.gradient] -= 1
                if self.readers_left[x.gradient] == 0:
                    self.arena.give_back(x.gradient)
        if self.lent:
            for gradient in self.lent:
                if not self.readers_left.get(gradient):  # nor is it that of the step's output
                    self.arena.give_back(gradient)
            self.lent = []

    def read(self, x, layer=None):
        """Return the tensor x in the form for its next reader. layer: None for the loss, which writes the gradient."""
        if x.gradient not in self.unread:
            return x
        self.unread[x.gradient] -= 1
        if self.unread[x.gradient] == 0 or (layer is not None and layer.is_view):
            return x
        return replace(x, adds=True) if layer is not None and layer.adds_gradient else self.branch(x)

    def branch(self, x):
        """Return x with its own gradient, which a row adds to that of x: for a reader that can only write it."""
        with self.on(x.axis):
            own = replace(x, gradient=self.borrow(self.batch * x.features))
            self.emit(add_gradient_row(self.dtype, self.parts(self.batch * x.features, NUMBERS_PER_PART), dx=x.gradient,
                                       da=own.gradient, features=x.features))
        return own

    def make_table(self):
        """Copy the rows to the memory where kernels find them."""
        self.table = make_table(self.rows)
