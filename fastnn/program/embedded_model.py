"""Lowering a network to a `Model`: a table that compiled code walks without Python, from any number of threads."""

import numpy as np

from ..kernels.compiling.objects import WORD
from ..kernels.embedded import walk as embedded
from ..kernels.embedded.model import layout_of
from ..kernels.embedded.steps import FIRST, reset_kernel, steps_kernel
from ..kernels.embedded.walk import FEW, LARGEST, MODEL, SECTION
from ..kernels.interpreter.table import RESULTS
from .criterion import Criterion
from .embedded_section import WHOLE_NUMBERS, Section, forward_capacity, model_of, words_of
from .embedded_several import compiled_several
from .step import StepProgram


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


def typeof_network(network, context):
    """Called by Numba when compiled code is given a network."""
    raise ValueError("compiled code cannot work with a Network; give the function network.compiled() as an argument, and "
                     "call fastnn.jit.forward or its like there")


def compiled(network, gradients, steps=None):
    """Return the model of a network, see `Network.compiled`."""
    if network.has_several or (network.is_ragged and steps is not None):
        return compiled_several(network, gradients, steps)
    if steps is not None:
        raise ValueError(f"steps is {steps}; it is for networks with an input of any number of steps: leave it out")
    if network.is_ragged:
        return compiled_steps(network)
    if gradients and network.objective.head.taken != network.objective.head.outputs:
        raise ValueError(f"gradients in compiled code take a target for each output, and the loss {network.loss!r} has two "
                         "outputs for each; give net.compiled(gradients=False)")
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
    return model_of(network, head, {"shape": shape, **{name: section.words() for name, section in sections.items()}})


class StepSection(StepProgram):
    """The rows of a network for one step of one sequence."""

    place, words = Section.place, Section.words

    def __init__(self, network):
        super().__init__(network, streams=1)
        self.head = SECTION.new(capacity=1)
        self.place(x=self.x.offset, a=self.a.offset, kept=self.begin)

    def firsts(self):
        """Return the records of the state before the first step."""
        found = []
        for _, size, first in self.kept.values():
            is_number = np.isscalar(first)
            parameter = -1 if is_number else self.offsets[f"{first[0]}.{first[1]}"] + first[2]
            found.append(FIRST.new(size=size, parameter=parameter, value=first if is_number else 0))
        return np.concatenate([words_of(each) for each in found] or [np.empty(0, np.int64)])


def compiled_steps(network):
    """Return the model of a network that takes sequences of any length: it is fed step by step."""
    try:
        section = StepSection(network)
    except ValueError as error:
        raise ValueError(f"{error}. For whole sequences in compiled code give the largest number of steps, as in "
                         "network.compiled(steps=100), and call fastnn.jit.forward_sequence(model, (x,), (out,))") from None
    head = MODEL.new(layout=layout_of(network.dtype), inputs=-1, outputs=network.outputs, step_inputs=network.inputs,
                     size=network.vectors.parameters.size, tokens=network.tokens or 0, kept=section.size,
                     firsts=len(section.kept), steps=steps_kernel.address(network.dtype),
                     reset=reset_kernel.address(network.dtype))
    shape = np.array([-1 if size is None else size for size in network.shapes[0]], np.int64)
    return model_of(network, head, {"shape": shape, "one": section.words(), "first": section.firsts()})
