"""Searches for likely sequences: against argmax of the whole network step by step, and against all sequences there are."""

import itertools

import numpy as np
import pytest

from fastnn import (
    GRU,
    LSTM,
    Adam,
    Add,
    Attention,
    Bidirectional,
    Concatenate,
    Dense,
    DivergenceError,
    Embedding,
    Input,
    LastStep,
    LayerNorm,
    Network,
    Residual,
    SimpleRNN,
)
from fastnn.decoding import beam_search, greedy_search, log_likelihoods, teacher_forcing
from fastnn.program import decoding

rng = np.random.default_rng(0)
CLASSES, BOUNDARY, MOST = 5, 4, 6
SOURCE = [rng.integers(7, size=n) for n in rng.integers(1, 9, size=45)]


def ends():
    return Input((None,), name="source"), Input((None,), name="target")


def made(source, target, steps, dtype, seed, classes=CLASSES):
    net = Network(inputs=[source, target], outputs=Dense(classes, "softmax")(steps), dtype=dtype, seed=seed)
    scale = np.random.default_rng(seed)
    for array in net.parameters.values():  # far from the first weights, so that choices differ
        array[...] += scale.normal(size=array.shape) * 0.8
    first = scale.normal(size=(45, 3)) if "table" in net.graph.inputs else SOURCE
    given = [np.append(classes - 1, scale.integers(classes - 1, size=3)) for _ in range(45)]
    p = net.forward([first, given]).steps
    array[classes - 1] += np.median(np.log(p.max(axis=1) / p[:, classes - 1]))  # so that some sequences end early
    return net


def gru(dtype="float32", seed=0, classes=CLASSES):
    source, target = ends()
    state = Dense(6, "tanh")(GRU(5, reverse=True)(Embedding(7, 4)(source)))
    h = GRU(6, return_sequences=True)(Embedding(classes, 3)(target), initial_state=state)
    return made(source, target, h, dtype, seed, classes)


def lstms(dtype="float32", seed=0):
    """Stacked, with cells, a residual block, normalization, and states that are learned and zero."""
    source, target = ends()
    last = LSTM(6, return_cells=True)(Embedding(7, 4)(source))
    h = LSTM(6, return_sequences=True)(Embedding(CLASSES, 5)(target), initial_state=last)
    h = LayerNorm()(LSTM(6, return_sequences=True, peepholes=True, learned_state=True)(h))
    h = Residual(Dense(8, "relu"), Dense(6))(SimpleRNN(6, return_sequences=True)(h))
    return made(source, target, h, dtype, seed)


def with_cells(dtype="float32", seed=0):
    source, target = ends()
    first = LSTM(3)(Embedding(7, 4)(source))
    h = LSTM(4, return_sequences=True, return_cells=True)(Embedding(CLASSES, 3)(target), initial_state=(
        Dense(4)(first), Dense(4)(first)))
    return made(source, target, h, dtype, seed)


def from_a_table(dtype="float32", seed=0):
    table, target = Input(3, name="table"), Input((None,), name="target")
    h = GRU(6, return_sequences=True)(Embedding(CLASSES, 3)(target), initial_state=Dense(6, "tanh")(table))
    return made(table, target, h, dtype, seed)


def attending(dtype="float32", seed=0):
    source, target = ends()
    read = Bidirectional(GRU(3, return_sequences=True))(Embedding(7, 4)(source))
    steps = LSTM(6, return_sequences=True)(Embedding(CLASSES, 3)(target))
    return made(source, target, Concatenate()(steps, Attention()(steps, read)), dtype, seed)


NETS = {"gru": gru, "lstms": lstms, "with cells": with_cells, "attending": attending}
every_net = pytest.mark.parametrize("name", NETS)


def step_by_step(net, sample, most):
    """Return the tokens of argmax over the whole network, and their log-likelihood."""
    tokens, total = [], 0.0
    while True:
        p = net.forward({**sample, "target": [[BOUNDARY, *tokens]]})[0][-1]
        token = int(p.argmax())
        total += np.log(np.float64(p[token]))
        if token == BOUNDARY:
            return tokens, total
        tokens.append(token)
        if len(tokens) == most:
            return tokens, total


@every_net
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_greedy_is_argmax_step_by_step(name, dtype):
    net = NETS[name](dtype)
    found = greedy_search(net, SOURCE, most=MOST)
    with_scores = beam_search(net, SOURCE, width=1, most=MOST)
    lengths = set()
    for number, source in enumerate(SOURCE[:20]):
        tokens, total = step_by_step(net, {"source": [source]}, MOST)
        assert found[number].tolist() == tokens
        (same, score), = with_scores[number]
        assert same.tolist() == tokens
        assert score == pytest.approx(total, abs=1e-14 + 1e-15 * abs(total))
        lengths.add(len(tokens))
    assert len(lengths) > 1
    assert [greedy_search(net, [source], most=MOST)[0].tolist() for source in SOURCE[-5:]] == [
        found[number].tolist() for number in range(40, 45)]


@every_net
def test_all_tokens_again_give_what_the_last_one_gives(name, monkeypatch):
    """Layers that need all tokens so far get them; those that do not give the same bits either way."""
    net = NETS[name]()
    found = beam_search(net, SOURCE, width=3, most=MOST)
    monkeypatch.setattr(decoding.DecodingProgram, "goes_step_by_step", lambda self, step: False)
    again = beam_search(NETS[name](), SOURCE, width=3, most=MOST)
    assert [[(tokens.tolist(), total) for tokens, total in each] for each in found] == [
        [(tokens.tolist(), total) for tokens, total in each] for each in again]


def test_the_other_input_may_be_a_table():
    net, table = from_a_table(), rng.normal(size=(9, 3)).astype("float32")
    found = greedy_search(net, table, most=MOST)
    for number in range(9):
        assert found[number].tolist() == step_by_step(net, {"table": table[number:number + 1]}, MOST)[0]


def all_sequences(net, source, most, power, classes):
    """Return (score, tokens) of every sequence that a search may find, the best first."""
    found = []
    others = [token for token in range(classes) if token != classes - 1]
    for length in range(most + 1):
        for tokens in itertools.product(others, repeat=length):
            given = [classes - 1, *tokens]
            p = net.forward({"source": [source], "target": [given]})[0].astype(np.float64)
            total = sum(np.log(p[t, token]) for t, token in enumerate(tokens))
            total += np.log(p[length, classes - 1]) if length < most else 0.0
            found.append((total / (length + (length < most)) ** power, total, tokens))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_a_wide_beam_finds_what_all_sequences_hold(power):
    for seed in range(3):
        net = gru("float64", seed, classes=3)
        for source in SOURCE[:2]:
            expected = all_sequences(net, source, 3, power, classes=3)
            (results,) = beam_search(net, [source], width=40, most=3, length_power=power)
            assert len(results) == len(expected) == 15
            for (tokens, total), (_, true, wanted) in zip(results, expected, strict=True):
                assert tuple(tokens) == wanted
                assert total == pytest.approx(true, abs=1e-12)


@every_net
def test_a_beam_is_scored_as_its_tokens_are(name):
    net = NETS[name]("float64")
    found = beam_search(net, SOURCE, width=3, most=MOST)
    for number in (0, 3, 44):
        for tokens, total in found[number]:
            given, wanted = teacher_forcing([tokens], BOUNDARY)
            if len(tokens) == MOST:  # cut: without its end
                wanted = [np.append(tokens, -1)]
            likely = log_likelihoods(net, {"source": [SOURCE[number]], "target": given}, wanted)
            assert total == pytest.approx(likely[0], abs=1e-12)
        totals = [total for _, total in found[number]]
        assert totals == sorted(totals, reverse=True)
        assert len({tuple(tokens) for tokens, _ in found[number]}) == len(totals)
    alone = beam_search(net, SOURCE[7:8], width=3, most=MOST)[0]
    assert [(tokens.tolist(), total) for tokens, total in alone] == [
        (tokens.tolist(), total) for tokens, total in found[7]]


def test_training_is_seen_by_the_next_search():
    net = gru()
    before = greedy_search(net, SOURCE, most=MOST)
    targets = [np.array([1, 2, 3])] * len(SOURCE)
    given, wanted = teacher_forcing(targets, BOUNDARY)
    net.fit({"source": SOURCE, "target": given}, wanted, epochs=60, optimizer=Adam(learning_rate=0.02))
    found = greedy_search(net, SOURCE, most=MOST)
    assert [tokens.tolist() for tokens in found] == [[1, 2, 3]] * len(SOURCE)
    assert not np.array_equal(before.steps, found.steps)


def test_teacher_forcing():
    given, wanted = teacher_forcing([[1, 2], [], [3]], boundary=9)
    assert [each.tolist() for each in given] == [[9, 1, 2], [9], [9, 3]]
    assert [each.tolist() for each in wanted] == [[1, 2, 9], [9], [3, 9]]
    with pytest.raises(ValueError, match=r"targets\[2\] has the token 3, which is the boundary"):
        teacher_forcing([[1, 2], [], [3]], boundary=3)
    with pytest.raises(ValueError, match="whole numbers"):
        teacher_forcing([[0.5]], boundary=3)


def test_what_cannot_be_searched_is_refused():
    source, target = ends()
    net = gru()
    with pytest.raises(ValueError, match="has something for 'target'"):
        greedy_search(net, {"source": SOURCE, "target": SOURCE})
    with pytest.raises(ValueError, match="width is 0"):
        beam_search(net, SOURCE, width=0)
    with pytest.raises(ValueError, match="boundary is 5"):
        greedy_search(net, SOURCE, boundary=5)
    with pytest.raises(ValueError, match="length_power"):
        beam_search(net, SOURCE, length_power=-1)
    with pytest.raises(ValueError, match="no output at each step"):
        greedy_search(Network(inputs=[source, target], outputs=Dense(2, "softmax")(Concatenate()(
            GRU(3)(Embedding(7, 3)(source)), GRU(3)(Embedding(7, 3)(target))))), SOURCE)
    with pytest.raises(ValueError, match="has the inputs 'input'"):
        greedy_search(Network([Embedding(3, 2), Dense(3, "softmax")], inputs=(None,)), SOURCE)
    source, target = ends()
    few = GRU(4, return_sequences=True)(Embedding(3, 3)(target), initial_state=GRU(4)(Embedding(7, 3)(source)))
    with pytest.raises(ValueError, match="5 outputs, and its input 'target', which is given them, 3 tokens"):
        greedy_search(Network(inputs=[source, target], outputs=Dense(5, "softmax")(few)), SOURCE)
    source, target = ends()
    state, x = GRU(6)(Embedding(7, 4)(source)), Embedding(CLASSES, 6)(target)
    for ahead in (GRU(6, return_sequences=True, reverse=True)(x, initial_state=state),
                  GRU(6, return_sequences=True)(x, initial_state=Add()(LastStep()(x), state))):
        with pytest.raises(ValueError, match=r"\) looks ahead at the steps of 'target'"):
            greedy_search(Network(inputs=[source, target], outputs=Dense(CLASSES, "softmax")(ahead)), SOURCE)
    assert len(greedy_search(net, [])) == 0
    assert beam_search(net, []) == []
    net.parameters[next(iter(net.parameters))][:] = np.nan
    with pytest.raises(DivergenceError, match="NaN"):
        greedy_search(net, [np.array([1, 2])])
