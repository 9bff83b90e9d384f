"""The table rows of a recurrent layer, and the memory that it needs."""

from dataclasses import dataclass

from ...compiling.jit import Kernel, view
from ...interpreter.table import with_phases
from ...processor.target import ITEM_BYTES
from ...products.product import product_kernel
from ...products.transpose import transpose_kernel
from . import gru, lstm, simple_rnn
from .cell import RECURRENCE, Layout
from .forward import at, parameter
from .weights import packed_numbers, packed_size, packers

KEPT_BYTES = 1 << 19  # of the gates of a prediction: so many rows stay in the second-level cache


def pack_builder(layout, second_bias):
    """Return the builder of the phase that packs the weights and adds the biases for the forward phase."""
    gate_count, of_inputs, recurrent = layout.gates, layout.inputs, layout.recurrent

    def build(dtype):
        item, (pack, _) = ITEM_BYTES[dtype], packers(dtype)
        size = packed_size(dtype)

        def pack_weights(row, call, part, parts):
            # weight (in_features, gates · out_features), recurrent_weight (out_features, gates · out_features)
            inputs, units = row.in_features, row.out_features
            columns = gate_count * units
            shift = view(call.arena, row.shift, columns)
            for block, source, count in of_inputs:
                pack(at(call, row.weight_in), inputs, columns, block * units,
                     parameter(call, row.weight) + item * source * units, columns, count * units)
                bias = view(call.parameters, row.bias + source * units, count * units)
                for i in range(count * units):
                    shift[block * units + i] = bias[i]
                if second_bias:  # the one of n is added to the recurrent product, which r multiplies
                    bias = view(call.parameters, row.recurrent_bias + source * units, count * units)
                    if source == 0:
                        for i in range(count * units):
                            shift[block * units + i] += bias[i]
            to = at(call, row.weight_out)
            for _, source, count in recurrent:
                pack(to, units, count * units, 0, parameter(call, row.recurrent_weight) + item * source * units, columns,
                     count * units)
                to += item * size(units, count * units)

        return pack_weights

    return build


def transpose_builder(layout):
    """Return the builder of the phase that packs the transposed weights for the phase back through time."""
    gate_count, of_inputs, recurrent = layout.gates, layout.inputs, layout.recurrent

    def build(dtype):
        item, (_, pack_transposed) = ITEM_BYTES[dtype], packers(dtype)
        size = packed_size(dtype)

        def transpose_weights(row, call, part, parts):
            inputs, units = row.in_features, row.out_features
            columns = gate_count * units
            if row.wants_dx != 0:
                for block, source, count in of_inputs:
                    pack_transposed(at(call, row.weight_in_t), columns, block * units,
                                    parameter(call, row.weight) + item * source * units, columns, count * units, inputs)
            to = at(call, row.weight_out_t)
            for _, source, count in recurrent:
                pack_transposed(to, count * units, 0, parameter(call, row.recurrent_weight) + item * source * units, columns,
                                count * units, units)
                to += item * size(count * units, units)

        return transpose_weights

    return build


@dataclass(frozen=True)
class Cell:
    """A kind of cell: its layout and the kernels of its phases."""

    layout: Layout
    forward: Kernel
    backward: Kernel
    weights: Kernel
    pack: Kernel
    transpose: Kernel

    def packed(self, dtype, in_features, out_features):
        """Return how many elements each of the packed weights takes: (weight_in, weight_out, weight_in_t, weight_out_t)."""
        gates = self.layout.gates * out_features
        out = [count * out_features for _, _, count in self.layout.recurrent]
        return (packed_numbers(dtype, in_features, gates),
                sum(packed_numbers(dtype, out_features, columns) for columns in out),
                packed_numbers(dtype, gates, in_features),
                sum(packed_numbers(dtype, columns, out_features) for columns in out))


def cell_of(name, layout, kernels, second_bias=False):
    for kernel in kernels:
        kernel.needs = [product_kernel]
    return Cell(layout, *kernels,
                Kernel(f"{name}_pack", pack_builder(layout, second_bias), RECURRENCE.arguments),
                Kernel(f"{name}_transpose", transpose_builder(layout), RECURRENCE.arguments, needs=[transpose_kernel]))


CELLS = {
    "simple_rnn": cell_of("simple_rnn", simple_rnn.SIMPLE, (
        simple_rnn.simple_rnn_forward, simple_rnn.simple_rnn_backward, simple_rnn.simple_rnn_weights)),
    "gru": cell_of("gru", gru.AFTER, (gru.gru_forward, gru.gru_backward, gru.gru_weights), second_bias=True),
    "gru_before": cell_of("gru_before", gru.BEFORE, (
        gru.gru_before_forward, gru.gru_before_backward, gru.gru_before_weights)),
    "lstm": cell_of("lstm", lstm.PLAIN, (lstm.lstm_forward, lstm.lstm_backward, lstm.lstm_weights)),
    "lstm_peephole": cell_of("lstm_peephole", lstm.PEEPHOLES, (
        lstm.lstm_peephole_forward, lstm.lstm_peephole_backward, lstm.lstm_peephole_weights)),
}


class Memory:
    """What a recurrent layer needs in the arena: its names, and how many elements each takes.

    Parameters
    ----------
    cell : Cell
    samples, steps : int
        The largest numbers of sequences and of steps in a batch.
    training : bool
        Whether a backward pass follows.
    drops_states : bool
        Whether the recurrent product reads states with dropout.

    Attributes
    ----------
    sizes : dict
    kept : int
        The operand of that name.
    """

    def __init__(self, cell, dtype, in_features, out_features, samples, steps, training, drops_states=False):
        layout = cell.layout
        self.kept = rows = states = steps
        if not training:
            self.kept = min(steps, KEPT_BYTES // (layout.blocks * out_features * ITEM_BYTES[dtype]))
            rows, states = max(self.kept, samples), max(self.kept, 2 * samples)
        states = max(states, 1)
        weights = cell.packed(dtype, in_features, out_features)
        self.sizes = {
            "packed_x": rows * in_features, "gates": rows * layout.blocks * out_features,
            "states": states * out_features, "cells": states * out_features if layout.cells else 0,
            "carry": samples * out_features, "carry_cells": samples * out_features,
            "states_read": states * out_features if drops_states else 0,
            "carry_read": samples * out_features if drops_states else 0,
            "weight_in": weights[0], "weight_out": weights[1], "shift": layout.gates * out_features,
            "carry_x": samples * in_features if training else 0,
            "weight_in_t": weights[2] if training else 0, "weight_out_t": weights[3] if training else 0,
        }

    def take(self, take):
        """Return the offset of each by name. take: function of a number of elements."""
        return {name: take(size) for name, size in self.sizes.items()}


def recurrence_rows(dtype, cell, parts, *, activation=None, training=False, **operands):
    """Return the rows of a recurrent layer, in the order of the table.

    Parameters
    ----------
    cell : Cell
    parts : dict
        {phase: number of parts}.
    activation : Activation, optional
        Of a SimpleRNN.
    training : bool
        Whether a backward pass follows.
    operands
        Those of `RECURRENCE`; missing ones are 0.
    """
    given = dict.fromkeys(RECURRENCE.names, 0) | operands
    if activation is not None:
        given["activation"] = activation.forward.address(dtype)
        given["activation_backward"] = activation.backward.address(dtype) if training else 0
    phases = {"forward": (cell.forward.address(dtype), parts.get("forward", 1))}
    if training:
        phases["backward_second"] = cell.backward.address(dtype), parts.get("backward_second", 1)
        phases["backward_third"] = cell.weights.address(dtype), parts.get("backward_third", 1)
    row = RECURRENCE.row(phases, **given)
    pack = with_phases(row, {"forward": (cell.pack.address(dtype), 1)})
    if not training:
        return [pack, row]
    return [pack, row, with_phases(row, {"backward_first": (cell.transpose.address(dtype), 1)})]
