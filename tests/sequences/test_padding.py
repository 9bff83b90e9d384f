"""Padded arrays draw a warning, and data that only look like them do not."""

import warnings

import numpy as np
import pytest

from fastnn import Dense, Embedding, LastStep, Network, Sequences

rng = np.random.default_rng(0)
LENGTHS = rng.integers(3, 20, size=60)
MASK = np.arange(20) < LENGTHS[:, None]
FULL = rng.normal(size=(60, 20, 3))
PADDED = np.where(MASK[..., None], FULL, 0)
TOKENS = np.where(MASK, rng.integers(1, 30, size=(60, 20)), 0)
SERIES = Network([Dense(2), LastStep(), Dense(2, "softmax")], inputs=(None, 3))
WORDS = Network([Embedding(40, 2), LastStep(), Dense(2, "softmax")], inputs=(None,))
NUMBERS = Network([Dense(2), LastStep(), Dense(2, "softmax")], inputs=(None, 1))


@pytest.mark.parametrize(("net", "X", "words"), [
    (SERIES, PADDED, r"end with steps that are all 0.0.*Sequences.from_padded\(X, lengths\)"),
    (SERIES, PADDED[:, ::-1], r"begin with steps that are all 0.0.*mask=mask"),
    (SERIES, np.where(MASK[..., None], FULL, -1), "all -1"),
    (SERIES, [*PADDED], "end with steps"),
    (SERIES, np.concatenate([FULL[:40], PADDED[:20]]), "looks padded"),
    (WORDS, TOKENS, "end with tokens that are all 0"),
    (WORDS, TOKENS[:, ::-1], "begin with tokens that are all 0"),
    (NUMBERS, PADDED[..., 0], "looks padded"),
])
def test_padding_given_as_data_draws_a_warning(net, X, words):
    with pytest.warns(UserWarning, match=words):
        net.forward(X)
    with pytest.warns(UserWarning, match="looks padded"):
        net.fit(X, [0] * 60)


@pytest.mark.parametrize(("net", "X"), [
    (SERIES, FULL), (SERIES, Sequences.from_padded(PADDED, LENGTHS)), (WORDS, Sequences.from_padded(TOKENS, mask=MASK)),
    (SERIES, Sequences(PADDED.reshape(-1, 3), np.arange(61) * 20)),  # as whoever knows better gives it
    (NUMBERS, rng.integers(2, size=(60, 20))), (NUMBERS, (rng.random((60, 20)) < 0.1).astype(float)),
    (NUMBERS, np.zeros((60, 20))), (WORDS, rng.integers(3, size=(60, 20))), (SERIES, FULL[:1]), (SERIES, FULL[:, :2]),
    (SERIES, [*FULL[:30], FULL[0, :4]]), (SERIES, np.ones((4, 9, 3))),
])
def test_data_do_not(net, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.forward(X)


def test_nan_as_padding_says_how_to_leave_it_out():
    X = np.where(MASK[..., None], FULL, np.nan)
    with pytest.raises(ValueError, match=r"if that is padding, give Sequences.from_padded\(X, mask=~np.isnan"):
        SERIES.forward(X)
    expected = SERIES.forward([one[:n] for one, n in zip(FULL, LENGTHS, strict=True)])
    assert np.array_equal(SERIES.forward(Sequences.from_padded(X, mask=~np.isnan(X[..., 0]))), expected)
