"""Recurrent layers as functions for Python: each runs as a network of one layer, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.activations import activations
from ..kernels.compiling.objects import address
from ..kernels.layers.joins.add import NOTHING, WRITE
from ..kernels.layers.recurrence.recurrence_rows import CELLS, Memory, recurrence_rows
from ..kernels.layers.recurrence.sequences import order_numbers, order_row
from ..naive.rungs import check_recurrence, check_recurrent_gradient
from ..runtime.memory import aligned
from ..runtime.threads import FLOPS_PER_PART, parts, resolve_threads
from .arguments import place, real_arrays, run_phase
from .sequence_calls import axis_of, axis_place

PARAMETERS = "weight", "recurrent_weight", "bias", "recurrent_bias", "peepholes"


class Recurrence:
    """The rows of one layer whose memory is wherever its arrays lie."""

    def __init__(self, cell, offsets, x, parameters, initial, activation, return_sequences, reverse, masks, threads,
                 training, return_cells=False):
        masks = dict(zip(("input_mask", "state_mask"), masks, strict=True))
        given = {"x": x, **parameters, "initial": initial, **masks}
        given = {name: array for name, array in given.items() if array is not None}
        self.dtype, *arrays = real_arrays(**given)
        given = dict(zip(given, arrays, strict=True))
        self.offsets = np.array(offsets, np.int64)
        self.cell, self.x, self.initial = CELLS[cell], given["x"], given.get("initial")
        self.parameters = {name: given[name] for name in PARAMETERS if name in given}
        self.masks = {name: given[name] for name in masks if name in given}
        check_recurrence(self.x.shape, self.offsets.tolist(), self.cell.layout.gates, self.parameters["weight"].shape,
                         self.parameters["recurrent_weight"].shape, initial=self.initial,
                         **{name: self.parameters.get(name) for name in PARAMETERS[2:]}, **self.masks)
        self.samples, self.out_features = len(self.offsets) - 1, len(self.parameters["recurrent_weight"])
        self.activation = None if activation is None else activations.resolve(activation)
        self.options = {"sequences": return_sequences, "backwards": reverse, "gives_cells": return_cells,
                        "drops_inputs": "input_mask" in self.masks, "drops_states": "state_mask" in self.masks}
        self.flat = np.concatenate([array.ravel() for array in self.parameters.values()])
        self.shape = len(self.x) if return_sequences else self.samples, (1 + bool(return_cells)) * self.out_features
        self.work = 2 * len(self.x) * sum(self.parameters[name].size for name in PARAMETERS[:2])
        self.parts = parts(self.work, FLOPS_PER_PART, resolve_threads(threads))
        self.axis, self.longest = axis_of(self.offsets), int(np.diff(self.offsets).max())
        memory = Memory(self.cell, self.dtype, self.x.shape[1], self.out_features, self.samples, len(self.x), training,
                        "state_mask" in self.masks)
        self.training, self.kept = training, memory.kept
        self.arrays = {name: aligned(size, self.dtype) for name, size in memory.sizes.items()}
        self.order = aligned(order_numbers(self.dtype, self.samples, self.longest), self.dtype)

    def rows(self, **arrays):
        """Return the rows, with these arrays in addition to those that it has."""
        offset, starts = place(self.flat), {}
        for name, array in self.parameters.items():
            starts[name], offset = offset, offset + array.size
        given = {name: place(array) for name, array in {**self.arrays, **self.masks, **arrays}.items()}
        by_samples = min(self.parts, self.samples)
        return recurrence_rows(
            self.dtype, self.cell, {"forward": by_samples, "backward_second": by_samples, "backward_third": self.parts},
            activation=self.activation, training=self.training, x=place(self.x), order=place(self.order),
            capacity=self.samples, in_features=self.x.shape[1], out_features=self.out_features, a_row=self.shape[1],
            to_initial=NOTHING if self.initial is None else WRITE, kept=self.kept, initial=place(self.initial),
            has_initial=self.initial is not None, **self.options, **starts, **given)

    def forward(self, **more):
        a = np.empty(self.shape, self.dtype)
        order = order_row(self.dtype, order=place(self.order), capacity=self.samples, axis=axis_place(self.axis, self.dtype))
        run_phase(order, "forward", self.samples)
        self.made = self.rows(a=a, **more)
        for row in self.made[:2]:
            run_phase(row, "forward", self.samples, self.work)
        return a

    def backward(self, da):
        da = np.ascontiguousarray(da, self.dtype)
        check_recurrent_gradient(da.shape, self.x.shape, self.samples, self.shape[1], self.options["sequences"])
        dx, dinitial = np.zeros_like(self.x), None if self.initial is None else np.empty_like(self.initial)
        self.forward(da=da, dx=dx, dinitial=dinitial)
        gradients = np.empty_like(self.flat)
        shift = address(gradients) - address(self.flat)
        for row in reversed(self.made):
            row["wants_dx"] = 1
            for phase in ("backward_first", "backward_second", "backward_third"):
                if row[phase]["kernel"]:
                    run_phase(row, phase, self.samples, self.work, shift)
        found, offset = [], 0
        for array in self.parameters.values():
            found.append(gradients[offset:offset + array.size].reshape(array.shape))
            offset += array.size
        return dx, *found, *(() if dinitial is None else (dinitial,))


def simple_rnn_forward(x, offsets, weight, recurrent_weight, bias, initial=None, activation="tanh", return_sequences=False,
                       reverse=False, input_mask=None, state_mask=None, threads=None):
    """Run a simple recurrent layer: a (samples or steps, out_features).

    Examples
    --------
    >>> simple_rnn_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[1.0]], [[10.0]], [0.5], activation="identity")
    array([[17.5],
           [ 5.5]])
    """
    parameters = {"weight": weight, "recurrent_weight": recurrent_weight, "bias": bias}
    masks = input_mask, state_mask
    return Recurrence("simple_rnn", offsets, x, parameters, initial, activation, return_sequences, reverse, masks, threads,
                      training=False).forward()


def simple_rnn_backward(da, x, offsets, weight, recurrent_weight, bias, initial=None, activation="tanh",
                        return_sequences=False, reverse=False, input_mask=None, state_mask=None, threads=None):
    """Compute the gradients of `simple_rnn_forward` from da: dx, dweight, drecurrent_weight, dbias.

    Examples
    --------
    >>> simple_rnn_backward([[1.0]], [[1.0], [2.0]], [0, 2], [[1.0]], [[10.0]], [0.5], activation="identity")
    (array([[10.],
           [ 1.]]), array([[12.]]), array([[1.5]]), array([11.]))
    """
    parameters = {"weight": weight, "recurrent_weight": recurrent_weight, "bias": bias}
    masks = input_mask, state_mask
    return Recurrence("simple_rnn", offsets, x, parameters, initial, activation, return_sequences, reverse, masks, threads,
                      training=True).backward(da)


def gru_forward(x, offsets, weight, recurrent_weight, bias, recurrent_bias=None, initial=None, return_sequences=False,
                reverse=False, input_mask=None, state_mask=None, threads=None):
    """Run a gated recurrent unit: a (samples or steps, out_features).

    Examples
    --------
    >>> gru_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [0.0, 0.0, 0.0]).round(3)
    array([[0.672],
           [0.5  ]])
    """
    parameters = {"weight": weight, "recurrent_weight": recurrent_weight, "bias": bias, "recurrent_bias": recurrent_bias}
    masks = input_mask, state_mask
    return Recurrence("gru_before" if recurrent_bias is None else "gru", offsets, x, parameters, initial, None,
                      return_sequences, reverse, masks, threads, training=False).forward()


def gru_backward(da, x, offsets, weight, recurrent_weight, bias, recurrent_bias=None, initial=None, return_sequences=False,
                 reverse=False, input_mask=None, state_mask=None, threads=None):
    """Compute the gradients of `gru_forward` from da: dx, dweight, drecurrent_weight, dbias.

    Examples
    --------
    >>> dx, *_ = gru_backward([[1.0]], [[1.0], [2.0]], [0, 2], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [0.0, 0.0, 0.0])
    >>> dx.round(3)
    array([[0.105],
           [0.035]])
    """
    parameters = {"weight": weight, "recurrent_weight": recurrent_weight, "bias": bias, "recurrent_bias": recurrent_bias}
    masks = input_mask, state_mask
    return Recurrence("gru_before" if recurrent_bias is None else "gru", offsets, x, parameters, initial, None,
                      return_sequences, reverse, masks, threads, training=True).backward(da)


def lstm_forward(x, offsets, weight, recurrent_weight, bias, peepholes=None, initial=None, return_sequences=False,
                 reverse=False, return_cells=False, input_mask=None, state_mask=None, threads=None):
    """Run a long short-term memory: a (samples or steps, out_features).

    Examples
    --------
    >>> lstm_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4).round(3)
    array([[0.293],
           [0.231]])
    """
    parameters = {"weight": weight, "recurrent_weight": recurrent_weight, "bias": bias, "peepholes": peepholes}
    masks = input_mask, state_mask
    return Recurrence("lstm" if peepholes is None else "lstm_peephole", offsets, x, parameters, initial, None,
                      return_sequences, reverse, masks, threads, training=False, return_cells=return_cells).forward()


def lstm_backward(da, x, offsets, weight, recurrent_weight, bias, peepholes=None, initial=None, return_sequences=False,
                  reverse=False, return_cells=False, input_mask=None, state_mask=None, threads=None):
    """Compute the gradients of `lstm_forward` from da: dx, dweight, drecurrent_weight, dbias.

    Examples
    --------
    >>> dx, *_ = lstm_backward([[1.0]], [[1.0], [2.0]], [0, 2], [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4)
    >>> dx.round(3)
    array([[0.034],
           [0.012]])
    """
    parameters = {"weight": weight, "recurrent_weight": recurrent_weight, "bias": bias, "peepholes": peepholes}
    masks = input_mask, state_mask
    return Recurrence("lstm" if peepholes is None else "lstm_peephole", offsets, x, parameters, initial, None,
                      return_sequences, reverse, masks, threads, training=True, return_cells=return_cells).backward(da)
