"""Clipping: limits on the gradient before the update, by value and by norm, for every optimizer."""

import numpy as np
import pytest
from nets import LABELS, X, assert_rungs_train_alike, classifier, same

from fastnn import SGD, Adam, Callback, Dense, Network, kernels, naive, optimizers, vectorized

RUNGS = [naive, vectorized, kernels]
SIZES = [1, 3, 17, 65, 127, 128, 129, 4095, 4096, 4097, 20_001]
LIMITS = [{"clip_value": 0.01}, {"clip_norm": 0.05}, {"clip_value": 0.03, "clip_norm": 0.05}]

every_size = pytest.mark.parametrize("size", SIZES)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_rung = pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.__name__)
every_limit = pytest.mark.parametrize("limits", LIMITS, ids=str)


def gradient(size, dtype="float64"):
    return np.random.default_rng(size).normal(size=size).astype(dtype)


def trained(optimizer, threads=1, epochs=3, dtype="float64"):
    net = classifier(dtype=dtype)
    net.fit(X, LABELS, epochs=epochs, batch_size=8, optimizer=optimizer, threads=threads)
    return net


# In loops, in NumPy and compiled


@every_dtype
@every_size
@every_rung
def test_by_value(rung, size, dtype):
    given = gradient(size, dtype)
    clipped = np.asarray(rung.clip_by_value(given, 0.5), dtype)
    np.testing.assert_array_equal(clipped, np.minimum(np.maximum(given, dtype_of(dtype, -0.5)), dtype_of(dtype, 0.5)))


def dtype_of(dtype, number):
    return np.dtype(dtype).type(number)


@every_dtype
@every_size
@every_rung
def test_by_norm(rung, size, dtype):
    given = gradient(size, dtype)
    norm = np.linalg.norm(given.astype(np.float64))
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    for limit in (norm / 3, norm * 0.999):
        clipped = np.asarray(rung.clip_by_norm(given, limit), dtype)
        np.testing.assert_allclose(clipped, given * (limit / norm), rtol=tolerance)
        assert np.linalg.norm(clipped.astype(np.float64)) == pytest.approx(limit, rel=tolerance)
    np.testing.assert_array_equal(np.asarray(rung.clip_by_norm(given, norm * 1.001), dtype), given)


@every_rung
def test_zeros_stay_and_nan_is_not_hidden(rung):
    assert list(rung.clip_by_norm([0.0, 0.0], 1.0)) == [0.0, 0.0]
    if rung is not naive:
        assert np.isnan(rung.clip_by_value([np.nan, 9.0], 1.0)).tolist() == [True, False]


@every_rung
def test_numbers_whose_squares_vanish_stay(rung):
    assert list(rung.clip_by_norm([1e-200, -3e-250], 1.0)) == [1e-200, -3e-250]


@every_rung
@pytest.mark.parametrize("limit", [0, -1.0, np.nan])
def test_a_limit_is_above_zero(rung, limit):
    for function in (rung.clip_by_value, rung.clip_by_norm):
        with pytest.raises(ValueError, match=r"limit is .*must be above zero"):
            function([1.0], limit)


@every_rung
def test_what_is_given_is_left_alone(rung):
    given = [3.0, 4.0]
    rung.clip_by_norm(given, 1.0)
    rung.clip_by_value(given, 1.0)
    assert given == [3.0, 4.0]


# In training


@every_limit
@pytest.mark.parametrize("kind", list(optimizers.values()), ids=lambda kind: kind.name)
def test_training_clips_as_the_other_rungs_do(kind, limits):
    assert_rungs_train_alike(kind(**limits), steps=3, tolerance=1e-9)


@every_limit
def test_a_step_is_bounded(limits):
    net = classifier(dtype="float64")
    before = net.vectors.parameters.flat.copy()
    net.fit(100 * X, LABELS, batch_size=23, optimizer=SGD(1.0, **limits))
    step = net.vectors.parameters.flat - before
    assert 0 < abs(step).max() <= limits.get("clip_value", np.inf) * (1 + 1e-12)
    assert np.linalg.norm(step) <= limits.get("clip_norm", np.inf) * (1 + 1e-12)


def test_limits_that_nothing_reaches_change_nothing():
    free = trained(Adam())
    assert same(trained(Adam(clip_value=1e9)), free)
    assert same(trained(Adam(clip_norm=1e9)), free)


@every_limit
@every_dtype
def test_threads_do_not_change_a_bit(limits, dtype, many_parts):
    def wide(threads):
        net = Network([Dense(257, "tanh"), Dense(65, "relu"), Dense(3, "softmax")], inputs=4, dtype=dtype)
        net.fit(X, LABELS, epochs=2, batch_size=8, optimizer=Adam(**limits), threads=threads)
        return net

    one = wide(1)
    for threads in (2, 3, 8):
        assert same(wide(threads), one)
    assert max(many_parts) == 8


@every_limit
def test_fit_twice_is_fit_once(limits):
    once, twice, kept = trained(Adam(**limits), epochs=4), classifier(dtype="float64"), Adam(**limits)
    for _ in range(2):
        twice.fit(X, LABELS, epochs=2, batch_size=8, optimizer=kept)
    assert same(once, twice)


def test_without_limits_there_is_no_row():
    def rows(optimizer):
        return len(classifier().fits.optimizer_state(optimizer).rows([], [], [], 1))

    assert rows(Adam(clip_norm=1.0)) == rows(Adam(clip_value=1.0, clip_norm=1.0)) == rows(Adam()) + 1


def test_a_limit_may_be_moved_between_epochs():
    class Mover(Callback):
        def on_epoch_begin(self, epoch, logs):
            moved.clip_norm = [0.5, 0.01, None][epoch]

    moved, stepped, net = SGD(0.5, clip_norm=7.0), SGD(0.5, clip_norm=0.5), classifier(dtype="float64")
    net.fit(X, LABELS, epochs=3, batch_size=8, optimizer=moved, callbacks=[Mover()])
    other = classifier(dtype="float64")
    for limit in (0.5, 0.01, None):
        stepped.clip_norm = limit
        other.fit(X, LABELS, batch_size=8, optimizer=stepped)
    assert same(net, other)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, "much", True])
def test_bad_limits_are_named(bad):
    for name in ("clip_value", "clip_norm"):
        with pytest.raises(ValueError, match=rf"Adam\({name}=...\) is .*positive, finite number"):
            Adam(**{name: bad})
