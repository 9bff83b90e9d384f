"""The gated recurrent unit as pure Python loops: hₜ = z hₜ₋₁ + (1 − z) n."""

import math

from ...kernels.elementwise.elementary import sigmoid
from .walk import Matrix, Vector, add_gradients, add_product, back_through_time, prepared, through_time, zeros_like


def steps(weight, recurrent_weight, bias, recurrent_bias):
    """Return the function that computes a step: (x, read, h) -> ([h'], what the way back needs).

    read: h as the recurrent product reads it, which dropout may have masked.
    """
    size = len(recurrent_weight)

    def step(x, read, h):
        gates = add_product(bias[:], x, weight)
        if recurrent_bias is not None:  # reset after the product
            product = add_product(recurrent_bias[:], read, recurrent_weight)
        else:
            product = add_product([0.0] * (2 * size), read, recurrent_weight)
        z = [sigmoid(gates[j] + product[j]) for j in range(size)]
        r = [sigmoid(gates[size + j] + product[size + j]) for j in range(size)]
        if recurrent_bias is not None:
            c = product[2 * size:]
            n = [math.tanh(gates[2 * size + j] + r[j] * c[j]) for j in range(size)]
        else:
            c = [r[j] * read[j] for j in range(size)]
            product = add_product([0.0] * size, c, recurrent_weight, first=2 * size)
            n = [math.tanh(gates[2 * size + j] + product[j]) for j in range(size)]
        return [[z[j] * h[j] + (1 - z[j]) * n[j] for j in range(size)]], (x, read, h, z, r, c, n)

    return step


def gru_forward(x: Matrix, offsets: list[int], weight: Matrix, recurrent_weight: Matrix, bias: Vector,
                recurrent_bias: Vector | None = None, initial: Matrix | None = None, return_sequences: bool = False,
                reverse: bool = False, input_mask: Matrix | None = None, state_mask: Matrix | None = None) -> Matrix:
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
    >>> a = gru_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [0.0, 0.0, 0.0])
    >>> [[round(number, 3) for number in row] for row in a]
    [[0.672], [0.5]]
    """
    x, offsets, weight, recurrent_weight, initial, masks, vectors = prepared(
        3, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, bias=bias, recurrent_bias=recurrent_bias)
    step = steps(weight, recurrent_weight, vectors["bias"], vectors["recurrent_bias"])
    return through_time(step, x, offsets, initial, masks, len(recurrent_weight), 1, return_sequences, reverse)[0]


def gru_backward(da: Matrix, x: Matrix, offsets: list[int], weight: Matrix, recurrent_weight: Matrix, bias: Vector,
                 recurrent_bias: Vector | None = None, initial: Matrix | None = None, return_sequences: bool = False,
                 reverse: bool = False, input_mask: Matrix | None = None, state_mask: Matrix | None = None) -> tuple:
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
    >>> [[round(number, 3) for number in row] for row in dx]
    [[0.105], [0.035]]
    """
    x, offsets, weight, recurrent_weight, initial, masks, vectors = prepared(
        3, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, bias=bias, recurrent_bias=recurrent_bias)
    bias, recurrent_bias, size = vectors["bias"], vectors["recurrent_bias"], len(recurrent_weight)
    _, kept = through_time(steps(weight, recurrent_weight, bias, recurrent_bias), x, offsets, initial, masks, size, 1,
                           False, reverse)
    dweight, dweight_out, dbias, dbias_out = map(zeros_like, (weight, recurrent_weight, bias, bias))

    def back(dh, saved):
        x, read, h, z, r, c, n = saved
        dn = [dh[j] * (1 - z[j]) * (1 - n[j] * n[j]) for j in range(size)]
        dz = [dh[j] * (h[j] - n[j]) * z[j] * (1 - z[j]) for j in range(size)]
        dread, dh = [0.0] * size, [dh[j] * z[j] for j in range(size)]
        if recurrent_bias is not None:
            # forward: n = tanh(… + r c), c = read @ Un + b'n
            dr = [dn[j] * c[j] * r[j] * (1 - r[j]) for j in range(size)]
            products = dz + dr + [dn[j] * r[j] for j in range(size)]
            for j in range(3 * size):
                dbias_out[j] += products[j]
        else:
            # forward: n = tanh(… + c @ Un), c = r read
            dc = [0.0] * size
            add_gradients(dc, dweight_out, dn, c, recurrent_weight, first=2 * size)
            dr = [dc[j] * read[j] * r[j] * (1 - r[j]) for j in range(size)]
            products = dz + dr
            for j in range(size):
                dread[j] += dc[j] * r[j]
        add_gradients(dread, dweight_out, products, read, recurrent_weight)
        dx, gates = [0.0] * len(x), dz + dr + dn
        add_gradients(dx, dweight, gates, x, weight)
        for j in range(3 * size):
            dbias[j] += gates[j]
        return dx, dread, [dh]

    dx, dinitial = back_through_time(back, da, x, offsets, kept, masks, size, 1, return_sequences, reverse)
    found = (dx, dweight, dweight_out, dbias) if recurrent_bias is None else (dx, dweight, dweight_out, dbias, dbias_out)
    return found if initial is None else (*found, dinitial)
