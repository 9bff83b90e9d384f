"""Networks with recurrent layers over sequences of any length: gradients, and the laws that hold for all networks."""

import numpy as np
import pytest

from fastnn import GRU, LSTM, Adam, Bidirectional, Dense, Dropout, LayerNorm, Network, Sequences, SimpleRNN, check_gradients
from fastnn.kernels.layers.recurrence import recurrence_rows

rng = np.random.default_rng(0)
LENGTHS = rng.integers(0, 12, size=45)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
LABELS = rng.integers(2, size=45)
NETS = {
    "simple": lambda: [SimpleRNN(7), Dense(2, "softmax")],
    "stacked": lambda: [LSTM(5, return_sequences=True), GRU(4, reverse=True), Dense(2, "softmax")],
    "mixed": lambda: [Dense(6, "tanh"), GRU(5, return_sequences=True, reset_after=False), LayerNorm(), Dropout(0.2),
                      LSTM(4, peepholes=True, return_sequences=True, reverse=True), Dense(4, "relu"), SimpleRNN(3),
                      Dense(2, "softmax")],
}
NETS |= {f"both, {merge}": lambda merge=merge: [Bidirectional(GRU(4, return_sequences=True)), Bidirectional(LSTM(3), merge),
                                                Dense(2, "softmax")] for merge in ("concat", "sum", "mul", "ave")}
every_net = pytest.mark.parametrize("name", NETS)


def network(name, inputs=(None, 3), **options):
    return Network(NETS[name](), inputs=inputs, seed=1, **options)


def bits(net):
    return [array.tobytes() for array in net.vectors.arrays]


@every_net
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_those_of_differences(name, training):
    net = network(name, dtype="float64")
    assert check_gradients(net, X, LABELS, training=training).max_relative_error < 1e-7


@every_net
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sequence_alone_gives_what_it_gives_in_any_batch(name, dtype):
    net = network(name, dtype=dtype)
    together = net.forward(X)
    assert np.array_equal(np.concatenate([net.forward([one]) for one in X]), together)
    order = rng.permutation(45)
    assert np.array_equal(net.forward(Sequences.of_lengths(np.concatenate(X), LENGTHS)[order]), together[order])
    assert np.array_equal(net.forward(X * 30)[-45:], together)  # several chunks


@pytest.mark.parametrize("name", ["stacked", "mixed"])
@pytest.mark.parametrize("size", [0, 1000, 12_000])  # bytes: for no steps, for those of the shorter batches, for most
def test_batches_with_more_steps_than_are_kept_give_the_same(name, size, monkeypatch, many_parts):
    expected = network(name).forward(X)
    monkeypatch.setattr(recurrence_rows, "KEPT_BYTES", size)
    net = network(name)
    for threads in (1, 3):
        assert np.array_equal(net.forward(X, threads=threads), expected)
    assert np.array_equal(np.concatenate([net.forward([one]) for one in X]), expected)


@every_net
def test_threads_change_no_bit(name, many_parts):
    found = []
    for threads in (1, 2, 3, 8):
        net = network(name)
        net.fit(X, LABELS, epochs=2, batch_size=16, threads=threads)
        loss, gradients = net.loss_and_gradients(X, LABELS, training=True, threads=threads)
        found.append((bits(net), loss, [each.tobytes() for each in gradients.values()],
                      net.forward(X * 9, threads=threads).tobytes(), net.evaluate(X, LABELS, threads=threads)))
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("name", ["simple", "stacked"])
def test_series_of_one_length_are_sequences(name):
    series = rng.normal(size=(20, 7, 3))
    found = []
    for inputs in ((None, 3), (7, 3)):
        net = network(name, inputs)
        net.fit(series, LABELS[:20], epochs=2, batch_size=8)
        found.append((bits(net), net.forward(series).tobytes()))
    assert found[0] == found[1]


@every_net
def test_a_file_holds_the_same_network(name, tmp_path):
    net = network(name)
    net.fit(X, LABELS, epochs=2, batch_size=16)
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.config() == net.config()
    assert np.array_equal(loaded.forward(X), net.forward(X))


def test_the_first_weights_are_orthogonal_and_an_lstm_keeps_its_cells():
    net = Network([LSTM(9)], inputs=(None, 3), dtype="float64")
    for gate in np.split(net.parameters["0.recurrent_weight"], 4, axis=1):
        np.testing.assert_allclose(gate @ gate.T, np.eye(9), atol=1e-12)
    assert net.parameters["0.bias"].tolist() == [0.0] * 9 + [1.0] * 9 + [0.0] * 18
    other = Network([LSTM(9, forget_bias=0)], inputs=(None, 3), dtype="float64")
    assert not other.parameters["0.bias"].any()
    assert np.array_equal(other.parameters["0.weight"], net.parameters["0.weight"])


@pytest.mark.parametrize("layer", [SimpleRNN(16), GRU(16), GRU(16, reset_after=False), LSTM(16), LSTM(16, peepholes=True)],
                         ids=repr)
def test_it_remembers_the_first_step(layer):
    signs = rng.choice([-1.0, 1.0], size=200)
    data = [np.concatenate([[[sign]], rng.normal(size=(n, 1)) * 0.1]) for sign, n in
            zip(signs, rng.integers(3, 9, size=200), strict=True)]
    net = Network([layer, Dense(2, "softmax")], inputs=(None, 1), seed=0)
    net.fit(data, (signs > 0).astype(int), epochs=30, batch_size=20, optimizer=Adam(0.01))
    assert net.evaluate(data, (signs > 0).astype(int))["accuracy"] == 1


def test_an_empty_sequence_gives_the_state_before_the_first_step():
    net = Network([GRU(4)], inputs=(None, 3))
    assert not net.forward([np.zeros((0, 3))]).any()


@pytest.mark.parametrize(("make", "says"), [
    (lambda: GRU(0), "out_features"), (lambda: LSTM(2.5), "out_features"),
    (lambda: GRU(4, reset_after="no"), r"GRU\(reset_after=...\) is 'no'"),
    (lambda: LSTM(4, peepholes=2), "peepholes"), (lambda: LSTM(4, forget_bias=np.nan), "forget_bias"),
    (lambda: SimpleRNN(4, nonlinearity="tan"), "tan"), (lambda: GRU(4, initializer="glorot"), "glorot"),
    (lambda: Network([GRU(4)], inputs=3), r"takes sequences \(steps, features\)"),
    (lambda: Network([GRU(4), GRU(4)], inputs=(None, 3)), "return_sequences=True"),
    (lambda: Network([GRU(4)], inputs=(None,)), "put an Embedding before it"),
    (lambda: Bidirectional(Dense(4)), "must be a SimpleRNN, a GRU or an LSTM"),
    (lambda: Bidirectional(GRU(4, reverse=True)), "leave reverse=True out"),
    (lambda: Bidirectional(GRU(4), "max"), r"Bidirectional\(merge=...\) is 'max'"),
    (lambda: Network([GRU(4)], inputs=(28, 28, 1)), r"takes sequences \(steps, features\)"),
])
def test_what_has_no_meaning_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
