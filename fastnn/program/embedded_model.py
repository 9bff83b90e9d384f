"""Lowering a network to a `Model`: a table that compiled code walks without Python, from any number of threads."""

import numpy as np

from ..kernels.compiling.objects import WORD
from ..kernels.embedded import walk as embedded
from ..kernels.embedded.model import Model, layout_of
from ..kernels.embedded.walk import FEW, LARGEST, MODEL, SECTION, STACK_BYTES
from ..kernels.interpreter.table import RESULTS, make_table
from . import SMALLEST_CHUNK, ForwardProgram, Program
from .criterion import Criterion

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
        table = make_table(self.rows)
        self.head["operations"], self.head["bytes"] = len(self.rows), self.arena.size * self.arena.dtype.itemsize + ALIGNMENT
        return np.concatenate([words_of(self.head), words_of(table)])


def words_of(array):
    """Return the memory of an array as integers."""
    return array.reshape(-1).view(np.int64)


class ForwardSection(Section):
    def lower(self):
        x = self.input_tensor()
        a = self.lower_layers(x, on_logits=False)
        self.place(x=x.offset, a=a.offset)


class PullbackSection(Section):
    training = True

    def lower(self):
        x = self.tensor(self.network.shapes[0])
        a = self.lower_layers(x, on_logits=False)
        spare = self.arena.take(self.network.vectors.parameters.size)
        self.place(x=x.offset, dx=x.gradient, da=a.gradient, spare_gradients=spare)


class LossSection(Section):
    """The loss and its gradients; its rows include the penalties on the weights."""

    training = True

    def lower(self):
        x, criterion = self.input_tensor(), Criterion(self)
        criterion.emit_loss(self.lower_layers(x, on_logits=self.network.objective.on_logits))
        before, after = self.penalties.rows(self.arena, lambda size: 1, once=True)
        self.rows = [*before, *self.rows, *after]
        results = self.arena.take(RESULTS * self.batch * WORD // self.arena.dtype.itemsize)
        self.place(x=x.offset, targets=criterion.targets, weights=criterion.weights, results=results)
        self.head["positions"] = self.network.objective.head.count


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


def typeof_network(network, context):
    """Called by Numba when compiled code is given a network."""
    raise ValueError("compiled code cannot work with a Network; give the function network.compiled() as an argument, and "
                     "call fastnn.jit.forward or its like there")


def compiled(network, gradients):
    """Return the model of a network, see `Network.compiled`."""
    if network.has_several:
        raise ValueError("compiled code takes networks of one input and one output, and this one has several; make a "
                         "network of a part, or give it one input that is sliced: x[:4], x[4:]")
    if network.is_ragged:
        raise ValueError(f"this network takes sequences of any length, inputs={network.shapes[0]}, and compiled code "
                         "samples of one shape; make the network again with a number of steps instead of None, and copy the "
                         "parameters")
    one = ForwardSection(network, 1)
    sections = {"one": one, "many": ForwardSection(network, forward_capacity(network, one))}
    head = MODEL.new(layout=layout_of(network.dtype), inputs=network.inputs, outputs=network.outputs,
                     size=network.vectors.parameters.size, labels=WHOLE_NUMBERS[network.objective.head.whole_numbers],
                     forward_row=embedded.forward_row_kernel.address(network.dtype),
                     forward=embedded.forward_kernel.address(network.dtype))
    if gradients:
        head["gradients"] = embedded.gradients_kernel.address(network.dtype)
        head["pullback"] = embedded.pullback_kernel.address(network.dtype)
        sections |= {"loss_few": LossSection(network, FEW), "loss_many": LossSection(network, LARGEST),
                     "pull_few": PullbackSection(network, FEW), "pull_many": PullbackSection(network, LARGEST)}
    shape = np.array(network.shapes[0], np.int64)
    head["shape"] = MODEL.bytes // WORD
    words, end = [section.words() for section in sections.values()], head["shape"] + shape.size
    for name, section in zip(sections, words, strict=True):
        head[name], end = end, end + len(section)
    # the rows contain the address of the state
    parameters, state = network.vectors.parameters, network.vectors.state
    table = np.asarray(Keeper(np.concatenate([words_of(head), shape, *words]), state))
    return Model(table.reshape([1] * (shape.size - 1) + [-1]), parameters.flat, state.flat)
