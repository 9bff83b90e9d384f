"""The long short-term memory in NumPy: cₜ = f cₜ₋₁ + i g, hₜ = o tanh cₜ."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...naive.rungs import check_recurrence, check_recurrent_gradient
from .walk import first_states, gradients, prepared, sigmoid, through_time


def lstm_step(x, read, h, c, weight, recurrent_weight, bias, peepholes):
    i, f, g, o = np.split(x @ weight + read @ recurrent_weight + bias, 4, axis=1)
    p = np.zeros((3, i.shape[1]), i.dtype) if peepholes is None else np.split(peepholes, 3)
    i, f, g = sigmoid(i + p[0] * c), sigmoid(f + p[1] * c), np.tanh(g)
    new = f * c + i * g
    o = sigmoid(o + p[2] * new)
    a = np.tanh(new)
    return [o * a, new], (x, read, c, i, f, g, o, new, a)


def lstm_forward(x: ArrayLike, offsets: ArrayLike, weight: ArrayLike, recurrent_weight: ArrayLike, bias: ArrayLike,
                 peepholes: ArrayLike | None = None, initial: ArrayLike | None = None, return_sequences: bool = False,
                 reverse: bool = False, return_cells: bool = False, input_mask: ArrayLike | None = None,
                 state_mask: ArrayLike | None = None) -> NDArray:
    """Run a long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    i = σ(x Wi + h Ui + bi), f, o likewise, g = tanh(x Wg + h Ug + bg); cₜ = f cₜ₋₁ + i g, hₜ = o tanh cₜ. With peepholes,
    p c of the cell before is added to i and f before σ, and p cₜ to o.

    Parameters
    ----------
    x : (steps, in_features)
        The steps of all sequences.
    offsets : (samples + 1,) of integers
        The first row of each sequence, and the number of rows.
    weight : (in_features, 4 · out_features)
        Of the gates i, f, g and o.
    recurrent_weight : (out_features, 4 · out_features)
    bias : (4 · out_features,)
    peepholes : (3 · out_features,), optional
        Of the gates i, f and o.
    initial : (samples, 2 · out_features), optional
        The states h and the cells c before the first steps; zeros by default.
    return_sequences : bool, default False
        Whether to return the states of all steps, (steps, out_features), instead of the last ones.
    reverse : bool, default False
        Whether to run from the last step to the first.
    return_cells : bool, default False
        Whether to return the cells behind the states, 2 · out_features in all.
    input_mask : (samples, in_features), optional
        What the inputs of all steps of a sequence are multiplied by: dropout (Gal and Ghahramani 2016).
    state_mask : (samples, out_features), optional
        The same of the states that the recurrent product reads.

    Returns
    -------
    a : (samples, out_features) or (steps, out_features)
        The last state of an empty sequence is its first.

    Examples
    --------
    >>> lstm_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4).round(3)
    array([[0.293],
           [0.231]])
    """
    x, offsets, weight, recurrent_weight, bias, peepholes, initial, *masks = prepared(
        x, offsets, weight, recurrent_weight, bias, peepholes, initial, input_mask, state_mask)
    check_recurrence(x.shape, offsets.tolist(), 4, weight.shape, recurrent_weight.shape, bias=bias, peepholes=peepholes,
                     initial=initial, input_mask=masks[0], state_mask=masks[1])
    states = first_states(initial, len(offsets) - 1, len(recurrent_weight), 2, x.dtype)
    return through_time(lambda *given: lstm_step(*given, weight, recurrent_weight, bias, peepholes), x, offsets, states,
                        masks, return_sequences, reverse, 1 + bool(return_cells))[0]


def lstm_backward(da: ArrayLike, x: ArrayLike, offsets: ArrayLike, weight: ArrayLike, recurrent_weight: ArrayLike,
                  bias: ArrayLike, peepholes: ArrayLike | None = None, initial: ArrayLike | None = None,
                  return_sequences: bool = False, reverse: bool = False, return_cells: bool = False,
                  input_mask: ArrayLike | None = None, state_mask: ArrayLike | None = None) -> tuple[NDArray, ...]:
    """Compute the gradients of `lstm_forward` from da: dx, dweight, drecurrent_weight, dbias.

    Parameters
    ----------
    da : (samples, out_features) or (steps, out_features)
    others
        As for `lstm_forward`.

    Returns
    -------
    dx, dweight, drecurrent_weight, dbias
        And dpeepholes and dinitial, if `peepholes` and `initial` are given.

    Examples
    --------
    >>> dx, *_ = lstm_backward([[1.0]], [[1.0], [2.0]], [0, 2], [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4)
    >>> dx.round(3)
    array([[0.034],
           [0.012]])
    """
    x, offsets, weight, recurrent_weight, bias, peepholes, initial, da, *masks = prepared(
        x, offsets, weight, recurrent_weight, bias, peepholes, initial, da, input_mask, state_mask)
    check_recurrence(x.shape, offsets.tolist(), 4, weight.shape, recurrent_weight.shape, bias=bias, peepholes=peepholes,
                     initial=initial, input_mask=masks[0], state_mask=masks[1])
    samples, size = len(offsets) - 1, len(recurrent_weight)
    given = 1 + bool(return_cells)
    check_recurrent_gradient(da.shape, x.shape, samples, given * size, return_sequences)
    states = first_states(initial, samples, size, 2, x.dtype)
    _, kept = through_time(lambda *given: lstm_step(*given, weight, recurrent_weight, bias, peepholes), x, offsets, states,
                           masks, False, reverse)
    dweight, dweight_out, dbias = map(np.zeros_like, (weight, recurrent_weight, bias))
    p = np.zeros((3, size), x.dtype) if peepholes is None else np.split(peepholes, 3)
    dpeepholes = np.zeros((3, size), x.dtype)

    def back(dh, dc, saved):
        # forward: c = f c + i g, h = o tanh(c)
        x, read, before, i, f, g, o, c, a = saved
        do = dh * a * o * (1 - o)
        dc = dc + dh * o * (1 - a * a) + do * p[2]
        di, df, dg = dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g)
        gates = np.concatenate([di, df, dg, do], axis=1)
        dweight[...] += x.T @ gates
        dweight_out[...] += read.T @ gates
        dbias[...] += gates.sum(axis=0)
        dpeepholes[...] += [(di * before).sum(axis=0), (df * before).sum(axis=0), (do * c).sum(axis=0)]
        return gates @ weight.T, gates @ recurrent_weight.T, 0 * dh, dc * f + di * p[0] + df * p[1]

    dx, more = gradients(back, da, x, states, kept, initial, masks, return_sequences, given)
    return dx, dweight, dweight_out, dbias, *(() if peepholes is None else (dpeepholes.ravel(),)), *more
