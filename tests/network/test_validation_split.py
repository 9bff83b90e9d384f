"""`fit(validation_split=…)` holds out a random share of the samples, the same in each fit, of each class the same share."""

import numpy as np
import pytest

from fastnn import LBFGS, Dense, Input, Network, SimpleRNN
from fastnn.samples.data import check_data
from fastnn.samples.held_out import split_data

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(100, 3))
LABELS = np.repeat([0, 1, 2], [60, 30, 10])


def classifier(seed=0):
    return Network([Dense(3, "softmax")], inputs=3, seed=seed)


def split(net, share, y=LABELS):
    training, validation = split_data(net, check_data(net, X, y), share)
    return training.rows, validation.rows


def test_a_split_is_random_in_proportion_and_the_same_each_time():
    training, validation = split(classifier(), 0.2)
    assert np.array_equal(np.sort(np.concatenate([training, validation])), np.arange(100))
    assert np.bincount(LABELS[validation]).tolist() == [12, 6, 2]
    assert np.array_equal(validation, split(classifier(), 0.2)[1])
    assert not np.array_equal(validation, split(classifier(1), 0.2)[1])
    assert not np.array_equal(validation, np.arange(80, 100))


def test_a_fit_with_a_split_is_one_on_the_rows():
    net, other, y = classifier(), classifier(), LABELS
    training, validation = split(net, 0.3)
    history = net.fit(X, y, epochs=3, validation_split=0.3, metrics=["f1"])
    expected = other.fit(X[training], y[training], epochs=3, validation_data=(X[validation], y[validation]), metrics=["f1"])
    assert {**history}.keys() == {**expected}.keys()
    assert all(history[name] == pytest.approx(expected[name], rel=1e-6) for name in history)
    assert len(history["val_loss"]) == 3
    assert net.fit(X, y, epochs=5, validation_split=0.3, resume=True)["val_loss"][:3] == history["val_loss"]


def test_every_kind_of_data_and_optimizer():
    sequences = [GENERATOR.normal(size=(1 + k % 4, 2)) for k in range(20)]
    net = Network([SimpleRNN(3), Dense(1)], inputs=(None, 2))
    assert "val_loss" in net.fit(sequences, np.arange(20.0), validation_split=0.25)
    x = Input(3, name="a")
    net = Network(inputs={"a": x}, outputs={"u": Dense(1)(x), "v": Dense(2, "softmax")(x)})
    assert "val_u_loss" in net.fit({"a": X}, {"u": X[:, 0], "v": LABELS > 0}, validation_split=0.25)
    net = Network([Dense(1)], inputs=3)
    assert "val_loss" in net.fit(X, X[:, 0], optimizer=LBFGS(5), validation_split=0.25)
    steps = Network([SimpleRNN(3, return_sequences=True), Dense(1)], inputs=(None, 2))
    assert "val_loss" in steps.fit(sequences, [np.ones(len(each)) for each in sequences], validation_split=0.25)


@pytest.mark.parametrize(("share", "names"), [(1.0, "below 1"), (-0.1, "at least 0"), ("0.2", "validation_split"),
                                              (1e-9, None), (0.9999, "leaves")])
def test_shares(share, names):
    if names is None:  # at least one sample is held out
        assert len(split(classifier(), share)[1]) == 1
        return
    with pytest.raises(ValueError, match=names):
        classifier().fit(X, LABELS, validation_split=share)


def test_not_both():
    with pytest.raises(ValueError, match="both given"):
        classifier().fit(X, LABELS, validation_split=0.2, validation_data=(X, LABELS))
    assert "val_loss" not in classifier().fit(X, LABELS, validation_split=0)
