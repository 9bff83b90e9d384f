"""Dropout of inputs and states within recurrent layers: masks that are held over a sequence."""

from dataclasses import replace

import numpy as np
import pytest
from small_nets import central_differences
from test_cells import CELLS, RUNGS, arguments, both, every_cell

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Adam,
    Bidirectional,
    Dense,
    Input,
    LastStep,
    Network,
    Sequences,
    Shared,
    SimpleRNN,
    check_gradients,
    compiled,
    vectorized,
)
from fastnn.compiled import recurrent_calls
from fastnn.kernels.layers.randomness.dropout import GAMMA

rng = np.random.default_rng(0)
LENGTHS = rng.integers(0, 9, size=23)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
LABELS = rng.integers(2, size=23)
RATES = {"dropout": 0.3, "recurrent_dropout": 0.4}
LAYERS = {
    "inputs": [SimpleRNN(5, dropout=0.3)],
    "states": [GRU(5, recurrent_dropout=0.3)],
    "both": [GRU(5, reset_after=False, learned_state=True, **RATES)],
    "stacked": [LSTM(4, return_sequences=True, **RATES), Bidirectional(LSTM(3, peepholes=True, **RATES))],
}
every_net = pytest.mark.parametrize("name", LAYERS)


def network(name, **options):
    return Network([*LAYERS[name], Dense(2, "softmax")], inputs=(None, 3), seed=1, **options)


def masked(cell, lengths, in_features, out_features, which=("input_mask", "state_mask"), **options):
    """Return arguments of a cell with random masks."""
    given, numbers = arguments(cell, lengths, in_features, out_features, **options), np.random.default_rng(5)
    sizes = {"input_mask": in_features, "state_mask": out_features}
    return given | {name: (1.7 * (numbers.random((len(lengths), sizes[name])) < 0.6)).astype(given["x"].dtype)
                    for name in which}


def without(layer):
    """Return the same layer without dropout."""
    if isinstance(layer, Bidirectional):
        return Bidirectional(without(layer.layer), layer.merge)
    return replace(layer, dropout=0, recurrent_dropout=0)


@every_cell
@pytest.mark.parametrize(("return_sequences", "reverse", "which"), [
    (False, False, ("input_mask", "state_mask")), (True, True, ("state_mask",)), (False, True, ("input_mask",)),
    (True, False, ("input_mask", "state_mask"))])
def test_masks_on_three_rungs(cell, return_sequences, reverse, which):
    for in_features, out_features in ((3, 5), (2, 1)):
        given = masked(cell, (3, 0, 7, 1, 4, 7), in_features, out_features, which, initial=True)
        options = {"return_sequences": return_sequences, "reverse": reverse}
        found = {name: both(rung, cell, given, **options) for name, rung in RUNGS.items()}
        for name, results in found.items():
            for one, other in zip(results, found["compiled"], strict=True):
                one = np.asarray(one, float).reshape(other.shape)
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * max(1, np.abs(one).max(initial=0)),
                                           err_msg=name)


@every_cell
def test_a_mask_of_ones_changes_nothing_and_one_of_zeros_cuts(cell):
    given, lengths = arguments(cell, (3, 0, 4), 3, 5, initial=True), 3
    ones = {"input_mask": np.ones((lengths, 3)), "state_mask": np.ones((lengths, 5))}
    for one, other in zip(both(compiled, cell, given), both(compiled, cell, given | ones), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)
    dx, dweight, drecurrent, *_ = both(compiled, cell, given | {name: 0 * mask for name, mask in ones.items()})[1:]
    assert not dx.any()
    assert not dweight.any()
    assert not drecurrent.any()


@every_cell
@pytest.mark.parametrize("reverse", [False, True])
def test_backward_is_the_derivative_of_forward(cell, reverse):
    name, options = CELLS[cell][0], {"return_sequences": not reverse, "reverse": reverse}
    given = masked(cell, (2, 0, 3), 2, 3, initial=True)
    a, *gradients = both(compiled, cell, given, **options)
    da = np.random.default_rng(7).normal(size=a.shape)
    arrays = [array for key, array in given.items() if key not in ("offsets", "input_mask", "state_mask")]
    for array, gradient in zip(arrays, gradients, strict=True):
        numeric = central_differences(lambda: (da * getattr(compiled, f"{name}_forward")(**given, **options)).sum(), array)
        np.testing.assert_allclose(gradient, numeric, atol=1e-7 * max(np.abs(numeric).max(), 1e-3))


@every_cell
def test_threads_and_neighbors_change_no_bit(cell, monkeypatch):
    monkeypatch.setattr(recurrent_calls, "FLOPS_PER_PART", 1)
    lengths = (3, 0, 7, 1, 4, 7, 12, 2, 2, 9, 5)
    given = masked(cell, lengths, 5, 33, dtype="float32")
    results = [both(compiled, cell, given, threads=threads) for threads in (1, 2, 3, 8)]
    for other in results[1:]:
        assert [array.tobytes() for array in other] == [array.tobytes() for array in results[0]]
    for i in (0, 2, 6):
        begin, end = given["offsets"][i:i + 2]
        alone = given | {"x": given["x"][begin:end], "offsets": [0, lengths[i]]}
        alone |= {mask: given[mask][i:i + 1] for mask in ("input_mask", "state_mask")}
        found = getattr(compiled, f"{CELLS[cell][0]}_forward")(**alone)
        assert found.tobytes() == results[0][0][i:i + 1].tobytes()


@pytest.mark.parametrize("name", RUNGS)
def test_masks_of_another_shape_are_refused(name):
    given = arguments("gru", (2, 3), 2, 3)
    with pytest.raises(ValueError, match=r"input_mask has shape \(2, 3\); it must be \(2, 2\)"):
        RUNGS[name].gru_forward(**given, input_mask=np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"state_mask has shape \(1, 3\); it must be \(2, 3\)"):
        RUNGS[name].gru_backward(np.ones((2, 3)), **given, state_mask=np.ones((1, 3)))


@pytest.mark.parametrize("rates", [RATES, {"dropout": 0.5}, {"recurrent_dropout": 0.5}], ids=str)
def test_a_step_of_training_draws_the_dropout_of_ones(rates):
    net = Network([LSTM(4, **rates)], inputs=(None, 3), loss="squared_error", dtype="float64", seed=3)
    y, word = rng.normal(size=(23, 4)), int(net.vectors.random[1])
    given = {"x": np.concatenate(X), "offsets": np.concatenate([[0], np.cumsum(LENGTHS)])}
    given |= {name.partition(".")[2]: array for name, array in net.parameters.items()}
    for name, features in (("input", 3), ("state", 4)):
        rate = rates.get("dropout" if name == "input" else "recurrent_dropout", 0)
        if rate:
            given[f"{name}_mask"] = vectorized.dropout_forward(np.ones((23, features)), rate, word)
            word = (word + GAMMA) % 2**64
    a = vectorized.lstm_forward(**given)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    squares = ((a - y) ** 2).sum(axis=1).mean()
    expected = vectorized.lstm_backward(2 * (a - y) / 23, **given)[1:]
    scale = loss / squares
    for gradient, other in zip(gradients.values(), expected, strict=True):
        np.testing.assert_allclose(gradient, scale * other, rtol=1e-10, atol=1e-12)
    assert net.loss_and_gradients(X, y, training=True)[0] == loss  # only steps of fit draw others
    assert net.loss_and_gradients(X, y)[0] != loss


@every_net
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_those_of_differences(name, training):
    assert check_gradients(network(name, dtype="float64"), X, LABELS, training=training).max_relative_error < 1e-7


@every_net
def test_fits_have_the_same_bits(name, many_parts, tmp_path):
    """For any number of threads, and as a member of a population."""
    found = []
    for threads in (1, 2, 3):
        net = network(name)
        net.fit(X, LABELS, epochs=4, batch_size=7, threads=threads, optimizer=Adam(0.01))
        found.append([array.tobytes() for array in net.vectors.arrays])
    assert found[1:] == found[:-1]
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.config() == net.config()
    member = network(name)
    fastnn.Population([member]).fit(Sequences.of_lengths(np.concatenate(X), LENGTHS), LABELS, epochs=4, batch_size=7,
                                    optimizer=Adam(0.01))
    assert [array.tobytes() for array in member.vectors.arrays] == found[0]


@every_net
def test_prediction_drops_nothing(name):
    net = network(name)
    net.fit(X, LABELS, epochs=1, batch_size=7)
    plain = Network([*(without(layer) for layer in LAYERS[name]), Dense(2, "softmax")], inputs=(None, 3))
    for key, array in plain.parameters.items():
        array[...] = net.parameters[key]
    assert np.array_equal(net.forward(X), plain.forward(X))
    assert net.evaluate(X, LABELS) == plain.evaluate(X, LABELS)
    if name != "stacked":
        stream, given = net.stream(), next(x for x in X if len(x) > 2)
        assert np.array_equal([stream.step(x) for x in given][-1], net.forward([given])[0])


def test_masks_are_held_over_a_sequence_and_drawn_for_each():
    """With identity weights a layer shows its masks: sums of inputs, of which each sequence misses some features."""
    layer = SimpleRNN(6, nonlinearity="identity", dropout=0.5)
    net = Network([layer, Dense(6)], inputs=(None, 6), loss="squared_error", dtype="float64", seed=2)
    net.parameters["0.weight"][:], net.parameters["0.recurrent_weight"][:] = np.eye(6), np.eye(6)
    net.parameters["1.weight"][:] = np.eye(6)
    ones = [np.ones((n, 6)) for n in (1, 4, 4, 9) * 50]
    _, gradients = net.loss_and_gradients(ones, np.zeros((200, 6)), training=True)
    word = int(net.vectors.random[1])
    mask = vectorized.dropout_forward(np.ones((200, 6)), 0.5, word)
    assert set(np.unique(mask)) == {0.0, 2.0}
    assert 0.4 < (mask == 0).mean() < 0.6
    sums = mask * np.array([1, 4, 4, 9] * 50)[:, None]
    ratio = gradients["1.weight"] / (sums.T @ sums)
    np.testing.assert_allclose(ratio, ratio[0, 0])


def test_uses_of_a_shared_layer_draw_independently():
    x = Input((None, 3), name="x")
    cell = Shared(GRU(3, return_sequences=True, **RATES))
    net = Network(inputs=x, outputs=Dense(2, "softmax")(LastStep()(cell(cell(x)))), dtype="float64", seed=0)
    full = [rng.normal(size=(n + 1, 3)) for n in LENGTHS]
    assert check_gradients(net, full, LABELS, training=True).max_relative_error < 1e-7
    before = net.vectors.random.copy()
    net.fit(full, LABELS, epochs=1, batch_size=23)
    moved = (net.vectors.random - before)[1]
    assert moved == np.uint64(4 * GAMMA % 2**64)  # two masks for each of two uses


def test_onnx_files_have_no_dropout(tmp_path):
    onnx = pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
    net = Network([GRU(4, **RATES), Dense(2, "softmax")], inputs=(5, 3), seed=1)
    plain = Network([GRU(4), Dense(2, "softmax")], inputs=(5, 3), seed=1)
    for each, name in ((net, "a.onnx"), (plain, "b.onnx")):
        each.to_onnx(tmp_path / name)
    nodes = [[node.op_type for node in onnx.load(tmp_path / name).graph.node] for name in ("a.onnx", "b.onnx")]
    assert nodes[0] == nodes[1]
    assert fastnn.onnx.load(tmp_path / "a.onnx").config() == net.config()


def test_lbfgs_refuses_what_is_drawn_anew():
    with pytest.raises(ValueError, match="drops other elements each time"):
        network("both").fit(X, LABELS, optimizer=fastnn.LBFGS())


@pytest.mark.parametrize("kind", [SimpleRNN, GRU, LSTM])
@pytest.mark.parametrize(("rates", "says"), [({"dropout": 1.0}, r"dropout=...\) is 1.0"), ({"dropout": -0.1}, "at least 0"),
                                             ({"recurrent_dropout": "high"}, r"recurrent_dropout=...\) is 'high'")])
def test_wrong_rates_are_refused(kind, rates, says):
    with pytest.raises((ValueError, TypeError), match=says):
        kind(4, **rates)


def test_rates_are_shown():
    assert repr(GRU(4, dropout=0.2)) == "GRU(4, dropout=0.2)"
    assert GRU(4, recurrent_dropout=0.2).draws
    assert not GRU(4).draws
