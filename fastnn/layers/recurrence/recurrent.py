"""Common part of the recurrent layers: shapes, initial weights, and rows."""

import math
from dataclasses import dataclass, field, fields

import numpy as np

from ...checks import number_in_range, shown, true_or_false, whole_number
from ...kernels.layers.joins.add import NOTHING, WRITE, destination
from ...kernels.layers.randomness.dropout import advance_row
from ...kernels.layers.recurrence.carried_state import carried_state_rows
from ...kernels.layers.recurrence.first_state import first_state_row
from ...kernels.layers.recurrence.held_mask import held_mask_row
from ...kernels.layers.recurrence.recurrence_rows import CELLS, Memory, recurrence_rows
from ...kernels.layers.recurrence.step import step_row
from ...runtime.threads import FLOPS_PER_PART
from ..base import Layer
from ..initializers import initializers
from ..joins import Concatenate
from ..node import Node, Site, checked_nodes


@dataclass(frozen=True)
class Recurrent(Layer):
    """Base class of the recurrent layers, from sequences (steps, features) to (out_features,) or (steps, out_features)."""

    out_features: int
    return_sequences: bool = field(default=False, kw_only=True)
    reverse: bool = field(default=False, kw_only=True)
    dropout: float = field(default=0.0, kw_only=True)
    recurrent_dropout: float = field(default=0.0, kw_only=True)
    learned_state: bool = field(default=False, kw_only=True)
    initializer: str = field(default="glorot_uniform", kw_only=True)
    adds_gradient = True

    def __post_init__(self):
        name = type(self).__name__
        self.settle("out_features", whole_number(f"{name}(out_features=...)", self.out_features))
        for each in fields(self):
            if each.type in (bool, "bool"):
                self.settle(each.name, true_or_false(f"{name}({each.name}=...)", getattr(self, each.name)))
        for rate in ("dropout", "recurrent_dropout"):
            self.settle(rate, number_in_range(f"{name}({rate}=...)", getattr(self, rate), 0.0, 1.0))
        self.settle("initializer", initializers.resolve(self.initializer).name)

    def __call__(self, *nodes, initial_state=None, name=None):
        """Return the node of its output for the node of sequences.

        Parameters
        ----------
        *nodes : Node
            One.
        initial_state : Node, optional
            The state before the first step, a vector (out_features,) for each sample; of an LSTM (2 · out_features,), h and
            c behind it, or the pair (h, c). Zeros by default, or what is learned with learned_state=True.
        name : str, optional
            Of its parameters and of the layer in `summary`; by default its number in the network.
        """
        return self.placed(Site(self, name, single=True), nodes, initial_state)

    def placed(self, site, nodes, initial_state=None):
        """Return the node of a call at a site."""
        x, = checked_nodes(self, nodes)
        if initial_state is None:
            return site.node(self, (x,))
        if self.states == 2 and isinstance(initial_state, (tuple, list)) and len(initial_state) == 2:
            initial_state = Concatenate()(*initial_state)
        if not isinstance(initial_state, Node):
            raise ValueError(f"initial_state is {shown(initial_state)}; it must be a node, such as that of Input(shape) or "
                             "of a layer" + (", or the pair of nodes (h, c)" if self.states == 2 else ""))
        return site.node(self, (x, initial_state))

    @property
    def draws(self):
        return self.dropout > 0 or self.recurrent_dropout > 0

    @property
    def states(self):
        """How many vectors a state has: an LSTM has the state h and the cell c."""
        return 2 if CELLS[self.cell].layout.cells else 1

    @property
    def state_size(self):
        return self.states * self.out_features

    gives_cells = False

    @property
    def given_features(self):
        """The number of features of an output."""
        return 2 * self.out_features if self.gives_cells else self.out_features

    def check_further(self, shapes):
        if len(shapes) > 1:
            super().check_further(shapes)
        if self.learned_state:
            raise ValueError(f"{self!r} learns its state before the first step, and initial_state gives one; leave one out")
        if shapes[0] != (self.state_size,):
            hint = ", h and c behind it, as LSTM(return_cells=True) gives them" * (self.states == 2)
            raise ValueError(f"initial_state of {self!r} has the shape {shapes[0]}; it must have {(self.state_size,)}{hint}")

    def settle(self, option, value):
        object.__setattr__(self, option, value)

    def __repr__(self):
        given = {each.name: getattr(self, each.name) for each in fields(self) if each.kw_only}
        options = [f"{each.name}={given[each.name]!r}" for each in fields(self)
                   if each.kw_only and given[each.name] != each.default]
        return f"{type(self).__name__}({', '.join([str(self.out_features), *options])})"

    @property
    def cell(self):
        """The name of its cell, one of `CELLS`."""
        raise NotImplementedError

    @property
    def gates(self):
        return CELLS[self.cell].layout.gates

    def works_over_time(self, shape):
        return True

    def steps_needed(self, shape, after):
        return after if self.return_sequences else 0

    def output_shape(self, shape):
        if shape == (None,):
            raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample is a sequence of tokens, "
                             "inputs=(None,); put an Embedding before it, or give sequences of single numbers the shape "
                             "(None, 1)")
        if len(shape) != 2:
            raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample has the shape {shape}; give "
                             "inputs=(None, features) for sequences of any length, (steps, features) for those of one"
                             + "; a recurrent layer before it must have return_sequences=True" * (len(shape) == 1))
        return (shape[0], self.given_features) if self.return_sequences else (self.given_features,)

    def parameter_shapes(self, shape):
        out, columns = self.out_features, self.gates * self.out_features
        found = {"weight": (shape[-1], columns), "recurrent_weight": (out, columns), "bias": (columns,)}
        return found | ({"initial_state": (self.state_size,)} if self.learned_state else {})

    def initial_parameters(self, shape, generator, activation):
        # each gate is drawn as a weight of its own
        out = self.out_features
        weight = [initializers[self.initializer].draw(generator, (shape[-1], out)) for _ in range(self.gates)]
        recurrent = [orthogonal(generator, out) for _ in range(self.gates)]
        found = {"weight": np.concatenate(weight, axis=1), "recurrent_weight": np.concatenate(recurrent, axis=1),
                 "bias": 0.0}
        return found | ({"initial_state": 0.0} if self.learned_state else {})

    def multiply_adds(self, shape):
        steps = shape[0] or 1
        return steps * sum(math.prod(own) for name, own in self.parameter_shapes(shape).items() if "weight" in name)

    def lower(self, program, index, x, activation):
        x, state = x if isinstance(x, list) else (x, None)
        given, x = x, program.steps_of(x)
        cell, axis, inputs, out = CELLS[self.cell], x.axis, x.features, self.out_features
        with program.on(None):
            order = program.order_of(axis)
            drops_states = program.as_in_training and self.recurrent_dropout > 0
            memory = Memory(cell, program.dtype, inputs, out, program.samples, axis.rows, program.training, drops_states)
            places = memory.take(program.arena.take)
        with program.on(axis if self.return_sequences else None):
            a = program.tensor((self.given_features,))
        shapes = self.parameter_shapes((None, inputs))
        starts = {name: program.offsets[f"{index}.{name}"] for name in shapes if name != "initial_state"}
        size = sum(math.prod(own) for own in shapes.values())
        work = 2 * axis.rows * math.prod(shapes["weight"]) + 2 * axis.rows * math.prod(shapes["recurrent_weight"])
        parts = program.parts(work, FLOPS_PER_PART)
        by_samples = min(parts, program.samples)
        with program.on(None):
            first = self.first_state(program, index, state) | self.masks(program, index, inputs)
            for row in recurrence_rows(
                program.dtype, cell, {"forward": by_samples, "backward_second": by_samples, "backward_third": parts},
                activation=self.step_activation, training=program.training, **places, **starts, x=x.offset, a=a.offset,
                da=a.gradient or 0, dx=x.gradient or 0, order=order, capacity=program.samples, in_features=inputs,
                out_features=out, a_row=a.features, kept=memory.kept, sequences=self.return_sequences,
                backwards=self.reverse, adds=x.adds, wants_dx=program.training and x.gradient is not None,
                gives_cells=self.gives_cells, **first,
            ):
                program.emit(row)
        program.emit_update(start=starts["weight"], rows=size, columns=1, parts=min(parts, inputs + out))
        return program.like(a, given) if self.return_sequences else a

    def masks(self, program, index, inputs):
        """Return the operands of dropout, whose masks rows of their own draw."""
        if not program.as_in_training:
            return {}
        found = {}
        for what, rate, features in (("input", self.dropout, inputs), ("state", self.recurrent_dropout, self.out_features)):
            if rate > 0:
                mask, (word, ahead) = program.arena.take(program.samples * features), program.random_word(index)
                program.emit(held_mask_row(program.dtype, mask=mask, features=features, rate=rate, word=word, ahead=ahead))
                program.emit_last(advance_row(program.dtype, word))
                found |= {f"{what}_mask": mask, f"drops_{what}s": True}
        return found

    def first_state(self, program, index, state):
        """Return the operands of the state before the first step: carried over, given as a tensor, learned, or zeros."""
        if program.carried is not None:
            return self.carried_state(program, index)
        if self.learned_state:
            size, gradient = self.state_size, None
            initial = program.arena.take(program.samples * size)
            if program.training:
                gradient = program.arena.take(program.samples * size)
            program.emit(first_state_row(program.dtype, initial=initial, dinitial=gradient, size=size,
                                         start=program.offsets[f"{index}.initial_state"]))
            to = NOTHING if gradient is None else WRITE
        elif state is None:
            return {}
        else:
            state = program.in_arena(state)
            initial, gradient, to = state.offset, state.gradient, destination(state.gradient, state.adds)
        return {"has_initial": True, "initial": initial, "dinitial": gradient or 0, "to_initial": to}

    def carried_state(self, program, index):
        """Return the same in training by windows of series, where the state after one is that before the next."""
        size, learned = self.state_size, self.learned_state
        initial, dinitial, last = (program.arena.take(program.samples * size) for _ in range(3))
        before, after = carried_state_rows(
            program.dtype, initial=initial, dinitial=dinitial, last=last, size=size, learned=learned,
            **program.carried.take(program.samples * size),
            **({"start": program.offsets[f"{index}.initial_state"]} if learned else {}))
        program.emit(before)
        program.emit_after_step(after)
        return {"has_initial": True, "initial": initial, "dinitial": dinitial, "to_initial": WRITE if learned else NOTHING,
                "last": last, "keeps_last": True}

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx(graph, x, parameters)

    def kept_between_steps(self, shape):
        if self.reverse:
            raise ValueError(f"{self!r} begins at the last step; leave reverse out, and use the layer without Bidirectional")
        out = self.out_features
        return {name: (out, ("initial_state", number * out) if self.learned_state else 0)
                for number, name in enumerate(("h", "c")[:self.states])}

    def lower_step(self, program, index, x, activation, kept):
        inputs, out = x.features, self.out_features
        a = program.tensor((self.given_features,))
        starts = {name: program.offsets[f"{index}.{name}"] for name in self.parameter_shapes((None, inputs))
                  if name != "initial_state"}
        program.emit(step_row(
            program.dtype, self.cell, activation=self.step_activation, x=x.offset, a=a.offset, in_features=inputs,
            out_features=out, gives_cells=self.gives_cells,
            gates=program.scratch(program.batch * CELLS[self.cell].layout.blocks * out), **kept, **starts))
        return a

    step_activation = None  # the record of the activation of a step, if its cell leaves a choice


def orthogonal(generator, size):
    """Return a random orthogonal matrix, uniform among all of them (Mezzadri 2007), by Gram and Schmidt.

    NumPy's sums alone have the same bits for any number of threads; a factorization by LAPACK may not.
    """
    rows = generator.normal(size=(size, size))
    for k in range(size):
        rows[k] /= math.sqrt((rows[k] * rows[k]).sum())
        rows[k + 1:] -= (rows[k + 1:] * rows[k]).sum(axis=1)[:, None] * rows[k]
    return rows
