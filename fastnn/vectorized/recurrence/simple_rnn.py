"""The simple recurrent layer in NumPy: hₜ = g(xₜ W + hₜ₋₁ U + b)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...kernels.activations import activations
from ...naive.rungs import check_recurrence, check_recurrent_gradient
from ..records import activate, pullback
from .walk import first_states, gradients, prepared, through_time


def simple_rnn_step(x, read, h, weight, recurrent_weight, bias, activation):
    z = x @ weight + read @ recurrent_weight + bias
    a = activate(activation, z)
    return [a], (x, read, z, a)


def simple_rnn_forward(x: ArrayLike, offsets: ArrayLike, weight: ArrayLike, recurrent_weight: ArrayLike, bias: ArrayLike,
                       initial: ArrayLike | None = None, activation: str = "tanh", return_sequences: bool = False,
                       reverse: bool = False, input_mask: ArrayLike | None = None,
                       state_mask: ArrayLike | None = None) -> NDArray:
    """Run a simple recurrent layer (Elman 1990): hₜ = g(xₜ W + hₜ₋₁ U + b).

    Parameters
    ----------
    x : (steps, in_features)
        The steps of all sequences.
    offsets : (samples + 1,) of integers
        The first row of each sequence, and the number of rows.
    weight : (in_features, out_features)
    recurrent_weight : (out_features, out_features)
    bias : (out_features,)
    initial : (samples, out_features), optional
        The states before the first steps; zeros by default.
    activation : str, default "tanh"
    return_sequences : bool, default False
        Whether to return the states of all steps, (steps, out_features), instead of the last ones.
    reverse : bool, default False
        Whether to run from the last step to the first.
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
    >>> simple_rnn_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[1.0]], [[10.0]], [0.5], activation="identity")
    array([[17.5],
           [ 5.5]])
    """
    x, offsets, weight, recurrent_weight, bias, initial, *masks = prepared(
        x, offsets, weight, recurrent_weight, bias, initial, input_mask, state_mask)
    check_recurrence(x.shape, offsets.tolist(), 1, weight.shape, recurrent_weight.shape, bias=bias, initial=initial,
                     input_mask=masks[0], state_mask=masks[1])
    states = first_states(initial, len(offsets) - 1, len(recurrent_weight), 1, x.dtype)
    record = activations.resolve(activation)
    return through_time(lambda *given: simple_rnn_step(*given, weight, recurrent_weight, bias, record), x, offsets, states,
                        masks, return_sequences, reverse)[0]


def simple_rnn_backward(da: ArrayLike, x: ArrayLike, offsets: ArrayLike, weight: ArrayLike, recurrent_weight: ArrayLike,
                        bias: ArrayLike, initial: ArrayLike | None = None, activation: str = "tanh",
                        return_sequences: bool = False, reverse: bool = False, input_mask: ArrayLike | None = None,
                        state_mask: ArrayLike | None = None) -> tuple[NDArray, ...]:
    """Compute the gradients of `simple_rnn_forward` from da: dx, dweight, drecurrent_weight, dbias.

    Parameters
    ----------
    da : (samples, out_features) or (steps, out_features)
    others
        As for `simple_rnn_forward`.

    Returns
    -------
    dx, dweight, drecurrent_weight, dbias
        And dinitial, if `initial` is given.

    Examples
    --------
    >>> simple_rnn_backward([[1.0]], [[1.0], [2.0]], [0, 2], [[1.0]], [[10.0]], [0.5], activation="identity")
    (array([[10.],
           [ 1.]]), array([[12.]]), array([[1.5]]), array([11.]))
    """
    x, offsets, weight, recurrent_weight, bias, initial, da, *masks = prepared(
        x, offsets, weight, recurrent_weight, bias, initial, da, input_mask, state_mask)
    check_recurrence(x.shape, offsets.tolist(), 1, weight.shape, recurrent_weight.shape, bias=bias, initial=initial,
                     input_mask=masks[0], state_mask=masks[1])
    samples = len(offsets) - 1
    check_recurrent_gradient(da.shape, x.shape, samples, len(recurrent_weight), return_sequences)
    record = activations.resolve(activation)
    states = first_states(initial, samples, len(recurrent_weight), 1, x.dtype)
    _, kept = through_time(lambda *given: simple_rnn_step(*given, weight, recurrent_weight, bias, record), x, offsets,
                           states, masks, False, reverse)
    dweight, dweight_out, dbias = map(np.zeros_like, (weight, recurrent_weight, bias))

    def back(dh, saved):
        # forward: z = x @ weight + read @ recurrent_weight + bias
        x, read, z, a = saved
        dz = pullback(record, dh, z, a)
        dweight[...] += x.T @ dz
        dweight_out[...] += read.T @ dz
        dbias[...] += dz.sum(axis=0)
        return dz @ weight.T, dz @ recurrent_weight.T, 0 * dh

    dx, more = gradients(back, da, x, states, kept, initial, masks, return_sequences)
    return dx, dweight, dweight_out, dbias, *more
