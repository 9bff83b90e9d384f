"""Weights of PyTorch's RNN, GRU and LSTM, whose outputs are stored: see tests/tools/torch_recurrence.py."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fastnn import GRU, LSTM, Add, Bidirectional, Dense, Network, Parallel, SimpleRNN

STORED = np.load(Path(__file__).parents[2] / "data" / "torch" / "recurrence.npz")
CASES = json.loads(str(STORED["cases"]))
LAYERS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}
ORDERS = {"simple_rnn": [0], "gru": [1, 0, 2], "lstm": [0, 1, 2, 3]}


def theirs(array, cell):
    """Return a parameter of ours with PyTorch's gates and axes."""
    parts = np.split(array, len(ORDERS[cell]), axis=-1)
    return np.concatenate([parts[ORDERS[cell].index(number)] for number in range(len(parts))], axis=-1).T


def state_dict(number, layer=0):
    cell = CASES[number]["cell"]
    state = {f"rnn.{name}_l{layer}": theirs(STORED[f"{number}.{own}"], cell) for name, own in
             (("weight_ih", "weight"), ("weight_hh", "recurrent_weight"), ("bias_ih", "bias"))}
    second = f"{number}.recurrent_bias"
    state[f"rnn.bias_hh_l{layer}"] = theirs(STORED[second], cell) if cell == "gru" else 0 * state[f"rnn.bias_ih_l{layer}"]
    return state


@pytest.mark.parametrize("number", [n for n, case in enumerate(CASES) if not case["initial"]])
def test_outputs_are_those_of_pytorch(number):
    case = CASES[number]
    options = {"nonlinearity": case["activation"]} if case["cell"] == "simple_rnn" else {}
    layer = LAYERS[case["cell"]](case["out_features"], reverse=case["reverse"], **options)
    net = Network([layer], inputs=(None, case["in_features"]), dtype="float64")
    net.load_torch(state_dict(number))
    offsets, a = STORED[f"{number}.offsets"], STORED[f"{number}.a"]
    found = net.forward(np.split(STORED[f"{number}.x"], offsets[1:-1]))
    last = offsets[:-1] if case["reverse"] else offsets[1:] - 1
    np.testing.assert_allclose(found, a[last], rtol=1e-11, atol=1e-12)


def random_state(kind, sizes, rng):
    gates = {"GRU": 3, "LSTM": 4, "RNN": 1}[kind]
    state = {}
    for number, (inputs, out) in enumerate(pairwise(sizes)):
        state |= {f"rnn.weight_ih_l{number}": rng.normal(size=(gates * out, inputs)),
                  f"rnn.weight_hh_l{number}": rng.normal(size=(gates * out, out)),
                  f"rnn.bias_ih_l{number}": rng.normal(size=gates * out),
                  f"rnn.bias_hh_l{number}": rng.normal(size=gates * out)}
    return state


def of_both(kind, sizes):
    """Return a state dict of both directions."""
    back = random_state(kind, sizes, np.random.default_rng(1))
    return random_state(kind, sizes, np.random.default_rng(0)) | {f"{name}_reverse": array for name, array in back.items()}


def test_both_directions():
    net = Network([Bidirectional(GRU(4))], inputs=(None, 3), dtype="float64")
    net.load_torch(of_both("GRU", (3, 4)))
    sequences = [np.random.default_rng(2).normal(size=(n, 3)) for n in (4, 1, 6)]
    found = net.forward(sequences)
    for way, state in enumerate(random_state("GRU", (3, 4), np.random.default_rng(seed)) for seed in (0, 1)):
        alone = Network([GRU(4, reverse=way == 1)], inputs=(None, 3), dtype="float64")
        alone.load_torch(state)
        assert np.array_equal(alone.forward(sequences), found[:, 4 * way:4 * way + 4])


@pytest.mark.parametrize(("kind", "layer"), [("GRU", GRU), ("LSTM", LSTM), ("RNN", SimpleRNN)])
def test_stacked_layers_and_a_head(kind, layer):
    state = random_state(kind, (3, 4, 4), np.random.default_rng(0))
    state |= {"head.weight": np.ones((2, 4)), "head.bias": np.ones(2)}
    net = Network([layer(4, return_sequences=True), layer(4), Dense(2)], inputs=(None, 3), dtype="float64")
    net.load_torch(state, layers=["rnn", "head"])
    assert (net.parameters["2.bias"] == 1).all()
    bias = state["rnn.bias_ih_l1"] + (0 if kind == "GRU" else state["rnn.bias_hh_l1"])
    assert sorted(net.parameters["1.bias"]) == sorted(bias)
    assert sorted(net.parameters["1.weight"].ravel()) == sorted(state["rnn.weight_ih_l1"].ravel())


@pytest.mark.parametrize(("layers", "state", "says"), [
    ([GRU(4, reset_after=False)], random_state("GRU", (3, 4), np.random.default_rng(0)), "reset_after=True"),
    ([GRU(5)], random_state("GRU", (3, 4), np.random.default_rng(0)), "it must be"),
    ([LSTM(4)], random_state("GRU", (3, 4), np.random.default_rng(0)), "they must be the same"),
    ([GRU(4)], random_state("GRU", (3, 4, 4), np.random.default_rng(0)), "2 layers"),
    ([LSTM(4)], random_state("LSTM", (3, 4), np.random.default_rng(0)) | {"rnn.weight_hr_l0": np.ones((2, 4))},
     "projection"),
    ([LSTM(4)], {"rnn.weight_ih_l0": np.ones((16, 3))}, "must hold weight_ih_l0"),
    ([GRU(4)], random_state("GRU", (3, 4), np.random.default_rng(0))
     | {"rnn.weight_ih_l0_reverse": np.ones((12, 3))}, "must hold weight_ih_l0_reverse"),
    ([Bidirectional(GRU(3))], random_state("GRU", (3, 3, 3), np.random.default_rng(0)), "Bidirectional for both directions"),
    ([GRU(3, return_sequences=True), GRU(3)], of_both("GRU", (3, 3)), "with Bidirectional for both directions"),
    ([Parallel(Add(), GRU(3, reverse=True), GRU(3))], of_both("GRU", (3, 3)), "as Bidirectional has them"),
])
def test_what_does_not_fit_is_refused(layers, state, says):
    net = Network(layers, inputs=(None, 3), dtype="float64")
    before = {name: array.copy() for name, array in net.parameters.items()}
    with pytest.raises(ValueError, match=says):
        net.load_torch(state)
    assert all(np.array_equal(before[name], array) for name, array in net.parameters.items())


def test_peepholes_are_what_pytorch_has():
    """It has none, which is the same as zeros."""
    net = Network([LSTM(4, peepholes=True)], inputs=(None, 3), dtype="float64")
    net.parameters["0.peepholes"][...] = 1
    net.load_torch(random_state("LSTM", (3, 4), np.random.default_rng(0)))
    assert not net.parameters["0.peepholes"].any()
