"""The weights with which layers of attention average the steps of samples.

The kernel of attention keeps no weights. So a program for one sample emits the row of each layer once more for each head,
with the identity in the place of the values: the mean of its rows is the row of weights itself, to the bit.
"""

import numpy as np

from ..checks import shown
from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.axes import OFFSETS
from ..kernels.layers.attention.attention import ATTENTION
from ..layers import is_ragged
from ..program import ForwardProgram
from ..program.several import input_tensors
from ..samples.checked_data import enter_samples
from ..samples.data import samples_of
from ..samples.several import Inputs, enter_inputs
from .describing import tensor_names


class AttentionWeights(ForwardProgram):
    """A forward pass of one sample that also writes the weights of each layer of attention.

    largest_batch: (steps, steps) of the longest sequence, or a tuple of those of each input, None for inputs of one shape.
    """

    def __init__(self, network, largest_batch):
        super().__init__(network, 1, workers=1)
        self.largest_batch, self.axes, self.lowered = largest_batch, {}, 0
        self.identities = {}  # {steps: offset of the identity}
        self.found_at = {}  # {number of a step of the wiring: [(row, offset of the weights) of each head]}
        if network.has_several:
            given = input_tensors(self)
        else:
            given = [self.input_tensor()]
            with self.on(None):
                if network.is_ragged:
                    self.emit_steps(given[0])
                else:
                    self.emit(batches.gather_row(self.dtype, 1, x=given[0].offset, in_features=given[0].features))
        self.lower_steps(network.wiring, given)
        self.finish()
        for steps, place in self.identities.items():
            self.memory.reshape(-1)[place:place + steps * steps] = np.eye(steps, dtype=self.dtype).reshape(-1)

    def new_axis(self, rows, longest):
        axis = super().new_axis(rows, longest)
        self.axes[axis.place] = axis
        return axis

    def lower_step(self, step, given):
        a = super().lower_step(step, given)
        self.lowered += 1
        return a

    def emit(self, row):
        super().emit(row)
        if row.dtype == ATTENTION.dtype:
            steps = self.axes[int(row["source_axis"])].longest
            queries = self.axes[int(row["query_axis"])].longest if row["has_query_axis"] else 1
            if steps not in self.identities:
                self.identities[steps] = self.arena.take(steps * steps)
            for head in range(int(row["heads"])):
                own, place = row.copy(), self.arena.take(queries * steps)
                own["heads"], own["query"], own["keys"] = (1, row["query"] + head * row["key_features"],
                                                           row["keys"] + head * row["key_features"])
                own["values"], own["values_row"], own["value_features"] = self.identities[steps], steps, steps
                own["a"], own["a_row"] = place, steps
                super().emit(own)
                self.found_at.setdefault(self.lowered, []).append((own, place))

    def steps_in(self, place):
        """Return the number of steps of the sample that was run last, on the axis at a place."""
        begin, end = self.memory.view(np.int64).reshape(-1)[self.bytes_of(place) // 8 + OFFSETS:][:2]
        return int(end - begin)

    def weights(self, X, step):
        """Return the weights (heads, queries, steps) of a step of the wiring for X, one sample."""
        self.sources = enter_inputs(self.call, X) if self.network.has_several else enter_samples(self.call, X)
        self.run_samples(1)
        memory, heads = self.memory.reshape(-1), []
        for row, place in self.found_at[step]:
            queries = self.steps_in(int(row["query_axis"])) if row["has_query_axis"] else 1
            longest, steps = int(row["a_row"]), self.steps_in(int(row["source_axis"]))
            heads.append(memory[place:place + queries * longest].reshape(queries, longest)[:, :steps])
        return np.stack(heads)


def attention_weights(net, X, layer=None):
    """Return the weights of a layer of attention; see `Network.attention_weights`."""
    X = samples_of(net, X)
    if isinstance(X, Inputs):
        lengths = [None if each is None else int(each.max(initial=0)) for each in X.lengths]
        largest = tuple(each if each is None else (each, each) for each in lengths)
    else:
        largest = (int(X.lengths.max(initial=0)),) * 2 if is_ragged(net.shapes[0]) else None
    program = AttentionWeights(net, largest)
    step = step_of_attention(net, program.found_at, layer)
    return [program.weights(X[slice(number, number + 1)], step) for number in range(len(X))]


def step_of_attention(net, found, layer):
    """Return the number of a step that attends. found: those there are. layer: its name or number, None for the only one."""
    names = tensor_names(net.graph)[net.wiring.inputs:]
    there = ", ".join(repr(names[number]) for number in found)
    if not found:
        raise ValueError("this network has no layer of attention: Attention, MultiHeadAttention or AttentionPool")
    if layer is None:
        if len(found) > 1:
            raise ValueError(f"layer is None, and this network has several layers of attention; give one of {there}")
        return next(iter(found))
    if isinstance(layer, str):
        number = names.index(layer) if layer in names else None
    else:
        whole = isinstance(layer, (int, np.integer)) and not isinstance(layer, (bool, np.timedelta64))
        number = int(layer) % len(names) if whole and -len(names) <= layer < len(names) else None
    if number not in found:
        raise ValueError(f"layer is {shown(layer)}; it must be the name or the number of a layer of attention: {there}")
    return number
