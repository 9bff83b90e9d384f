"""Programs for one step of sequences, whose state stays in memory until the next step."""

import math

import numpy as np

from ..kernels.compiling.python_function import EMPTY, c_function, numpy_function, python_function
from ..kernels.interpreter.stream import STREAM, stream_kernel
from ..layers import is_ragged, row_shape
from .base import Program, Tensor, address

CALL_FLOPS = 2e7  # the work of a call for several steps, a few milliseconds: Ctrl-C waits for it


def kept_by_step(network):
    """Return for each step of the wiring what it keeps of a sequence, {name: (count of numbers, first value)}.

    Raise ValueError, with the repair, for networks that cannot be fed step by step.
    """
    if network.has_several:
        raise ValueError("networks of several inputs or outputs are not fed step by step; make a network of the part with "
                         "one of each")
    if not network.is_ragged:
        raise ValueError(f"this network takes samples of shape {network.shapes[0]}, not sequences of any length; make it "
                         "with inputs=(None, ...) and copy the parameters: copy_weights")
    found = []
    for step in network.wiring.steps:
        shapes = [network.shapes[tensor] for tensor in step.reads]
        try:
            found.append(step.layer.kept_between_steps(tuple(shapes) if step.layer.joins else shapes[0])
                         if any(map(is_ragged, shapes)) else {})
            if len(shapes) > 1 and not step.layer.joins:
                raise ValueError(f"other layers give the state of {step.layer!r} before the first step; make the network "
                                 "without initial_state, and write that state into stream.state")
        except ValueError as error:
            raise ValueError(f"layer {network.graph.names[step.index]!r} cannot be fed step by step: {error}") from None
    return found


def state_by_step(network):
    """Return for each step of the wiring what it keeps, as `kept_by_step`, by the name of the layer too: "0.h"."""
    found, uses = [], {}
    for step, own in zip(network.wiring.steps, kept_by_step(network), strict=True):
        uses[step.index] = use = uses.get(step.index, 0) + 1
        name = network.graph.names[step.index] + (f"({use})" if use > 1 else "")
        found.append({f"{name}.{key}": size for key, size in own.items()})
    return found


class StepProgram(Program):
    """The rows of a network for one step of each of `streams` sequences.

    Attributes
    ----------
    kept : dict of str to tuple
        Where its state is, by the name of the layer and of the state: (offset in the arena, numbers of a stream, first
        value). Each has the numbers of all streams, one stream after the other; together they are contiguous.
    begin, size : int
        Where they begin in the arena, and how many numbers of a stream they have.
    """

    def __init__(self, network, streams):
        kept = state_by_step(network)
        super().__init__(network, streams, threads=1)
        self.vectors = network.vectors
        self.size = sum(count for own in kept for count, _ in own.values())
        self.begin, end, self.kept, self.places = self.arena.take(streams * self.size), 0, {}, []
        for step, own in zip(network.wiring.steps, kept, strict=True):
            self.places.append({})
            for name, (count, first) in own.items():
                self.kept[name] = self.begin + streams * end, count, first if np.isscalar(first) else (step.index, *first)
                self.places[-1][name.rpartition(".")[2]] = self.kept[name][0]
                end += count
        self.lowered = 0  # how many steps of the wiring have been
        shape = row_shape(network.shapes[0])
        self.x = Tensor(self.arena.take(streams * network.inputs), shape)
        self.a = self.in_arena(self.lower_layers(self.x, on_logits=False))

    def lower_layer(self, step, x, activation):
        self.lowered += 1
        return step.layer.lower_step(self, step.index, x, activation, self.places[self.lowered - 1])

    def first_state(self):
        """Return the state of one stream before the first step, from the current parameters."""
        return np.concatenate([np.full(count, first, self.dtype) if np.isscalar(first) else self.learned(count, *first)
                               for _, count, first in self.kept.values()] or [np.empty(0, self.dtype)])

    def learned(self, count, index, name, place):
        return self.vectors.parameters.numbered[f"{index}.{name}"][place:place + count]


class StreamProgram(StepProgram):
    """A `StepProgram` with memory for its state, and functions for Python: `step`, and `steps` for several at a time.

    Both take an array of the network's dtype, or of int32 tokens, and return None for any other.
    """

    def __init__(self, network, streams, axis_of_streams):
        super().__init__(network, streams)
        self.make_table()
        self.memory = self.arena.allocate()
        self.most = max(1, int(CALL_FLOPS // (2 * streams * max(1, network.multiply_adds))))
        self.given_shape = (*(streams,) * axis_of_streams, *row_shape(network.shapes[0]))
        self.step = self.function(network, axis_of_streams, has_steps=False)
        self.steps = self.function(network, axis_of_streams, has_steps=True)
        self.network = None  # avoids a reference cycle

    def function(self, network, axis_of_streams, has_steps):
        """Return the function for one step, or for several."""
        dtype, item = np.dtype(self.dtype), self.memory.itemsize
        taken = np.dtype(np.int32) if network.tokens else dtype
        sizes = np.array(self.given_shape or (1,), np.int64)
        result = (*(self.samples,) * axis_of_streams, math.prod(row_shape(network.shapes[-1])))
        frame = STREAM.new(
            array_type=id(np.ndarray), x_dtype=id(taken), axes=len(self.given_shape) if has_steps else len(sizes),
            sizes=address(sizes), has_steps=has_steps, most=self.most, new_array=numpy_function(EMPTY),
            incref=c_function("Py_IncRef"), none=id(None), dtype=id(dtype), dimensions=len(result) + has_steps,
            table=address(self.table), operations=len(self.rows),
            x=self.bytes_of(self.x.offset), x_numbers=self.samples * network.inputs,
            x_bytes=self.samples * network.inputs * taken.itemsize, a=self.bytes_of(self.a.offset),
            a_bytes=self.samples * result[-1] * item, tokens=network.tokens or 0)
        frame["shape"] = (*(0,) * has_steps, *result, 0, 0)[:3]
        call = frame["call"]
        call["parameters"], call["arena"], call["batch"] = address(network.vectors.parameters.flat), address(self.memory), \
            self.samples
        return python_function(stream_kernel.address(self.dtype), (frame, sizes, taken, dtype, self.table, self.memory,
                                                                  network.vectors))

    def views_of_state(self):
        """Return views of the state by name, (streams, numbers)."""
        flat = self.memory.reshape(-1)
        return {name: flat[place:place + self.samples * count].reshape(self.samples, count)
                for name, (place, count, _) in self.kept.items()}

    def whole_state(self):
        """Return a view of all numbers of the state."""
        return self.memory.reshape(-1)[self.begin:self.begin + self.samples * self.size]
