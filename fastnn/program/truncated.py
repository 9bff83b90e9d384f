"""Training by windows of series: recurrent layers begin a window with the state after the one before."""

import math

import numpy as np

from ..checks import whole_number
from ..layers import is_ragged
from ..layers.recurrence.recurrent import Recurrent
from .base import address
from .training import TrainingProgram


class Carried:
    """The states that a fit carries from window to window.

    Attributes
    ----------
    memory : array
        The states of all recurrent layers, in the order of the steps of the network: (windows of a batch, state) of each.
    begins : array of int64
        Of each window, whether it begins its series.
    """

    def __init__(self, memory, begins):
        self.memory, self.begins, self.taken = memory, begins, 0

    def take(self, numbers):
        """Return the operands of the next layer, whose states have so many numbers."""
        first = self.taken
        self.taken += numbers
        return {"carried": address(self.memory[first:]), "begins": address(self.begins)}


class TruncatedProgram(TrainingProgram):
    """Truncated backpropagation through time: forward, loss, backward and update over windows of series."""

    def __init__(self, network, data, batch, threads, optimizer_state, order, carried):
        self.carried = carried
        super().__init__(network, data, batch, threads, optimizer_state, order)

    @property
    def kept_arrays(self):
        return (self.carried.memory,)


def window_steps(network, given):
    """Return the length of windows to train a network by, None for whole sequences.

    Raise ValueError if it cannot be trained by windows.
    """
    if given is None:
        return None
    given = whole_number("backprop_steps", given)
    carried_numbers(network)
    return given


def carried_numbers(network):
    """Return how many numbers of a series are carried. Raise ValueError for a network that cannot be trained by windows."""
    if network.has_several or not network.is_ragged or not network.gives_steps:
        raise ValueError("backprop_steps cuts sequences into windows; it is for networks of one input, inputs=(None, ...), "
                         "and one output, with a target at each step: give recurrent layers return_sequences=True, or leave "
                         "it out")
    if network.objective.head.kind == "label sequences":
        raise ValueError("backprop_steps cuts sequences into windows, and the loss 'ctc' is that of a whole sequence; leave "
                         "it out")
    total = 0
    for step in network.wiring.steps:
        shapes, layer = tuple(network.shapes[tensor] for tensor in step.reads), step.layer
        name = network.graph.names[step.index]
        if not any(map(is_ragged, shapes)) or goes_step_by_step(layer, shapes if layer.joins else shapes[0]):
            continue
        if not isinstance(layer, Recurrent):
            raise ValueError(f"layer {name!r}, {layer!r}, works on whole sequences, and would begin anew in each window; "
                             "leave backprop_steps out, or the layer")
        if layer.reverse:
            raise ValueError(f"layer {name!r}, {layer!r}, begins at the last step, and a window has nothing from behind its "
                             "end; leave backprop_steps out, or reverse and Bidirectional")
        if len(shapes) > 1:
            raise ValueError(f"other layers give the state of layer {name!r} before the first step; leave backprop_steps or "
                             "initial_state out")
        total += layer.state_size
    return total


def goes_step_by_step(layer, shape):
    """Return whether a step of its output depends on that step of its inputs alone."""
    try:
        return not layer.kept_between_steps(shape)
    except ValueError:
        return False


def carried_memory(network, batch):
    """Return memory for the states that a fit carries, for so many windows in a batch."""
    return np.zeros(math.prod((batch, carried_numbers(network))), network.dtype)
