"""Networks of sequences in compiled code: step by step and whole, to the bits of the network."""

import numpy as np
import pytest
from guarded import filled
from numba import njit, prange
from numba.core.errors import TypingError

import fastnn
from fastnn import GRU, LSTM, Bidirectional, Conv1D, Dense, Embedding, GlobalAveragePool, GlobalMaxPool, Network, SimpleRNN

rng = np.random.default_rng(0)
NETS = {
    "gru": lambda: [GRU(32, learned_state=True), Dense(2, "softmax")],
    "stacked": lambda: [Dense(6, "tanh"), LSTM(20, peepholes=True, return_sequences=True), GRU(9, reset_after=False),
                        Dense(3)],
    "causal": lambda: [Conv1D(6, 3, "relu", padding="causal", dilation=2), SimpleRNN(7, return_sequences=True), Dense(1)],
    "pools": lambda: [GRU(5, return_sequences=True), GlobalMaxPool(), Dense(2)],
}


@njit
def steps(model, state, x, out):
    for t in range(len(x)):
        fastnn.jit.step(model, state, x[t], out[t])


@njit
def sequence(model, x, out):
    fastnn.jit.forward_sequence(model, x, out)


@njit(parallel=True)
def together(model, states, x, out):
    for i in prange(len(x)):
        fastnn.jit.reset(model, states[i])
        for t in range(x.shape[1]):
            fastnn.jit.step(model, states[i], x[i, t], out[i, t])


def made(name, dtype="float32"):
    net = Network(NETS[name](), inputs=(None, 4), dtype=dtype, seed=2)
    for values in net.parameters.values():
        values += rng.normal(0, 0.1, values.shape)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETS)
def test_steps_and_sequences_have_the_bits_of_the_network(name, dtype):
    net, x = made(name, dtype), rng.normal(size=(12, 4)).astype(dtype)
    whole, model, state = net.stream().steps(x), net.compiled(), fastnn.jit.first_state(net)
    out = filled(whole.shape, dtype)
    steps(model, state, x, out.array)
    assert np.array_equal(out.array, whole)
    assert out.intact()
    sequence(model, np.repeat(x, 2, axis=1)[:, ::2], out.array)
    assert np.array_equal(out.array, whole)
    last = np.empty(net.outputs, dtype)
    sequence(model, x, last)
    assert np.array_equal(last, net.forward([x])[0][-1] if net.gives_steps else net.forward([x])[0])
    fastnn.jit.reset(model, state)
    assert np.array_equal(state, fastnn.jit.first_state(net))
    net.parameters["0.bias"][:] += 1  # the model is live
    steps(model, state, x, out.array)
    assert np.array_equal(out.array, net.stream().steps(x))


def test_sequences_in_parallel():
    net, x = made("gru"), rng.normal(size=(20, 9, 4)).astype("float32")
    states, out = np.empty((20, 32), "float32"), np.empty((20, 9, 2), "float32")
    together(net.compiled(), states, x, out)
    assert np.array_equal(out, net.stream(streams=20).steps(x))


@njit
def write(model, state, first, count, out):
    token, written = first, np.empty(count, np.int64)
    for t in range(count):
        fastnn.jit.step(model, state, token, out)
        token = np.argmax(out)
        written[t] = token
    return written


def test_tokens():
    net = Network([Embedding(30, 5), GRU(16, return_sequences=True), Dense(30, "softmax")], inputs=(None,))
    net.parameters["0.weight"][:] *= 100
    out, tokens = np.empty(30, "float32"), []
    written = write(net.compiled(), fastnn.jit.first_state(net), 7, 10, out)
    for _ in range(10):
        tokens.append(int(net.forward([[7, *tokens]])[0][-1].argmax()))
    assert written.tolist() == tokens
    for dtype in ("int32", "int64"):
        sequence(net.compiled(), np.array([7, *tokens[:-1]], dtype), out)
        assert np.array_equal(out, net.forward([[7, *tokens[:-1]]])[0][-1])
    state, model = fastnn.jit.first_state(net), net.compiled()
    for wrong in (-1, 30, 2**40):
        with pytest.raises(ValueError, match="a token of its vocabulary"):
            write(model, state, wrong, 1, out)
        assert np.isnan(out).all()
        assert not state.any()
        with pytest.raises(ValueError, match="a token of its vocabulary"):
            sequence(model, np.array([1, wrong]), out)
    with pytest.raises(ValueError, match="a token of its vocabulary"):
        sequence(made("gru").compiled(), np.array([1, 2]), np.empty(2, "float32"))
    with pytest.raises(ValueError, match="a token of its vocabulary"):
        sequence(model, np.zeros((3, 1), "float32"), out)


def test_what_does_not_fit_is_refused():
    net = made("gru")
    model, state, x = net.compiled(), fastnn.jit.first_state(net), np.zeros((3, 4), "float32")
    out = filled((3, 2), "float32")
    before = state.copy()
    for given in ((state, x[:, :3], out.array), (state[1:], x, out.array), (np.zeros(33, "float32"), x, out.array),
                  (state, x, out.array[:, :1])):
        out.array[...] = 0
        with pytest.raises(ValueError, match="do not fit the model"):
            steps(model, *given)
        assert np.isnan(given[2][0]).all()
        assert out.intact()
        assert np.array_equal(state, before)
    for given in ((x[:0], out.array[0]), (x[:2], out.array), (x, out.array[:, :1])):
        with pytest.raises(ValueError, match="do not fit the model"):
            sequence(model, *given)
    with pytest.raises(ValueError, match="state does not fit"):
        fastnn.jit.reset(model, state[1:])
    rows = Network([Dense(2)], inputs=4).compiled()
    with pytest.raises(ValueError, match=r"inputs=\(None, \.\.\.\)"):
        steps(rows, state, x, out.array)
    with pytest.raises(ValueError, match=r"inputs=\(None, \.\.\.\)"):
        fastnn.jit.reset(rows, state)
    with pytest.raises(ValueError, match="forward_sequence"):
        fastnn.jit.forward(model, x, out.array)
    with pytest.raises(ValueError, match="sequences of any length"):
        fastnn.jit.input_gradients(model, x, out.array, x.copy())
    with pytest.raises(TypingError, match="state must be contiguous"):
        steps(model, np.zeros(64, "float32")[::2], x, out.array)
    with pytest.raises(TypingError, match="x holds float64"):
        steps(model, state, x.astype("float64"), out.array)
    with pytest.raises(ValueError, match=r"begins at the last step.*network\.compiled\(steps=100\)"):
        Network([Bidirectional(GRU(3))], inputs=(None, 4)).compiled()


def test_a_network_larger_than_the_stack():
    net = Network([GRU(40, return_sequences=True), GlobalAveragePool(), Dense(20_000)], inputs=(None, 3))
    x, out = rng.normal(size=(3, 3)).astype("float32"), np.empty((3, 20_000), "float32")
    sequence(net.compiled(), x, out)
    assert np.array_equal(out, net.stream().steps(x))
