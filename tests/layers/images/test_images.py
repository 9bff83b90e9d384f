"""ZeroPad2D, Pad2D, UpSample2D, Rescale and Normalize: all rungs and thread counts, their state and their errors."""

import doctest

import numpy as np
import pytest
from guarded import results_of

from fastnn import (
    LBFGS,
    Dense,
    Flatten,
    GroupNorm,
    Network,
    Normalize,
    Pad2D,
    Population,
    Rescale,
    Reshape,
    UpSample2D,
    ZeroPad2D,
    compiled,
    naive,
    vectorized,
)
from fastnn.compiled import image_calls, layer_calls

rng = np.random.default_rng(0)
SHAPES = [(2, 3, 4, 1), (1, 1, 1, 3), (3, 5, 2, 17), (1, 4, 6, 40)]
CASES = {  # the arguments after x, those after da, and the height and width of a
    "zero_pad2d": ((((1, 0), (2, 3)),), (((1, 0), (2, 3)),), lambda h, w: (h + 1, w + 5)),
    "up_sample2d": (((2, 3),), ((2, 3),), lambda h, w: (2 * h, 3 * w)),
    "rescale": ((0.3, -2.0), (0.3,), lambda h, w: (h, w)),
    "normalize": (("mean", "scale"), ("scale",), lambda h, w: (h, w)),
}


@pytest.fixture(autouse=True)
def results(monkeypatch):
    yield from results_of(image_calls, monkeypatch)


def calls(name, shape, dtype):
    """Return (function, arguments) of forward and backward."""
    forward, backward, larger = CASES[name]
    batch, height, width, channels = shape
    vectors = {key: rng.normal(size=channels).astype(dtype) for key in ("mean", "scale")}
    x, da = rng.normal(size=shape).astype(dtype), rng.normal(size=(batch, *larger(height, width), channels)).astype(dtype)
    named = lambda options: [vectors.get(each, each) if isinstance(each, str) else each for each in options]
    return [(f"{name}_forward", (x, *named(forward))), (f"{name}_backward", (da, *named(backward)))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_three_rungs_and_threads(name, shape, dtype, monkeypatch):
    monkeypatch.setattr(image_calls, "NUMBERS_PER_PART", 1)
    for function, given in calls(name, shape, dtype):
        found = getattr(compiled, function)(*given, threads=1)
        assert found.dtype == dtype
        for rung in (naive, vectorized):
            np.testing.assert_allclose(found, getattr(rung, function)(*given), rtol=1e-5 if dtype == "float32" else 1e-12,
                                       atol=1e-6 if dtype == "float32" else 1e-12)
        for threads in (2, 5):
            assert getattr(compiled, function)(*given, threads=threads).tobytes() == found.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 1), (1, 5, 2, 17)], ids=str)
@pytest.mark.parametrize(("padding", "mode", "value"), [
    (((1, 0), (2, 3)), "constant", -1.5), (((1, 4), (2, 3)), "edge", 0.0), (((2, 1), (1, 0)), "reflect", 0.0),
    (((1, 0), (5, 11)), "wrap", 0.0), (0, "wrap", 0.0)], ids=str)
def test_padding_by_each_rule(padding, mode, value, shape, dtype, monkeypatch):
    monkeypatch.setattr(image_calls, "NUMBERS_PER_PART", 1)
    x = rng.normal(size=shape).astype(dtype)
    sides = [(0, 0), *(padding if padding else [(0, 0)] * 2), (0, 0)]
    a = compiled.pad2d_forward(x, padding, mode, value)
    np.testing.assert_array_equal(a, np.pad(x, sides, mode, **({"constant_values": value} if mode == "constant" else {})))
    for rung in (naive, vectorized):
        np.testing.assert_array_equal(rung.pad2d_forward(x, padding, mode, value), a)
    da = rng.normal(size=a.shape).astype(dtype)
    dx = compiled.pad2d_backward(da, padding, mode)
    for rung in (naive, vectorized):
        np.testing.assert_allclose(rung.pad2d_backward(da, padding, mode), dx, rtol=1e-5, atol=1e-6)
    # the pullback of a linear map: <da, pad(x) - pad(0)> = <dx, x>
    linear = a - compiled.pad2d_forward(0 * x, padding, mode, value)
    np.testing.assert_allclose((da * linear).sum(dtype="f8"), (dx * x).sum(dtype="f8"), rtol=1e-4, atol=1e-4)
    for threads in (2, 5):
        assert compiled.pad2d_forward(x, padding, mode, value, threads=threads).tobytes() == a.tobytes()
        assert compiled.pad2d_backward(da, padding, mode, threads=threads).tobytes() == dx.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "groups"), [((2, 6, 4), 2), ((3, 1, 6), 3), ((1, 9, 40), 1), ((2, 5, 17), 17)], ids=str)
def test_group_norm_on_three_rungs(shape, groups, dtype, monkeypatch):
    monkeypatch.setattr(layer_calls, "NUMBERS_PER_PART", 1)
    x, da = rng.normal(size=(2, *shape)).astype(dtype)
    scale, shift = rng.normal(size=(2, shape[-1])).astype(dtype)
    for function, given in (("group_norm_forward", (x, scale, shift)), ("group_norm_backward", (da, x, scale))):
        found, *others = (getattr(rung, function)(*given, groups, 1e-3) for rung in (compiled, naive, vectorized))
        as_tuple = lambda each: each if isinstance(each, tuple) else (each,)
        for other in others:
            for one, expected in zip(as_tuple(found), as_tuple(other), strict=True):
                np.testing.assert_allclose(one, expected, rtol=1e-4 if dtype == "float32" else 1e-11,
                                           atol=1e-4 if dtype == "float32" else 1e-11)
        many = getattr(compiled, function)(*given, groups, 1e-3, threads=3)
        assert [each.tobytes() for each in as_tuple(many)] == [each.tobytes() for each in as_tuple(found)]


IMAGES, LABELS = rng.normal(3, [1, 2, 5], size=(40, 4, 5, 3)), np.arange(40) % 2


def net(*layers, **options):
    return Network([*layers, Flatten(), Dense(2, "softmax")], inputs=(4, 5, 3), dtype="float64", **options)


def test_normalize_learns_from_the_first_fit_only():
    one = net(Normalize())
    before = one.forward(IMAGES)
    one.fit(IMAGES, LABELS)
    assert not np.array_equal(one.forward(IMAGES), before)
    np.testing.assert_allclose(one.state["0.mean"], IMAGES.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(one.state["0.scale"], 1 / IMAGES.std(axis=(0, 1, 2)), rtol=1e-12)
    kept = {name: view.copy() for name, view in one.state.items()}
    one.fit(IMAGES * 7, LABELS)
    assert all(np.array_equal(one.state[name], view) for name, view in kept.items())


def test_normalize_equals_a_fit_to_normalized_data():
    one, other = net(Normalize()), net(Normalize())
    other.state["0.samples"][:] = 1  # as after a fit, with a = x
    one.fit(IMAGES, LABELS, epochs=2)
    other.fit((IMAGES - one.state["0.mean"]) * one.state["0.scale"], LABELS, epochs=2)
    np.testing.assert_array_equal(one.parameters["2.weight"], other.parameters["2.weight"])


def test_normalize_of_constant_channels_and_flat_samples(tmp_path):
    flat = Network([Flatten(), Normalize(), Dense(2, "softmax")], inputs=(4, 5, 3))
    X = IMAGES.copy()
    X[..., 1] = 1e-3
    flat.fit(X, LABELS)
    assert flat.state["1.mean"].shape == (60,)
    assert (flat.state["1.scale"].reshape(4, 5, 3)[..., 1] == 1).all()
    flat.save(tmp_path / "net")
    np.testing.assert_array_equal(Network.load(tmp_path / "net").forward(X), flat.forward(X))


def test_normalize_of_a_population_learns_from_the_rows_of_each_member():
    members = [net(Normalize(), seed=seed) for seed in range(2)]
    Population(members).fit(IMAGES, LABELS, rows=[np.arange(20), np.arange(20, 40)])
    for member, rows in zip(members, (slice(0, 20), slice(20, 40)), strict=True):
        np.testing.assert_allclose(member.state["0.mean"], IMAGES[rows].mean(axis=(0, 1, 2)), rtol=1e-12)


def test_normalize_between_layers_is_refused():
    late = Network([Flatten(), Dense(3), Normalize(), Dense(2, "softmax")], inputs=(4, 5, 3))
    with pytest.raises(ValueError, match=r"layer 2, Normalize\(\), learns from X, .* BatchNorm"):
        late.fit(IMAGES, LABELS)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: ZeroPad2D("same"), r"ZeroPad2D\(padding=...\) is 'same'; it must be numbers"),
    (lambda: ZeroPad2D(-1), "padding"),
    (lambda: Pad2D(1, "replicate"), "mode.* is 'replicate'"),
    (lambda: Pad2D(1, "edge", 2.0), "give it with mode 'constant'"),
    (lambda: Pad2D(1, value=np.inf), "value"), (lambda: Pad2D("same"), "padding"),
    (lambda: Pad2D((0, 3), "reflect").output_shape((4, 3, 1)), "reflects 3 pixels, and of the width of 3 there are 2"),
    (lambda: compiled.pad2d_forward(np.ones((1, 2, 2, 1)), 2, "reflect"), "reflects 2 pixels"),
    (lambda: naive.pad2d_forward([[[[1.0]]]], 1, "reflect"), "reflects 1 pixels"),
    (lambda: vectorized.pad2d_backward(np.ones((1, 4, 4, 1)), 1, "mirror"), "mode"),
    (lambda: UpSample2D(0), "size"),
    (lambda: UpSample2D((2, 2, 2)), "size"),
    (lambda: Rescale(float("nan")), r"Rescale\(scale=...\) is nan"),
    (lambda: GroupNorm(0), "groups"),
    (lambda: GroupNorm(4).output_shape((2, 2, 6)), "4 groups divide"),
    (lambda: ZeroPad2D(1).output_shape((4, 5)), r"takes images .*Reshape\(\(4, 5, 1\)\)"),
    (lambda: UpSample2D(2).output_shape((4,)), "takes images"),
])
def test_invalid_arguments(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_rescale_equals_rescaled_data():
    one, other = net(Rescale(1 / 255, -0.5)), net(Reshape((4, 5, 3)))
    np.testing.assert_allclose(one.forward(IMAGES), other.forward(IMAGES * (1 / 255) - 0.5), rtol=1e-12)


def test_examples_run():
    for module in (naive.images, vectorized.images, naive.group_normalization, vectorized.group_normalization):
        assert doctest.testmod(module).failed == 0


def test_normalize_learns_before_a_fit_with_lbfgs():
    one = net(Normalize())
    one.fit(IMAGES, LABELS, optimizer=LBFGS(max_iterations=2))
    np.testing.assert_allclose(one.state["0.mean"], IMAGES.mean(axis=(0, 1, 2)), rtol=1e-12)
