"""The long short-term memory as pure Python loops: cₜ = f cₜ₋₁ + i g, hₜ = o tanh cₜ."""

import math

from ...kernels.elementwise.elementary import sigmoid
from .walk import Matrix, Vector, add_gradients, add_product, back_through_time, prepared, through_time, zeros_like


def steps(weight, recurrent_weight, bias, peepholes):
    """Return the function that computes a step: (x, read, h, c) -> ([h', c'], what the way back needs).

    read: h as the recurrent product reads it, which dropout may have masked.
    """
    size = len(recurrent_weight)
    p = peepholes or [0.0] * (3 * size)

    def step(x, read, h, c):
        gates = add_product(add_product(bias[:], x, weight), read, recurrent_weight)
        i, f, g, o, new, a = ([0.0] * size for _ in range(6))
        for j in range(size):
            i[j] = sigmoid(gates[j] + p[j] * c[j])
            f[j] = sigmoid(gates[size + j] + p[size + j] * c[j])
            g[j] = math.tanh(gates[2 * size + j])
            new[j] = f[j] * c[j] + i[j] * g[j]
            o[j] = sigmoid(gates[3 * size + j] + p[2 * size + j] * new[j])
            a[j] = math.tanh(new[j])
        return [[o[j] * a[j] for j in range(size)], new], (x, read, c, i, f, g, o, new, a)

    return step


def lstm_forward(x: Matrix, offsets: list[int], weight: Matrix, recurrent_weight: Matrix, bias: Vector,
                 peepholes: Vector | None = None, initial: Matrix | None = None, return_sequences: bool = False,
                 reverse: bool = False, return_cells: bool = False, input_mask: Matrix | None = None,
                 state_mask: Matrix | None = None) -> Matrix:
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
    >>> a = lstm_forward([[1.0], [2.0], [5.0]], [0, 2, 3], [[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4)
    >>> [[round(number, 3) for number in row] for row in a]
    [[0.293], [0.231]]
    """
    x, offsets, weight, recurrent_weight, initial, masks, vectors = prepared(
        4, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, bias=bias, peepholes=peepholes)
    step = steps(weight, recurrent_weight, vectors["bias"], vectors["peepholes"])
    return through_time(step, x, offsets, initial, masks, len(recurrent_weight), 2, return_sequences, reverse,
                        1 + bool(return_cells))[0]


def lstm_backward(da: Matrix, x: Matrix, offsets: list[int], weight: Matrix, recurrent_weight: Matrix, bias: Vector,
                  peepholes: Vector | None = None, initial: Matrix | None = None, return_sequences: bool = False,
                  reverse: bool = False, return_cells: bool = False, input_mask: Matrix | None = None,
                  state_mask: Matrix | None = None) -> tuple:
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
    >>> [[round(number, 3) for number in row] for row in dx]
    [[0.034], [0.012]]
    """
    x, offsets, weight, recurrent_weight, initial, masks, vectors = prepared(
        4, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, bias=bias, peepholes=peepholes)
    bias, size = vectors["bias"], len(recurrent_weight)
    p = vectors["peepholes"] or [0.0] * (3 * size)
    _, kept = through_time(steps(weight, recurrent_weight, bias, p), x, offsets, initial, masks, size, 2, False, reverse)
    dweight, dweight_out, dbias, dpeepholes = map(zeros_like, (weight, recurrent_weight, bias, p))

    def back(dh, dc, saved):
        # forward: c = f c + i g, h = o tanh(c)
        x, read, before, i, f, g, o, c, a = saved
        gates, dbefore = [0.0] * (4 * size), [0.0] * size
        for j in range(size):
            do = dh[j] * a[j] * o[j] * (1 - o[j])
            down = dc[j] + dh[j] * o[j] * (1 - a[j] * a[j]) + do * p[2 * size + j]
            di, df = down * g[j] * i[j] * (1 - i[j]), down * before[j] * f[j] * (1 - f[j])
            gates[j], gates[size + j], gates[3 * size + j] = di, df, do
            gates[2 * size + j] = down * i[j] * (1 - g[j] * g[j])
            dbefore[j] = down * f[j] + di * p[j] + df * p[size + j]
            dpeepholes[j] += di * before[j]
            dpeepholes[size + j] += df * before[j]
            dpeepholes[2 * size + j] += do * c[j]
        dx, dread = [0.0] * len(x), [0.0] * size
        add_gradients(dx, dweight, gates, x, weight)
        add_gradients(dread, dweight_out, gates, read, recurrent_weight)
        for j in range(4 * size):
            dbias[j] += gates[j]
        return dx, dread, [[0.0] * size, dbefore]

    dx, dinitial = back_through_time(back, da, x, offsets, kept, masks, size, 2, return_sequences, reverse,
                                     1 + bool(return_cells))
    found = (dx, dweight, dweight_out, dbias) if peepholes is None else (dx, dweight, dweight_out, dbias, dpeepholes)
    return found if initial is None else (*found, dinitial)
