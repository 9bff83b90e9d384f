"""Lowering a network to a `Model`: the table that compiled code walks without Python, several threads at a time."""

import numpy as np

from .kernels import embedded
from .kernels.criterion import loss_row
from .kernels.embedded import FEW, HEAD, LARGEST, SECTION, STACK_BYTES
from .kernels.model import Model, layout_of
from .kernels.objects import WORD
from .kernels.penalty import STRENGTHS, SUMS
from .kernels.table import COLUMNS
from .program import SMALLEST_CHUNK, ForwardProgram, Program, address

ALIGNMENT = 64
# what whole numbers as targets are, by the word of the network's head
WHOLE_NUMBERS = {None: embedded.NO_LABELS, "values": embedded.VALUES, "classes": embedded.CLASSES}


class Section(Program):
    """The rows of a network for up to so many samples, and where in the memory of a call everything lies."""

    def __init__(self, network, capacity):
        super().__init__(network, capacity, threads=1)
        self.places, self.relocations, self.extra = {}, [], np.zeros(0, np.int64)
        self.lower()
        self.end = -(-self.arena.size * self.arena.dtype.itemsize // WORD) * WORD  # of what is planned so far, in bytes

    def place(self, **offsets):
        """Note where something lies in the arena."""
        item = self.arena.dtype.itemsize
        self.places |= {getattr(embedded, name): item * offset for name, offset in offsets.items()}

    def take_words(self, count):
        """So many words behind the arena; returns at which byte they begin."""
        start, self.end = self.end, self.end + WORD * count
        return start

    def words(self):
        """The section as an array."""
        head, rows = np.zeros(SECTION, np.int64), np.array(self.rows, np.int64).reshape(-1)
        relocations = np.array(self.relocations, np.int64).reshape(-1)
        for place, offset in self.places.items():
            head[place] = offset
        head[embedded.OPERATIONS], head[embedded.CAPACITY] = len(self.rows), self.batch
        head[embedded.RELOCATED], head[embedded.BYTES] = len(self.relocations), self.end + ALIGNMENT
        return np.concatenate([head, rows, relocations, self.extra])


class ForwardSection(Section):
    def lower(self):
        x = self.input_tensor()
        a = self.lower_layers(x, on_logits=False)
        self.place(X=x.offset, A=a.offset)


class PullbackSection(Section):
    training = True

    def lower(self):
        x = self.tensor(self.network.inputs)
        a = self.lower_layers(x, on_logits=False)
        self.place(X=x.offset, DX=x.gradient, DA=a.gradient, SPARE=self.arena.take(self.network.vectors.parameters.size))


class LossSection(Section):
    """The penalties on the weights are among the rows: what they cost is summed up in the memory of a call, their strengths
    lie behind the section."""

    training = True

    def lower(self):
        network, batch = self.network, self.batch
        x = self.input_tensor()
        targets, weights = self.arena.take(batch * network.outputs), self.arena.take(batch)
        scores = self.lower_layers(x, on_logits=network.objective.on_logits)
        gradient = self.arena.take(batch * network.outputs) if scores.gradient is None else scores.gradient
        self.emit(loss_row(self.dtype, 1, network.objective.training_loss, scores=scores.offset, targets=targets,
                           weights=weights, gradient=gradient, out_features=network.outputs))
        self.place(X=x.offset, TARGETS=targets, WEIGHTS=weights)

    def words(self):
        self.places[embedded.RESULTS] = self.take_words(3 * self.batch)
        before, after = self.penalties.rows(lambda size: 1, once=True)
        self.rows = [*before, *self.rows, *after]
        if before:
            sums, strengths = self.take_words(self.penalties.sums.size), SECTION + COLUMNS * len(self.rows)
            for number, row in enumerate(self.rows):
                word = number * COLUMNS
                if number < len(before) or number == len(self.rows) - 1:
                    row[SUMS] += sums - address(self.penalties.sums)
                    self.relocations.append((word + SUMS, 0))
                if number < len(before):
                    self.relocations.append((word + STRENGTHS, 1))
            strengths += 2 * len(self.relocations)
            for number, row in enumerate(before):
                row[STRENGTHS] = WORD * (strengths + 2 * number)
            self.extra = np.concatenate(self.penalties.strengths).view(np.int64)
            self.places[embedded.SPARE] = self.take_words(COLUMNS * len(self.rows))
        return super().words()


def forward_capacity(network, one):
    """How many samples to send through at once: what the stack has room for, but enough for products to be fast.

    one: the section for one sample.
    """
    per_sample = max(1, one.arena.size * one.arena.dtype.itemsize)
    fitting = (STACK_BYTES - 2 * ALIGNMENT) // per_sample
    return min(fitting, LARGEST) if fitting >= SMALLEST_CHUNK else ForwardProgram.plan(network, LARGEST, threads=1)[0]


class Keeper:
    """Memory that keeps something else alive: the array that NumPy makes of it does, and each view of that."""

    def __init__(self, array, kept):
        self.array, self.kept = array, kept
        self.__array_interface__ = array.__array_interface__


def typeof_network(network, context):
    """What Numba asks for where compiled code is given a network."""
    raise ValueError("compiled code cannot work with a Network; give the function network.compiled() as an argument, and "
                     "call fastnn.jit.forward or its like there")


def compiled(network, gradients):
    """The model of a network: `Network.compiled`."""
    one = ForwardSection(network, 1)
    sections = {embedded.ONE: one, embedded.MANY: ForwardSection(network, forward_capacity(network, one))}
    head = np.zeros(HEAD, np.int64)
    head[embedded.LAYOUT] = layout_of(network.dtype)
    head[embedded.INPUTS], head[embedded.OUTPUTS] = network.inputs, network.outputs
    head[embedded.SIZE] = network.vectors.parameters.size
    head[embedded.LABELS] = WHOLE_NUMBERS[network.objective.head.whole_numbers]
    head[embedded.FORWARD_ROW] = embedded.forward_row_kernel.address(network.dtype)
    head[embedded.FORWARD] = embedded.forward_kernel.address(network.dtype)
    if gradients:
        head[embedded.GRADIENTS] = embedded.gradients_kernel.address(network.dtype)
        head[embedded.PULLBACK] = embedded.pullback_kernel.address(network.dtype)
        sections |= {embedded.LOSS_FEW: LossSection(network, FEW), embedded.LOSS: LossSection(network, LARGEST),
                     embedded.PULL_FEW: PullbackSection(network, FEW), embedded.PULL: PullbackSection(network, LARGEST)}
    table = [head]
    for place, section in sections.items():
        head[place] = sum(map(len, table))
        table.append(section.words())
    parameters, state = network.vectors.parameters, network.vectors.state
    # rows hold the address of the state
    return Model(np.asarray(Keeper(np.concatenate(table), state)), parameters.flat, state.flat)
