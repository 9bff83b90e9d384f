"""Windows of a series are samples as good as copies of them, to the bit, and share the memory of the series."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    GRU,
    Adam,
    Bidirectional,
    Concatenate,
    Dense,
    Embedding,
    Input,
    LastStep,
    Network,
    Population,
    Sequences,
    windows,
)
from fastnn.samples.data import check_data, samples_of

rng = np.random.default_rng(0)
SERIES = rng.normal(size=(70, 3)).astype("float32")
X, Y = windows(SERIES, 9, ahead=2, targets=SERIES[:, 0])
COPIES = [SERIES[i:i + 9] for i in range(60)]
TOKENS = rng.integers(11, size=80)


def made(seed=1, outputs=2):
    return Network([Bidirectional(GRU(6)), Dense(outputs)], inputs=(None, 3), seed=seed)


def bits(net):
    return [array.tobytes() for array in net.vectors.arrays]


def test_what_they_are():
    assert len(X) == 60
    assert X.lengths.tolist() == [9] * 60
    assert all(np.array_equal(own, other) for own, other in zip(X, COPIES, strict=True))
    assert np.array_equal(Y, [SERIES[i + 9:i + 11, 0] for i in range(60)])
    assert np.array_equal(X.to_padded(), COPIES)
    assert np.array_equal(X.copied().steps, np.concatenate(COPIES))
    assert repr(X) == "Windows(60 of 9 steps, each (3,) float32)"
    assert windows(SERIES, 70)[0].shape == (70, 3)
    further = windows(SERIES, 4, stride=7)
    assert [own[0, 0] for own in further] == SERIES[:67:7, 0].tolist()
    both = windows(SERIES, 5, ahead=3)[1]
    assert np.array_equal(both[4], SERIES[9:12].ravel())


def test_the_series_is_not_copied():
    net = made()
    for given in (X, X[5:20], X[::2], X[np.arange(60) > 3]):
        assert np.shares_memory(samples_of(net, given).values, SERIES)
    assert np.shares_memory(check_data(net, X, Y).X.values, SERIES)
    converted = samples_of(net, windows(SERIES.astype("float64"), 9))
    assert converted.values.nbytes == SERIES.nbytes


@pytest.mark.parametrize("which", [slice(4, 30), slice(None, None, 3), slice(None, None, -1), [5, 2, 2, 50], [3, 9, 10],
                                   np.arange(60) % 3 == 0, [], -1, np.int64(7)])
def test_some_of_them(which):
    some, copies = X[which], X.copied()[which]
    if isinstance(copies, np.ndarray):
        assert np.array_equal(some, copies)
        return
    assert len(some) == len(copies)
    assert all(np.array_equal(own, other) for own, other in zip(some, copies, strict=True))
    net = made()
    assert np.array_equal(net.forward(some), net.forward(copies))


@pytest.mark.parametrize("threads", [1, 2])
def test_networks_learn_from_them_what_they_learn_from_copies(threads):
    nets = [made(), made()]
    for net, given in zip(nets, (X, COPIES), strict=True):
        history = net.fit(given[:40], Y[:40], epochs=3, batch_size=7, optimizer=Adam(0.01), threads=threads,
                          validation_data=(given[42:], Y[42:]), sample_weight=np.linspace(0, 1, 40), metrics=["r2"])
        assert np.isfinite(history["val_loss"]).all()
    assert bits(nets[0]) == bits(nets[1])
    assert nets[0].evaluate(X, Y) == nets[1].evaluate(COPIES, Y)
    assert np.array_equal(nets[0].predict(X), nets[1].predict(COPIES))
    first, second = (net.loss_and_gradients(given, Y) for net, given in zip(nets, (X, COPIES), strict=True))
    assert first[0] == second[0]
    assert all(np.array_equal(first[1][name], second[1][name]) for name in first[1])


def test_tokens_with_a_target_at_each_step():
    def network():
        return Network([Embedding(11, 4), GRU(5, return_sequences=True), Dense(11, "softmax")], inputs=(None,), seed=2)

    given, following = windows(TOKENS[:-1], 8, stride=3), windows(TOKENS[1:], 8, stride=3)
    nets = [network(), network()]
    nets[0].fit(given, following, epochs=2)
    nets[1].fit([*given], [*following], epochs=2)
    assert bits(nets[0]) == bits(nets[1])
    assert nets[0].evaluate(given, following) == nets[1].evaluate([*given], [*following])
    predicted = nets[0].predict(given)
    assert type(predicted) is Sequences
    assert np.array_equal(predicted.steps, nets[1].predict([*given]).steps)


def test_single_numbers_several_inputs_and_populations():
    series = SERIES[:, 0]
    given, ahead = windows(series, 6, ahead=1)
    nets = [Network([GRU(4), Dense(1)], inputs=(None, 1), seed=0) for _ in range(2)]
    for net, own in zip(nets, (given, [*given]), strict=True):
        net.fit(own, ahead[:, 0], epochs=2)
    assert bits(nets[0]) == bits(nets[1])
    x, z = Input((None, 3), name="x"), Input((None, 1), name="z")
    both = Network(inputs=[x, z], outputs=Dense(1)(Concatenate()(GRU(3)(x), LastStep()(z))))
    pair = {"x": windows(SERIES, 9), "z": windows(series, 9)}
    copies = {name: [*own] for name, own in pair.items()}
    assert np.array_equal(both.forward(pair), both.forward(copies))
    members = Population([made(seed) for seed in range(2)])
    members.fit(X, Y, epochs=2)
    alone = made(1)
    alone.fit(COPIES, Y, epochs=2)
    assert bits(members.networks[1]) == bits(alone)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: windows(SERIES, 71), "has 70 steps; a window of 71 and 0 ahead need 71"),
    (lambda: windows(SERIES, 60, ahead=11), "need 71"),
    (lambda: windows(SERIES, 0), "steps"),
    (lambda: windows(SERIES, 5, stride=0), "stride"),
    (lambda: windows(SERIES, 5, ahead=-1), "ahead"),
    (lambda: windows(SERIES, 5, targets=SERIES), "ahead is 0"),
    (lambda: windows(SERIES, 5, ahead=1, targets=SERIES[1:]), "targets must have as many"),
    (lambda: windows(3.0, 5), "must be an array"),
    (lambda: made().predict(windows(SERIES[:, :2], 5)), "steps of shape"),
    (lambda: made().predict(windows(np.where(np.arange(70)[:, None] == 30, np.nan, SERIES), 5)), r"X\[30\] holds nan"),
    (lambda: Network([Dense(2)], inputs=(None, 3)).fit(X, windows(SERIES[:, :2], 8)), "must have as many|it must have"),
])
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_it_is_public():
    assert fastnn.windows is windows
