"""The gated recurrent unit in NumPy: hₜ = z hₜ₋₁ + (1 − z) n."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...naive.rungs import check_recurrence, check_recurrent_gradient
from .walk import first_states, gradients, prepared, sigmoid, through_time


def gru_step(x, read, h, weight, recurrent_weight, bias, recurrent_bias):
    size = len(recurrent_weight)
    zr, n = slice(0, 2 * size), slice(2 * size, None)
    gates = x @ weight + bias
    if recurrent_bias is not None:
        product = read @ recurrent_weight + recurrent_bias
        z, r = np.split(sigmoid(gates[:, zr] + product[:, zr]), 2, axis=1)
        c = product[:, n]
        n = np.tanh(gates[:, n] + r * c)
    else:
        z, r = np.split(sigmoid(gates[:, zr] + read @ recurrent_weight[:, zr]), 2, axis=1)
        c = r * read
        n = np.tanh(gates[:, n] + c @ recurrent_weight[:, n])
    return [z * h + (1 - z) * n], (x, read, h, z, r, c, n)


def gru_forward(x: ArrayLike, offsets: ArrayLike, weight: ArrayLike, recurrent_weight: ArrayLike, bias: ArrayLike,
                recurrent_bias: ArrayLike | None = None, initial: ArrayLike | None = None, return_sequences: bool = False,
                reverse: bool = False, input_mask: ArrayLike | None = None,
                state_mask: ArrayLike | None = None) -> NDArray:
    """Run a gated recurrent unit (Cho et al. 2014): hₜ = z hₜ₋₁ + (1 − z) n.

    z = σ(x Wz + h Uz + bz), r = σ(x Wr + h Ur + br), and n = tanh(x Wn + bn + r (h Un + b'n)), reset after the product, as
    in cuDNN, Keras and PyTorch; without a `recurrent_bias` n = tanh(x Wn + bn + (r h) Un), reset before it.

    Parameters
    ----------
    x : (steps, in_features)
        The steps of all sequences.
    offsets : (samples + 1,) of integers
        The first row of each sequence, and the number of rows.
    weight : (in_features, 3 · out_features)
        Of the gates z, r and n.
    recurrent_weight : (out_features, 3 · out_features)
    bias : (3 · out_features,)
    recurrent_bias : (3 · out_features,), optional
        That of the recurrent product, for a reset after it.
    initial : (samples, out_features), optional
        The states before the first steps; zeros by default.
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
    >>> gru_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [0.0, 0.0, 0.0]).round(3)
    array([[0.672],
           [0.5  ]])
    """
    x, offsets, weight, recurrent_weight, bias, recurrent_bias, initial, *masks = prepared(
        x, offsets, weight, recurrent_weight, bias, recurrent_bias, initial, input_mask, state_mask)
    check_recurrence(x.shape, offsets.tolist(), 3, weight.shape, recurrent_weight.shape, bias=bias,
                     recurrent_bias=recurrent_bias, initial=initial, input_mask=masks[0], state_mask=masks[1])
    states = first_states(initial, len(offsets) - 1, len(recurrent_weight), 1, x.dtype)
    return through_time(lambda *given: gru_step(*given, weight, recurrent_weight, bias, recurrent_bias), x, offsets, states,
                        masks, return_sequences, reverse)[0]


def gru_backward(da: ArrayLike, x: ArrayLike, offsets: ArrayLike, weight: ArrayLike, recurrent_weight: ArrayLike,
                 bias: ArrayLike, recurrent_bias: ArrayLike | None = None, initial: ArrayLike | None = None,
                 return_sequences: bool = False, reverse: bool = False, input_mask: ArrayLike | None = None,
                 state_mask: ArrayLike | None = None) -> tuple[NDArray, ...]:
    """Compute the gradients of `gru_forward` from da: dx, dweight, drecurrent_weight, dbias.

    Parameters
    ----------
    da : (samples, out_features) or (steps, out_features)
    others
        As for `gru_forward`.

    Returns
    -------
    dx, dweight, drecurrent_weight, dbias
        And drecurrent_bias and dinitial, if `recurrent_bias` and `initial` are given.

    Examples
    --------
    >>> dx, *_ = gru_backward([[1.0]], [[1.0], [2.0]], [0, 2], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [0.0, 0.0, 0.0])
    >>> dx.round(3)
    array([[0.105],
           [0.035]])
    """
    x, offsets, weight, recurrent_weight, bias, recurrent_bias, initial, da, *masks = prepared(
        x, offsets, weight, recurrent_weight, bias, recurrent_bias, initial, da, input_mask, state_mask)
    check_recurrence(x.shape, offsets.tolist(), 3, weight.shape, recurrent_weight.shape, bias=bias,
                     recurrent_bias=recurrent_bias, initial=initial, input_mask=masks[0], state_mask=masks[1])
    samples, size = len(offsets) - 1, len(recurrent_weight)
    check_recurrent_gradient(da.shape, x.shape, samples, size, return_sequences)
    states = first_states(initial, samples, size, 1, x.dtype)
    _, kept = through_time(lambda *given: gru_step(*given, weight, recurrent_weight, bias, recurrent_bias), x, offsets,
                           states, masks, False, reverse)
    dweight, dweight_out, dbias = map(np.zeros_like, (weight, recurrent_weight, bias))
    dbias_out = np.zeros_like(bias)

    def back(dh, saved):
        x, read, h, z, r, c, n = saved
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        dh = dh * z
        if recurrent_bias is not None:
            # forward: n = tanh(… + r c), c = read @ Un + b'n
            dr = dn * c * r * (1 - r)
            products = np.concatenate([dz, dr, dn * r], axis=1)
            dweight_out[...] += read.T @ products
            dbias_out[...] += products.sum(axis=0)
            dread = products @ recurrent_weight.T
        else:
            # forward: n = tanh(… + c @ Un), c = r read
            dc = dn @ recurrent_weight[:, 2 * size:].T
            dr = dc * read * r * (1 - r)
            products = np.concatenate([dz, dr], axis=1)
            dweight_out[:, :2 * size] += read.T @ products
            dweight_out[:, 2 * size:] += c.T @ dn
            dread = dc * r + products @ recurrent_weight[:, :2 * size].T
        gates = np.concatenate([dz, dr, dn], axis=1)
        dweight[...] += x.T @ gates
        dbias[...] += gates.sum(axis=0)
        return gates @ weight.T, dread, dh

    dx, more = gradients(back, da, x, states, kept, initial, masks, return_sequences)
    return dx, dweight, dweight_out, dbias, *(() if recurrent_bias is None else (dbias_out,)), *more
