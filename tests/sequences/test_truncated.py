"""Truncated backpropagation through time: fits by windows of series, whose states carry over."""

import itertools

import numpy as np
import pytest
from resumed import StopAfter

from fastnn import (
    GRU,
    LBFGS,
    LSTM,
    SGD,
    Adam,
    Bidirectional,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    Input,
    ModelFormatError,
    Network,
    Population,
    Sequences,
    SimpleRNN,
    sweep,
    vectorized,
)
from fastnn.samples.data import check_data
from fastnn.samples.series.cut_series import CutSeries

rng = np.random.default_rng(0)
LENGTHS = rng.integers(0, 30, size=23)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
LABELS = [rng.integers(-1, 2, size=n) for n in LENGTHS]
EQUAL = [rng.normal(size=(20, 3)) for _ in range(9)]
EQUAL_LABELS = [rng.integers(2, size=20) for _ in range(9)]
TOKENS = [rng.integers(7, size=n) for n in LENGTHS]
NETS = {
    "simple": lambda: [SimpleRNN(5, return_sequences=True)],
    "gru": lambda: [GRU(4, return_sequences=True, learned_state=True)],
    "stacked": lambda: [LSTM(4, return_sequences=True, learned_state=True), Dropout(0.2), Dense(3, "tanh"),
                        GRU(5, return_sequences=True, reset_after=False, dropout=0.2, recurrent_dropout=0.3)],
    "cells": lambda: [LSTM(3, peepholes=True, return_sequences=True, return_cells=True)],
}
every_net = pytest.mark.parametrize("name", NETS)


def network(name, inputs=(None, 3), **options):
    return Network([*NETS[name](), Dense(2, "softmax")], inputs=inputs, seed=1, **options)


def bits(net):
    return [array.tobytes() for array in net.vectors.arrays]


@every_net
@pytest.mark.parametrize("shuffle", [True, False])
def test_with_windows_as_long_as_the_sequences_it_is_the_plain_fit(name, shuffle):
    found = []
    for options in ({}, {"backprop_steps": 29}, {"backprop_steps": 1000}):
        net = network(name)
        history = net.fit(X, LABELS, epochs=3, batch_size=7, shuffle=shuffle, **options)
        found.append((bits(net), history.metrics))
    assert found[1:] == found[:-1]


def test_tokens_weights_and_held_out_samples_are_those_of_the_plain_fit():
    found = []
    for options in ({}, {"backprop_steps": 29}):
        net = Network([Embedding(7, 3), GRU(4, return_sequences=True), Dense(2, "softmax")], inputs=(None,), seed=1)
        history = net.fit(TOKENS, LABELS, epochs=2, batch_size=5, validation_split=0.3, metrics=["f1"],
                          sample_weight=np.arange(1.0, 24.0), class_weight={0: 0.5}, **options)
        found.append((bits(net), history.metrics))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["simple", "gru", "frozen dropout", "cells"])
@pytest.mark.parametrize("steps", [1, 6, 7])
def test_the_states_carried_are_those_of_the_whole_sequences_to_the_bit(name, steps):
    """With recurrent layers that stay as they are, states are those of the sequences as a whole, and so is the loss."""
    layers = [LSTM(4, return_sequences=True, learned_state=True), Dense(3, "tanh"),
              GRU(5, return_sequences=True, recurrent_dropout=0.3)] if name == "frozen dropout" else NETS[name]()
    net = Network([*layers, Dense(2, "softmax")], inputs=(None, 3), seed=1)
    before = net.evaluate(EQUAL, EQUAL_LABELS)
    history = net.fit(EQUAL, EQUAL_LABELS, batch_size=9, backprop_steps=steps, shuffle=False, optimizer=SGD(1e-20),
                      frozen=[f"{number}.*" for number, layer in enumerate(layers)])
    assert history.metrics["loss"][0] == pytest.approx(before["loss"], rel=1e-6)
    stream = net.stream(streams=9)
    stream.steps(np.stack(EQUAL))
    expected = np.concatenate([array.reshape(9, -1) for array in states_by_layer(stream)], axis=None)
    assert net.fits.last.carried.tobytes() == expected.tobytes()


def states_by_layer(stream):
    """Return the states of each recurrent layer of a stream, h and c side by side."""
    for _, names in itertools.groupby(stream.state, lambda name: name.partition(".")[0]):
        yield np.concatenate([stream.state[name] for name in names], axis=1)


@pytest.mark.parametrize("learned", [False, True])
def test_a_step_is_the_gradient_of_a_window(learned):
    """Steps of gradient descent, computed by hand in NumPy, window by window."""
    y = [rng.normal(size=(20, 4)) for _ in EQUAL]
    net = Network([GRU(4, return_sequences=True, learned_state=learned)], inputs=(None, 3), loss="squared_error",
                  dtype="float64", seed=1)
    if learned:
        net.parameters["0.initial_state"][:] = [0.3, -0.2, 0.1, 0.5]
    p = {name.partition(".")[2]: array.copy() for name, array in net.parameters.items()}
    loss, _ = net.loss_and_gradients(EQUAL, y)
    scale = loss / sum(((net.forward([one])[0] - target) ** 2).sum() for one, target in zip(EQUAL, y, strict=True))
    scale *= len(EQUAL) * 20  # of the squares of a step
    net.fit(EQUAL, y, epochs=2, batch_size=5, backprop_steps=7, shuffle=False, optimizer=SGD(0.05))
    for _ in range(2):
        for series in (slice(0, 5), slice(5, 9)):
            given, targets = np.stack(EQUAL[series]), np.stack(y[series])
            count = len(given)
            for begin in (0, 7, 14):
                if begin == 0:
                    state = np.tile(p.get("initial_state", np.zeros(4)), (count, 1))
                x, target = given[:, begin:begin + 7], targets[:, begin:begin + 7]
                steps = x.shape[1]
                arguments = {"x": x.reshape(-1, 3), "offsets": np.arange(count + 1) * steps, "initial": state,
                             "return_sequences": True} | {name: p[name] for name in p if name != "initial_state"}
                a = vectorized.gru_forward(**arguments)
                da = 2 * scale * (a - target.reshape(-1, 4)) / len(a)
                _, *gradients, dinitial = vectorized.gru_backward(da, **arguments)
                state = a.reshape(count, steps, 4)[:, -1]
                for name, gradient in zip(("weight", "recurrent_weight", "bias", "recurrent_bias"), gradients, strict=True):
                    p[name] -= 0.05 * gradient
                if learned and begin == 0:
                    p["initial_state"] -= 0.05 * dinitial.sum(axis=0)
    for name, array in p.items():
        np.testing.assert_allclose(net.parameters[f"0.{name}"], array, rtol=1e-11, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("steps", [1, 4, 11, 40])
@pytest.mark.parametrize("batch", [1, 5, 23, 100])
def test_each_window_stands_once_behind_the_one_before(steps, batch):
    net = network("simple")
    data = check_data(net, X, LABELS)
    series = CutSeries(data, steps, batch)
    offsets, order = series.data.X.offsets, np.random.default_rng(3).permutation(23)
    for given in (np.arange(23), order):
        windows = series.order(given).reshape(-1, series.batch)
        used = windows[windows < len(series.begins) - 1]
        assert sorted(used) == [*range(len(series.begins) - 1)]
        for place in windows.T:
            for one, other in itertools.pairwise(place):
                assert series.begins[other] or other == one + 1
            assert series.begins[place[0]]
        assert windows.shape[0] >= -(-len(used) // series.batch)
    steps_of = np.diff(offsets)
    assert steps_of.max() <= steps
    assert steps_of.sum() == LENGTHS.sum()
    assert np.array_equal(offsets, series.data.targets.offsets)


@every_net
def test_threads_change_no_bit(name, many_parts):
    found = []
    for threads in (1, 2, 3):
        net = network(name)
        net.fit(X, LABELS, epochs=2, batch_size=7, backprop_steps=5, threads=threads)
        found.append((bits(net), net.fits.last.carried.tobytes()))
    assert found[1:] == found[:-1]


@every_net
@pytest.mark.parametrize("by_file", [False, True])
def test_a_fit_goes_on_after_any_batch(name, by_file, tmp_path):
    def run(net, **options):
        return net.fit(X, LABELS, epochs=3, batch_size=7, backprop_steps=5, **options)

    whole = network(name)
    history = run(whole, optimizer=Adam(0.01))
    for stops in ((1, 2, 3), (7, 11)):
        net, given = network(name), {"optimizer": Adam(0.01)}
        for batches in stops:
            with pytest.raises(KeyboardInterrupt):
                run(net, callbacks=[StopAfter(batches, KeyboardInterrupt())], **given)
            given = {"resume": True}
            if by_file:
                net.save_checkpoint(tmp_path / "run.safetensors")
                net = Network.load_checkpoint(tmp_path / "run.safetensors")
        assert run(net, resume=True) == history
        assert bits(net) == bits(whole)


def test_a_file_with_states_of_another_size_is_refused(tmp_path):
    net = network("gru")
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, LABELS, batch_size=7, backprop_steps=5, callbacks=[StopAfter(2, KeyboardInterrupt())])
    for carried in (np.zeros(5, np.float32), np.full(28, np.nan, np.float32), None):
        net.fits.last.carried = carried
        net.save_checkpoint(tmp_path / "run.safetensors")
        with pytest.raises(ModelFormatError, match=r"carries from window to window"):
            Network.load_checkpoint(tmp_path / "run.safetensors")
    net.fits.last.carried = np.zeros(28, np.float64)
    net.save_checkpoint(tmp_path / "run.safetensors")
    with pytest.raises(ModelFormatError, match="tensors are not those"):
        Network.load_checkpoint(tmp_path / "run.safetensors")


def test_a_long_series_in_parallel_parts():
    """What recurs in a series is learned across windows: the label is the sign of the number eight steps before."""
    signs = rng.choice([-1.0, 1.0], size=4000)
    y = (np.roll(signs, 3) > 0).astype(int)
    parts = np.linspace(0, 4000, 17).astype(int)
    net = Network([GRU(16, return_sequences=True), Dense(2, "softmax")], inputs=(None, 1), seed=1)
    history = net.fit(Sequences(signs[:, None], parts), Sequences(y, parts), epochs=15, batch_size=16, backprop_steps=8,
                      optimizer=Adam(0.02))
    assert history.metrics["accuracy"][-1] > 0.97


x = Input((None, 3), name="x")


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Network([GRU(4), Dense(2, "softmax")], inputs=(None, 3)), "return_sequences=True"),
    (lambda: Network([Dense(2, "softmax")], inputs=3), r"inputs=\(None, ...\)"),
    (lambda: Network([GRU(4, return_sequences=True, reverse=True), Dense(2, "softmax")], inputs=(None, 3)),
     "begins at the last step"),
    (lambda: Network([Bidirectional(GRU(4, return_sequences=True)), Dense(2, "softmax")], inputs=(None, 3)),
     "begins at the last step"),
    (lambda: Network([Conv1D(4, 3, padding="causal"), Dense(2, "softmax")], inputs=(None, 3)), "begin anew in each window"),
    (lambda: Network(inputs=x, outputs=Dense(2, "softmax")(GRU(4, return_sequences=True)(x, initial_state=GRU(4)(x)))),
     "works on whole sequences|give the state"),
], ids=range(6))
def test_networks_that_cannot_carry_their_state_are_refused(make, says):
    net = make()
    before = bits(net)
    given = (np.zeros((4, 3)), [0, 1, 0, 1]) if not net.is_ragged else (X, LABELS if net.gives_steps else [0] * 23)
    with pytest.raises(ValueError, match=says):
        net.fit(*given, backprop_steps=5)
    assert bits(net) == before


def test_other_options_that_do_not_fit_are_refused():
    net = network("gru")
    for wrong in (0, 2.5, "ten", True):
        with pytest.raises((ValueError, TypeError), match="backprop_steps"):
            net.fit(X, LABELS, backprop_steps=wrong)
    with pytest.raises(ValueError, match="LBFGS takes the gradient of all samples"):
        net.fit(X, LABELS, backprop_steps=5, optimizer=LBFGS())
    ctc = Network([GRU(4, return_sequences=True), Dense(3, "softmax")], inputs=(None, 3), loss="ctc")
    with pytest.raises(ValueError, match="'ctc' is that of a whole sequence"):
        ctc.fit(EQUAL, [[1, 2]] * 9, backprop_steps=5)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, LABELS, backprop_steps=5, callbacks=[StopAfter(1, KeyboardInterrupt())])
    with pytest.raises(ValueError, match="backprop_steps is 6; the fit to be resumed has 5"):
        net.fit(X, LABELS, backprop_steps=6, resume=True)


def test_members_of_a_population_are_trained_by_windows_as_alone():
    windows, rows = [None, 7, 4], np.arange(2, 20)
    members = Population([network("gru") for _ in windows])
    members.fit(X, LABELS, epochs=2, batch_size=5, rows=rows, backprop_steps=windows)
    for net, steps in zip(members, windows, strict=True):
        alone = network("gru")
        alone.fit([X[k] for k in rows], [LABELS[k] for k in rows], epochs=2, batch_size=5, backprop_steps=steps)
        assert bits(net) == bits(alone)
    members.fit(X, LABELS, epochs=3, batch_size=5, rows=rows, backprop_steps=windows, resume=True)
    assert [len(history.epochs) for history in members.histories] == [3] * 3


def test_a_sweep_compares_lengths_of_windows():
    result = sweep({"backprop_steps": [None, 5], "units": [3]}, X, LABELS, epochs=2, halving=2.0, validation_split=0.3,
                   build=lambda units: Network([GRU(units, return_sequences=True), Dense(2, "softmax")], inputs=(None, 3)))
    assert [each["backprop_steps"] for each in result.configurations] == [None, 5]
    other = sweep({"units": [3]}, X, LABELS, epochs=2, validation_split=0.3, backprop_steps=5,
                  build=lambda units: Network([GRU(units, return_sequences=True), Dense(2, "softmax")], inputs=(None, 3)))
    assert other.population.networks[0].parameters["0.weight"].shape == (3, 9)


def test_members_that_cannot_be_trained_by_windows_are_named():
    members = Population([network("gru"), Network([Bidirectional(GRU(3, return_sequences=True)), Dense(2, "softmax")],
                                                  inputs=(None, 3))])
    with pytest.raises(ValueError, match=r"member 1: layer .* begins at the last step"):
        members.fit(X, LABELS, backprop_steps=5)
    with pytest.raises(ValueError, match="member 0 has LBFGS"):
        members.fit(X, LABELS, backprop_steps=[5, None], optimizer=LBFGS())
    with pytest.raises(ValueError, match="backprop_steps has 3 entries"):
        members.fit(X, LABELS, backprop_steps=[5, 5, 5])


def test_dropout_is_drawn_for_each_window():
    net = Network([SimpleRNN(1, return_sequences=True, dropout=0.5)], inputs=(None, 1), loss="squared_error", seed=0)
    net.parameters["0.weight"][:], net.parameters["0.recurrent_weight"][:] = 1, 0
    series, of_input = np.ones((64, 1)), 0.5 * np.tanh(2.0) ** 2  # the loss of a step whose input stays, and is doubled
    for steps in (2, 64):
        loss, = net.fit([series], [0 * series], backprop_steps=steps, optimizer=SGD(1e-30)).metrics["loss"]
        windows = 64 // steps
        kept = loss / of_input * windows  # in how many windows
        assert abs(kept - round(kept)) < 1e-4
        assert (0 < round(kept) < windows) == (windows > 1)
