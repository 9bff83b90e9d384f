"""Losses whose name has a number: "quantile_0.9"."""

import numpy as np
import pytest

import fastnn
from fastnn import SGD, Dense, Network


@pytest.fixture(autouse=True)
def same_records_after():
    before = dict(fastnn.losses.records)
    yield
    fastnn.losses.records.clear()
    fastnn.losses.records.update(before)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_minimum_is_the_quantile(q):
    y = np.random.default_rng(0).exponential(size=1001)
    net = Network([Dense(1)], inputs=1, loss=f"quantile_{q}", dtype="float64")
    net.fit(np.zeros((len(y), 1)), y, epochs=3000, batch_size=len(y), optimizer=SGD(0.02))
    assert float(net.parameters["0.bias"][0]) == pytest.approx(np.quantile(y, q), abs=0.02)


def test_it_is_kept_in_files(tmp_path):
    net = Network([Dense(1)], inputs=1, loss="quantile_0.25")
    net.save(tmp_path / "net.safetensors")
    del fastnn.losses.records["quantile_0.25"]  # as in another process
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.loss == net.loss == "quantile_0.25"
    X, y = np.arange(4.0)[:, None], np.arange(4.0)
    assert loaded.evaluate(X, y) == net.evaluate(X, y)
    a, y = np.array([[1.0], [3.0]]), np.array([[2.0], [2.0]])
    loss = fastnn.losses["quantile_0.25"]
    assert [loss.value(*map(float, pair)) for pair in zip(a[:, 0], y[:, 0], strict=True)] == [0.25, 0.75]
    assert loss.vectorized(a, y)[:, 0].tolist() == [0.25, 0.75]


@pytest.mark.parametrize("name", ["quantile_0", "quantile_1", "quantile_1.5"])
def test_numbers_out_of_range(name):
    with pytest.raises(ValueError, match="between 0 and 1, as in"):
        Network([Dense(1)], inputs=1, loss=name)


@pytest.mark.parametrize("name", ["quantile", "quantile_x", "huber_0.9", "quantile_-1", "quantile_0.12345678901"])
def test_other_names_are_unknown(name):
    with pytest.raises(ValueError, match="unknown loss"):
        Network([Dense(1)], inputs=1, loss=name)
