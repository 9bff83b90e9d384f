"""States before the first step, given in a graph or learned, and the cells of an LSTM as outputs."""

import numpy as np
import pytest
from test_cells import CELLS, RUNGS, arguments, both

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Add,
    Dense,
    GlobalMaxPool,
    Input,
    LastStep,
    Network,
    Sequences,
    Shared,
    SimpleRNN,
    check_gradients,
    compiled,
)
from fastnn.compiled import recurrent_calls

rng = np.random.default_rng(0)
LENGTHS = rng.integers(0, 9, size=23)
X = {"text": [rng.normal(size=(n, 3)) for n in LENGTHS], "table": rng.normal(size=(23, 4))}
LABELS = rng.integers(2, size=23)
LSTM_CELLS = [name for name, (_, gates, _) in CELLS.items() if gates == 4]


def inputs(steps=None):
    return Input((steps, 3), name="text"), Input(4, name="table")


def given_state(kind, features=5, steps=None, dtype="float64", **options):
    """A net in which a layer, and its reader, begin with a state that something else reads too."""
    x, table = inputs(steps)
    size = 2 * features if kind is LSTM else features
    h = Dense(size, "tanh")(table, name="state")
    outputs = kind(features, return_sequences=True, **options)(x, initial_state=h, name="cell")
    again = kind(features, reverse=True)(outputs, initial_state=h)
    return Network(inputs=[x, table], outputs=Dense(2, "softmax")(Add()(again, Dense(features)(h))), dtype=dtype, seed=2)


def encoder_decoder(dtype="float64"):
    """The state and cell of one LSTM begin another, as a whole and as a pair."""
    x, _ = inputs()
    last = LSTM(4, return_cells=True)(x)
    second = LSTM(4, return_sequences=True, return_cells=True)(x, initial_state=last)
    third = LSTM(4, peepholes=True)(second, initial_state=(last[:4], last[4:]))
    return Network(inputs=x, outputs=Dense(2, "softmax")(third), dtype=dtype, seed=2)


NETS = {
    "simple": lambda **options: given_state(SimpleRNN, **options),
    "gru": lambda **options: given_state(GRU, **options),
    "gru before": lambda **options: given_state(GRU, reset_after=False, **options),
    "lstm": lambda **options: given_state(LSTM, **options),
    "lstm with peepholes": lambda **options: given_state(LSTM, peepholes=True, **options),
}


def chain(layer, dtype="float64"):
    net = Network([layer, *[GRU(3)] * layer.return_sequences, Dense(2, "softmax")], inputs=(None, 3), dtype=dtype, seed=1)
    for name, array in net.parameters.items():
        if name.endswith("initial_state"):
            array[...] = np.random.default_rng(3).normal(size=array.shape)
    return net


LEARNED = {"simple": SimpleRNN(4, learned_state=True), "gru": GRU(4, learned_state=True, return_sequences=True),
           "lstm": LSTM(4, learned_state=True, reverse=True), "cells": LSTM(4, learned_state=True, return_cells=True)}


@pytest.mark.parametrize("cell", LSTM_CELLS)
@pytest.mark.parametrize(("return_sequences", "reverse", "initial"), [(False, False, True), (True, True, True),
                                                                     (True, False, False), (False, True, False)])
def test_cells_behind_the_states_on_three_rungs(cell, return_sequences, reverse, initial, monkeypatch):
    given = arguments(cell, (3, 0, 7, 1, 4), 3, 5, initial)
    options = {"return_sequences": return_sequences, "reverse": reverse, "return_cells": True}
    found = {name: both(rung, cell, given, **options) for name, rung in RUNGS.items()}
    for name, results in found.items():
        for one, other in zip(results, found["compiled"], strict=True):
            np.testing.assert_allclose(np.asarray(one, float).reshape(other.shape), other, rtol=1e-11, atol=1e-12,
                                       err_msg=name)
    plain = compiled.lstm_forward(**given, return_sequences=return_sequences, reverse=reverse)
    assert np.array_equal(found["compiled"][0][:, :5], plain)
    monkeypatch.setattr(recurrent_calls, "FLOPS_PER_PART", 1)
    for threads in (2, 8):
        assert [a.tobytes() for a in both(compiled, cell, given, threads=threads, **options)] == [
            a.tobytes() for a in found["compiled"]]


@pytest.mark.parametrize("cell", LSTM_CELLS)
def test_steps_one_by_one_are_the_whole(cell):
    given, state = arguments(cell, (6,), 3, 17, initial=True), None
    whole = compiled.lstm_forward(**given, return_cells=True)
    state = given["initial"]
    for t in range(6):
        state = compiled.lstm_forward(**given | {"x": given["x"][t:t + 1], "offsets": [0, 1], "initial": state},
                                      return_cells=True)
    assert state.tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", NETS)
def test_gradients_flow_back_into_a_given_state(name):
    assert check_gradients(NETS[name](), X, LABELS).max_relative_error < 1e-7


def test_gradients_of_an_encoder_and_a_decoder():
    assert check_gradients(encoder_decoder(), X["text"], LABELS).max_relative_error < 1e-7


@pytest.mark.parametrize("name", LEARNED)
def test_gradients_of_a_learned_state(name):
    net = chain(LEARNED[name])
    assert "0.initial_state" in net.parameters
    assert check_gradients(net, X["text"], LABELS).max_relative_error < 1e-7


def test_a_learned_state_is_what_an_empty_sequence_gives():
    net = chain(LEARNED["lstm"])
    outputs = Network([LSTM(4, learned_state=True, reverse=True)], inputs=(None, 3), dtype="float64")
    outputs.parameters["0.initial_state"][:] = net.parameters["0.initial_state"]
    assert np.array_equal(outputs.forward([np.zeros((0, 3))])[0], net.parameters["0.initial_state"][:4])


@pytest.mark.parametrize("make", [*NETS.values(), encoder_decoder, lambda **o: chain(LEARNED["cells"], **o)])
def test_threads_batches_and_files_change_no_bit(make, many_parts, tmp_path):
    found = []
    for threads in (1, 2, 3):
        net = make(dtype="float32")
        given = X if len(net.graph.inputs) > 1 else X["text"]
        net.fit(given, LABELS, epochs=2, batch_size=7, threads=threads)
        found.append([array.tobytes() for array in net.vectors.arrays] + [net.forward(given, threads=threads).tobytes()])
    assert found[1:] == found[:-1]
    together = net.forward(given)
    for i in (0, 5, 22):
        alone = {name: values[i:i + 1] for name, values in X.items()} if given is X else given[i:i + 1]
        assert np.array_equal(net.forward(alone), together[i:i + 1])
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.config() == net.config()
    assert np.array_equal(loaded.forward(given), together)


def test_a_shared_layer_with_two_states_adds_up_its_gradients():
    x, table = inputs()
    cell = Shared(GRU(4, return_sequences=True))
    h = Dense(4, "tanh")(table)
    once = cell(x, initial_state=h)
    twice = cell(x, initial_state=LastStep()(once))
    net = Network(inputs=[x, table], outputs=Dense(2, "softmax")(GlobalMaxPool()(twice)), dtype="float64", seed=0)
    full = {"text": [rng.normal(size=(n + 1, 3)) for n in LENGTHS], "table": X["table"]}
    assert len(net.parameters) == 8
    assert check_gradients(net, full, LABELS).max_relative_error < 1e-7


def test_a_state_may_be_an_input():
    x, h = Input((None, 3), name="x"), Input(5, name="h")
    net = Network(inputs=[x, h], outputs=Dense(2, "softmax")(GRU(5)(x, initial_state=h)), dtype="float64", seed=0)
    given = {"x": X["text"], "h": rng.normal(size=(23, 5))}
    assert check_gradients(net, given, LABELS).max_relative_error < 1e-7
    again = net.forward({"x": X["text"], "h": given["h"] * 2})
    assert not np.array_equal(net.forward(given), again)


@pytest.mark.parametrize("kind", [SimpleRNN, GRU, LSTM])
def test_gradients_are_those_of_pytorch(kind):
    torch = pytest.importorskip("torch")
    net = given_state(kind)
    lengths = np.maximum(LENGTHS, 1)
    text = [rng.normal(size=(n, 3)) for n in lengths]
    loss, gradients = net.loss_and_gradients({"text": text, "table": X["table"]}, LABELS)
    p = {name: torch.tensor(view.copy(), requires_grad=True) for name, view in net.parameters.items()}
    order = {1: [0], 3: [1, 0, 2], 4: [0, 1, 2, 3]}[net.layers[1].gates]

    def torch_order(array):  # from Keras' order of gates to PyTorch's
        parts = torch.chunk(array, len(order), dim=-1)
        return torch.cat([parts[k] for k in order], dim=-1).t() if array.ndim == 2 else torch.cat([parts[k] for k in order])

    def run(name, x, state):
        weight, recurrent, bias = (torch_order(p[f"{name}.{part}"]) for part in ("weight", "recurrent_weight", "bias"))
        second = torch_order(p[f"{name}.recurrent_bias"]) if f"{name}.recurrent_bias" in p else torch.zeros_like(bias)
        cell = {SimpleRNN: torch.nn.RNNCell, GRU: torch.nn.GRUCell, LSTM: torch.nn.LSTMCell}[kind](x.shape[1], 5).double()
        states, now = [], tuple(state.chunk(2)) if kind is LSTM else state
        for row in x:
            now = torch.func.functional_call(cell, {"weight_ih": weight, "weight_hh": recurrent, "bias_ih": bias,
                                                    "bias_hh": second}, (row, now))
            states.append(now[0] if kind is LSTM else now)
        return torch.stack(states)

    scores = []
    names = net.graph.names
    for x, row in zip(text, X["table"], strict=True):
        h = torch.tanh(torch.tensor(row) @ p["state.weight"] + p["state.bias"])
        outputs = run("cell", torch.tensor(x), h)
        again = run(names[2], outputs.flip(0), h)[-1]
        mixed = again + h @ p[f"{names[3]}.weight"] + p[f"{names[3]}.bias"]
        scores.append(mixed @ p[f"{names[5]}.weight"] + p[f"{names[5]}.bias"])
    total = torch.nn.functional.cross_entropy(torch.stack(scores), torch.tensor(LABELS))
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for name, parameter in p.items():
        expected = parameter.grad.numpy()
        assert np.abs(gradients[name] - expected).max() <= 1e-10 * max(np.abs(expected).max(), 1e-3), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*NETS, "learned", "cells"])
def test_onnx_files_compute_the_same(name, dtype, tmp_path):
    pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs ONNX files, is not installed")
    X = {"text": rng.normal(size=(6, 5, 3)).astype(dtype), "table": rng.normal(size=(6, 4)).astype(dtype)}
    if name in NETS:
        net = NETS[name](steps=5, dtype=dtype)
    else:
        layer = LSTM(4, learned_state=True, return_cells=name == "cells", peepholes=True, reverse=True)
        net = Network([layer, Dense(2)], inputs=(5, 3), dtype=dtype)
        net.parameters["0.initial_state"][:] = rng.normal(size=8)
    net.to_onnx(tmp_path / "net.onnx")
    X = X if name in NETS else {"input": X["text"]}
    found = runtime.InferenceSession(tmp_path / "net.onnx").run(None, X)[0]
    np.testing.assert_allclose(found, net.forward(X), atol=1e-6 if dtype == "float32" else 1e-12)
    assert fastnn.onnx.load(tmp_path / "net.onnx").config() == net.config()


def test_wrong_states_are_refused():
    x, table = inputs()
    with pytest.raises(ValueError, match=r"initial_state of GRU\(5\) has the shape \(4,\); it must have \(5,\)"):
        GRU(5)(x, initial_state=table)
    with pytest.raises(ValueError, match=r"has the shape \(4,\); it must have \(8,\), h and c behind it"):
        LSTM(4)(x, initial_state=table)
    with pytest.raises(ValueError, match="leave one out"):
        GRU(4, learned_state=True)(x, initial_state=table)
    with pytest.raises(ValueError, match="it must be a node"):
        GRU(4)(x, initial_state=np.zeros(4))
    with pytest.raises(ValueError, match="called on 2 nodes"):
        GRU(4)(x, table)
    with pytest.raises(ValueError, match=r"has the shape \(None, 3\)"):
        GRU(3)(x, initial_state=x)
    with pytest.raises(TypeError, match="initial_state"):
        Shared(Dense(4))(table, initial_state=table)


def test_populations_take_learned_states():
    X = Sequences.of_lengths(np.concatenate([rng.normal(size=(n, 3)) for n in LENGTHS]), LENGTHS)
    alone, nets = ([Network([GRU(4, learned_state=True), Dense(2, "softmax")], inputs=(None, 3), seed=seed)
                    for seed in range(2)] for _ in range(2))
    fastnn.Population(nets).fit(X, LABELS, epochs=2)
    for net, other in zip(alone, nets, strict=True):
        net.fit(X, LABELS, epochs=2)
        assert all(a.tobytes() == b.tobytes() for a, b in zip(net.vectors.arrays, other.vectors.arrays, strict=True))
