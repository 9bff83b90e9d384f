"""Layers that are random in training: all rungs and thread counts, distributions, and prediction."""

import doctest

import numpy as np
import pytest
from guarded import results_of

from fastnn import (
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Network,
    RandomCrop,
    RandomFlip,
    RandomShift,
    compiled,
    naive,
    vectorized,
)
from fastnn.compiled import image_calls, random_calls
from fastnn.network.layer_outputs import layer_outputs

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4, 5, 3))
WORD = 2**63 + 17
VIEWS = [((4, 5), (0, 0), (0, 0), (True, True)), ((4, 5), (-2, 1), (-3, 3), (False, False)),
         ((2, 3), (0, 2), (0, 2), (False, True)), ((6, 2), (-1, 0), (1, 2), (True, False))]


@pytest.fixture(autouse=True)
def results(monkeypatch):
    yield from results_of(random_calls, monkeypatch)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_views_on_three_rungs(view, dtype, monkeypatch):
    monkeypatch.setattr(image_calls, "NUMBERS_PER_PART", 1)
    size, *how = view
    x = X[:9].astype(dtype)
    da = rng.normal(size=(9, *size, 3)).astype(dtype)
    for name, given in (("forward", (x, size, *how, WORD)), ("backward", (da, (4, 5), *how, WORD))):
        found, *others = (getattr(rung, f"random_view_{name}")(*given) for rung in (compiled, naive, vectorized))
        for other in others:
            np.testing.assert_array_equal(found, other)
        np.testing.assert_array_equal(getattr(compiled, f"random_view_{name}")(*given, threads=4), found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 7), (2, 3, 4, 5)], ids=str)
def test_noise_on_three_rungs(shape, dtype, monkeypatch):
    monkeypatch.setattr(image_calls, "NUMBERS_PER_PART", 1)
    x = rng.normal(size=shape).astype(dtype)
    found, *others = (rung.gaussian_noise_forward(x, 0.3, WORD) for rung in (compiled, naive, vectorized))
    for other in others:
        np.testing.assert_allclose(found, other, rtol=1e-6 if dtype == "float32" else 1e-12, atol=1e-7)
    np.testing.assert_array_equal(compiled.gaussian_noise_forward(x, 0.3, WORD, threads=3), found)


@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 5), (2, 3, 4, 17)], ids=str)
def test_dropped_channels_on_three_rungs(shape):
    x = rng.normal(size=shape)
    for name in ("dropout_forward", "dropout_backward"):
        found, *others = (getattr(rung, name)(x, 0.4, WORD, channels=True) for rung in (compiled, naive, vectorized))
        for other in others:
            np.testing.assert_allclose(found, other, rtol=1e-12)
    dropped = (found == 0).reshape(shape[0], -1, shape[-1])
    assert (dropped.all(axis=1) | ~dropped.any(axis=1)).all()
    if len(shape) == 2:
        np.testing.assert_array_equal(found, compiled.dropout_backward(x, 0.4, WORD))


def seen_in_training(layer):
    """Return the outputs of a layer for X in training."""
    word, a = 11, None
    if isinstance(layer, GaussianNoise):
        return compiled.gaussian_noise_forward(X, layer.deviation, word)
    a = compiled.random_view_forward(X, layer.size(X.shape[1:]), *layer.ranges(X.shape[1:]), layer.mirrors, word)
    return a


def test_flips():
    seen = seen_in_training(RandomFlip(vertical=True))
    kinds = [X, X[:, :, ::-1], X[:, ::-1], X[:, ::-1, ::-1]]
    which = np.array([[np.array_equal(a, kind[i]) for kind in kinds] for i, a in enumerate(seen)])
    assert (which.sum(axis=1) == 1).all()
    assert (which.sum(axis=0) > 45).all()  # of 75 expected each


def test_shifts_and_crops():
    shifted = seen_in_training(RandomShift((1, 2)))
    padded = np.pad(X, [(0, 0), (1, 1), (2, 2), (0, 0)])
    places = [(d, a) for d in range(3) for a in range(5)]
    which = np.array([[np.array_equal(s, padded[i, d:d + 4, a:a + 5]) for d, a in places] for i, s in enumerate(shifted)])
    assert (which.sum(axis=1) == 1).all()
    assert (which.sum(axis=0) > 5).all()  # of 20 expected each
    cropped = seen_in_training(RandomCrop(3, 3))
    which = np.array([[np.array_equal(s, X[i, d:d + 3, a:a + 3]) for d in range(2) for a in range(3)]
                      for i, s in enumerate(cropped)])
    assert (which.sum(axis=1) == 1).all()
    assert (which.sum(axis=0) > 25).all()  # of 50


def test_a_crop_takes_one_number_or_a_pair():
    assert RandomCrop((3, 4)) == RandomCrop(3, 4)
    assert RandomCrop(3) == RandomCrop(3, 3)
    with pytest.raises(ValueError, match=r"RandomCrop\(height=...\)"):
        RandomCrop((3, 4, 5))


def test_noise_is_normal():
    noise = (seen_in_training(GaussianNoise(2.0)) - X).ravel() / 2
    assert abs(noise.mean()) < 0.03
    assert abs(noise.std() - 1) < 0.03
    assert abs((np.abs(noise) < 1).mean() - 0.6827) < 0.01
    assert abs((noise**4).mean() - 3) < 0.2


LAYERS = [RandomFlip(), RandomShift(1), RandomCrop(3, 4), GaussianNoise(0.3), Dropout(0.4, channels=True)]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_prediction_and_resumed_training(layer, many_parts, tmp_path):
    def net():
        return Network([layer, Flatten(), Dense(2, "softmax")], inputs=(4, 5, 3), seed=4)

    one, y = net(), np.arange(300) % 2
    seen = layer_outputs(one, X)[0]
    expected = X[:, 0:3, 0:4] if isinstance(layer, RandomCrop) else X
    np.testing.assert_array_equal(seen.reshape(expected.shape), expected.astype("float32"))
    one.fit(X, y, epochs=3, threads=1)
    for threads in (2, 3):
        other = net()
        other.fit(X, y, epochs=1, threads=threads)
        other.save_checkpoint(tmp_path / "c")
        other = Network.load_checkpoint(tmp_path / "c")
        other.fit(X, y, epochs=2, threads=threads)
        assert other.config() == one.config()
    assert max(many_parts) > 1
    assert not np.array_equal(one.parameters["2.weight"], net().parameters["2.weight"])


@pytest.mark.parametrize(("make", "says"), [
    (lambda: RandomFlip(False), "flips nothing"),
    (lambda: RandomFlip("yes"), r"RandomFlip\(horizontal=...\) is 'yes'"),
    (lambda: RandomShift(-1), "pixels"),
    (lambda: RandomShift(4).output_shape((4, 9, 1)), "out completely"),
    (lambda: RandomCrop(0, 3), r"RandomCrop\(height=...\)"),
    (lambda: RandomCrop(5, 3).output_shape((4, 9, 1)), "larger than an image of 4×9 pixels"),
    (lambda: GaussianNoise(-0.1), "deviation"),
    (lambda: Dropout(0.5, channels=3), r"Dropout\(channels=...\) is 3"),
    (lambda: RandomFlip().output_shape((4,)), "takes images"),
])
def test_invalid_arguments(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_examples_run():
    for module in (random_calls, naive.random_layers, vectorized.random_layers):
        assert doctest.testmod(module).failed == 0
