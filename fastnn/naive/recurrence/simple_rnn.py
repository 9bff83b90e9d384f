"""The simple recurrent layer as pure Python loops: hₜ = g(xₜ W + hₜ₋₁ U + b)."""

from ...kernels.activations import activations
from ..records import activate, pullback
from .walk import Matrix, Vector, add_gradients, add_product, back_through_time, prepared, through_time, zeros_like


def steps(weight, recurrent_weight, bias, activation):
    """Return the function that computes a step: (x, read, h) -> ([a], what the way back needs).

    read: h as the recurrent product reads it, which dropout may have masked.
    """

    def step(x, read, h):
        z = add_product(add_product(bias[:], x, weight), read, recurrent_weight)
        a = activate(activation, [z])[0]
        return [a], (x, read, z, a)

    return step


def simple_rnn_forward(x: Matrix, offsets: list[int], weight: Matrix, recurrent_weight: Matrix, bias: Vector,
                       initial: Matrix | None = None, activation: str = "tanh", return_sequences: bool = False,
                       reverse: bool = False, input_mask: Matrix | None = None,
                       state_mask: Matrix | None = None) -> Matrix:
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
    [[17.5], [5.5]]
    """
    x, offsets, weight, recurrent_weight, initial, masks, vectors = prepared(
        1, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, bias=bias)
    step = steps(weight, recurrent_weight, vectors["bias"], activations.resolve(activation))
    return through_time(step, x, offsets, initial, masks, len(recurrent_weight), 1, return_sequences, reverse)[0]


def simple_rnn_backward(da: Matrix, x: Matrix, offsets: list[int], weight: Matrix, recurrent_weight: Matrix, bias: Vector,
                        initial: Matrix | None = None, activation: str = "tanh", return_sequences: bool = False,
                        reverse: bool = False, input_mask: Matrix | None = None,
                        state_mask: Matrix | None = None) -> tuple:
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
    ([[10.0], [1.0]], [[12.0]], [[1.5]], [11.0])
    """
    x, offsets, weight, recurrent_weight, initial, masks, vectors = prepared(
        1, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, bias=bias)
    record, out = activations.resolve(activation), len(recurrent_weight)
    _, kept = through_time(steps(weight, recurrent_weight, vectors["bias"], record), x, offsets, initial, masks, out, 1,
                           False, reverse)
    dweight, dweight_out, dbias = map(zeros_like, (weight, recurrent_weight, vectors["bias"]))

    def back(dh, saved):
        # forward: z = x @ weight + read @ recurrent_weight + bias
        x, read, z, a = saved
        dz = pullback(record, [dh], [z], [a])[0]
        dx, dread = [0.0] * len(x), [0.0] * out
        add_gradients(dx, dweight, dz, x, weight)
        add_gradients(dread, dweight_out, dz, read, recurrent_weight)
        for j in range(out):
            dbias[j] += dz[j]
        return dx, dread, [[0.0] * out]

    dx, dinitial = back_through_time(back, da, x, offsets, kept, masks, out, 1, return_sequences, reverse)
    return dx, dweight, dweight_out, dbias, *(() if initial is None else (dinitial,))
