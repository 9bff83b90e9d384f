"""Common part of the recurrent layers: shapes, initial weights, and rows."""

import math
from dataclasses import dataclass, field, fields

import numpy as np

from ...checks import true_or_false, whole_number
from ...kernels.layers.recurrence.recurrence_rows import CELLS, Memory, recurrence_rows
from ...kernels.processor.target import ITEM_BYTES
from ...runtime.threads import FLOPS_PER_PART
from ..base import Layer
from ..initializers import initializers

KEPT_BYTES = 1 << 19  # of the gates of a prediction: then all steps' inputs are multiplied at once, and stay in the cache


@dataclass(frozen=True)
class Recurrent(Layer):
    """Base class of the recurrent layers, from sequences (steps, features) to (out_features,) or (steps, out_features)."""

    out_features: int
    return_sequences: bool = field(default=False, kw_only=True)
    reverse: bool = field(default=False, kw_only=True)
    initializer: str = field(default="glorot_uniform", kw_only=True)
    adds_gradient = True

    def __post_init__(self):
        name = type(self).__name__
        self.settle("out_features", whole_number(f"{name}(out_features=...)", self.out_features))
        for each in fields(self):
            if each.type in (bool, "bool"):
                self.settle(each.name, true_or_false(f"{name}({each.name}=...)", getattr(self, each.name)))
        self.settle("initializer", initializers.resolve(self.initializer).name)

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
        return (shape[0], self.out_features) if self.return_sequences else (self.out_features,)

    def parameter_shapes(self, shape):
        out, columns = self.out_features, self.gates * self.out_features
        return {"weight": (shape[-1], columns), "recurrent_weight": (out, columns), "bias": (columns,)}

    def initial_parameters(self, shape, generator, activation):
        # each gate is drawn as a weight of its own
        out = self.out_features
        weight = [initializers[self.initializer].draw(generator, (shape[-1], out)) for _ in range(self.gates)]
        recurrent = [orthogonal(generator, out) for _ in range(self.gates)]
        return {"weight": np.concatenate(weight, axis=1), "recurrent_weight": np.concatenate(recurrent, axis=1), "bias": 0.0}

    def multiply_adds(self, shape):
        steps = shape[0] or 1
        return steps * sum(math.prod(own) for name, own in self.parameter_shapes(shape).items() if "weight" in name)

    def lower(self, program, index, x, activation):
        given, x = x, program.steps_of(x)
        cell, axis, inputs, out = CELLS[self.cell], x.axis, x.features, self.out_features
        kept = program.training or cell.layout.blocks * out * axis.rows * ITEM_BYTES[program.dtype] <= KEPT_BYTES
        with program.on(None):
            order = program.order_of(axis)
            memory = Memory(cell, program.dtype, inputs, out, program.samples, axis.rows, kept, program.training)
            places = memory.take(program.arena.take)
        with program.on(axis if self.return_sequences else None):
            a = program.tensor((out,))
        shapes = self.parameter_shapes((None, inputs))
        starts = {name: program.offsets[f"{index}.{name}"] for name in shapes}
        size = sum(math.prod(own) for own in shapes.values())
        work = 2 * axis.rows * math.prod(shapes["weight"]) + 2 * axis.rows * math.prod(shapes["recurrent_weight"])
        parts = program.parts(work, FLOPS_PER_PART)
        by_samples = min(parts, program.samples)
        with program.on(None):
            for row in recurrence_rows(
                program.dtype, cell, {"forward": by_samples, "backward_second": by_samples, "backward_third": parts},
                activation=self.step_activation, training=program.training, **places, **starts, x=x.offset, a=a.offset,
                da=a.gradient or 0, dx=x.gradient or 0, order=order, capacity=program.samples, in_features=inputs,
                out_features=out, a_row=out, kept=kept, sequences=self.return_sequences, backwards=self.reverse,
                adds=x.adds, wants_dx=program.training and x.gradient is not None,
            ):
                program.emit(row)
        program.emit_update(start=starts["weight"], rows=size, columns=1, parts=min(parts, inputs + out))
        return program.like(a, given) if self.return_sequences else a

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
