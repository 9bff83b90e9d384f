"""The parts of a `Model` for compiled code: sections, which are rows with the layout of the memory of a call, and a head."""

import numpy as np

from ..kernels.compiling.objects import WORD
from ..kernels.embedded import walk as embedded
from ..kernels.embedded.memory import STACK_BYTES
from ..kernels.embedded.model import Model
from ..kernels.embedded.walk import LARGEST, MODEL, SECTION
from ..kernels.interpreter.table import bytes_of
from .base import Program
from .forward import SMALLEST_CHUNK, ForwardProgram

ALIGNMENT = 64
# the meaning of integer targets, by the value of the network's head
WHOLE_NUMBERS = {None: embedded.NO_LABELS, "values": embedded.VALUES, "classes": embedded.CLASSES}


class Section(Program):
    """The rows of a network for a largest number of samples, and the layout of the memory of a call."""

    def __init__(self, network, capacity):
        super().__init__(network, capacity, threads=1)
        self.head = SECTION.new(capacity=capacity)
        self.lower()

    def place(self, **offsets):
        """Record offsets in the arena."""
        for name, offset in offsets.items():
            self.head[name] = self.arena.dtype.itemsize * offset

    def words(self):
        """Return the section as an array."""
        self.head["operations"], self.head["bytes"] = len(self.rows), self.arena.size * self.arena.dtype.itemsize + ALIGNMENT
        return np.frombuffer(self.head.tobytes() + bytes_of(self.rows), np.int64)


def words_of(array):
    """Return the memory of an array as integers."""
    return array.reshape(-1).view(np.int64)


def forward_capacity(network, one):
    """Return the number of samples in a chunk: as many as fit on the stack, but enough for fast products.

    one: the section for one sample.
    """
    per_sample = max(1, one.arena.size * one.arena.dtype.itemsize)
    fitting = (STACK_BYTES - 2 * ALIGNMENT) // per_sample
    return min(fitting, LARGEST) if fitting >= SMALLEST_CHUNK else ForwardProgram.plan(network, LARGEST, threads=1)[0]


class Keeper:
    """Memory that keeps another object alive: NumPy's array of it, and all its views, refer to this."""

    def __init__(self, array, kept):
        self.array, self.kept = array, kept
        self.__array_interface__ = array.__array_interface__


def model_of(network, head, parts):
    """Return the model with a head and the words behind it, {field of the head that says where they begin: words}."""
    end = MODEL.bytes // WORD
    for name, words in parts.items():
        head[name], end = end, end + len(words)
    # the rows contain the address of the state
    parameters, state = network.vectors.parameters, network.vectors.state
    table = np.asarray(Keeper(np.concatenate([words_of(head), *parts.values()]), state))
    return Model(table.reshape([1] * (len(network.shapes[0]) - 1) + [-1]), parameters.flat, state.flat)
