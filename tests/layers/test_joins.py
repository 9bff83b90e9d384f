"""Joins and slices in loops, in NumPy and compiled give the same results; gradients are the derivatives."""

import numpy as np
import pytest
from guarded import results_of
from small_nets import central_differences

from fastnn import compiled, naive, vectorized
from fastnn.compiled import join_calls

SHAPES = [(1, 1), (5, 3), (3, 2, 4), (2, 3, 2, 5), (17, 65)]
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def results(monkeypatch):
    yield from results_of(join_calls, monkeypatch)


def tensors(count, shape, dtype="float64"):
    """Return tensors whose elements are often equal."""
    return [each.astype(dtype) for each in np.round(2 * rng.normal(size=(count, *shape))) / 2]


def cases(shape):
    """Return {name: (function, arguments)}."""
    x, y, z, da = tensors(4, shape)
    half = -(-shape[-1] // 2)
    made = {
        "weighted_sum": ([x, y, z], [1.0, -0.5, 2.0]), "weighted_sum_backward": (da, [1.0, -0.5, 2.0]),
        "multiply": ([x, y, z],), "multiply_backward": (da, [x, y, z]),
        "maximum": ([x, y, z],), "maximum_backward": (da, [x, y, z]),
        "concatenate": ([x, y, z],), "concatenate first axis": ([x, y], 0),
        "concatenate_backward": (da, [half, shape[-1] - half] if shape[-1] > 1 else [1]),
        "slice": (x, 0, half), "slice first axis": (x, shape[1] // 2, shape[1], 0),
        "slice_backward": (da, 2 * shape[-1] + 1, shape[-1]), "slice_backward first axis": (da, shape[1] + 2, 1, 0),
        "dot": (x, y), "dot_backward": (da[..., :1], x, y),
        "dot normalized": (x, y, True), "dot_backward normalized": (da[..., :1], x, y, True),
    }
    return {(word if "backward" in word else f"{word}_forward", name): given
            for name, given in made.items() for word in [name.split()[0]]}


def as_list(result):
    return [*result] if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_three_rungs(shape):
    for (function, name), given in cases(shape).items():
        loops, numpy, ours = (getattr(rung, function)(*given) for rung in (naive, vectorized, compiled))
        loops = [np.array(each) for each in (as_list(loops) if isinstance(numpy, (tuple, list)) else [loops])]
        for a, b, c in zip(loops, as_list(numpy), as_list(ours), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-13, atol=1e-13, err_msg=name)
            np.testing.assert_allclose(c, a, rtol=1e-13, atol=1e-13, err_msg=name)


def test_float32_and_threads(monkeypatch):
    from fastnn.compiled import image_calls

    monkeypatch.setattr(image_calls, "NUMBERS_PER_PART", 1)  # so that even this is cut into parts
    for (function, name), given in cases((17, 65)).items():
        single = [np.float32(each) if isinstance(each, np.ndarray) else
                  [np.float32(one) for one in each] if isinstance(each, list) and isinstance(each[0], np.ndarray) else each
                  for each in given]
        one, *others = (as_list(getattr(compiled, function)(*single, threads=threads)) for threads in (1, 2, 3, 8))
        for a, b in zip(one, as_list(getattr(vectorized, function)(*given)), strict=True):
            assert a.dtype == np.float32
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=name)
        assert all([each.tobytes() for each in one] == [each.tobytes() for each in other] for other in others), name


@pytest.mark.parametrize("join", ["multiply", "maximum", "dot"])
def test_gradients_are_the_derivatives(join):
    x, y = rng.normal(size=(2, 4, 3))
    for options in ([], [True]) if join == "dot" else ([],):
        given = (x, y, *options) if join == "dot" else ([x, y],)
        forward, backward = getattr(vectorized, f"{join}_forward"), getattr(vectorized, f"{join}_backward")
        da = rng.normal(size=forward(*given).shape)
        for array, gradient in zip((x, y), backward(da, *given), strict=True):
            numeric = central_differences(lambda: (da * forward(*given)).sum(), array)  # noqa: B023
            np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_equal_numbers_share_the_gradient_as_differences_do():
    x, da = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    for rung in (naive, vectorized, compiled):
        np.testing.assert_array_equal(rung.maximum_backward(da, [x, x]), [da / 2, da / 2])


def test_what_is_not_a_number_stays_so():
    x, y = np.array([[np.nan, 1.0, 2.0]]), np.array([[1.0, np.nan, 3.0]])
    for rung in (vectorized, compiled):
        np.testing.assert_array_equal(rung.maximum_forward([x, y]), [[np.nan, np.nan, 3.0]])


def test_a_row_of_zeros_has_no_direction():
    x, y = np.zeros((1, 3)), np.ones((1, 3))
    for rung in (naive, vectorized, compiled):
        assert np.array(rung.dot_forward(x, y, True)).tolist() == [[0.0]]
        assert np.isfinite(rung.dot_backward([[1.0]], x, y, True)).all()


@pytest.mark.parametrize("rung", [naive, vectorized, compiled], ids=lambda rung: rung.__name__)
@pytest.mark.parametrize(("function", "given", "message"), [
    ("multiply_forward", ([np.ones((2, 3)), np.ones((2, 4))],), "they must be the same"),
    ("maximum_forward", ([np.ones((2, 3))],), "two or more"),
    ("weighted_sum_forward", ([np.ones((2, 3))] * 2, [1.0]), "factors has 1 numbers; there are 2 tensors"),
    ("concatenate_forward", ([np.ones((2, 3)), np.ones((3, 3))],), "they may differ in axis -1 only"),
    ("concatenate_forward", ([np.ones((2, 3))] * 2, 1), "axis is 1"),
    ("slice_forward", (np.ones((2, 3)), 2, 2), "start is 2 and stop 2"),
    ("slice_backward", (np.ones((2, 3)), 3, 1), "start is 1 and stop 4"),
    ("dot_forward", (np.ones((2, 3)), np.ones((2, 4))), "they must be the same"),
])
def test_refused(rung, function, given, message):
    with pytest.raises(ValueError, match=message):
        getattr(rung, function)(*given)
