"""Streams: a network that is fed step by step gives what it gives for whole sequences, to the bit."""

import copy
import pickle

import numpy as np
import pytest

from fastnn import (
    GRU,
    LSTM,
    Activation,
    BatchNorm,
    Bidirectional,
    Concatenate,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePool,
    GlobalMaxPool,
    Input,
    LastStep,
    LayerNorm,
    MaxPool1D,
    ModelFormatError,
    Network,
    Normalize,
    Rescale,
    Shared,
    SimpleRNN,
    Stream,
)

rng = np.random.default_rng(0)
STEPS = 23
X = [rng.normal(size=(STEPS, 5)).astype("float32") for _ in range(7)]
TOKENS = [rng.integers(30, size=STEPS) for _ in range(7)]


def graph():
    x = Input((None, 5), name="x")
    same = Shared(Dense(5, "tanh"))
    h = same(Dense(5, "relu")(x)) + same(x)
    past = Conv1D(4, 3, "relu", padding="causal")(h)
    return {"inputs": x, "outputs": Dense(3, "softmax")(Concatenate()(GRU(6)(h, name="encoder"), GlobalMaxPool()(past)))}


def twice():
    x, cell = Input((None, 5)), Shared(GRU(5, return_sequences=True))
    return {"inputs": x, "outputs": cell(cell(x))}


NETS = {
    "simple": [SimpleRNN(9), Dense(2, "softmax")],
    "simple relu": [SimpleRNN(17, nonlinearity="relu", return_sequences=True), Dense(1)],
    "gru": [GRU(33), Dense(3, "softmax")],
    "gru before": [GRU(17, reset_after=False, return_sequences=True), GRU(65, reset_after=False)],
    "lstm": [LSTM(20, return_sequences=True), Dense(4)],
    "peepholes": [LSTM(9, peepholes=True, return_sequences=True), Dropout(0.3), LSTM(70, peepholes=True)],
    "stacked": [Dense(12, "gelu"), LSTM(16, return_sequences=True), LayerNorm(), GRU(16, return_sequences=True),
                SimpleRNN(16, return_sequences=True), Dense(2, "softmax")],
    "rows": [Normalize(), Rescale(0.5), Dense(8), BatchNorm(), Activation("silu"), LastStep(), Dense(1, "sigmoid")],
    "last": [GRU(8, return_sequences=True), LastStep(), BatchNorm(), Dense(3)],
    "mean": [Dense(7, "tanh"), GlobalAveragePool(), Dense(2, "softmax")],
    "largest": [GRU(7, return_sequences=True), GlobalMaxPool(), Dense(2, "softmax")],
    "causal": [Conv1D(6, 3, "relu", padding="causal"), Conv1D(8, 4, padding="causal", dilation=3), Activation("tanh"),
               Conv1D(3, 1), GlobalAveragePool(), Dense(2)],
    "graph": graph,
    "twice": twice,
    "learned": [LSTM(6, return_sequences=True, learned_state=True, return_cells=True), GRU(5, learned_state=True)],
    "one unit": [GRU(1, return_sequences=True), Dense(1)],
}
OF_TOKENS = {"tokens": [Embedding(30, 6), LSTM(11, return_sequences=True), Dense(30, "softmax")],
             "tokens at once": [Embedding(30, 6), GlobalAveragePool(), Dense(2)]}

IN_FLOAT64 = "stacked", "peepholes", "gru before", "mean", "largest", "causal", "tokens"  # all kinds of rows


def made(name, dtype="float32"):
    layers = (NETS | OF_TOKENS)[name]
    options = layers() if callable(layers) else {"layers": layers, "inputs": (None,) if name in OF_TOKENS else (None, 5)}
    net = Network(**options, dtype=dtype, seed=3)
    for values in net.parameters.values():  # biases of zeros, and a scale of ones, would hide a fault
        values += rng.normal(0, 0.1, values.shape)
    for values in net.state.values():
        values += rng.uniform(0, 1, values.shape)
    return net


def sequences(name):
    return TOKENS if name in OF_TOKENS else X


def expected(net, one):
    """The outputs after each step of a sequence."""
    return net.forward([one])[0] if net.gives_steps else np.concatenate(
        [net.forward([one[:t + 1]]) for t in range(len(one))])


every_net = pytest.mark.parametrize("name", NETS | OF_TOKENS)


@pytest.mark.parametrize(("name", "dtype"), [(name, dtype) for name in NETS | OF_TOKENS for dtype in ["float32", "float64"]
                                             if dtype == "float32" or name in IN_FLOAT64])
def test_steps_are_the_whole_to_the_bit(name, dtype):
    net = made(name, dtype)
    one = sequences(name)[0].astype(dtype if name in NETS else int)
    whole, stream = expected(net, one), net.stream()
    assert stream.step(one[0]).dtype == whole.dtype
    stream.reset()
    assert np.array_equal([stream.step(x) for x in one], whole)
    stream.reset()
    pieces = np.split(one, [0, 1, 2, 9])  # of 0, 1, 1, 7 and 14 steps
    assert np.array_equal(np.concatenate([stream.steps(piece) for piece in pieces]), whole)


def test_steps_along_the_last_axis_are_told_from_others():
    with pytest.raises(ValueError, match=r"must be \(steps, 5\).*give x\.swapaxes\(-1, -2\)"):
        made("gru").stream().steps(X[0].T)


@every_net
def test_streams_together_are_the_streams_alone(name):
    net, together = made(name), np.stack(sequences(name))
    alone = np.stack([expected(net, one) for one in sequences(name)])
    stream = net.stream(streams=len(together))
    assert np.array_equal(np.stack([stream.step(together[:, t]) for t in range(4)], axis=1), alone[:, :4])
    assert np.array_equal(stream.steps(together[:, 4:]), alone[:, 4:])
    stream.reset([2, 3])
    again = stream.steps(together)
    assert np.array_equal(again[2:4], alone[2:4])
    stream.reset(np.arange(len(together)) == 5)
    assert np.array_equal(stream.steps(together)[5], alone[5])


@every_net
def test_a_copy_goes_its_own_way(name, tmp_path):
    net, one = made(name), sequences(name)[1]
    stream = net.stream()
    whole = expected(net, one)
    stream.steps(one[:10])
    stream.save(tmp_path / "stream.safetensors")
    others = [stream.copy(), copy.copy(stream), copy.deepcopy(stream), pickle.loads(pickle.dumps(stream)),
              Stream.load(tmp_path / "stream.safetensors", net)]
    stream.steps(sequences(name)[2])
    for other in others:
        assert np.array_equal(other.steps(one[10:]), whole[10:])


def test_predictions_are_those_of_the_sequence_so_far():
    for name in ("gru", "lstm", "rows", "stacked"):
        net = made(name)
        stream, streams = net.stream(), net.stream(streams=2)
        for t in range(4):
            predicted = stream.predict(X[0][t])
            both = [net.predict([one[:t + 1]])[0] for one in X[:2]]
            both = [each[-1] for each in both] if net.gives_steps else both
            assert np.array_equal(predicted, both[0])
            assert np.array_equal(streams.predict(np.stack([one[t] for one in X[:2]])), both)


def test_a_stream_sees_later_training_and_its_state_can_be_set():
    net = made("lstm")
    stream = net.stream()
    assert list(stream.state) == ["0.h", "0.c"]
    stream.steps(X[0])
    assert stream.state["0.h"].any()
    stream.state["0.h"][:], stream.state["0.c"][:] = 0, 0
    net.parameters["1.bias"][:] += 1
    assert np.array_equal(stream.steps(X[1]), net.forward(X[1:2])[0])


def test_names_of_the_state():
    assert list(made("graph").stream().state) == ["encoder.h", "4.past", "5.largest"]
    assert list(made("twice").stream().state) == ["0.h", "0(2).h"]


def test_a_mean_counts_further_than_the_numbers_do():
    net = Network([GlobalAveragePool()], inputs=(None, 1))
    stream = net.stream()
    stream.state["0.sum"][:], stream.state["0.count"][:] = 2.0**24, ((1 << 20) - 1, 15)
    assert stream.step([1.0]) == np.float32(1)
    assert stream.state["0.count"].tolist() == [0, 16]
    stream.step([0.0])
    assert stream.state["0.count"].tolist() == [1, 16]


def test_a_number_or_a_token_is_a_step():
    net, series = Network([GRU(4), Dense(1)], inputs=(None, 1)), X[0][:, 0]
    stream = net.stream()
    out = [stream.step(float(x)) for x in series[:3]][-1]
    assert np.array_equal(out, net.forward([series[:3]])[0])
    assert np.array_equal(stream.steps(series[3:])[-1], net.forward([series])[0])
    assert np.array_equal(net.stream(streams=2).step([0.5, 1.5])[1], net.stream().step([1.5]))
    net = made("tokens")
    stream = net.stream()
    assert np.array_equal([stream.step(int(token)) for token in TOKENS[0]], net.forward(TOKENS[:1])[0])


BAD = [
    ("gru", lambda s: s.step(X[0][0][:4]), r"must be \(5\)"),
    ("gru", lambda s: s.step(X[0]), r"several steps are fed by steps\(x\)"),
    ("gru", lambda s: s.steps(X[0][0]), r"one step is fed by step\(x\)"),
    ("gru", lambda s: s.step([1, 2, np.nan, 4, 5]), "nan"),
    ("gru", lambda s: s.step(np.array([1, 2, np.inf, 4, 5], "float32")), "inf"),
    ("gru", lambda s: s.steps(np.full((4, 5), 1e300)), "scale values"),
    ("gru", lambda s: s.step("abcde"), "real numbers|shape"),
    ("gru", lambda s: s.reset(0), "one stream"),
    ("tokens", lambda s: s.step(30), "from 0 to 29"),
    ("tokens", lambda s: s.step(-1), "from 0 to 29"),
    ("tokens", lambda s: s.step(np.array([30], "int32")[0]), "from 0 to 29"),
    ("tokens", lambda s: s.steps(np.array([1, 2, 40], "int32")), "from 0 to 29"),
    ("tokens", lambda s: s.step(1.5), "whole numbers"),
]


@pytest.mark.parametrize(("name", "call", "message"), BAD)
def test_what_does_not_fit_is_refused_and_the_state_stays(name, call, message):
    stream = made(name).stream()
    stream.steps(sequences(name)[0][:3])
    before = {key: values.copy() for key, values in stream.state.items()}
    with pytest.raises(ValueError, match=message):
        call(stream)
    assert all(np.array_equal(values, before[key]) for key, values in stream.state.items())


@pytest.mark.parametrize(("layers", "inputs", "message"), [
    ([Bidirectional(GRU(4))], (None, 3), r"layer '1' cannot .*GRU\(4, reverse=True\) begins at the last step"),
    ([LSTM(4, reverse=True)], (None, 3), "begins at the last step; leave reverse out"),
    ([Conv1D(4, 3), GlobalMaxPool()], (None, 3), "give it padding='causal' and no stride"),
    ([Conv1D(4, 3, padding="causal", stride=2), GlobalMaxPool()], (None, 3), "padding='causal' and no stride"),
    ([Conv1D(4, 3, padding="same"), GlobalMaxPool()], (None, 3), "padding='causal' and no stride"),
    ([MaxPool1D(2), GlobalMaxPool()], (None, 3), "use a Conv1D with padding='causal'"),
    ([GRU(4)], (9, 3), r"make it with inputs=\(None, ...\)"),
    ([Dense(4)], 3, "not sequences"),
])
def test_networks_that_need_later_steps_are_refused_by_name(layers, inputs, message):
    with pytest.raises(ValueError, match=message):
        Network(layers, inputs=inputs).stream()


def test_a_state_that_other_layers_give_is_refused():
    x = Input((None, 3))
    net = Network(inputs=x, outputs=GRU(4)(x, initial_state=Dense(4)(GlobalMaxPool()(x))))
    with pytest.raises(ValueError, match=r"write that state into stream\.state"):
        net.stream()


def test_several_inputs_are_refused():
    x, z = Input((None, 3), name="x"), Input((None, 3), name="z")
    net = Network(inputs=[x, z], outputs=Dense(1)(Concatenate()(GRU(3)(x), GRU(3)(z))))
    with pytest.raises(ValueError, match="several inputs"):
        net.stream()


def test_arguments_and_files_that_do_not_fit(tmp_path):
    net, path = made("gru"), tmp_path / "s"
    for streams in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="streams"):
            net.stream(streams)
    stream = net.stream(streams=3)
    with pytest.raises(ValueError, match="numbers from 0 to 2"):
        stream.reset(3)
    with pytest.raises(ValueError, match=r"must be \(3, 5\)"):
        stream.step(np.zeros((2, 5)))
    stream.save(path)
    assert np.array_equal(Stream.load(path, net).state["0.h"], stream.state["0.h"])
    for other in (made("gru", "float64"), made("lstm")):
        with pytest.raises(ModelFormatError, match="another architecture"):
            Stream.load(path, other)
    net.save(path)
    with pytest.raises(ModelFormatError, match="fastnn-stream-1"):
        Stream.load(path, net)
    stream.save(path)
    with pytest.raises(ModelFormatError, match="fastnn-stream-1"):
        Network.load(path)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ModelFormatError, match="damaged"):
        Stream.load(path, net)
